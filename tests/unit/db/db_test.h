#pragma once
/* What the tests of db/ share: cmocka's includes, a PostgreSQL per program, sample rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/uuid.h"
#include "tests/support/pg_fixture.h"

#define TENANT "00000000-0000-7000-8000-000000000001"

static inline struct uuid new_id(void)
{
	return uuid_make(clock_wall_ms(&clock_system));
}

static inline struct uuid id_of(const char *text)
{
	struct uuid id = {{0}};

	assert_true(uuid_parse(text, &id));
	return id;
}

/* For SQL text; in a ring of 8. */
static inline const char *id_text(const struct uuid *id)
{
	static char ring[8][UUID_TEXT_SIZE];
	static unsigned next;

	return uuid_format(id, ring[next++ % 8]);
}

static inline const char *sql_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline const char *sql_format(const char *format, ...)
{
	static char ring[4][2048];
	static unsigned next;
	char *sql = ring[next++ % 4];
	va_list args;

	va_start(args, format);
	vsnprintf(sql, sizeof(ring[0]), format, args);
	va_end(args);
	return sql;
}

/* Starts the program's PostgreSQL; ends the program as skipped when there is none. */
static inline void start_or_skip(struct pg_fixture *pg)
{
	char reason[200];

	if (pg_fixture_start(pg, reason, sizeof(reason)))
		return;
	printf("1..0 # SKIP %s\n", reason);
	exit(0);
}
