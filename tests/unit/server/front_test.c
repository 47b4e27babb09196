/* The front door with real sockets and two doors that only collect. What the doors then do with the
 * bytes is tested on the wire (tests/integration/front.test.mjs). */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/spare.h"
#include "server/front.h"

#define GOOD                                                                                       \
	"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"             \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"             \
	"Sec-WebSocket-Protocol: calltab.v1\r\n\r\n"
#define MOST	 512
#define LIMIT_MS 5000

struct door {
	pthread_mutex_t lock;
	int fds[MOST];
	unsigned count;
	sa_family_t family;
};

static struct door ws_door = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct door http_door = {.lock = PTHREAD_MUTEX_INITIALIZER};
static atomic_uint connections;

static void put(struct door *door, int fd, sa_family_t family)
{
	pthread_mutex_lock(&door->lock);
	assert_true(door->count < MOST);
	door->fds[door->count++] = fd;
	door->family = family;
	pthread_mutex_unlock(&door->lock);
	atomic_fetch_add(&connections, 1);
}

static unsigned count_of(struct door *door)
{
	pthread_mutex_lock(&door->lock);
	unsigned count = door->count;
	pthread_mutex_unlock(&door->lock);
	return count;
}

static void empty(struct door *door)
{
	pthread_mutex_lock(&door->lock);
	for (unsigned i = 0; i < door->count; i++)
		close(door->fds[i]);
	atomic_fetch_sub(&connections, door->count);
	door->count = 0;
	pthread_mutex_unlock(&door->lock);
}

static void take_ws(void *user, int fd)
{
	(void)user;
	put(&ws_door, fd, 0);
}

static void take_http(void *user, int fd, const struct sockaddr *address, socklen_t length)
{
	(void)user;
	(void)length;
	put(&http_door, fd, address->sa_family);
}

static unsigned count_connections(void *user)
{
	(void)user;
	return atomic_load(&connections);
}

static struct front *start(unsigned max_connections, unsigned head_deadline_ms)
{
	const struct front_config config = {
		.listen = "127.0.0.1:0",
		.max_connections = max_connections,
		.head_deadline_ms = head_deadline_ms,
		.hooks = {.give_ws = take_ws,
			  .give_http = take_http,
			  .connections = count_connections},
	};
	struct err err = {0};
	struct front *front = front_start(&config, &err);

	if (!front)
		fail_msg("%s", err.message);
	return front;
}

static void stop(struct front *front)
{
	front_stop(front);
	empty(&ws_door);
	empty(&http_door);
	atomic_store(&connections, 0);
}

static int dial(const struct front *front)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)front_port(front)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int dial_and_say(const struct front *front, const char *text)
{
	int fd = dial(front);

	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	return fd;
}

