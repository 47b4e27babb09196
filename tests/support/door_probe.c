/* clang-format off */
/* The front door and the tab door as a program of their own, with a stand-in for control (fake_control.h) and a
 * libmicrohttpd that answers everything with one line behind the HTTP side. For the tests on the wire and for the push
 * benchmark; both steer it by lines on standard input and read one line of JSON for each.
 *
 *   door_probe [--listen ADDRESS] [--max-connections N] [--head-ms N] [--origin O]... [--no-origin]
 *              [--ping-s N] [--unattached-s N] [--queue-messages N] [--queue-bytes N] [--rate N] [--burst N]
 *
 * The first line says {"port":N}; it ends with standard input. Agents and sessions are numbers from 1 on.
 *
 *   ticket AGENT [ORIGIN [SESSION [LIFE_MS]]]   {"ticket":"..."}; ORIGIN - = any; LIFE_MS 0 = the session never ends
 *   tickets FIRST COUNT           {"tickets":[...]}: one for each of these agents, any origin
 *   tell AGENT TAB STATE [MARK]   the tab's call is in STATE (an inner word: talk, held, ...); MARK is its commandId
 *   agent AGENT STATE
 *   tabs AGENT
 *   notice AGENT CODE TEXT        AGENT 0 = everybody
 *   push COUNT [PER_TURN [PER_SECOND]]   COUNT events, each to a random tab that was attached to, PER_TURN in one turn
 *                                 of the loop (32), at most PER_SECOND (no limit); commandId is CLOCK_MONOTONIC in
 *                                 microseconds (16 digits), taken once a turn. When all are written:
 *                                 {"pushed","wall_us","cpu_us" of the process,"bytes" of one message}
 *   journal FOLDER                a journal of its own in this new folder, PostgreSQL away
 *   store COUNT OUT [PER_SECOND]  COUNT events, each a record of that journal, told to a random tab when it is stable; OUT
 *                                 are on their way (1: one after the other). commandId as with push, from before it was
 *                                 appended. {"stored","wall_us","cpu_us"}
 *   flood AGENT TAB COUNT         COUNT events to one tab in one turn
 *   answer ok|hold|STATUS CODE    how commands are answered from now on; STATUS: conflict, forbidden, unavailable, internal
 *   commands                      {"commands":[...]}: those that wait (hold), or came last
 *   advance MS                    moves both clocks and fires what is due
 *   close CODE SPREAD_MS          ws_close_all
 *   end SESSION                   ws_session_end
 *   nofile N                      sets the limit of descriptors; 0 = back to what it was
 *   stop-accepting
 *   stat                          memory, CPU, connections, all counters */
/* clang-format on */
#include <getopt.h>
#include <libwebsockets.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/cleanup.h"
#include "base/inbox.h"
#include "base/timers.h"
#include "tests/support/door_journal.h"
#include "tests/support/door_probe.h"
#include "tests/support/fake_control.h"

#define ORIGINS_MAX 16

static uv_loop_t loop;
static struct timers timers;
static struct MHD_Daemon *http;
static atomic_uint on_their_way;
struct probe probe;

/* ---- the clock, which can be moved ---- */

static int64_t clock_offset_us;

static int64_t moved_wall_us(void *user)
{
	(void)user;
	return clock_wall_us(&clock_system) + clock_offset_us;
}

static int64_t moved_mono_us(void *user)
{
	(void)user;
	return clock_mono_us(&clock_system) + clock_offset_us;
}

const struct clock probe_clock = {.wall_us = moved_wall_us, .mono_us = moved_mono_us};

static uv_timer_t timer_handle;

static void arm_timer(void *user);

static void on_timer(uv_timer_t *handle)
{
	(void)handle;
	timers_run(&timers, clock_mono_us(&probe_clock));
	arm_timer(NULL);
}

static void arm_timer(void *user)
{
	int64_t left_us = timers_next_us(&timers) - clock_mono_us(&probe_clock);

	(void)user;
	if (timers_next_us(&timers) == INT64_MAX)
		return;
	uv_update_time(&loop);
	uv_timer_start(&timer_handle, on_timer, left_us <= 0 ? 0 : (uint64_t)(left_us + 999) / 1000,
		       0);
}

/* ---- descriptors from the front door ---- */

struct gift {
	struct inbox_item item;
	int fd;
};

static struct inbox gifts;
static uv_async_t wake_handle;

static uv_async_t stable_handle;
static uv_timer_t store_handle;

static void on_store_timer(uv_timer_t *handle)
{
	(void)handle;
	probe_store();
}

static void on_stable_wake(uv_async_t *handle)
{
	(void)handle;
	probe_store();
}

