#include "db/lease.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "db/journal_id.h"
#include "db/lease_rows.h"

#define WAIT_DEFAULT_S	 60
#define PATIENCE_US	 INT64_C(2000000) /* without take_over: one that is just ending */
#define GRACE_DEFAULT_MS 6000		  /* more than a holder needs to be back */
#define LOOK_AGAIN_MS	 100
#define PROGRESS_US	 INT64_C(2000000)
#define BEAT_MS		 1000
#define RECONNECT_MS	 500
#define FINISH_MS	 1000 /* for the last words */

struct lease {
	struct lease_config config;
	struct lease_events events;
	char *node, *switch_name, *journal_dir;
	struct lease_self self;
	struct db_conn conn;
	pthread_t thread;
	bool has_thread;
	int wake_fd;
	atomic_bool is_stopping;
	/* of the thread */
	struct uuid journal_id; /* nil: the row knows it */
	bool is_locked, was_wanted, is_lost;
	int backend_pid; /* of the connection with the locks */
};

static int64_t now_us(void)
{
	return clock_mono_us(&clock_system);
}

/* --- taking --- */

struct taking { /* one lease_take() */
	struct lease *lease;
	int64_t until_us;
	int64_t grace_until_us; /* 0: nobody is waited for to come back */
	int64_t said_us;
	int64_t asked_epoch; /* of the holder that was asked to end */
};

static void PRINTF_LIKE(2, 3) say(struct taking *taking, const char *format, ...)
{
	const struct lease_config *config = &taking->lease->config;
	char line[300];
	va_list args;

	if (!config->on_progress || now_us() - taking->said_us < PROGRESS_US)
		return;
	taking->said_us = now_us();
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	config->on_progress(config->user, line);
}

/* The folder's journal is the holder's, and nobody has it open. */
static bool is_dead(const struct lease *lease, const struct lease_holder *holder)
{
	const struct journal_io *io = &journal_io_system;
	char path[JOURNAL_PATH_SIZE];
	struct uuid id;

	if (uuid_is_nil(&holder->journal_id) || !journal_id_peek(lease->journal_dir, io, &id) ||
	    !uuid_equal(&id, &holder->journal_id) ||
	    !str_format(path, sizeof(path), "%s/lock", lease->journal_dir))
		return false;
	int fd = io->open(io->user, path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool is_free = io->lock(io->user, fd) == 0;
	io->close(io->user, fd);
	return is_free;
}

static enum status held(const struct lease *lease, bool is_known, const struct lease_holder *holder,
			struct err *err)
{
	char since[40] = "";
	time_t seconds = (time_t)(holder->since_ms / 1000);
	struct tm tm;

	if (!is_known)
		return err_set(err, ST_CONFLICT, "lease.held", "node",
			       "another gateway holds node %s or its switch", lease->node);
	strftime(since, sizeof(since), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&seconds, &tm));
	return err_set(err, ST_CONFLICT, "lease.held", "node",
		       "another gateway (%.90s, node %s) serves this node or switch since %s: stop "
		       "it, or start with --take-over",
		       holder->where, holder->node, since);
}

/* The locks are ours, but a holder is on record: dead, or cut off from the database just now. */
static enum status on_free(struct taking *taking, const struct lease_holder *holder,
			   bool *ret_is_done, struct err *err)
{
	struct lease *lease = taking->lease;
	unsigned grace_ms = lease->config.grace_ms ? lease->config.grace_ms : GRACE_DEFAULT_MS;
	bool is_over = is_dead(lease, holder);

	if (!taking->grace_until_us)
		taking->grace_until_us = now_us() + (int64_t)grace_ms * 1000;
	*ret_is_done = is_over || now_us() >= taking->grace_until_us;
	if (*ret_is_done)
		return lease_claim(&lease->conn, &lease->self, err);
	say(taking, "the gateway before (%s) did not end in order: waiting %u ms for it to be back",
	    holder->where, grace_ms);
	return lease_unlock(&lease->conn, &lease->self, err);
}

