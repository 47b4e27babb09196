#pragma once
/* A private, throw-away PostgreSQL for unit tests: a cluster in a temporary folder, reached by unix
 * socket only, started once per test program and gone with it (also when it crashes). As root it
 * runs as another user, because PostgreSQL refuses root. Roles: `owner` (superuser, migrates),
 * `gateway` (a login that is granted calltab_service, what `calltab serve` would use). Tests fail
 * loudly in here: functions do not return errors. */
#include <stdbool.h>
#include <stddef.h>

#define PG_CONNINFO_SIZE 256

struct pg_fixture {
	char folder[64]; /* data, socket and log are in here */
	char bindir[200];
	int pid; /* of the postmaster; 0 = stopped */
	unsigned databases;
};

/* False: no PostgreSQL on this machine, reason says what was looked for; the tests are to be
 * skipped. */
bool pg_fixture_start(struct pg_fixture *pg, char *reason, size_t size);
/* Ends the server, removes the folder. A zeroed struct is fine. */
void pg_fixture_stop(struct pg_fixture *pg);

/* A new database, empty or a copy of a migrated one. conninfo takes that of `owner`. */
void pg_fixture_database(struct pg_fixture *pg, bool is_migrated, char conninfo[PG_CONNINFO_SIZE]);
/* The same database as another user. */
void pg_fixture_as(const char *conninfo, const char *user, char other[PG_CONNINFO_SIZE]);

/* Runs SQL; fails the test when it fails. */
void pg_fixture_exec(const char *conninfo, const char *sql);
/* The first column of the first row as text in a ring of 8; "" when there is none. */
const char *pg_fixture_value(const char *conninfo, const char *sql);
/* The SQLSTATE that this SQL fails with; "" when it works. */
const char *pg_fixture_sqlstate(const char *conninfo, const char *sql);

/* --- misfortunes --- */
void pg_fixture_kill(struct pg_fixture *pg);   /* immediate shutdown, as after a crash */
void pg_fixture_revive(struct pg_fixture *pg); /* starts it again and waits until it answers */
void pg_fixture_freeze(
	struct pg_fixture *pg); /* SIGSTOP for the server and all its backends: it hangs */
void pg_fixture_thaw(struct pg_fixture *pg);
void pg_fixture_mend(
	struct pg_fixture *pg); /* whatever a test that failed left behind: running again */
/* Ends the backends of this application and waits until they are gone; returns how many. */
int pg_fixture_end_backends(const char *conninfo, const char *application);

/* Waits until the predicate is true, at most limit_ms; fails the test with the description. */
void pg_until(const char *description, bool (*predicate)(void *arg), void *arg, unsigned limit_ms);
