#include "db/sqlstate.h"

#include <string.h>

struct rule {
	const char *prefix; /* of the code; the first rule that matches wins */
	enum status status;
};

static const struct rule rules[] = {
	{"08", ST_UNAVAILABLE},	   /* connection */
	{"22", ST_INVALID},	   /* a value PostgreSQL cannot take */
	{"23505", ST_CONFLICT},	   /* unique */
	{"23503", ST_CONFLICT},	   /* foreign key: still used, or not there any more */
	{"23", ST_INVALID},	   /* not null, check */
	{"25006", ST_UNAVAILABLE}, /* read only: a standby */
	{"25P", ST_TIMEOUT},	   /* idle in transaction too long */
	{"28", ST_UNAVAILABLE},	   /* not let in */
	{"3D", ST_UNAVAILABLE},	   /* no such database */
	{"40", ST_BUSY},	   /* serialization, deadlock */
	{"53", ST_UNAVAILABLE},	   /* disk, memory or connections are all used */
	{"55P03", ST_BUSY},	   /* lock not available */
	{"57014", ST_TIMEOUT},	   /* statement_timeout */
	{"57P", ST_UNAVAILABLE},   /* shutting down, starting up */
	{"58", ST_UNAVAILABLE},	   /* input/output */
};

static bool has_prefix(const char *sqlstate, const char *prefix)
{
	return strncmp(sqlstate, prefix, strlen(prefix)) == 0;
}

enum status sqlstate_status(const char *sqlstate)
{
	if (!*sqlstate)
		return ST_UNAVAILABLE;
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (has_prefix(sqlstate, rules[i].prefix))
			return rules[i].status;
	return ST_INTERNAL;
}

bool sqlstate_blames_the_row(const char *sqlstate)
{
	/* data, integrity, check option, and everything a trigger or its function can raise */
	static const char *const classes[] = {"22", "23", "44", "P0", "2F",
					      "38", "39", "21", "27", "09"};

	for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (has_prefix(sqlstate, classes[i]))
			return true;
	return false;
}

bool sqlstate_blames_the_connection(const char *sqlstate)
{
	/* 26000: a prepared statement is gone; 0A000: its result type changed under it */
	return has_prefix(sqlstate, "26000") || has_prefix(sqlstate, "0A000");
}
