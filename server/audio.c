/* The sockets of pages, by libwebsockets; what ws/ws.c says of it holds here too. */
#include "server/audio.h"

#include <libwebsockets.h>
#include <string.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "control/control.h"
#include "server/audio_flow.h"
#include "telephony/ari/ari_net.h"
#include "ws/channel.h"
#include "ws/ticket.h"
#include "ws/ws.h"

#define WRITE_CLOSE  ((enum lws_write_protocol)4) /* as in ws/ws.c */
#define LIST_SIZE    128
#define ORIGIN_SIZE  300
#define LOOK_US	     INT64_C(1000000)
#define SILENT_US    INT64_C(4000000)
#define CLOSING_S    3
#define NOT_SENT_MAX 10 /* frames on their way to the switch */

struct audio {
	struct audio_config config;
	struct lws_context *lws;
	struct anchor *anchor;
	struct ws *ws;
	const struct clock *clock;
	struct timers *timers;
	struct control *control;
	struct page *pages;
};

struct anchor { /* what the library keeps, also after audio_destroy() */
	struct audio *audio;
	struct lws_protocols protocol;
	struct anchor *next;
};
static struct anchor *anchors;

struct page { /* one socket */
	struct page *prev, *next;
	struct audio *audio;
	struct lws *wsi;
	struct uuid agent_id, session_id;
	int64_t ends_us; /* the session; monotonic */
	uint64_t lease;	 /* 0 = it has none */
	struct audio_parts heard;
	struct audio_queue queue; /* to the page */
	struct audio_pace pace;	  /* to the switch */
	struct ari_net *net;	  /* at the switch; NULL = nowhere */
	bool is_joined, is_stopped;
	uint64_t late;
	int64_t heard_us;
	struct timer timer;
	uint16_t close_code; /* 0 = open */
	bool is_close_sent;
	char close_reason[32];
};

struct session { /* the library's memory for one socket, zeroed by it */
	struct page *page;
	bool has_ticket, is_take;
	struct ticket ticket;
	char window[17];
};

static int64_t now_us(const struct audio *audio)
{
	return clock_mono_us(audio->clock);
}

/* ---- at the switch ---- */

static void part(struct page *page)
{
	ari_net_destroy(page->net);
	page->net = NULL;
	page->is_joined = page->is_stopped = false;
}

static void on_switch_open(void *user)
{
	struct page *page = user;

	page->is_joined = true;
}

/* It asks for a pause when too much waits there. */
static void on_switch_text(void *user, const char *text, size_t length)
{
	struct page *page = user;

	if (memmem(text, length, "MEDIA_XOFF", 10))
		page->is_stopped = true;
	if (memmem(text, length, "MEDIA_XON", 9))
		page->is_stopped = false;
}

static void on_switch_audio(void *user, const char *bytes, size_t length)
{
	struct page *page = user;

	if (length != AUDIO_FRAME || page->close_code)
		return;
	audio_queue_put(&page->queue, bytes);
	lws_callback_on_writable(page->wsi);
}

/* The leg ends with it, and another follows as long as the page is there. */
static void on_switch_close(void *user, const char *reason)
{
	struct page *page = user;

	(void)reason;
	page->is_joined = false;
}

static struct page *find(const struct audio *audio, const struct uuid *agent_id, uint64_t lease)
{
	struct page *page;

	DL_FOREACH(audio->pages, page)
		if (page->lease == lease && uuid_equal(&page->agent_id, agent_id))
			return page;
	return NULL;
}

static void on_audio_path(void *user, const struct uuid *agent_id, uint64_t lease, const char *path)
{
	struct audio *audio = user;
	struct page *page = find(audio, agent_id, lease);
	const struct ari_net_config config = {.host = audio->config.host,
					      .loop = audio->config.loop,
					      .port = audio->config.port,
					      .path = path,
					      .protocol = "media"};
	const struct ari_net_handler handler = {.on_open = on_switch_open,
						.on_message = on_switch_text,
						.on_binary = on_switch_audio,
						.on_close = on_switch_close,
						.user = page};

	if (!page || page->close_code)
		return;
	part(page);
	if (!audio->config.host || !*path)
		return;
	page->net = ari_net_create(audio->lws, &config, &handler);
	ari_net_connect(page->net);
}

static void pass_on(struct page *page, int64_t now)
{
	char *buffer;

	if (!page->is_joined)
		return;
	if (!audio_pace_step(&page->pace, now) || page->is_stopped ||
	    ari_net_waiting(page->net) >= NOT_SENT_MAX) {
		page->late++;
		return;
	}
	buffer = xmalloc(ari_net_reserve() + AUDIO_FRAME);
	memcpy(buffer + ari_net_reserve(), page->heard.bytes, AUDIO_FRAME);
	ari_net_send_binary(page->net, buffer, AUDIO_FRAME);
}

/* ---- a page's life ---- */

