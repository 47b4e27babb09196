#include "tests/support/pg_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/status.h"
#include "db/migrate.h"

#define START_LIMIT_MS 30000

static void must(bool is_true, const char *format, ...) PRINTF_LIKE(2, 3);
static void must(bool is_true, const char *format, ...)
{
	va_list args;

	if (is_true)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	fail();
}

/* --- finding it --- */

static bool has_server(const char *bindir)
{
	char path[256];

	return str_format(path, sizeof(path), "%s/initdb", bindir) && access(path, X_OK) == 0 &&
	       str_format(path, sizeof(path), "%s/postgres", bindir) && access(path, X_OK) == 0;
}

static bool ask_pg_config(char *bindir, size_t size)
{
	FILE *pipe = popen("pg_config --bindir 2>/dev/null", "r");
	bool is_read = pipe && fgets(bindir, (int)size, pipe);

	if (pipe)
		pclose(pipe);
	if (!is_read)
		return false;
	bindir[strcspn(bindir, "\n")] = '\0';
	return has_server(bindir);
}

/* Debian keeps the server out of PATH; the highest version wins. */
static bool find_bindir(char *bindir, size_t size)
{
	glob_t found;
	bool is_found = false;

	if (ask_pg_config(bindir, size))
		return true;
	if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0)
		return false;
	for (size_t i = found.gl_pathc; i-- > 0 && !is_found;)
		is_found =
			has_server(found.gl_pathv[i]) && str_copy(bindir, size, found.gl_pathv[i]);
	globfree(&found);
	return is_found;
}

/* --- running its programs as an ordinary user --- */

static const struct passwd *other_user(void)
{
	const struct passwd *user = getpwnam("postgres");

	return user ? user : getpwnam("nobody");
}

