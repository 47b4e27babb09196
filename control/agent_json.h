#pragma once
/* The agent object of docs/protocol.md, which both doors hand out: the tabs' socket with every
 * change of an agent, REST with a sign-in. It stands here because control is the highest room that
 * routes/ and ws/ both see, and calls/, where the struct is at home, knows no JSON. control itself
 * does not use it. */
#include "base/json_writer.h"
#include "calls/call_view.h"

void agent_json_write(struct json_writer *w, const struct agent_view *agent);