static void give_up_lease(struct page *page)
{
	uint64_t lease = page->lease;

	part(page);
	page->lease = 0;
	if (!lease)
		return;
	log_info("audio of a page ended", "late=%llu dropped=%llu", (unsigned long long)page->late,
		 (unsigned long long)page->queue.dropped);
	control_audio_close(page->audio->control, &page->agent_id, lease);
}

static void close_page(struct page *page, unsigned code, const char *reason)
{
	if (page->close_code)
		return;
	page->close_code = (uint16_t)code;
	str_copy_cut(page->close_reason, sizeof(page->close_reason), reason);
	give_up_lease(page);
	timer_stop(page->audio->timers, &page->timer);
	lws_callback_on_writable(page->wsi);
}

/* Nobody is there to answer a close. */
static void kill_page(struct page *page)
{
	close_page(page, CLOSE_POLICY, "silent");
	lws_set_timeout(page->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	lws_cancel_service(page->audio->lws);
}

static void on_look(void *arg)
{
	struct page *page = arg;
	int64_t now = now_us(page->audio);

	if (now >= page->ends_us)
		close_page(page, CLOSE_NOT_SIGNED_IN, "session ended");
	else if (now - page->heard_us > SILENT_US)
		kill_page(page);
	else
		timer_set(page->audio->timers, &page->timer, now + LOOK_US);
}

/* The one it had until now, in another window or in the same before a reload. */
static void replace_older(struct page *page)
{
	struct page *other, *next;

	DL_FOREACH_SAFE(page->audio->pages, other, next)
		if (other != page && other->lease &&
		    uuid_equal(&other->agent_id, &page->agent_id)) {
			other->lease = 0; /* it is this page's already */
			close_page(other, CLOSE_REPLACED, "audio.taken");
		}
}

static void admit(struct page *page, const struct session *session)
{
	const struct ticket *ticket = &session->ticket;
	struct audio *audio = page->audio;
	struct err err = {0};

	page->agent_id = ticket->agent_id;
	page->session_id = ticket->session_id;
	page->ends_us = INT64_MAX;
	if (ticket->session_expires_ms > 0)
		page->ends_us = now_us(audio) + ticket->session_expires_ms * 1000 -
				clock_wall_us(audio->clock);
	if (control_audio_open(audio->control, &page->agent_id, session->window, session->is_take,
			       &page->lease, &err) != ST_OK) {
		page->lease = 0;
		close_page(page,
			   !strcmp(err.code, "audio.elsewhere") ? CLOSE_REPLACED
								: CLOSE_NOT_ALLOWED,
			   err.code);
		return;
	}
	replace_older(page);
	timer_set(audio->timers, &page->timer, now_us(audio) + LOOK_US);
}

static struct page *open_page(struct audio *audio, struct lws *wsi, const struct session *session)
{
	struct page *page = xcalloc(1, sizeof(*page));

	page->audio = audio;
	page->wsi = wsi;
	page->heard_us = now_us(audio);
	page->timer = (struct timer){.fire = on_look, .arg = page};
	DL_APPEND(audio->pages, page);
	if (session->has_ticket)
		admit(page, session);
	else
		close_page(page, CLOSE_NOT_SIGNED_IN, "ticket");
	return page;
}

static void free_page(struct page *page)
{
	give_up_lease(page);
	timer_stop(page->audio->timers, &page->timer);
	DL_DELETE(page->audio->pages, page);
	free(page);
}

/* ---- the request that opens a socket ---- */

static int check_request(struct audio *audio, struct lws *wsi, struct session *session)
{
	char origin[ORIGIN_SIZE] = "", list[LIST_SIZE] = "";
	struct audio_asked asked;

	if (lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) < 0 ||
	    !ws_allows_origin(audio->ws, origin))
		return 1;
	if (lws_hdr_copy(wsi, list, sizeof(list), WSI_TOKEN_PROTOCOL) <= 0)
		return 1;
	audio_asked_read(list, &asked);
	session->is_take = asked.is_take;
	str_copy(session->window, sizeof(session->window), asked.window);
	session->has_ticket =
		asked.ticket && ws_ticket_take(audio->ws, asked.ticket, asked.ticket_length, origin,
					       &session->ticket);
	return 0;
}

/* ---- callbacks ---- */

static int on_receive(struct page *page, struct lws *wsi, const char *bytes, size_t length)
{
	bool is_end = lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi);
	int64_t now = now_us(page->audio);
	enum audio_heard heard;

	if (page->close_code)
		return 0;
	heard = lws_frame_is_binary(wsi) ? audio_parts_add(&page->heard, bytes, length, is_end)
					 : AUDIO_BAD;
	if (heard == AUDIO_BAD) {
		close_page(page, CLOSE_POLICY, "audio.bad_frame");
		return 0;
	}
	page->heard_us = now;
	if (heard == AUDIO_WHOLE)
		pass_on(page, now);
	return 0;
}

