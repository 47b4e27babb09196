/* Requests over the events socket, all pipelined: Asterisk carries them out strictly in the order
 * in which they were sent. Their answers bear our numbers; answers and events are not ordered
 * against each other. */
#include "telephony/ari/ari_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Asterisk closes the socket on a request of 64 KiB. Nothing we send comes near. */
#define REQUEST_MAX ((size_t)63 * 1024)
#define PATH_SIZE   1024

/* The body travels as a text inside the request. (As an object it would be ignored: with status
 * 200.) */
static void write_request(struct json_writer *w, uint64_t number, const char *path,
			  const struct json_writer *body)
{
	const char *uri = strchr(path, ' ') + 1;
	char id[24];

	str_format(id, sizeof id, "%" PRIu64, number);
	jw_init_reserve(w, ari_net_reserve());
	jw_object(w);
	jw_kv_text(w, "type", "RESTRequest");
	jw_kv_text(w, "request_id", id);
	jw_key(w, "method");
	jw_text_n(w, path, (size_t)(uri - 1 - path));
	jw_kv_text(w, "uri", uri);
	if (body) {
		jw_kv_text(w, "content_type", "application/json");
		jw_key(w, "message_body");
		jw_text_n(w, jw_start(body), body->length);
	}
	jw_object_end(w);
}

struct ari_request *ari_send(struct ari *ari,
			     void (*on_answer)(struct ari *, const struct ari_request *,
					       const struct ari_event *),
			     const struct json_writer *body, const char *path, ...)
{
	struct ari_request *request = xcalloc(1, sizeof *request);
	struct json_writer w;
	char text[PATH_SIZE];
	size_t length;
	va_list args;

	va_start(args, path);
	int path_length = vsnprintf(text, sizeof text, path, args);
	va_end(args);
	assert(path_length > 0 && path_length < PATH_SIZE);
	(void)path_length;
	request->number = ++ari->next_number;
	request->sent_us = ari_now_us(ari);
	request->on_answer = on_answer;
	DL_APPEND(ari->requests, request);
	ari->requests_count++;
	write_request(&w, request->number, text, body);
	assert(w.length < REQUEST_MAX);
	char *buffer = jw_take(&w, &length);
	ari_net_send(ari->net, buffer, length);
	return request;
}

static void forget(struct ari *ari, struct ari_request *request)
{
	DL_DELETE(ari->requests, request);
	ari->requests_count--;
}

void ari_on_answer(struct ari *ari, const struct ari_event *answer)
{
	struct ari_request *request;

	/* Answers come in the order of the requests: it is the first one. */
	DL_FOREACH(ari->requests, request)
		if (request->number == answer->request)
			break;
	if (!request)
		return;
	ari->answered_us = ari_now_us(ari);
	forget(ari, request);
	request->on_answer(ari, request, answer);
	free(request);
}

void ari_requests_drop(struct ari *ari)
{
	while (ari->requests) {
		struct ari_request *request = ari->requests;
		forget(ari, request);
		free(request);
	}
}

/* A long row of requests that are being answered is not stuck, however old the first of them is. */
int64_t ari_requests_stuck_us(const struct ari *ari)
{
	int64_t since_us;

	if (!ari->requests)
		return 0;
	since_us = ari->requests->sent_us;
	if (since_us < ari->answered_us)
		since_us = ari->answered_us;
	return ari_now_us(ari) - since_us;
}

void ari_ignore_answer(struct ari *ari, const struct ari_request *request,
		       const struct ari_event *answer)
{
	(void)ari;
	(void)request;
	(void)answer;
}
