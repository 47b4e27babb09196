#pragma once
/* Reads a moment as RFC 3339 writes it. */
#include <stdbool.h>
#include <stdint.h>

/* "2026-11-22T17:00:00Z", with up to 9 digits of a second, with Z or an offset such as +01:00.
 * False for anything else, also for days that do not exist; then *ret_unix_ms is untouched. */
bool iso_time_parse(const char *text, int64_t *ret_unix_ms);