static enum status on_held(struct taking *taking, bool is_known, const struct lease_holder *holder,
			   struct err *err)
{
	struct lease *lease = taking->lease;
	enum status status = ST_OK;

	taking->grace_until_us = 0;
	if (is_known && is_dead(lease, holder))
		status = lease_end_holder(&lease->conn, &lease->self, 0, err);
	else if (now_us() >= taking->until_us)
		return held(lease, is_known, holder, err);
	else if (!is_known || !lease->config.take_over)
		return ST_OK;
	else if (taking->asked_epoch != holder->epoch)
		status = lease_want(&lease->conn, &lease->self, holder, err);
	taking->asked_epoch = holder->epoch;
	say(taking, "waiting for the other gateway (%s) to end, %lld s more at most", holder->where,
	    (long long)(taking->until_us - now_us()) / 1000000);
	return status;
}

static enum status try_once(struct taking *taking, bool *ret_is_done, struct err *err)
{
	struct lease *lease = taking->lease;
	struct lease_holder holder = {0};
	bool is_known = false;
	enum status status = lease_lock(&lease->conn, &lease->self, &lease->is_locked, err);

	*ret_is_done = false;
	if (status == ST_OK)
		status = lease_find_holder(&lease->conn, &lease->self, &is_known, &holder, err);
	if (status != ST_OK)
		return status;
	if (!lease->is_locked)
		return on_held(taking, is_known, &holder, err);
	if (is_known)
		return on_free(taking, &holder, ret_is_done, err);
	*ret_is_done = true;
	return lease_claim(&lease->conn, &lease->self, err);
}

static enum status take(struct lease *lease, struct err *err)
{
	unsigned wait_s = lease->config.wait_s ? lease->config.wait_s : WAIT_DEFAULT_S;
	struct taking taking = {.lease = lease,
				.until_us = now_us() + (lease->config.take_over
								? (int64_t)wait_s * 1000000
								: PATIENCE_US),
				.said_us = INT64_MIN / 2};
	enum status status = conn_open(&lease->conn, true, err);
	bool is_done = false;

	while (status == ST_OK) {
		status = try_once(&taking, &is_done, err);
		if (is_done)
			break;
		if (status == ST_OK)
			poll(NULL, 0, LOOK_AGAIN_MS);
	}
	if (status == ST_OK)
		lease->backend_pid = PQbackendPID(lease->conn.pg);
	return status;
}

struct lease *lease_take(const struct lease_config *config, struct err *err)
{
	struct lease *lease = xcalloc(1, sizeof(*lease));
	const struct conn_config conn = {.conninfo = config->conninfo,
					 .application = "calltab lease",
					 .statement_timeout_ms = CONN_STATEMENT_MS};

	lease->config = *config;
	lease->config.node = lease->node = xstrdup(config->node);
	lease->config.switch_name = lease->switch_name = xstrdup(config->switch_name);
	lease->journal_dir = xstrdup(config->journal_dir);
	lease->wake_fd = -1;
	lease_self_init(&lease->self, &lease->config);
	conn_init(&lease->conn, &conn);
	if (take(lease, err) == ST_OK)
		return lease;
	lease_release(lease);
	return NULL;
}

int64_t lease_epoch(const struct lease *lease)
{
	return lease->self.epoch;
}

/* --- holding, on a thread of its own --- */

static void lost(struct lease *lease, const char *by)
{
	lease->is_lost = true;
	conn_close(&lease->conn); /* and with it whatever locks there were */
	lease->events.on_lost(lease->events.user, by);
}

/* Whose is the row? ST_OK: ours. */
static enum status look(struct lease *lease)
{
	char where[LEASE_HOLDER_SIZE] = "";
	enum lease_answer answer = LEASE_MINE;
	enum status status = lease_look(&lease->conn, &lease->self, &answer, where, NULL);

