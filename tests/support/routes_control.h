#pragma once
/* The part of control/control.h that routes uses, for its tests: one agent (routes_store.h's),
 * every command is kept and answered as the test says. Linked into a test it takes the place of the
 * real room. */
#include "control/control.h"

struct control *routes_control_create(void);
void routes_control_destroy(struct control *control);
/* What commands are answered with; ST_OK unless told otherwise. */
void routes_control_set_reply(struct control *control, enum status status, const char *code,
			      const char *message);
/* Posted functions wait until routes_control_run() (a call plane that hangs). */
void routes_control_hold(struct control *control, bool is_held);
void routes_control_run(struct control *control);
unsigned routes_control_posted(struct control *control); /* how many wait */
/* control_post() answers false. */
void routes_control_set_full(struct control *control, bool is_full);
unsigned routes_control_commands(const struct control *control);
const struct command *routes_control_last(const struct control *control);