static void become_ordinary(void)
{
	const struct passwd *user = geteuid() == 0 ? other_user() : NULL;

	if (user &&
	    (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
		_exit(126);
}

static void to_log(const struct pg_fixture *pg)
{
	char path[128];

	str_format(path, sizeof(path), "%s/log", pg->folder);
	int fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0666);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	/* Nothing of the test's: neither its sockets nor the pipe of whoever reads its output. */
	for (int i = 3; i < 256; i++)
		close(i);
	fd = open("/dev/null", O_RDONLY);
	dup2(fd, 0);
}

static pid_t spawn(const struct pg_fixture *pg, const char *const argv[])
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	become_ordinary();
	prctl(PR_SET_PDEATHSIG, SIGQUIT); /* after the change of user, which resets it */
	to_log(pg);
	if (chdir(pg->folder) != 0)
		_exit(126);
	unsetenv("PGOPTIONS");
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static void print_log(const struct pg_fixture *pg)
{
	char command[160];

	str_format(command, sizeof(command), "tail -n 40 %s/log 1>&2", pg->folder);
	if (system(command) != 0)
		fputs("(no log)\n", stderr);
}

static void init_cluster(const struct pg_fixture *pg)
{
	char program[256], data[128];
	int how;

	str_format(program, sizeof(program), "%s/initdb", pg->bindir);
	str_format(data, sizeof(data), "%s/data", pg->folder);
	const char *const argv[] = {program,	       "-D",	     data,    "-U",
				    "owner",	       "-A",	     "trust", "--no-sync",
				    "--encoding=UTF8", "--locale=C", NULL};
	pid_t pid = spawn(pg, argv);
	bool is_done = waitpid(pid, &how, 0) == pid && WIFEXITED(how) && WEXITSTATUS(how) == 0;
	if (!is_done)
		print_log(pg);
	must(is_done, "initdb failed");
}

static void conninfo_of(const struct pg_fixture *pg, const char *database,
			char conninfo[PG_CONNINFO_SIZE])
{
	str_format(conninfo, PG_CONNINFO_SIZE, "host=%s user=owner dbname=%s", pg->folder,
		   database);
}

static bool answers(void *arg)
{
	char conninfo[PG_CONNINFO_SIZE];

	conninfo_of(arg, "postgres", conninfo);
	return PQping(conninfo) == PQPING_OK;
}

void pg_fixture_revive(struct pg_fixture *pg)
{
	char program[256], data[128];

	str_format(program, sizeof(program), "%s/postgres", pg->bindir);
	str_format(data, sizeof(data), "%s/data", pg->folder);
	/* No fsync: the machine is not going to lose power in these tests, and a killed process
	 * loses nothing. */
	const char *const argv[] = {program,
				    "-D",
				    data,
				    "-k",
				    pg->folder,
				    "-c",
				    "listen_addresses=",
				    "-c",
				    "fsync=off",
				    "-c",
				    "full_page_writes=off",
				    "-c",
				    "shared_buffers=16MB",
				    "-c",
				    "max_connections=60",
				    "-c",
				    "log_min_messages=fatal",
				    NULL};
	pg->pid = spawn(pg, argv);
	must(pg->pid > 0, "cannot fork");
	pg_until("PostgreSQL answers", answers, pg, START_LIMIT_MS);
}

/* --- template --- */

static void make_template(const struct pg_fixture *pg)
{
	char admin[PG_CONNINFO_SIZE], template[PG_CONNINFO_SIZE];
	const struct migrate_options options = {.conninfo = template};
	struct err err = {0};
	unsigned applied;

	conninfo_of(pg, "postgres", admin);
	conninfo_of(pg, "migrated", template);
	pg_fixture_exec(admin, "create database migrated");
	must(migrate_up(&options, &applied, &err) == ST_OK, "cannot migrate: %s", err.message);
	pg_fixture_exec(admin, "create role gateway login in role calltab_service");
}

bool pg_fixture_start(struct pg_fixture *pg, char *reason, size_t size)
{
	*pg = (struct pg_fixture){.folder = "/tmp/calltab-unit-XXXXXX"};
	if (!find_bindir(pg->bindir, sizeof(pg->bindir))) {
		str_copy_cut(
			reason, size,
			"no PostgreSQL server: pg_config and /usr/lib/postgresql/*/bin have none");
		return false;
	}
	must(mkdtemp(pg->folder) != NULL, "cannot make a folder in /tmp");
	if (geteuid() == 0)
		must(chown(pg->folder, other_user()->pw_uid, other_user()->pw_gid) == 0,
		     "cannot chown");
	init_cluster(pg);
	pg_fixture_revive(pg);
	make_template(pg);
	return true;
}

/* --- children --- */

static bool is_child_of(int pid, int parent)
{
	char path[64], line[256] = "";
	int ppid = 0;

	str_format(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	const char *after_name = strrchr(line, ')');
	return after_name && sscanf(after_name + 1, " %*c %d", &ppid) == 1 && ppid == parent;
}

static void signal_all(const struct pg_fixture *pg, int signal_number)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	kill(pg->pid, signal_number);
	while (proc && (entry = readdir(proc))) {
		int pid = atoi(entry->d_name);
		if (pid > 0 && is_child_of(pid, pg->pid))
			kill(pid, signal_number);
	}
	if (proc)
		closedir(proc);
}

void pg_fixture_freeze(struct pg_fixture *pg)
{
	signal_all(pg, SIGSTOP);
}

void pg_fixture_thaw(struct pg_fixture *pg)
{
	signal_all(pg, SIGCONT);
}

void pg_fixture_kill(struct pg_fixture *pg)
{
	if (pg->pid <= 0)
		return;
	signal_all(pg, SIGCONT);
	kill(pg->pid, SIGQUIT);
	waitpid(pg->pid, NULL, 0);
	pg->pid = 0;
}

void pg_fixture_mend(struct pg_fixture *pg)
{
	if (pg->pid > 0)
		pg_fixture_thaw(pg);
	else
		pg_fixture_revive(pg);
}

void pg_fixture_stop(struct pg_fixture *pg)
{
	char command[96];

	pg_fixture_kill(pg);
	if (!pg->folder[0] || strchr(pg->folder, 'X'))
		return;
	str_format(command, sizeof(command), "rm -rf %s", pg->folder);
	if (system(command) != 0)
		fprintf(stderr, "cannot remove %s\n", pg->folder);
}

/* --- SQL --- */

void pg_fixture_database(struct pg_fixture *pg, bool is_migrated, char conninfo[PG_CONNINFO_SIZE])
{
	char admin[PG_CONNINFO_SIZE], name[32], sql[128];

	str_format(name, sizeof(name), "test%u", ++pg->databases);
	str_format(sql, sizeof(sql), "create database %s template %s", name,
		   is_migrated ? "migrated" : "template0");
	conninfo_of(pg, "postgres", admin);
	pg_fixture_exec(admin, sql);
	conninfo_of(pg, name, conninfo);
}

void pg_fixture_as(const char *conninfo, const char *user, char other[PG_CONNINFO_SIZE])
{
	/* of a repeated keyword the last one counts */
	str_format(other, PG_CONNINFO_SIZE, "%s user=%s", conninfo, user);
}

static PGresult *run(const char *conninfo, const char *sql)
{
	PGconn *pg = PQconnectdb(conninfo);

	must(PQstatus(pg) == CONNECTION_OK, "cannot connect: %s", PQerrorMessage(pg));
	PQclear(PQexec(pg, "set client_min_messages = warning"));
	PGresult *result = PQexec(pg, sql);
	PQfinish(pg);
	return result;
}

static bool is_good(const PGresult *result)
{
	return PQresultStatus(result) == PGRES_COMMAND_OK ||
	       PQresultStatus(result) == PGRES_TUPLES_OK;
}

void pg_fixture_exec(const char *conninfo, const char *sql)
{
	PGresult *result = run(conninfo, sql);

	must(is_good(result), "%s: %s", sql, PQresultErrorMessage(result));
	PQclear(result);
}

static char *ring_slot(void)
{
	static char ring[8][256];
	static unsigned next;

	return ring[next++ % 8];
}

const char *pg_fixture_value(const char *conninfo, const char *sql)
{
	PGresult *result = run(conninfo, sql);
	char *slot = ring_slot();

	must(is_good(result), "%s: %s", sql, PQresultErrorMessage(result));
	str_copy_cut(slot, 256, PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	return slot;
}

const char *pg_fixture_sqlstate(const char *conninfo, const char *sql)
{
	PGresult *result = run(conninfo, sql);
	char *slot = ring_slot();
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	str_copy_cut(slot, 256, is_good(result) ? "" : sqlstate ? sqlstate : "?");
	PQclear(result);
	return slot;
}

int pg_fixture_end_backends(const char *conninfo, const char *application)
{
	char sql[200];

	str_format(sql, sizeof(sql),
		   "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where "
		   "application_name = '%s'",
		   application);
	return atoi(pg_fixture_value(conninfo, sql));
}

void pg_until(const char *description, bool (*predicate)(void *arg), void *arg, unsigned limit_ms)
{
	int64_t until = clock_mono_us(&clock_system) + (int64_t)limit_ms * 1000;
	const struct timespec moment = {.tv_nsec = 2000000};

	while (!predicate(arg)) {
		must(clock_mono_us(&clock_system) < until, "waited %u ms for: %s", limit_ms,
		     description);
		nanosleep(&moment, NULL);
	}
}
