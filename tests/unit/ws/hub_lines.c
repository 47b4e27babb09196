#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/ws/hub_lines.h"

struct held_clock held;
struct clock clock_of_test;
struct timers timers;
struct control *control;
struct hub *hub;
struct shed shed;

static bool wire_is_choked(void *wire)
{
	return ((struct line *)wire)->is_choked;
}

static void note_event(struct line *line)
{
	const char *at = strstr(line->last, ",\"seq\":");
	uint64_t seq;

	if (!strstr(line->last, "\"call\":{") || !strstr(line->last, "\"method\":") || !at)
		return;
	seq = strtoull(at + strlen(",\"seq\":"), NULL, 10);
	line->holes += line->seq && seq != line->seq + 1;
	line->seq = seq;
	line->events++;
	memcpy(line->last_event, line->last, sizeof(line->last));
}

static bool wire_send(void *wire, enum wire_kind kind, char *payload, size_t length)
{
	struct line *line = wire;

	switch (kind) {
	case WIRE_TEXT:
		assert_true(length < sizeof(line->last));
		memcpy(line->last, payload, length);
		line->last[length] = '\0';
		line->texts++;
		note_event(line);
		if (line->takes && --line->takes == 0)
			line->is_choked = true;
		break;
	case WIRE_PING:
		line->pings++;
		break;
	case WIRE_CLOSE:
		line->close_code = (unsigned)((uint8_t)payload[0] << 8 | (uint8_t)payload[1]);
		memcpy(line->close_reason, payload + 2, length - 2);
		line->close_reason[length - 2] = '\0';
		break;
	}
	return true;
}

static void wire_ask_writable(void *wire)
{
	((struct line *)wire)->asked++;
}

static void wire_kill(void *wire)
{
	((struct line *)wire)->is_killed = true;
}

const struct wire_ops wire_ops = {
	.is_choked = wire_is_choked,
	.send = wire_send,
	.ask_writable = wire_ask_writable,
	.kill = wire_kill,
};

int begin(void **state)
{
	static const char *const origins[] = {"https://a.example", NULL};
	const struct ws_config config = {.origins = origins, .shed = &shed};

	(void)state;
	shed = (struct shed){0};
	held = (struct held_clock){.wall_us = INT64_C(1795366800) * S, .mono_us = 1000 * S};
	clock_of_test = clock_held(&held);
	timers_init(&timers);
	control = fake_control_create(&clock_of_test);
	hub = hub_create(&config, &wire_ops, &clock_of_test, &timers, control);
	return 0;
}

int end(void **state)
{
	(void)state;
	hub_destroy(hub);
	fake_control_destroy(control);
	assert_int_equal(timers_next_us(&timers), INT64_MAX); /* nothing left behind */
	timers_done(&timers);
	return 0;
}

/* Time goes on, and with it everything that is due, each at its own time. */
void advance(int64_t us)
{
	int64_t until_us = held.mono_us + us;

	while (timers_next_us(&timers) <= until_us) {
		if (timers_next_us(&timers) > held.mono_us)
			held_clock_advance(&held, timers_next_us(&timers) - held.mono_us);
		timers_run(&timers, held.mono_us);
	}
	held_clock_advance(&held, until_us - held.mono_us);
}

void open_line(struct line *line, unsigned agent, unsigned session, int64_t life_ms)
{
	const struct ticket ticket = {
		.agent_id = fake_uuid(1, agent),
		.session_id = fake_uuid(2, session),
		.session_expires_ms = life_ms ? held.wall_us / 1000 + life_ms : 0,
	};

	memset(line, 0, sizeof(*line));
	line->channel = hub_open(hub, line, &ticket);
}

void say(struct line *line, const char *text)
{
	hub_hear(line->channel,
		 &(struct piece_heard){.bytes = text, .length = strlen(text), .is_final = true});
}

void attach(struct line *line, int tab, const char *client)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"attach\",\"params\":{\"tab\":%d,"
		 "\"client\":\"%s\"}}",
		 tab, client);
	say(line, text);
}

void open_attached(struct line *line, unsigned agent, int tab)
{
	open_line(line, agent, agent, 0);
	attach(line, tab, "");
	assert_non_null(strstr(line->last, "\"result\""));
}

void hang_up(struct line *line)
{
	hub_closed(line->channel);
	line->channel = NULL;
}

struct ws_figures figures(void)
{
	struct ws_figures ret;

	hub_figures(hub, &ret);
	return ret;
}
