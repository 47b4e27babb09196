/* A leg whose audio comes over a WebSocket: Asterisk makes the channel and waits for a connection
 * at a path of its own, whose last part is all that is secret about it. The channel is up when the
 * socket is, and ends with it. */
#include "base/str.h"
#include "telephony/ari/ari_private.h"

/* As the audio comes from the page: 16 kHz, 16 bit, 20 ms in 640 bytes. */
#define FORMAT "slin16"

static void on_answer(struct ari *ari, const struct ari_request *request,
		      const struct ari_event *answer)
{
	struct tel_fact fact = {.kind = TEL_LEG_MEDIA};
	struct ari_leg *leg = ari_leg_find(ari, request->leg);
	char connection[TEL_ID_SIZE];

	if (!leg || answer->status >= 300 || leg->is_hangup_asked) {
		ari_leg_on_create_answer(ari, request, answer);
		return;
	}
	if (ari_media_parse(answer->body, answer->body_length, connection) != ST_OK) {
		ari_leg_fail(leg);
		return;
	}
	str_format(fact.text, sizeof fact.text, "/media/%s", connection);
	ari_tell_leg(leg, fact);
}

void ari_media_create(struct ari_leg *leg)
{
	struct json_writer body = {0};

	jw_object(&body);
	jw_kv_text(&body, "app", leg->ari->config.app);
	jw_kv_text(&body, "channelId", leg->channel);
	jw_kv_text(&body, "external_host", "INCOMING");
	jw_kv_text(&body, "transport", "websocket");
	jw_kv_text(&body, "encapsulation", "none");
	jw_kv_text(&body, "connection_type", "server");
	jw_kv_text(&body, "format", FORMAT);
	jw_kv_text(&body, "transport_data", "f(json)");
	jw_object_end(&body);
	struct ari_request *request =
		ari_send(leg->ari, on_answer, &body, "POST channels/externalMedia");
	str_copy(request->leg, sizeof request->leg, leg->id);
	jw_done(&body);
}
