#pragma once
/* The audio door: a page's microphone and sound as PCM over a WebSocket at /audio, passed on to and
 * from the switch's own socket (docs/protocol.md, "Audio"). What flows is not looked into; how it
 * is kept from growing is server/audio_flow.h. One page of an agent has his audio
 * (calls/audio_lease.h); a second is refused or takes it over. One thread, the call plane's.
 *
 * Who comes needs a ticket like a tab's (ws/ticket.h) and an allowed Origin. A page that sends
 * nothing for four seconds is gone. */
#include "base/clock.h"
#include "base/status.h"
#include "base/timers.h"
#include "base/uuid.h"

#define AUDIO_PATH     "/audio"
#define AUDIO_PROTOCOL "calltab.audio.v1"

struct audio;
struct control;
struct lws_context;
struct lws_protocols;
struct uv_loop_s;
struct ws;

struct audio_config {	  /* borrowed */
	const char *host; /* of the switch's sockets; NULL = it has none (the simulated one) */
	unsigned port;
	struct uv_loop_s *loop;
};

/* All borrowed. It listens to control, which must not be polled after audio_destroy(). Its sockets
 * are adopted by the tab door, which is made with audio_protocol() as its other one and then
 * attached.
 */
struct audio *audio_create(const struct audio_config *config, struct lws_context *lws,
			   const struct clock *clock, struct timers *timers,
			   struct control *control);
const struct lws_protocols *audio_protocol(const struct audio *);
void audio_attach(struct audio *, struct ws *ws);
/* Before the tab door and the context; sockets that are still open go with them. NULL is fine. */
void audio_destroy(struct audio *);
void audio_session_end(struct audio *, const struct uuid *session_id);
