#pragma once
/* driver_probe's other mode: calls (telephony/telephony.h) instead of legs and mixes. */
#include "base/json.h"
#include "base/json_writer.h"
#include "telephony/telephony.h"

/* Prints it as a line of stdout and frees it. */
void probe_print(struct json_writer *w);

/* The sink: facts are printed as "call_up", "call_ended", ... */
void probe_on_call_fact(void *user, const struct tel_call_fact *fact);
/* {"op":"call_make","call":"1","station":"1001","number":"+15550001"}; ST_UNSUPPORTED: no such
 * operation. An agent's id is "agent-" and his station. */
enum status probe_call_op(struct telephony *t, const char *op, const json_t *line);
