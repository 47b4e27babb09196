#pragma once
/* SQLSTATE to status: here and nowhere else. */
#include <stdbool.h>

#include "base/status.h"

/* What a caller is told for this code ("" = the connection broke). */
enum status sqlstate_status(const char *sqlstate);
/* The record itself is what PostgreSQL refuses (bad data, broken constraint, a trigger that
 * raises): writing it again would fail again. */
bool sqlstate_blames_the_row(const char *sqlstate);
/* The same can work on a new connection at once: plans or prepared statements of this one are
 * stale. */
bool sqlstate_blames_the_connection(const char *sqlstate);