/* Waits until the expression holds; it is given as text when it does not within LIMIT_MS. */
#define until(condition)                                                                           \
	do {                                                                                       \
		int waited_ms = 0;                                                                 \
		while (!(condition)) {                                                             \
			if (waited_ms++ > LIMIT_MS)                                                \
				fail_msg("not within %d ms: %s", LIMIT_MS, #condition);            \
			poll(NULL, 0, 1);                                                          \
		}                                                                                  \
	} while (0)

static struct front_figures figures(const struct front *front)
{
	struct front_figures ret;

	front_figures(front, &ret);
	return ret;
}

static bool is_closed_by_peer(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&poller, 1, LIMIT_MS) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static void an_upgrade_goes_to_the_tab_door_with_its_bytes_unread(void **state)
{
	(void)state;
	struct front *front = start(0, 0);
	int fd = dial_and_say(front, GOOD);
	char bytes[1024];
	int send_buffer;
	socklen_t length = sizeof(send_buffer);

	until(count_of(&ws_door) == 1);
	assert_int_equal(recv(ws_door.fds[0], bytes, sizeof(bytes), 0), sizeof(GOOD) - 1);
	getsockopt(ws_door.fds[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, &length);
	assert_int_equal(send_buffer, 2 * 65536); /* the kernel doubles it */
	assert_int_equal(recv(ws_door.fds[0], bytes, sizeof(bytes), 0), -1); /* does not block */
	close(fd);
	stop(front);
}

static void everything_else_goes_to_the_http_door_at_once(void **state)
{
	(void)state;
	struct front *front = start(0, 0);
	int fds[] = {
		dial_and_say(front, "P"),
		dial_and_say(front, "GET /h"),
		dial_and_say(front, "GET /ws?x=1 HTTP/1.1\r\n"),
	};

	until(count_of(&http_door) == 3);
	assert_int_equal(http_door.family, AF_INET);
	assert_int_equal(figures(front).refused, 1);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
	stop(front);
}

static void a_head_in_pieces_is_waited_for(void **state)
{
	(void)state;
	struct front *front = start(0, 0);
	int fd = dial(front);

	until(figures(front).undecided == 1);
	for (const char *at = GOOD; *at; at++) {
		assert_int_equal(count_of(&ws_door), 0);
		assert_int_equal(send(fd, at, 1, MSG_NOSIGNAL), 1);
	}
	until(count_of(&ws_door) == 1);
	assert_int_equal(figures(front).undecided, 0);
	close(fd);
	stop(front);
}

static void who_does_not_finish_the_head_is_closed_in_time(void **state)
{
	(void)state;
	struct front *front = start(0, 100);
	int silent = dial(front), half = dial_and_say(front, "GET /ws HTTP/1.1\r\nHost");

	until(figures(front).accepted == 2);
	assert_true(is_closed_by_peer(silent));
	assert_true(is_closed_by_peer(half));
	assert_int_equal(figures(front).late, 2);
	assert_int_equal(count_of(&http_door) + count_of(&ws_door), 0);
	close(silent);
	close(half);
	stop(front);
}

static void who_leaves_before_the_head_is_forgotten(void **state)
{
	(void)state;
	struct front *front = start(0, 0);
	int resets = dial_and_say(front, "GE"), halves = dial_and_say(front, "GET /ws H");
	const struct linger at_once = {.l_onoff = 1};

	until(figures(front).undecided == 2);
	setsockopt(resets, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(resets);
	shutdown(halves, SHUT_WR);
	until(figures(front).gone == 2);
	assert_true(is_closed_by_peer(halves));
	close(halves);
	stop(front);
}

/* 503 with all that belongs to it, and the end of the connection. Closes it. */
static void assert_is_refused_in_words(int fd)
{
	char text[1024];
	size_t length = 0;
	ssize_t got;
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	while (poll(&poller, 1, LIMIT_MS) == 1 &&
	       (got = recv(fd, text + length, sizeof(text) - 1 - length, 0)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	assert_non_null(strstr(text, "HTTP/1.1 503 "));
	assert_non_null(strstr(text, "\r\nRetry-After: "));
	assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(text, "\"code\":\"overload.connections\""));
	const char *body = strstr(text, "\r\n\r\n") + 4, *said = strstr(text, "Content-Length: ");
	assert_int_equal(atoi(said + strlen("Content-Length: ")), strlen(body));
	close(fd);
}

static void the_limit_is_checked_before_accept(void **state)
{
	(void)state;
	struct front *front = start(2, 0);
	int fds[3];

	for (int i = 0; i < 2; i++)
		fds[i] = dial_and_say(front, "POST ");
	until(count_of(&http_door) == 2);
	fds[2] = dial_and_say(front, "POST ");
	assert_is_refused_in_words(fds[2]);
	assert_int_equal(figures(front).accepted, 2);
	assert_int_equal(figures(front).full, 1);
	assert_int_equal(front_fill_percent(front), 100);
	empty(&http_door);
	assert_int_equal(front_fill_percent(front), 0);
	fds[2] = dial_and_say(front, "POST ");
	until(front_fill_percent(front) == 50);
	assert_int_equal(figures(front).accepted, 3);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	stop(front);
}

static void who_waits_for_his_door_counts_too(void **state)
{
	(void)state;
	struct front *front = start(2, 0);
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = dial(front);
	assert_is_refused_in_words(fds[2]);
	assert_int_equal(figures(front).undecided, 2);
	close(fds[0]);
	until(figures(front).undecided == 1);
	fds[0] = dial(front);
	until(figures(front).accepted == 3);
	close(fds[0]);
	close(fds[1]);
	stop(front);
}

/* A storm before a full house: everybody is answered, and few at a time. */
static void a_crowd_at_the_limit_is_refused_without_haste(void **state)
{
	(void)state;
	struct front *front = start(1, 0);
	int first = dial_and_say(front, "POST "), crowd[100];

	until(count_of(&http_door) == 1);
	int64_t began_us = clock_mono_us(&clock_system);
	for (int i = 0; i < 100; i++)
		crowd[i] = dial_and_say(front, GOOD);
	for (int i = 0; i < 100; i++)
		assert_is_refused_in_words(crowd[i]);
	/* 16, then 20 ms: the last of a hundred have waited for six pauses */
	assert_true(clock_mono_us(&clock_system) - began_us >= 6 * 20000);
	assert_int_equal(figures(front).full, 100);
	assert_int_equal(count_of(&ws_door), 0);
	close(first);
	stop(front);
}

static atomic_bool is_closed_to_tabs;

static bool admits_tabs(void *user)
{
	(void)user;
	return !atomic_load(&is_closed_to_tabs);
}

static void when_no_tab_is_admitted_the_http_door_says_so(void **state)
{
	(void)state;
	const struct front_config config = {
		.listen = "127.0.0.1:0",
		.hooks = {.give_ws = take_ws,
			  .give_http = take_http,
			  .connections = count_connections,
			  .admits_tabs = admits_tabs},
	};
	struct front *front = front_start(&config, NULL);

	atomic_store(&is_closed_to_tabs, true);
	int refused = dial_and_say(front, GOOD);
	until(count_of(&http_door) == 1);
	atomic_store(&is_closed_to_tabs, false);
	int admitted = dial_and_say(front, GOOD);
	until(count_of(&ws_door) == 1);
	assert_int_equal(count_of(&http_door), 1);
	close(refused);
	close(admitted);
	stop(front);
}

static void a_crowd_that_says_nothing_loses_its_oldest(void **state)
{
	(void)state;
	struct front *front = start(100, 0); /* at most 64 may wait */
	int fds[65];

	for (int i = 0; i < 65; i++) {
		fds[i] = dial(front);
		until(figures(front).accepted == (unsigned)i + 1);
	}
	assert_true(is_closed_by_peer(fds[0]));
	assert_int_equal(figures(front).crowded, 1);
	assert_int_equal(figures(front).undecided, 64);
	for (int i = 0; i < 65; i++)
		close(fds[i]);
	stop(front);
}

static int64_t cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
	       usage.ru_stime.tv_usec;
}

static void without_descriptors_it_pauses_and_does_not_spin(void **state)
{
	(void)state;
	struct front *front = start(0, 0);
	int first = dial_and_say(front, "POST "), second = dial(front);
	struct rlimit old, none;

	until(count_of(&http_door) == 1 && figures(front).undecided == 1);
	int third = socket(AF_INET, SOCK_STREAM, 0);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 0; /* what is open stays open; nothing more can be opened */
	setrlimit(RLIMIT_NOFILE, &none);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)front_port(front)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(connect(third, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(third, "POST ", 5, MSG_NOSIGNAL), 5);
	int64_t before_us = cpu_us(), began_us = clock_mono_us(&clock_system);
	until(figures(front).pauses >= 10);
	assert_true(clock_mono_us(&clock_system) - began_us >= 9 * 20000);
	assert_true(cpu_us() - before_us < 100000);
	assert_int_equal(figures(front).accepted, 2);
	setrlimit(RLIMIT_NOFILE, &old);
	until(count_of(&http_door) == 2);
	close(first);
	close(second);
	close(third);
	stop(front);
}

/* Every number below the limit is taken: one of the reserve is lent for each answer. */
static void without_descriptors_the_reserve_lends_one_to_refuse_with(void **state)
{
	(void)state;
	struct rlimit old, few;
	int dialed[20], taken[256];
	unsigned count = 0;

	spare_keep(4);
	struct front *front = start(0, 0);
	int first = dial_and_say(front, "POST ");
	until(count_of(&http_door) == 1);
	for (int i = 0; i < 20; i++)
		dialed[i] = socket(AF_INET, SOCK_STREAM, 0);
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 256;
	setrlimit(RLIMIT_NOFILE, &few);
	while ((taken[count] = dup(first)) >= 0)
		count++;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)front_port(front)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int64_t before_us = cpu_us();
	for (int i = 0; i < 20; i++) {
		assert_int_equal(connect(dialed[i], (struct sockaddr *)&address, sizeof(address)),
				 0);
		assert_int_equal(send(dialed[i], GOOD, sizeof(GOOD) - 1, MSG_NOSIGNAL),
				 sizeof(GOOD) - 1);
	}
	until(figures(front).full == 20);
	assert_true(cpu_us() - before_us < 200000);
	assert_int_equal(figures(front).accepted, 1);
	assert_true(spare_fill()); /* it is whole again */
	while (count > 0)
		close(taken[--count]);
	for (int i = 0; i < 20; i++)
		assert_is_refused_in_words(dialed[i]);
	int last = dial_and_say(front, "POST ");
	until(count_of(&http_door) == 2);
	setrlimit(RLIMIT_NOFILE, &old);
	close(first);
	close(last);
	stop(front);
	spare_keep(0);
}

static void after_stop_accepting_nobody_new_comes_in_but_who_waits_gets_his_door(void **state)
{
	(void)state;
	struct front *front = start(0, 0);
	int fd = dial_and_say(front, "GET /ws ");
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)front_port(front)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	until(figures(front).undecided == 1);
	front_stop_accepting(front);
	int late = -1;
	until((close(late), late = socket(AF_INET, SOCK_STREAM, 0),
	       connect(late, (struct sockaddr *)&address, sizeof(address)) != 0));
	assert_int_equal(send(fd, &GOOD[8], sizeof(GOOD) - 9, MSG_NOSIGNAL), sizeof(GOOD) - 9);
	until(count_of(&ws_door) == 1);
	close(late);
	close(fd);
	stop(front);
}

static void a_port_in_use_is_a_conflict(void **state)
{
	(void)state;
	struct front *front = start(0, 0);
	char address[32];
	struct err err = {0};
	struct front_config config = {.listen = address};

	snprintf(address, sizeof(address), "127.0.0.1:%u", front_port(front));
	assert_null(front_start(&config, &err));
	assert_int_equal(err.status, ST_CONFLICT);
	assert_string_equal(err.code, "listen.in_use");
	stop(front);
	front_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upgrade_goes_to_the_tab_door_with_its_bytes_unread),
		cmocka_unit_test(everything_else_goes_to_the_http_door_at_once),
		cmocka_unit_test(a_head_in_pieces_is_waited_for),
		cmocka_unit_test(who_does_not_finish_the_head_is_closed_in_time),
		cmocka_unit_test(who_leaves_before_the_head_is_forgotten),
		cmocka_unit_test(the_limit_is_checked_before_accept),
		cmocka_unit_test(who_waits_for_his_door_counts_too),
		cmocka_unit_test(a_crowd_at_the_limit_is_refused_without_haste),
		cmocka_unit_test(when_no_tab_is_admitted_the_http_door_says_so),
		cmocka_unit_test(a_crowd_that_says_nothing_loses_its_oldest),
		cmocka_unit_test(without_descriptors_it_pauses_and_does_not_spin),
		cmocka_unit_test(without_descriptors_the_reserve_lends_one_to_refuse_with),
		cmocka_unit_test(
			after_stop_accepting_nobody_new_comes_in_but_who_waits_gets_his_door),
		cmocka_unit_test(a_port_in_use_is_a_conflict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