void probe_wake_stable(void *user)
{
	(void)user;
	uv_async_send(&stable_handle);
}

void probe_store(void)
{
	door_journal_poll();
	probe_say_stored();
	long next_ms = door_journal_next_ms();
	if (next_ms >= 0)
		uv_timer_start(&store_handle, on_store_timer, (uint64_t)next_ms, 0);
}

static void wake(void *user)
{
	(void)user;
	uv_async_send(&wake_handle);
}

static void on_wake(uv_async_t *handle)
{
	struct inbox_item *item = inbox_take_all(&gifts);

	(void)handle;
	while (item) {
		struct gift *gift = (struct gift *)item;
		item = item->next;
		ws_adopt(probe.ws, gift->fd);
		atomic_fetch_sub(&on_their_way, 1);
		free(gift);
	}
}

static void give_ws(void *user, int fd)
{
	struct gift *gift = xmalloc(sizeof(*gift));

	(void)user;
	gift->fd = fd;
	atomic_fetch_add(&on_their_way, 1);
	inbox_put(&gifts, &gift->item);
}

static void give_http(void *user, int fd, const struct sockaddr *address, socklen_t length)
{
	(void)user;
	MHD_add_connection(http, fd, address, length);
}

static unsigned count_connections(void *user)
{
	(void)user;
	return atomic_load(&probe.http_connections) + atomic_load(&on_their_way) +
	       ws_connections(probe.ws);
}

/* ---- the HTTP side ---- */

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *body,
				  size_t *body_length, void **context)
{
	static int seen;
	char text[256];

	(void)user;
	(void)version;
	(void)body;
	if (!*context) {
		*context = &seen;
		return MHD_YES;
	}
	if (*body_length > 0) {
		*body_length = 0;
		return MHD_YES;
	}
	int length = snprintf(text, sizeof(text), "http %s %.100s\n", method, url);
	struct MHD_Response *response =
		MHD_create_response_from_buffer((size_t)length, text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result =
		MHD_queue_response(connection, strcmp(url, "/ws") == 0 ? 426 : 200, response);
	MHD_destroy_response(response);
	return result;
}

static void on_http_connection(void *user, struct MHD_Connection *connection, void **context,
			       enum MHD_ConnectionNotificationCode code)
{
	(void)user;
	(void)connection;
	(void)context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		atomic_fetch_add(&probe.http_connections, 1);
	else
		atomic_fetch_sub(&probe.http_connections, 1);
}

static void start_http(void)
{
	http = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
					MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC,
				0, NULL, NULL, on_request, NULL, MHD_OPTION_CONNECTION_LIMIT,
				1000000u, MHD_OPTION_CONNECTION_TIMEOUT, 30u,
				MHD_OPTION_NOTIFY_CONNECTION, on_http_connection, NULL,
				MHD_OPTION_END);
	if (!http) {
		fputs("libmicrohttpd does not start\n", stderr);
		exit(1);
	}
}

/* ---- turns of the loop ---- */

static uv_check_t check_handle;
static uv_idle_t push_handle;

static void on_check(uv_check_t *handle)
{
	(void)handle;
	probe_answer_commands();
}

static void on_idle(uv_idle_t *handle)
{
	(void)handle;
	probe_push_some();
}

void probe_push_start(void)
{
	uv_idle_start(&push_handle, on_idle);
}

void probe_push_stop(void)
{
	uv_idle_stop(&push_handle);
}

void probe_advance(long ms)
{
	clock_offset_us += ms * 1000;
	timers_run(&timers, clock_mono_us(&probe_clock));
	arm_timer(NULL);
}

/* ---- standard input ---- */

static uv_pipe_t input_handle;

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
	static char bytes[4096];

	(void)handle;
	(void)size;
	*buffer = uv_buf_init(bytes, sizeof(bytes));
}

static void on_input(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	static char line[1024];
	static size_t filled;

	if (length < 0) {
		uv_stop(stream->loop);
		return;
	}
	for (ssize_t i = 0; i < length; i++) {
		char c = buffer->base[i];
		if (c == '\n') {
			line[filled] = '\0';
			filled = 0;
			probe_obey(line);
		} else if (filled + 1 < sizeof(line)) {
			line[filled++] = c;
		}
	}
}

/* ---- start and end ---- */

static struct lws_context *lws;

