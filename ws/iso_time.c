#include "ws/iso_time.h"

#include <ctype.h>
#include <stddef.h>

/* So many digits as a number, then the character that must follow (0 = none). */
static bool digits(const char **at, int count, char then, int *ret)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (!isdigit((unsigned char)**at))
			return false;
		value = 10 * value + *(*at)++ - '0';
	}
	if (then && *(*at)++ != then)
		return false;
	*ret = value;
	return true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of(int year, int month)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01; the year begins in March, so that the odd day is its last. */
static int64_t day_number(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* ".5" -> 500; digits beyond milliseconds are read over. */
static bool read_fraction(const char **at, int *ret_ms)
{
	int count = 0, ms = 0;

	*ret_ms = 0;
	if (**at != '.')
		return true;
	for ((*at)++; isdigit((unsigned char)**at); (*at)++)
		if (count++ < 3)
			ms = 10 * ms + **at - '0';
	for (int i = count; i < 3; i++)
		ms *= 10;
	*ret_ms = ms;
	return count >= 1 && count <= 9;
}

static bool read_offset(const char *at, int *ret_minutes)
{
	int sign = *at == '-' ? -1 : 1, hours, minutes;

	if (*at == 'Z' || *at == 'z') {
		*ret_minutes = 0;
		return at[1] == '\0';
	}
	if (*at != '+' && *at != '-')
		return false;
	at++;
	if (!digits(&at, 2, ':', &hours) || !digits(&at, 2, 0, &minutes))
		return false;
	*ret_minutes = sign * (60 * hours + minutes);
	return *at == '\0' && hours < 24 && minutes < 60;
}

bool iso_time_parse(const char *text, int64_t *ret_unix_ms)
{
	int year, month, day, hour, minute, second, ms, offset;

	if (!digits(&text, 4, '-', &year) || !digits(&text, 2, '-', &month) ||
	    !digits(&text, 2, 0, &day) || (*text != 'T' && *text != 't'))
		return false;
	text++;
	if (!digits(&text, 2, ':', &hour) || !digits(&text, 2, ':', &minute) ||
	    !digits(&text, 2, 0, &second) || !read_fraction(&text, &ms) ||
	    !read_offset(text, &offset))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of(year, month) ||
	    hour > 23 || minute > 59 || second > 59)
		return false;
	int64_t minutes = (day_number(year, month, day) * 24 + hour) * 60 + minute - offset;
	*ret_unix_ms = (minutes * 60 + second) * 1000 + ms;
	return true;
}
