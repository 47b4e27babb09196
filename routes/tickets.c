/* Tickets for the tab channel, and what /ws says to those who come without an upgrade. */
#include <stdlib.h>

#include "routes/handlers.h"
#include "routes/private.h"

#define TICKET_LIFE_S 30

static void on_ticket(void *arg, enum status status, const char *ticket, const struct err *err)
{
	struct request *request = arg;

	if (status == ST_OK) {
		struct json_writer w = {0};
		jw_object(&w);
		jw_kv_text(&w, "ticket", ticket);
		jw_kv_int(&w, "expiresIn", TICKET_LIFE_S);
		jw_object_end(&w);
		answer_json(request, 200, &w);
	} else {
		answer_error(request, err);
	}
	request_unref(request);
}

void ticket_post(struct request *request)
{
	const struct route_hooks *hooks = &request->routes->hooks;
	struct err err = {0};

	if (!hooks->make_ticket) {
		err_set(&err, ST_UNSUPPORTED, "ticket.unsupported", "",
			"this gateway has no tab channel");
		answer_error(request, &err);
		return;
	}
	hooks->make_ticket(hooks->user, &request->who.agent_id, &request->who.session_id,
			   request->who.session_expires_ms, request->wanted[WANT_ORIGIN], on_ticket,
			   request_ref(request));
}

/* The front door gives upgrades to the tab channel: what arrives here was none it could pass on. */
void upgrade_get(struct request *request)
{
	struct err err = {0};
	struct answer answer;

	err_set(&err, ST_INVALID, "http.upgrade_required", "Upgrade",
		"this address speaks WebSocket only, and this was no valid upgrade on a fresh "
		"connection (does a proxy reuse connections for it?)");
	error_answer_make_as(request, 426, &err, &answer);
	answer_add(&answer, "Upgrade", "websocket");
	answer.closes = true;
	request_answer(request, &answer);
}
