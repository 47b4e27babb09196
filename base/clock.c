#include "base/clock.h"

#include <time.h>

static int64_t read_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall(void *user)
{
	(void)user;
	return read_us(CLOCK_REALTIME);
}

static int64_t system_mono(void *user)
{
	(void)user;
	return read_us(CLOCK_MONOTONIC);
}

const struct clock clock_system = {.wall_us = system_wall, .mono_us = system_mono};

static int64_t held_wall(void *user)
{
	return ((struct held_clock *)user)->wall_us;
}

static int64_t held_mono(void *user)
{
	return ((struct held_clock *)user)->mono_us;
}

struct clock clock_held(struct held_clock *held)
{
	return (struct clock){.wall_us = held_wall, .mono_us = held_mono, .user = held};
}

void held_clock_advance(struct held_clock *held, int64_t us)
{
	held->wall_us += us;
	held->mono_us += us;
}

struct date {
	unsigned year, month, day;
};

/* Gregorian date of a day counted from 1970-01-01. The calendar is cut into eras of 400 years
 * (146097 days) whose years begin on 1 March, so that the leap day is the last day of a year and
 * the lengths of the months before it follow a straight line (153 days in five months). */
static struct date date_from_days(int64_t days)
{
	enum { DAYS_PER_ERA = 146097, DAYS_0000_03_01_TO_1970 = 719468 };

	days += DAYS_0000_03_01_TO_1970;
	int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
	unsigned day = (unsigned)(days - era * DAYS_PER_ERA);
	unsigned year = (day - day / 1460 + day / 36524 - day / (DAYS_PER_ERA - 1)) / 365;
	unsigned day_of_year = day - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * day_of_year + 2) / 153; /* 0 = March */
	unsigned first = (153 * month + 2) / 5;
	bool next_year = month >= 10;

	return (struct date){
		.year = (unsigned)(era * 400 + year + next_year),
		.month = next_year ? month - 9 : month + 3,
		.day = day_of_year - first + 1,
	};
}

static char *put_2(char *to, unsigned value)
{
	to[0] = (char)('0' + value / 10);
	to[1] = (char)('0' + value % 10);
	return to + 2;
}

size_t clock_format(char buffer[CLOCK_TEXT_SIZE], int64_t unix_ms, bool with_ms)
{
	/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: what four digits can say */
	const int64_t first = -62167219200000, last = 253402300799999;
	const int64_t ms_per_day = 86400000;

	unix_ms = unix_ms < first ? first : unix_ms > last ? last : unix_ms;
	int64_t days = unix_ms / ms_per_day - (unix_ms % ms_per_day < 0);
	unsigned rest = (unsigned)(unix_ms - days * ms_per_day);
	unsigned seconds = rest / 1000, ms = rest % 1000;
	struct date date = date_from_days(days);
	char *to = buffer;

	to = put_2(to, date.year / 100);
	to = put_2(to, date.year % 100);
	*to++ = '-';
	to = put_2(to, date.month);
	*to++ = '-';
	to = put_2(to, date.day);
	*to++ = 'T';
	to = put_2(to, seconds / 3600);
	*to++ = ':';
	to = put_2(to, seconds / 60 % 60);
	*to++ = ':';
	to = put_2(to, seconds % 60);
	if (with_ms) {
		*to++ = '.';
		*to++ = (char)('0' + ms / 100);
		to = put_2(to, ms % 100);
	}
	*to++ = 'Z';
	*to = '\0';
	return (size_t)(to - buffer);
}