	if (status != ST_OK)
		return status;
	if (answer == LEASE_LOST) {
		lost(lease, where);
		return ST_CONFLICT;
	}
	if (answer == LEASE_UNKNOWN)
		return lease_restore(&lease->conn, &lease->self, NULL);
	if (answer == LEASE_WANTED && !lease->was_wanted) {
		lease->was_wanted = true;
		lease->events.on_wanted(lease->events.user, where);
	}
	return ST_OK;
}

/* The server may not have noticed yet that the connection before is gone: that one is ended. Any
 * other session with the lock looks at the row, as we do, and lets go. */
static enum status lock_again(struct lease *lease)
{
	enum status status = lease_lock(&lease->conn, &lease->self, &lease->is_locked, NULL);

	if (status != ST_OK || lease->is_locked) {
		lease->backend_pid =
			status == ST_OK ? PQbackendPID(lease->conn.pg) : lease->backend_pid;
		return status;
	}
	return lease_end_holder(&lease->conn, &lease->self, lease->backend_pid, NULL);
}

static enum status beat(struct lease *lease)
{
	enum status status = ST_OK;

	if (!conn_is_usable(&lease->conn)) {
		lease->is_locked = false;
		status = conn_open(&lease->conn, false, NULL);
	}
	if (status == ST_OK)
		status = look(lease);
	if (status == ST_OK && !lease->is_locked)
		status = lock_again(lease);
	if (status == ST_OK && !uuid_is_nil(&lease->journal_id)) {
		status = lease_note_journal(&lease->conn, &lease->self, &lease->journal_id, NULL);
		if (status == ST_OK)
			lease->journal_id = (struct uuid){0};
	}
	return status;
}

static void pause_ms(struct lease *lease, int ms)
{
	struct pollfd fds[2] = {
		{.fd = lease->wake_fd, .events = POLLIN},
		{.fd = lease->conn.pg ? PQsocket(lease->conn.pg) : -1, .events = POLLIN},
	};

	poll(fds, 2, ms);
}

static void *run(void *arg)
{
	struct lease *lease = arg;

	while (!atomic_load(&lease->is_stopping) && !lease->is_lost) {
		if (beat(lease) != ST_OK) {
			lease->is_locked = false;
			conn_close(&lease->conn);
			pause_ms(lease, RECONNECT_MS);
		} else {
			pause_ms(lease, lease->is_locked ? BEAT_MS : LOOK_AGAIN_MS);
		}
	}
	return NULL;
}

void lease_watch(struct lease *lease, const struct lease_events *events,
		 const struct uuid *journal_id)
{
	lease->events = *events;
	lease->conn.on_trouble = events->on_trouble;
	lease->conn.user = events->user;
	lease->journal_id = *journal_id;
	lease->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* As the drain: a program that cannot start a thread cannot take calls. */
	if (lease->wake_fd < 0 || pthread_create(&lease->thread, NULL, run, lease) != 0)
		abort();
	lease->has_thread = true;
}

/* --- the end --- */

static void stop_thread(struct lease *lease)
{
	const uint64_t one = 1;

	if (!lease->has_thread)
		return;
	atomic_store(&lease->is_stopping, true);
	if (write(lease->wake_fd, &one, sizeof(one)) < 0)
		return; /* never: its counter has room */
	pthread_join(lease->thread, NULL);
}

void lease_release(struct lease *lease)
{
	if (!lease)
		return;
	stop_thread(lease);
	lease->conn.due_us = now_us() + FINISH_MS * 1000;
	/* Without it the next one waits in case we come back. */
	if (!lease->is_lost && lease->self.epoch && lease->conn.pg &&
	    lease_note_end(&lease->conn, &lease->self, NULL) != ST_OK)
		conn_close(&lease->conn);
	conn_done(&lease->conn);
	if (lease->wake_fd >= 0)
		close(lease->wake_fd);
	free(lease->node);
	free(lease->switch_name);
	free(lease->journal_dir);
	free(lease);
}
