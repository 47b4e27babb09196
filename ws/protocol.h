#pragma once
/* calltab.v1: the text of a frame <-> structs (docs/protocol.md is the promise this keeps). Pure:
 * no socket, no clock, no state. What comes in is read here, strictly and within limits; what goes
 * out is written here, by one function per kind of object, so that an event, an answer and a
 * snapshot cannot differ. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "control/control.h"

struct json_writer;

#define PROTOCOL_NAME  "calltab.v1"
#define MESSAGE_MAX    (16 * 1024)
#define CLIENT_ID_SIZE 65

enum request_kind { REQUEST_ATTACH, REQUEST_PING, REQUEST_GET_CALL, REQUEST_COMMAND };

struct request_id {		    /* made by the client, given back as it came */
	char text[COMMAND_ID_SIZE]; /* "" = none could be read: null */
	bool is_number;
};

struct attach {
	int tab;
	char client[CLIENT_ID_SIZE]; /* "" = none */
	bool has_position;	     /* epoch and seq were both given */
	uint64_t epoch, seq;
};

struct request {
	enum request_kind kind;
	struct request_id id;
	struct attach attach;	/* of REQUEST_ATTACH */
	struct command command; /* of REQUEST_COMMAND; agent_id and tab are left to the caller */
};

/* On failure ret->id is what the answer should carry and everything else is undefined. */
enum status protocol_read(const char *text, size_t length, struct request *ret,
			  struct err *err) MUST_USE;

/* --- objects --- */
void protocol_write_call(struct json_writer *w, const struct call_view *call);

/* --- notifications: whole messages --- */
/* Straight to where it stays, for the same reason as the call itself (call_json.h): `to` has
 * CALL_EVENT_LONGEST bytes. Answers the length. The same arguments give the same bytes, whenever.
 */
#define CALL_EVENT_LONGEST (17 * 1024)
size_t protocol_put_call_event(char *to, enum tell_kind kind, const struct call_view *call,
			       uint64_t epoch, uint64_t seq);
void protocol_write_agent_event(struct json_writer *w, const struct agent_view *agent,
				uint64_t epoch);
void protocol_write_tabs_event(struct json_writer *w, const int *tabs, unsigned count);
void protocol_write_notice(struct json_writer *w, const char *code, const char *message);

/* --- answers: whole messages --- */
struct attached { /* all borrowed */
	int tab;
	uint64_t epoch, seq;
	bool is_resumed;
	const struct agent_view *agent;
	const int *tabs;
	unsigned tab_count;
	const struct call_view *snapshot; /* NULL = the tab never had a call */
	const struct outcome_setup *outcomes;
	unsigned outcome_count;
	int64_t now_ms;
};
void protocol_write_attached(struct json_writer *w, const struct request_id *id,
			     const struct attached *attached);
void protocol_write_pong(struct json_writer *w, const struct request_id *id, int64_t now_ms);
void protocol_write_got_call(struct json_writer *w, const struct request_id *id,
			     const struct call_view *call); /* NULL = none */
void protocol_write_reply(struct json_writer *w, const struct request_id *id,
			  const struct reply *reply);
void protocol_write_error(struct json_writer *w, const struct request_id *id,
			  const struct err *err);
