#include "server/front.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/shed.h"
#include "base/spare.h"
#include "base/str.h"
#include "server/listen.h"
#include "server/upgrade_check.h"

#define DEFAULT_CONNECTIONS   20000
#define DEFAULT_DEADLINE_MS   10000
#define SPARE_DESCRIPTORS     256 /* for the database, the journal, the switch, files */
#define ACCEPTS_PER_WAKE      64  /* then the undecided have their turn */
#define EVENTS_PER_WAKE	      128
#define PAUSE_MS	      20
#define REFUSALS_PER_PAUSE    16 /* 800 a second: more would cost what is wanted elsewhere */
#define DEAD_PEER_MS	      20000
#define SEND_BUFFER	      65536 /* without it a tab that never reads makes the kernel keep megabytes */
#define LEAST_UNDECIDED_MAX   64
#define COMPLAINT_INTERVAL_US 1000000

/* A connection whose door is not known yet. In order of arrival, so in order of deadline. */
struct undecided {
	struct undecided *previous, *next;
	int fd;
	int64_t deadline_us;
	struct sockaddr_storage address;
	socklen_t length;
};

struct counters {
	atomic_uint_fast64_t accepted, given_ws, given_http, refused, late, gone, crowded, pauses,
		full;
	atomic_uint undecided;
};

struct front {
	struct front_hooks hooks;
	struct upgrade_rules rules, audio_rules; /* audio_rules.path NULL = none */
	unsigned wanted_connections, max_undecided;
	int64_t head_deadline_us;
	struct listener listener;
	int epoll_fd, wake_fd;
	pthread_t thread;
	atomic_bool must_close_listener, must_stop;
	/* of the thread alone */
	struct undecided undecided; /* ring */
	bool is_listening;	    /* the listening socket is in epoll's set, armed */
	int64_t pause_until_us;	    /* 0 = not pausing */
	int64_t complained_us;
	int lingering[REFUSALS_PER_PAUSE]; /* refused, closed when the pause ends */
	unsigned lingering_count;
	char peeked[HEAD_MAX];
	struct counters counters;
};

static int64_t now_us(void)
{
	return clock_mono_us(&clock_system);
}

