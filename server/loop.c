#include "server/loop.h"

#include <libwebsockets.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "base/cleanup.h"
#include "base/log.h"

#define TURN_WARN_US 100000

struct loop {
	const struct clock *clock;
	struct loop_events events;
	uv_loop_t uv;
	uv_async_t wake;
	uv_timer_t timer;
	uv_prepare_t before_wait;
	uv_check_t after_wait;
	uv_signal_t signals[3];
	struct timers timers;
	struct lws_context *lws;
	int64_t woke_us, longest_us;
};

static const int handled_signals[] = {SIGTERM, SIGINT, SIGHUP};

static void arm(struct loop *loop);

static void on_timer(uv_timer_t *handle)
{
	struct loop *loop = handle->data;

	timers_run(&loop->timers, clock_mono_us(loop->clock));
	loop->events.on_turn(loop->events.user);
	arm(loop);
}

/* One libuv timer stands for the earliest of all; rounded up, so that it never comes early and
 * spins. */
static void arm(struct loop *loop)
{
	int64_t next = timers_next_us(&loop->timers), left;

	if (next == INT64_MAX) {
		uv_timer_stop(&loop->timer);
		return;
	}
	uv_update_time(&loop->uv);
	left = next - clock_mono_us(loop->clock);
	uv_timer_start(&loop->timer, on_timer, left > 0 ? (uint64_t)(left + 999) / 1000 : 0, 0);
}

static void on_wake(uv_async_t *handle)
{
	struct loop *loop = handle->data;

	loop->events.on_turn(loop->events.user);
	arm(loop);
}

static void on_signal(uv_signal_t *handle, int signal)
{
	struct loop *loop = handle->data;

	loop->events.on_signal(loop->events.user, signal);
	arm(loop);
}

static void on_earlier(void *user)
{
	arm(user);
}

static void on_after_wait(uv_check_t *handle)
{
	struct loop *loop = handle->data;

	loop->woke_us = clock_mono_us(loop->clock);
}

static void on_before_wait(uv_prepare_t *handle)
{
	struct loop *loop = handle->data;
	int64_t turn_us = loop->woke_us ? clock_mono_us(loop->clock) - loop->woke_us : 0;

	if (turn_us > loop->longest_us)
		loop->longest_us = turn_us;
	if (turn_us > TURN_WARN_US)
		log_warn("the call plane was busy for long", "ms=%lld", (long long)turn_us / 1000);
}

static void create_lws(struct loop *loop)
{
	static const lws_retry_bo_t no_policy; /* the library's own pings walk a list of all tabs */
	void *foreign[] = {&loop->uv};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_VALIDATE_UTF8,
		.foreign_loops = foreign,
		.retry_and_idle_policy = &no_policy,
		.pt_serv_buf_size = 16384,
		.timeout_secs = 10,
		.max_http_header_data2 = 16384,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
	};

	lws_set_log_level(LLL_ERR, NULL);
	loop->lws = lws_create_context(&info);
}

static void start_handles(struct loop *loop)
{
	uv_async_init(&loop->uv, &loop->wake, on_wake);
	uv_timer_init(&loop->uv, &loop->timer);
	uv_prepare_init(&loop->uv, &loop->before_wait);
	uv_check_init(&loop->uv, &loop->after_wait);
	loop->wake.data = loop->timer.data = loop->before_wait.data = loop->after_wait.data = loop;
	uv_prepare_start(&loop->before_wait, on_before_wait);
	uv_check_start(&loop->after_wait, on_after_wait);
	for (unsigned i = 0; i < 3; i++) {
		uv_signal_init(&loop->uv, &loop->signals[i]);
		loop->signals[i].data = loop;
		uv_signal_start(&loop->signals[i], on_signal, handled_signals[i]);
	}
}

struct loop *loop_create(const struct clock *clock, const struct loop_events *events,
			 struct err *err)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->clock = clock;
	loop->events = *events;
	timers_init(&loop->timers);
	loop->timers.on_earlier = on_earlier;
	loop->timers.user = loop;
	uv_loop_init(&loop->uv);
	start_handles(loop);
	create_lws(loop);
	if (loop->lws)
		return loop;
	err_set(err, ST_INTERNAL, "loop.library", "",
		"libwebsockets cannot use libuv: install the package libwebsockets-evlib-uv");
	loop_destroy(loop);
	return NULL;
}

struct lws_context *loop_lws(struct loop *loop)
{
	return loop->lws;
}

struct uv_loop_s *loop_uv(struct loop *loop)
{
	return &loop->uv;
}

struct timers *loop_timers(struct loop *loop)
{
	return &loop->timers;
}

void loop_wake(void *loop)
{
	uv_async_send(&((struct loop *)loop)->wake);
}

void loop_run(struct loop *loop)
{
	arm(loop);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

int64_t loop_take_longest_us(struct loop *loop)
{
	int64_t longest = loop->longest_us;

	loop->longest_us = 0;
	return longest;
}

static void close_handles(struct loop *loop)
{
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_close((uv_handle_t *)&loop->timer, NULL);
	uv_close((uv_handle_t *)&loop->before_wait, NULL);
	uv_close((uv_handle_t *)&loop->after_wait, NULL);
	for (unsigned i = 0; i < 3; i++)
		uv_close((uv_handle_t *)&loop->signals[i], NULL);
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	/* On a loop that is not its own the library needs two calls: the first closes its handles,
	 * the loop runs them out, the second frees the context. */
	if (loop->lws)
		lws_context_destroy(loop->lws);
	close_handles(loop);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	if (loop->lws)
		lws_context_destroy(loop->lws);
	uv_loop_close(&loop->uv);
	timers_done(&loop->timers);
	free(loop);
}
