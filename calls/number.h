#pragma once
/* Telephone numbers and digits from outside: accept, normalise, refuse. Never "cleaned": what is
 * not plainly a number is refused. Pure. */
#include <stdbool.h>
#include "base/status.h"
#include "calls/call_view.h"

/* Takes the visual separators of ITU-T E.123 (space - ( ) .) out and accepts `+` and 7 to 15 digits
 * (E.164 6.1: at most 15), or 2 to 15 digits without one (extensions, national numbers). Anything
 * else: ST_INVALID number.invalid. */
enum status number_parse(const char *text, char ret[NUMBER_SIZE], struct err *err) MUST_USE;
/* A number that number_parse() gave, of at most 6 digits and no +: an extension, or a short number
 * as 112. No numbering plan is asked about it. */
bool number_is_internal(const char *number);
/* [0-9*#]{1,32}: "“digit” can be one or more of the following: 0123456789*#". ST_INVALID
 * digits.invalid. */
enum status digits_check(const char *text, struct err *err) MUST_USE;
