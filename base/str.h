#pragma once
/* Bounded text. */
#include <stdbool.h>
#include <stddef.h>

/* Copies with the NUL; false (and dst is "") when it does not fit. src may be NULL: copies "". */
bool str_copy(char *dst, size_t size, const char *src);
/* Copies what fits, never cutting a UTF-8 character in half. For texts meant for people only. */
void str_copy_cut(char *dst, size_t size, const char *src);
/* snprintf that answers whether it fitted. */
bool str_format(char *dst, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Bytes (1 to 4) of the well-formed UTF-8 character that text begins with; 0 when it begins with
 * none. */
size_t str_utf8_char(const char *text, size_t length);
bool str_is_utf8(const char *text, size_t length);
/* No byte below 0x20, no 0x7f. */
bool str_is_printable(const char *text);
/* Takes the same time for any two texts of equal length. */
bool str_equal_constant_time(const char *a, const char *b, size_t length);
/* Percent-encodes everything but [A-Za-z0-9._~-]; false when it does not fit. */
bool str_url_encode(char *dst, size_t size, const char *src);
