#include "base/str.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool str_copy(char *dst, size_t size, const char *src)
{
	size_t length = src ? strlen(src) : 0;

	if (size == 0)
		return false;
	if (length >= size) {
		dst[0] = '\0';
		return false;
	}
	memcpy(dst, src ? src : "", length + 1);
	return true;
}

void str_copy_cut(char *dst, size_t size, const char *src)
{
	if (size == 0)
		return;
	size_t length = src ? strnlen(src, size) : 0;
	if (length == size) {
		length = size - 1;
		/* src[length] is the first byte left behind: inside a character, all of it stays
		 * behind. */
		for (int i = 0; i < 3 && length > 0 && (src[length] & 0xc0) == 0x80; i++)
			length--;
	}
	memcpy(dst, src ? src : "", length);
	dst[length] = '\0';
}

bool str_format(char *dst, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int length = vsnprintf(dst, size, format, args);
	va_end(args);
	return length >= 0 && (size_t)length < size;
}

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The table 3-7 of the Unicode standard: only the second byte's range depends on the first. */
static size_t utf8_multibyte(const uint8_t *s, size_t length)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t need;

	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		need = 2;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		need = 3;
		low = s[0] == 0xe0 ? 0xa0 : low;   /* shorter forms exist below */
		high = s[0] == 0xed ? 0x9f : high; /* surrogates above */
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		need = 4;
		low = s[0] == 0xf0 ? 0x90 : low;
		high = s[0] == 0xf4 ? 0x8f : high; /* U+10FFFF is the last */
	} else {
		return 0;
	}
	if (length < need || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++) {
		if (!is_continuation(s[i]))
			return 0;
	}
	return need;
}

size_t str_utf8_char(const char *text, size_t length)
{
	const uint8_t *s = (const uint8_t *)text;

	if (length == 0)
		return 0;
	return s[0] < 0x80 ? 1 : utf8_multibyte(s, length);
}

bool str_is_utf8(const char *text, size_t length)
{
	while (length > 0) {
		size_t step = str_utf8_char(text, length);
		if (step == 0)
			return false;
		text += step;
		length -= step;
	}
	return true;
}

bool str_is_printable(const char *text)
{
	for (; *text; text++) {
		if ((uint8_t)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

bool str_equal_constant_time(const char *a, const char *b, size_t length)
{
	volatile uint8_t difference = 0;

	for (size_t i = 0; i < length; i++)
		difference |= (uint8_t)(a[i] ^ b[i]);
	return difference == 0;
}

static bool is_unreserved(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '~' || c == '-';
}

bool str_url_encode(char *dst, size_t size, const char *src)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t at = 0;

	if (size == 0)
		return false;
	for (; *src; src++) {
		uint8_t c = (uint8_t)*src;
		size_t need = is_unreserved(c) ? 1 : 3;
		if (need >= size - at) {
			dst[0] = '\0';
			return false;
		}
		if (need == 1) {
			dst[at++] = (char)c;
		} else {
			dst[at++] = '%';
			dst[at++] = hex[c >> 4];
			dst[at++] = hex[c & 15];
		}
	}
	dst[at] = '\0';
	return true;
}
