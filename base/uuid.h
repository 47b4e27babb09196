#pragma once
/* Keys: UUID version 7 (RFC 9562 5.7): 48 bits of Unix milliseconds, then random bits. */
#include <stdbool.h>
#include <stdint.h>

struct uuid {
	uint8_t bytes[16];
};
#define UUID_TEXT_SIZE 37 /* 36 characters and the NUL */

/* Pure: the same time and random bytes give the same key. */
struct uuid uuid_from(int64_t unix_ms, const uint8_t random_bytes[10]);
/* From the given time and the machine's random numbers; within one thread keys of one millisecond
 * ascend. */
struct uuid uuid_make(int64_t unix_ms);
/* Exactly 36 characters, hexadecimal digits in either case. *out is untouched when false. */
bool uuid_parse(const char *text, struct uuid *out);
/* Lower case. Returns buffer. */
char *uuid_format(const struct uuid *uuid, char buffer[UUID_TEXT_SIZE]);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *uuid);

/* getrandom(2); aborts when the kernel has none to give. */
void random_bytes(void *buffer, unsigned size);
/* 43 characters of base64url without padding = 256 random bits; buffer takes 44. */
char *random_token(char buffer[44]);