/* As server/loop.c does. */
static void start_lws(void)
{
	static const lws_retry_bo_t no_library_pings;
	void *loops[] = {&loop};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_VALIDATE_UTF8,
		.foreign_loops = loops,
		.pt_serv_buf_size = 16384,
		.max_http_header_data2 = 16384,
		.timeout_secs = 10,
		.retry_and_idle_policy = &no_library_pings,
		.pcontext = &lws,
	};

	lws_set_log_level(LLL_ERR, NULL);
	lws = lws_create_context(&info);
	if (!lws) {
		fputs("libwebsockets does not start: is libwebsockets-evlib-uv installed?\n",
		      stderr);
		exit(1);
	}
}

static void read_options(int argc, char **argv, struct ws_config *tabs, struct front_config *door)
{
	static const char *origins[ORIGINS_MAX + 1];
	static const struct option options[] = {
		{"listen", 1, NULL, 'l'},	{"max-connections", 1, NULL, 'm'},
		{"head-ms", 1, NULL, 'h'},	{"origin", 1, NULL, 'o'},
		{"no-origin", 0, NULL, 'n'},	{"ping-s", 1, NULL, 'p'},
		{"unattached-s", 1, NULL, 'u'}, {"queue-messages", 1, NULL, 'q'},
		{"queue-bytes", 1, NULL, 'b'},	{"rate", 1, NULL, 'r'},
		{"burst", 1, NULL, 't'},	{0},
	};
	unsigned origin_count = 0;
	int option;

	*tabs = (struct ws_config){.origins = origins};
	*door = (struct front_config){.listen = "127.0.0.1:0"};
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned value = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
		switch (option) {
		case 'l':
			door->listen = optarg;
			break;
		case 'm':
			door->max_connections = value;
			break;
		case 'h':
			door->head_deadline_ms = value;
			break;
		case 'o':
			if (origin_count < ORIGINS_MAX)
				origins[origin_count++] = optarg;
			break;
		case 'n':
			tabs->allow_no_origin = true;
			break;
		case 'p':
			tabs->ping_s = value;
			break;
		case 'u':
			tabs->max_unattached_s = value;
			break;
		case 'q':
			tabs->queue_messages = value;
			break;
		case 'b':
			tabs->queue_bytes = value;
			break;
		case 'r':
			tabs->rate_per_s = value;
			break;
		case 't':
			tabs->rate_burst = value;
			break;
		default:
			exit(2);
		}
	}
}

static void start_loop(void)
{
	uv_loop_init(&loop);
	uv_timer_init(&loop, &timer_handle);
	uv_async_init(&loop, &wake_handle, on_wake);
	uv_async_init(&loop, &stable_handle, on_stable_wake);
	uv_timer_init(&loop, &store_handle);
	uv_check_init(&loop, &check_handle);
	uv_check_start(&check_handle, on_check);
	uv_idle_init(&loop, &push_handle);
	uv_pipe_init(&loop, &input_handle, 0);
	uv_pipe_open(&input_handle, 0);
	uv_read_start((uv_stream_t *)&input_handle, on_alloc, on_input);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* In the order of a real server: the doors first, then what they stand on. */
static void end(void)
{
	uv_handle_t *own[] = {(uv_handle_t *)&timer_handle, (uv_handle_t *)&wake_handle,
			      (uv_handle_t *)&check_handle, (uv_handle_t *)&push_handle,
			      (uv_handle_t *)&input_handle, (uv_handle_t *)&stable_handle,
			      (uv_handle_t *)&store_handle};

	door_journal_close();
	front_stop(probe.front);
	MHD_stop_daemon(http);
	on_wake(NULL);
	ws_destroy(probe.ws);
	fake_control_destroy(probe.control);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		close_handle(own[i], NULL);
	lws_context_destroy(lws);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	timers_done(&timers);
	inbox_done(&gifts);
	probe_done();
}

int main(int argc, char **argv)
{
	struct ws_config tabs;
	struct front_config door;
	struct err err;

	signal(SIGPIPE, SIG_IGN);
	read_options(argc, argv, &tabs, &door);
	timers_init(&timers);
	timers.on_earlier = arm_timer;
	inbox_init(&gifts, 0, wake, NULL);
	start_loop();
	start_lws();
	start_http();
	probe.control = fake_control_create(&probe_clock);
	probe.ws = ws_create(&tabs, lws, &probe_clock, &timers, probe.control, &err);
	door.hooks = (struct front_hooks){
		.give_ws = give_ws, .give_http = give_http, .connections = count_connections};
	probe.front = probe.ws ? front_start(&door, &err) : NULL;
	if (!probe.front) {
		fprintf(stderr, "%s: %s\n", err.code, err.message);
		return 1;
	}
	probe_say_port(front_port(probe.front));
	uv_run(&loop, UV_RUN_DEFAULT);
	end();
	return 0;
}