static void count(atomic_uint_fast64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static unsigned undecided_count(const struct front *front)
{
	return atomic_load_explicit(&front->counters.undecided, memory_order_relaxed);
}

/* ---- pausing ---- */

static void arm_listener(struct front *front, bool is_armed)
{
	struct epoll_event event = {.events = is_armed ? EPOLLIN : 0, .data.ptr = &front->listener};

	if (front->listener.fd < 0 || front->is_listening == is_armed)
		return;
	epoll_ctl(front->epoll_fd, EPOLL_CTL_MOD, front->listener.fd, &event);
	front->is_listening = is_armed;
}

/* What waits in the kernel's queue keeps the listening socket readable: without a pause this would
 * spin. */
static void pause_accepting(struct front *front, const char *why)
{
	int64_t now = now_us();

	count(&front->counters.pauses);
	arm_listener(front, false);
	front->pause_until_us = now + PAUSE_MS * 1000;
	if (now - front->complained_us < COMPLAINT_INTERVAL_US)
		return;
	front->complained_us = now;
	log_warn("not accepting connections", "reason=%s undecided=%u", log_quote(why),
		 undecided_count(front));
}

/* What stays unread when a socket is closed takes the answer with it. */
static void read_away(struct front *front, int fd)
{
	ssize_t got;

	do
		got = recv(fd, front->peeked, sizeof(front->peeked), MSG_DONTWAIT);
	while (got == (ssize_t)sizeof(front->peeked));
}

/* Said at once and whatever is asked. */
static void refuse(struct front *front, int fd)
{
	static const char body[] =
		"{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
		"\"detail\":\"there are as many connections as there may be: try again in a "
		"moment\",\"code\":\"overload.connections\"}";
	char text[600];

	str_format(text, sizeof(text),
		   "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
		   "Content-Length: %zu\r\nRetry-After: %u\r\nCache-Control: no-store\r\n"
		   "Connection: close\r\n\r\n%s",
		   sizeof(body) - 1, shed_retry_s(), body);
	count(&front->counters.full); /* first: who sees the end may ask for the figures */
	/* Whoever cannot take it sees the end of the connection. */
	if (send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		shutdown(fd, SHUT_WR);
	read_away(front, fd);
}

static void end_lingering(struct front *front)
{
	while (front->lingering_count > 0) {
		int fd = front->lingering[--front->lingering_count];

		read_away(front, fd);
		close(fd);
	}
}

/* The question may come behind the answer: its connection is kept until the pause is over. Without
 * a descriptor for it one of the reserve is lent, and that only for the moment: *lends, from then
 * on. */
static bool refuse_one(struct front *front, bool *lends)
{
	int fd = accept4(front->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && spare_may_help(errno) && spare_release()) {
		*lends = true;
		fd = accept4(front->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	if (fd < 0)
		return false;
	refuse(front, fd);
	if (*lends)
		close(fd);
	else
		front->lingering[front->lingering_count++] = fd;
	return true;
}

static void end_pause(struct front *front)
{
	if (!front->pause_until_us || now_us() < front->pause_until_us)
		return;
	front->pause_until_us = 0;
	end_lingering(front);
	arm_listener(front, true);
}

/* ---- giving away ---- */

/* The tab library sets none of these. */
static void set_tab_options(int fd)
{
	const int one = 1, dead_peer_ms = DEAD_PEER_MS, send_buffer = SEND_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
		   sizeof(one)); /* fails on a unix socket: so be it */
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_peer_ms, sizeof(dead_peer_ms));
}

static void give(struct front *front, enum head_verdict verdict, int fd,
		 const struct sockaddr_storage *address, socklen_t length)
{
	const struct front_hooks *hooks = &front->hooks;

	if (verdict == HEAD_UPGRADE && (!hooks->admits_tabs || hooks->admits_tabs(hooks->user))) {
		count(&front->counters.given_ws);
		set_tab_options(fd);
		hooks->give_ws(hooks->user, fd);
		return;
	}
	if (verdict == HEAD_REFUSED)
		count(&front->counters.refused);
	count(&front->counters.given_http);
	hooks->give_http(hooks->user, fd, (const struct sockaddr *)address, length);
}

/* ---- those who wait ---- */

static void forget(struct front *front, struct undecided *waiting)
{
	epoll_ctl(front->epoll_fd, EPOLL_CTL_DEL, waiting->fd, NULL);
	waiting->previous->next = waiting->next;
	waiting->next->previous = waiting->previous;
	atomic_fetch_sub_explicit(&front->counters.undecided, 1, memory_order_relaxed);
	free(waiting);
}

static void drop(struct front *front, struct undecided *waiting, atomic_uint_fast64_t *why)
{
	int fd = waiting->fd;

	forget(front, waiting);
	count(why); /* first: who sees the end may ask for the figures */
	close(fd);
}

/* Who opens thousands of connections and says nothing loses them first; who speaks is never in the
 * ring for long. */
static void make_room(struct front *front)
{
	if (undecided_count(front) >= front->max_undecided)
		drop(front, front->undecided.next, &front->counters.crowded);
}

static void keep_waiting(struct front *front, int fd, const struct sockaddr_storage *address,
			 socklen_t length)
{
	make_room(front);
	struct undecided *waiting = xmalloc(sizeof(*waiting));
	*waiting = (struct undecided){
		.previous = front->undecided.previous,
		.next = &front->undecided,
		.fd = fd,
		.deadline_us = now_us() + front->head_deadline_us,
		.address = *address,
		.length = length,
	};
	/* Edge-triggered: bytes that are only looked at stay readable for ever. */
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = waiting};
	if (epoll_ctl(front->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
		free(waiting);
		close(fd);
		return;
	}
	waiting->previous->next = waiting;
	front->undecided.previous = waiting;
	atomic_fetch_add_explicit(&front->counters.undecided, 1, memory_order_relaxed);
}

/* As long as it can be for one of the paths, it is for that one. */
static enum head_verdict check(const struct front *front, size_t length)
{
	enum head_verdict verdict = upgrade_check(front->peeked, length, &front->rules, NULL);

	if (verdict != HEAD_HTTP || !front->audio_rules.path)
		return verdict;
	return upgrade_check(front->peeked, length, &front->audio_rules, NULL);
}

/* False: the peer is gone. */
static bool peek(struct front *front, int fd, enum head_verdict *ret)
{
	ssize_t length = recv(fd, front->peeked, sizeof(front->peeked), MSG_PEEK | MSG_DONTWAIT);

	*ret = HEAD_MORE;
	if (length < 0)
		return errno == EAGAIN || errno == EINTR;
	if (length == 0)
		return false;
	*ret = check(front, (size_t)length);
	return true;
}

static void on_bytes(struct front *front, struct undecided *waiting, uint32_t events)
{
	enum head_verdict verdict;

	if ((events & (EPOLLERR | EPOLLHUP)) || !peek(front, waiting->fd, &verdict) ||
	    (verdict == HEAD_MORE && (events & EPOLLRDHUP))) {
		drop(front, waiting, &front->counters.gone);
		return;
	}
	if (verdict == HEAD_MORE)
		return;
	struct undecided decided = *waiting;
	forget(front, waiting);
	give(front, verdict, decided.fd, &decided.address, decided.length);
}

static void drop_late(struct front *front)
{
	struct undecided *first = front->undecided.next;
	int64_t now = now_us();

	while (first != &front->undecided && first->deadline_us <= now) {
		drop(front, first, &front->counters.late);
		first = front->undecided.next;
	}
}

/* ---- accepting ---- */

/* Asked each time: the limit of a running process can be changed. */
static unsigned limit_connections(unsigned wanted)
{
	struct rlimit files;
	rlim_t most = UINT32_MAX;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
		most = files.rlim_cur > 2 * SPARE_DESCRIPTORS ? files.rlim_cur - SPARE_DESCRIPTORS
							      : files.rlim_cur / 2;
	return wanted < most ? wanted : (unsigned)most;
}

static unsigned connection_count(const struct front *front)
{
	return front->hooks.connections(front->hooks.user) + undecided_count(front);
}

static bool is_full(const struct front *front)
{
	return connection_count(front) >= limit_connections(front->wanted_connections);
}

static void turn_away(struct front *front, const char *why)
{
	bool lends = false, is_limit = is_full(front);

	pause_accepting(front, why);
	for (int i = 0; i < REFUSALS_PER_PAUSE; i++)
		if ((is_limit && !is_full(front)) || !refuse_one(front, &lends))
			break;
	spare_fill();
}

/* False: no more for now. */
static bool accept_one(struct front *front)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	enum head_verdict verdict;

	if (is_full(front)) {
		turn_away(front, "connection limit");
		return false;
	}
	if (!spare_fill()) {
		turn_away(front, "no descriptors to spare");
		return false;
	}
	int fd = accept4(front->listener.fd, (struct sockaddr *)&address, &length,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			turn_away(front, strerror(errno));
		/* Everything else but an empty queue is the trouble of one connection. */
		return errno != EAGAIN && front->is_listening;
	}
	count(&front->counters.accepted);
	if (!peek(front, fd, &verdict)) {
		count(&front->counters.gone);
		close(fd);
	} else if (verdict == HEAD_MORE) {
		keep_waiting(front, fd, &address, length);
	} else {
		give(front, verdict, fd, &address, length);
	}
	return true;
}

static void accept_some(struct front *front)
{
	for (int i = 0; i < ACCEPTS_PER_WAKE; i++)
		if (!accept_one(front))
			return;
}

/* ---- the thread ---- */

static int wait_ms(const struct front *front)
{
	int64_t until_us = INT64_MAX;

	if (front->undecided.next != &front->undecided)
		until_us = front->undecided.next->deadline_us;
	if (front->pause_until_us && front->pause_until_us < until_us)
		until_us = front->pause_until_us;
	if (until_us == INT64_MAX)
		return -1;
	int64_t left_us = until_us - now_us();
	return left_us <= 0 ? 0 : (int)(left_us / 1000 + 1);
}

static void on_wake(struct front *front)
{
	uint64_t wakes;

	if (read(front->wake_fd, &wakes, sizeof(wakes)) < 0)
		return;
	if (atomic_load(&front->must_close_listener))
		listener_close(&front->listener);
}

static void *run(void *arg)
{
	struct front *front = arg;
	struct epoll_event events[EVENTS_PER_WAKE];

	while (!atomic_load(&front->must_stop)) {
		int n = epoll_wait(front->epoll_fd, events, EVENTS_PER_WAKE, wait_ms(front));
		bool may_accept = false;
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &front->listener)
				may_accept = true;
			else if (events[i].data.ptr == front)
				on_wake(front);
			else
				on_bytes(front, events[i].data.ptr, events[i].events);
		}
		/* Last: making room may end one of those whose event was in the list above. */
		if (may_accept && front->listener.fd >= 0)
			accept_some(front);
		drop_late(front);
		end_pause(front);
	}
	return NULL;
}

