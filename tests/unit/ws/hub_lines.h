#pragma once
/* The whole tab door without sockets: wires of the test's own, a stand-in for control, a clock that
 * stands still. begin() and end() are the setup and teardown of every test. */
#include "tests/support/fake_control.h"
#include "base/shed.h"
#include "ws/hub.h"

#define S  INT64_C(1000000)
#define MS INT64_C(1000)

struct line { /* one socket */
	struct channel *channel;
	char last[4096]; /* the last text sent */
	char last_event[4096];
	uint64_t seq; /* of the last event; each must be the next one, once it is set */
	unsigned events, holes;
	unsigned takes; /* texts before it is choked; 0 = no end */
	unsigned texts, pings, asked;
	unsigned close_code; /* 0 = none sent */
	char close_reason[64];
	bool is_choked, is_killed, answers_pings;
};

extern struct held_clock held;
extern struct clock clock_of_test;
extern struct timers timers;
extern struct control *control;
extern struct hub *hub;
extern struct shed shed; /* of the hub: nothing is turned away at the beginning */
extern const struct wire_ops wire_ops;

int begin(void **state);
int end(void **state);
/* Time goes on, and with it everything that is due, each at its own time. */
void advance(int64_t us);

/* life_ms: of the session; 0 = it never ends */
void open_line(struct line *line, unsigned agent, unsigned session, int64_t life_ms);
void say(struct line *line, const char *text);
void attach(struct line *line, int tab, const char *client);
void open_attached(struct line *line, unsigned agent, int tab);
void hang_up(struct line *line);
struct ws_figures figures(void);