static int send_close(struct page *page)
{
	unsigned char text[LWS_PRE + 2 + sizeof(page->close_reason)];
	size_t length = strlen(page->close_reason);

	if (page->is_close_sent)
		return 0;
	page->is_close_sent = true;
	text[LWS_PRE] = (unsigned char)(page->close_code >> 8);
	text[LWS_PRE + 1] = (unsigned char)page->close_code;
	memcpy(text + LWS_PRE + 2, page->close_reason, length);
	if (lws_write(page->wsi, text + LWS_PRE, 2 + length, WRITE_CLOSE) < 0)
		return -1;
	lws_set_timeout(page->wsi, PENDING_TIMEOUT_USER_OK, CLOSING_S);
	return 0;
}

static int on_writable(struct page *page)
{
	char frame[LWS_PRE + AUDIO_FRAME];

	if (lws_partial_buffered(page->wsi))
		return 0; /* it calls again */
	if (page->close_code)
		return send_close(page);
	if (!audio_queue_take(&page->queue, frame + LWS_PRE))
		return 0;
	if (lws_write(page->wsi, (unsigned char *)frame + LWS_PRE, AUDIO_FRAME, LWS_WRITE_BINARY) <
	    0)
		return -1;
	if (page->queue.count)
		lws_callback_on_writable(page->wsi);
	return 0;
}

static int on_page_event(struct lws *wsi, enum lws_callback_reasons reason, struct session *session,
			 const char *in, size_t length)
{
	struct page *page = session->page;

	switch (reason) {
	case LWS_CALLBACK_RECEIVE:
		return on_receive(page, wsi, in, length);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return on_writable(page);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		if (page->close_code)
			return -1; /* the answer to ours */
		give_up_lease(page);
		return 0;
	case LWS_CALLBACK_CLOSED:
		session->page = NULL;
		free_page(page);
		return 0;
	default:
		return 0;
	}
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t length)
{
	const struct lws_protocols *protocol = lws_get_protocol(wsi);
	struct anchor *anchor = protocol ? protocol->user : NULL;
	struct audio *audio = anchor ? anchor->audio : NULL;
	struct session *session = user;

	if (!audio || !audio->ws)
		return 0;
	if (reason == LWS_CALLBACK_WSI_DESTROY) {
		ws_socket_gone(audio->ws);
		return 0;
	}
	if (session && session->page)
		return on_page_event(wsi, reason, session, in, length);
	if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
		return check_request(audio, wsi, session);
	if (reason == LWS_CALLBACK_ESTABLISHED)
		session->page = open_page(audio, wsi, session);
	return 0;
}

/* ---- from outside ---- */

static void on_audio_over(void *user, const struct uuid *agent_id, uint64_t lease)
{
	struct page *page = find(user, agent_id, lease);

	if (!page)
		return;
	page->lease = 0;
	close_page(page, CLOSE_NOT_ALLOWED, "audio.not_here");
}

static void listen_to(struct audio *audio)
{
	const struct control_listener listener = {
		.on_audio_path = on_audio_path, .on_audio_over = on_audio_over, .user = audio};

	control_listen(audio->control, &listener);
}

static struct anchor *make_anchor(struct audio *audio)
{
	struct anchor *anchor = xcalloc(1, sizeof(*anchor));

	anchor->audio = audio;
	anchor->protocol = (struct lws_protocols){.name = AUDIO_PROTOCOL,
						  .callback = on_event,
						  .per_session_data_size = sizeof(struct session),
						  .rx_buffer_size = 2 * AUDIO_FRAME,
						  .user = anchor};
	anchor->next = anchors;
	anchors = anchor;
	return anchor;
}

struct audio *audio_create(const struct audio_config *config, struct lws_context *lws,
			   const struct clock *clock, struct timers *timers,
			   struct control *control)
{
	struct audio *audio = xcalloc(1, sizeof(*audio));

	*audio = (struct audio){.config = *config,
				.lws = lws,
				.clock = clock,
				.timers = timers,
				.control = control,
				.anchor = make_anchor(audio)};
	listen_to(audio);
	return audio;
}

const struct lws_protocols *audio_protocol(const struct audio *audio)
{
	return &audio->anchor->protocol;
}

void audio_attach(struct audio *audio, struct ws *ws)
{
	audio->ws = ws;
}

void audio_destroy(struct audio *audio)
{
	if (!audio)
		return;
	audio->anchor->audio = NULL;
	while (audio->pages)
		free_page(audio->pages);
	free(audio);
}

void audio_session_end(struct audio *audio, const struct uuid *session_id)
{
	struct page *page;

	DL_FOREACH(audio->pages, page)
		if (uuid_equal(&page->session_id, session_id))
			close_page(page, CLOSE_NOT_SIGNED_IN, "session ended");
}
