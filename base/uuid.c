#include "base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TAIL_BITS 62
#define TAIL_MASK ((UINT64_C(1) << TAIL_BITS) - 1)

static const char hex_digits[] = "0123456789abcdef";

struct uuid uuid_from(int64_t unix_ms, const uint8_t noise[10])
{
	struct uuid uuid;

	for (int i = 0; i < 6; i++)
		uuid.bytes[i] = (uint8_t)((uint64_t)unix_ms >> (40 - 8 * i));
	memcpy(uuid.bytes + 6, noise, 10);
	uuid.bytes[6] = (uint8_t)(0x70 | (uuid.bytes[6] & 0x0f)); /* version 7 */
	uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3f)); /* variant 10 */
	return uuid;
}

/* The 74 random bits of one key, as the number whose order is the order of the keys. */
struct noise {
	uint16_t head; /* 12 bits */
	uint64_t tail; /* 62 bits */
};

static struct uuid uuid_from_noise(int64_t unix_ms, struct noise noise)
{
	uint8_t bytes[10] = {(uint8_t)(noise.head >> 8), (uint8_t)noise.head};

	for (int i = 0; i < 8; i++)
		bytes[2 + i] = (uint8_t)(noise.tail >> (56 - 8 * i));
	return uuid_from(unix_ms, bytes);
}

#define RECENT 16

struct uuid uuid_make(int64_t unix_ms)
{
	/* Clocks of two calls differ by a millisecond or so: each goes on where it was. */
	static _Thread_local struct recent {
		bool is_used;
		int64_t ms;
		struct noise last;
	} recents[RECENT];
	struct recent *recent = &recents[(uint64_t)unix_ms % RECENT];
	struct noise fresh, *last = &recent->last;

	random_bytes(&fresh.tail, sizeof(fresh.tail));
	random_bytes(&fresh.head, sizeof(fresh.head));
	if (!recent->is_used || recent->ms != unix_ms) {
		/* The top bit starts as 0: room to count up within the millisecond (RFC 9562 6.2).
		 */
		last->head = fresh.head & 0x7ff;
		last->tail = fresh.tail & TAIL_MASK;
		recent->is_used = true;
		recent->ms = unix_ms;
	} else {
		/* A random step keeps the next key from being guessed. */
		last->tail += 1 + (fresh.tail & UINT32_MAX);
		last->head = (uint16_t)(last->head + (last->tail >> TAIL_BITS));
		last->tail &= TAIL_MASK;
	}
	return uuid_from_noise(unix_ms, *last);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hyphen_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool uuid_parse(const char *text, struct uuid *out)
{
	struct uuid uuid = {{0}};
	size_t digits = 0;

	if (!text || strnlen(text, UUID_TEXT_SIZE) != UUID_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++) {
		if (is_hyphen_place(i)) {
			if (text[i] != '-')
				return false;
			continue;
		}
		int value = hex_value(text[i]);
		if (value < 0)
			return false;
		uuid.bytes[digits / 2] |= (uint8_t)(digits % 2 ? value : value << 4);
		digits++;
	}
	*out = uuid;
	return true;
}

char *uuid_format(const struct uuid *uuid, char buffer[UUID_TEXT_SIZE])
{
	char *to = buffer;

	for (size_t i = 0; i < 16; i++) {
		if (is_hyphen_place((size_t)(to - buffer)))
			*to++ = '-';
		*to++ = hex_digits[uuid->bytes[i] >> 4];
		*to++ = hex_digits[uuid->bytes[i] & 15];
	}
	*to = '\0';
	return buffer;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool uuid_is_nil(const struct uuid *uuid)
{
	static const struct uuid nil;

	return uuid_equal(uuid, &nil);
}

void random_bytes(void *buffer, unsigned size)
{
	uint8_t *to = buffer;

	while (size > 0) {
		ssize_t got = getrandom(to, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			fputs("calltab: no random numbers from the kernel\n", stderr);
			abort();
		}
		to += got;
		size -= (unsigned)got;
	}
}

char *random_token(char buffer[44])
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t bytes[33] = {0}; /* 256 bits, then zeros that fill the last character */

	random_bytes(bytes, 32);
	for (unsigned i = 0; i < 43; i++) {
		unsigned bit = 6 * i;
		unsigned pair = (unsigned)(bytes[bit / 8] << 8 | bytes[bit / 8 + 1]);
		buffer[i] = alphabet[(pair >> (10 - bit % 8)) & 63];
	}
	buffer[43] = '\0';
	return buffer;
}