static void wake(struct front *front)
{
	const uint64_t one = 1;

	/* It can only fail when a wake is due anyway. */
	if (write(front->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* ---- from outside ---- */

static bool watch(struct front *front, int fd, void *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

	return epoll_ctl(front->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static enum status start_thread(struct front *front, struct err *err)
{
	front->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	front->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (front->epoll_fd < 0 || front->wake_fd < 0 || !watch(front, front->wake_fd, front) ||
	    !watch(front, front->listener.fd, &front->listener) ||
	    pthread_create(&front->thread, NULL, run, front) != 0)
		return err_set(err, ST_UNAVAILABLE, "listen.no_resources", "",
			       "the front door cannot start: %s", strerror(errno));
	return ST_OK;
}

static void free_front(struct front *front)
{
	listener_close(&front->listener);
	if (front->epoll_fd >= 0)
		close(front->epoll_fd);
	if (front->wake_fd >= 0)
		close(front->wake_fd);
	free(front);
}

struct front *front_start(const struct front_config *config, struct err *err)
{
	struct front *front = xcalloc(1, sizeof(*front));

	front->hooks = config->hooks;
	front->rules.path = config->ws_path ? config->ws_path : "/ws";
	front->rules.subprotocol = config->subprotocol ? config->subprotocol : "calltab.v1";
	front->audio_rules.path = config->audio_path;
	front->audio_rules.subprotocol = config->audio_subprotocol;
	front->wanted_connections =
		config->max_connections ? config->max_connections : DEFAULT_CONNECTIONS;
	front->max_undecided = limit_connections(front->wanted_connections) / 2;
	if (front->max_undecided < LEAST_UNDECIDED_MAX)
		front->max_undecided = LEAST_UNDECIDED_MAX;
	front->head_deadline_us =
		1000 * (int64_t)(config->head_deadline_ms ? config->head_deadline_ms
							  : DEFAULT_DEADLINE_MS);
	front->undecided.next = front->undecided.previous = &front->undecided;
	front->is_listening = true;
	front->complained_us = INT64_MIN / 2;
	front->listener.fd = front->epoll_fd = front->wake_fd = -1;
	if (listener_open(&front->listener, config->listen, err) != ST_OK ||
	    start_thread(front, err) != ST_OK) {
		free_front(front);
		return NULL;
	}
	return front;
}

unsigned front_port(const struct front *front)
{
	return front->listener.port;
}

void front_stop_accepting(struct front *front)
{
	atomic_store(&front->must_close_listener, true);
	wake(front);
}

void front_stop(struct front *front)
{
	if (!front)
		return;
	atomic_store(&front->must_stop, true);
	wake(front);
	pthread_join(front->thread, NULL);
	end_lingering(front);
	while (front->undecided.next != &front->undecided)
		drop(front, front->undecided.next, &front->counters.gone);
	free_front(front);
}

unsigned front_fill_percent(const struct front *front)
{
	unsigned most = limit_connections(front->wanted_connections);

	return most ? (unsigned)(connection_count(front) * UINT64_C(100) / most) : 100;
}

void front_figures(const struct front *front, struct front_figures *ret)
{
	const struct counters *c = &front->counters;

	*ret = (struct front_figures){
		.accepted = atomic_load(&c->accepted),
		.given_ws = atomic_load(&c->given_ws),
		.given_http = atomic_load(&c->given_http),
		.refused = atomic_load(&c->refused),
		.late = atomic_load(&c->late),
		.gone = atomic_load(&c->gone),
		.crowded = atomic_load(&c->crowded),
		.pauses = atomic_load(&c->pauses),
		.full = atomic_load(&c->full),
		.undecided = atomic_load(&c->undecided),
	};
}
