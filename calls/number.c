#include "calls/number.h"

#include <string.h>

#define DIGITS_MAX	15 /* E.164 6.1 */
#define DIGITS_MIN	2
#define DIGITS_MIN_PLUS 7
#define INTERNAL_MAX	6

static enum status refuse(struct err *err, const char *why)
{
	return err_set(err, ST_INVALID, "number.invalid", "number",
		       "this is no telephone number: %s", why);
}

enum status number_parse(const char *text, char ret[NUMBER_SIZE], struct err *err)
{
	char number[NUMBER_SIZE];
	unsigned length = 0, digits = 0;

	if (strlen(text) >= 64)
		return refuse(err, "it is too long");
	for (const char *p = text; *p; p++) {
		if (strchr(" -().", *p))
			continue;
		if (*p == '+' && length == 0)
			number[length++] = '+';
		else if (*p >= '0' && *p <= '9' && digits < DIGITS_MAX)
			number[length++] = *p, digits++;
		else if (*p >= '0' && *p <= '9')
			return refuse(err, "it has more than 15 digits");
		else
			return refuse(err, "only digits, a leading + and the separators space - ( "
					   ") . may be in it");
	}
	number[length] = 0;
	if (number[0] == '+' && (digits < DIGITS_MIN_PLUS || number[1] == '0'))
		return refuse(err, "after + come a country code and 7 to 15 digits in all");
	if (digits < DIGITS_MIN)
		return refuse(err, "it has fewer than 2 digits");
	memcpy(ret, number, length + 1);
	return ST_OK;
}

bool number_is_internal(const char *number)
{
	return number[0] != '+' && strlen(number) <= INTERNAL_MAX;
}

enum status digits_check(const char *text, struct err *err)
{
	size_t length = strlen(text);

	if (length && length <= 32 && strspn(text, "0123456789*#") == length)
		return ST_OK;
	return err_set(err, ST_INVALID, "digits.invalid", "digits",
		       "digits are 1 to 32 of 0123456789*#; nothing was sent");
}
