/* The only file of this room that knows libwebsockets (4.1.6 on libuv), and the list of what it
 * must not be trusted with. Each line was met on the wire and has a test in
 * tests/integration/ws_wire.test.mjs:
 *
 * - Returning -1 from a callback closes without a close frame under libuv: the frame is written by
 * hand, as the library's private kind 4, and the socket goes when the peer has answered.
 * - CLOSED also comes for sockets that were refused before ESTABLISHED.
 * - Its own ping timers are one list that is walked for each of them; a policy of zeros switches
 * them off. Passing none gives a policy of 300 s.
 * - The pong of an empty ping is kept from us: pings have a payload.
 * - rx_buffer_size is memory of every connection; it is also the most that is sent in one piece
 * unless tx_packet_size says otherwise.
 * - lws_write() while an earlier frame is half-way would corrupt the stream: lws_partial_buffered()
 * is asked first.
 * - A timeout set outside of its own callbacks is not noticed until something happens:
 * lws_cancel_service() makes it.
 * - Its timeouts are a sorted list too: ten thousand sockets that open at once walk it ten thousand
 * times, and each holds 16 kB until its upgrade is answered. They are given to it a few in a turn.
 * - permessage-deflate aborts the process on a crafted frame: no extension is ever offered.
 * - It builds its answer to an upgrade in the buffer it read it into: a frame that came with the
 * upgrade is overwritten. The front door refuses such a client, who had to wait.
 * - Frames without a mask are taken like others (RFC 6455 5.1 asks for 1002). Nothing of it is
 * visible to us; it harms nobody but the client that leaves the mask out. */
#include "ws/ws.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "ws/frame.h"
#include "ws/hub.h"
#include "ws/protocol.h"

#if LWS_LIBRARY_VERSION_NUMBER < 4001006 || LWS_LIBRARY_VERSION_NUMBER >= 4002000
#error "ws.c relies on the insides of libwebsockets 4.1: read its list above again for this version"
#endif
_Static_assert(FRAME_RESERVE >= LWS_PRE, "the library writes its header in front of the text");

#define WRITE_CLOSE                                                                                \
	((enum lws_write_protocol)4) /* the library's own LWS_WRITE_CLOSE, not in its headers */
#define RX_BUFFER      512
#define TX_PACKET      (1 << 20) /* above any message of ours */
#define ORIGIN_SIZE    300
#define ADOPTIONS_MAX  64   /* at once, then */
#define ADOPT_PAUSE_US 1000 /* the loop has a turn: none would come without a pause */
#define PROTOCOLS_SIZE 128
#define WSI_BUFFERED   0x2d0 /* in the library's struct lws */
#define WSI_SOCKET     0x308

struct ws {
	struct hub *hub;
	struct lws_context *lws;
	struct lws_vhost *vhost;
	struct anchor *anchor;
	atomic_uint connections; /* the front door reads it; the newcomers included */
	const struct clock *clock;
	struct timers *timers;
	struct newcomer *newcomers; /* not known to the library yet */
	struct timer adopt_timer;
};

struct newcomer {
	struct newcomer *prev, *next;
	int fd;
};

/* What the library keeps a pointer to, also after ws_destroy(). */
struct anchor {
	struct ws *ws; /* NULL: destroyed */
	struct lws_protocols protocols[3];
	struct anchor *next;
};
/* Some bytes per door, kept for the life of the process: the library may call back until its
 * context is gone, and that outlives the door. */
static struct anchor *anchors;

struct session {		 /* the library's memory for one socket, zeroed by it */
	struct channel *channel; /* NULL: not open, or refused */
	bool has_ticket;
	struct ticket ticket;
};

static struct ws *ws_of(struct lws *wsi)
{
	struct lws_vhost *vhost = lws_get_vhost(wsi);
	struct anchor *anchor = vhost ? lws_vhost_user(vhost) : NULL;

	return anchor ? anchor->ws : NULL;
}

/* ---- the wire ---- */

static bool wire_is_choked(void *wire)
{
	return lws_partial_buffered(wire);
}

/* Writes the header of an unmasked text frame in front of the payload; answers where it begins. */
static unsigned char *put_text_header(unsigned char *payload, size_t length)
{
	unsigned char *at = payload - (length < 126 ? 2 : 4);

	at[0] = 0x81; /* the last fragment, text */
	if (length < 126) {
		at[1] = (unsigned char)length;
	} else {
		at[1] = 126;
		at[2] = (unsigned char)(length >> 8);
		at[3] = (unsigned char)length;
	}
	return at;
}

/* What the library does with it, for less: lws_write() looks into a dozen places that are cold when
 * there are ten thousand tabs. Nothing waits there (is_choked was asked), so the order is kept.
 * What the kernel does not take goes to the library as raw bytes, which it buffers and sends when
 * it can. */
static bool send_text(struct lws *wsi, unsigned char *payload, size_t length)
{
	unsigned char *at = put_text_header(payload, length);
	size_t whole = (size_t)(payload + length - at);
	ssize_t sent = send(lws_get_socket_fd(wsi), at, whole, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent == (ssize_t)whole)
		return true;
	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return false;
		sent = 0;
	}
	return lws_write(wsi, at + sent, whole - (size_t)sent, LWS_WRITE_HTTP) >= 0;
}

static bool wire_send(void *wire, enum wire_kind kind, char *payload, size_t length)
{
	static const enum lws_write_protocol protocols[] = {[WIRE_TEXT] = LWS_WRITE_TEXT,
							    [WIRE_PING] = LWS_WRITE_PING,
							    [WIRE_CLOSE] = WRITE_CLOSE};
	unsigned char *bytes = (unsigned char *)payload;

	if (kind == WIRE_TEXT && length <= UINT16_MAX)
		return send_text(wire, bytes, length);
	return lws_write(wire, bytes, length, protocols[kind]) >= (int)length;
}

/* Where 4.1 keeps what lws_partial_buffered() and send_text() look at; wrong, they would cost time
 * and nothing else. */
static void wire_expect(const void *wire)
{
	__builtin_prefetch((const char *)wire + WSI_BUFFERED);
	__builtin_prefetch((const char *)wire + WSI_SOCKET);
}

static void wire_ask_writable(void *wire)
{
	lws_callback_on_writable(wire);
}

static void wire_kill(void *wire)
{
	lws_set_timeout(wire, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	lws_cancel_service(lws_get_context(wire));
}

static const struct wire_ops wire_ops = {
	.is_choked = wire_is_choked,
	.send = wire_send,
	.expect = wire_expect,
	.ask_writable = wire_ask_writable,
	.kill = wire_kill,
};

/* ---- the request that opens a socket ---- */

static void answer_and_refuse(struct lws *wsi, const char *status, const char *code,
			      const char *message)
{
	char text[LWS_PRE + 600];
	char body[300];
	int body_length, length;

	body_length = snprintf(body, sizeof(body),
			       "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%.3s,"
			       "\"detail\":\"%s\",\"code\":\"%s\",\"target\":\"\"}",
			       status + 4, status, message, code);
	length = snprintf(text + LWS_PRE, sizeof(text) - LWS_PRE,
			  "HTTP/1.1 %s\r\nContent-Type: application/problem+json\r\n"
			  "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
			  status, body_length, body);
	lws_write(wsi, (unsigned char *)text + LWS_PRE, (size_t)length, LWS_WRITE_HTTP_HEADERS);
}

/* The text behind "ticket." in the list of sub-protocols; NULL when there is none. */
static const char *find_ticket(const char *list, size_t *ret_length)
{
	const char *at = strstr(list, "ticket.");

	/* At the beginning of an item. */
	if (!at || (at != list && at[-1] != ' ' && at[-1] != ','))
		return NULL;
	at += strlen("ticket.");
	*ret_length = strcspn(at, ", \t");
	return at;
}

static void take_ticket(struct ws *ws, struct lws *wsi, const char *origin, struct session *session)
{
	char list[PROTOCOLS_SIZE] = "";
	size_t length = 0;
	const char *text = NULL;

	if (lws_hdr_copy(wsi, list, sizeof(list), WSI_TOKEN_PROTOCOL) > 0)
		text = find_ticket(list, &length);
	session->has_ticket =
		text && tickets_take(hub_tickets(ws->hub), text, length, origin, &session->ticket);
}

/* Non-zero: refused. The origin before anything else (cross-site hijacking); a bad ticket is told
 * by a close code, which a browser's script can read, and not by an HTTP status, which it cannot.
 */
static int check_request(struct ws *ws, struct lws *wsi, struct session *session)
{
	char origin[ORIGIN_SIZE] = "";

	if (lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) < 0 ||
	    !hub_allows_origin(ws->hub, origin)) {
		hub_refused(ws->hub);
		answer_and_refuse(wsi, "403 Forbidden", "origin.denied",
				  "pages of this Origin may not open call tabs here");
		return 1;
	}
	/* Without a list the library would take its first protocol; the front door asks for one
	 * already. */
	if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) <= 0) {
		hub_refused(ws->hub);
		return 1;
	}
	take_ticket(ws, wsi, origin, session);
	return 0;
}

/* ---- callbacks ---- */

static int on_receive(struct lws *wsi, struct session *session, const char *bytes, size_t length)
{
	const struct piece_heard piece = {
		.bytes = bytes,
		.length = length,
		.remaining = lws_remaining_packet_payload(wsi),
		.is_final = lws_is_final_fragment(wsi),
		.is_binary = lws_frame_is_binary(wsi),
	};

	hub_hear(session->channel, &piece);
	return 0;
}

/* The library answers a close with a close; when it is the answer to ours, that is one too many. */
static int on_peer_close(struct session *session)
{
	if (session->channel->state == CHANNEL_CLOSING)
		return -1;
	channel_leave(session->channel);
	return 0;
}

static int on_channel_event(struct lws *wsi, enum lws_callback_reasons reason,
			    struct session *session, void *in, size_t length)
{
	switch (reason) {
	case LWS_CALLBACK_RECEIVE:
		return on_receive(wsi, session, in, length);
	case LWS_CALLBACK_RECEIVE_PONG:
		hub_hear_pong(session->channel);
		break;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		channel_on_writable(session->channel);
		break;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return on_peer_close(session);
	case LWS_CALLBACK_CLOSED:
		hub_closed(session->channel);
		session->channel = NULL;
		break;
	default:
		break;
	}
	return 0;
}

static int on_event_without_channel(struct ws *ws, struct lws *wsi,
				    enum lws_callback_reasons reason, struct session *session,
				    const char *in)
{
	switch (reason) {
	case LWS_CALLBACK_WSI_CREATE:
		atomic_fetch_add(&ws->connections, 1);
		break;
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return in && strcasecmp(in, "websocket") == 0 ? 0 : -1;
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return check_request(ws, wsi, session);
	case LWS_CALLBACK_ESTABLISHED:
		session->channel =
			hub_open(ws->hub, wsi, session->has_ticket ? &session->ticket : NULL);
		break;
	case LWS_CALLBACK_HTTP: /* there is no HTTP behind this door */
		return -1;
	default:
		break;
	}
	return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t length)
{
	struct ws *ws = ws_of(wsi);
	struct session *session = user;

	if (!ws)
		return 0;
	if (reason == LWS_CALLBACK_WSI_DESTROY) {
		atomic_fetch_sub(&ws->connections, 1);
		return 0;
	}
	if (session && session->channel)
		return on_channel_event(wsi, reason, session, in, length);
	return on_event_without_channel(ws, wsi, reason, session, in);
}

static const struct lws_protocols tabs = {.name = PROTOCOL_NAME,
					  .callback = on_event,
					  .per_session_data_size = sizeof(struct session),
					  .rx_buffer_size = RX_BUFFER,
					  .tx_packet_size = TX_PACKET};

/* ---- newcomers ---- */

static int take_newcomer(struct ws *ws)
{
	struct newcomer *newcomer = ws->newcomers;
	int fd = newcomer->fd;

	DL_DELETE(ws->newcomers, newcomer);
	free(newcomer);
	atomic_fetch_sub(&ws->connections, 1);
	return fd;
}

static void adopt_some(void *arg)
{
	struct ws *ws = arg;

	for (int i = 0; i < ADOPTIONS_MAX && ws->newcomers; i++)
		lws_adopt_socket_vhost(ws->vhost, take_newcomer(ws)); /* closes it on failure */
	if (ws->newcomers)
		timer_set(ws->timers, &ws->adopt_timer, clock_mono_us(ws->clock) + ADOPT_PAUSE_US);
}

/* ---- from outside ---- */

struct ws *ws_create(const struct ws_config *config, struct lws_context *lws,
		     const struct clock *clock, struct timers *timers, struct control *control,
		     struct err *err)
{
	static const lws_retry_bo_t no_library_pings;
	struct ws *ws = xcalloc(1, sizeof(*ws));
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.vhost_name = "tabs",
		.retry_and_idle_policy = &no_library_pings,
	};

	ws->lws = lws;
	ws->clock = clock;
	ws->timers = timers;
	ws->adopt_timer = (struct timer){.fire = adopt_some, .arg = ws};
	ws->anchor = xcalloc(1, sizeof(*ws->anchor));
	ws->anchor->ws = ws;
	ws->anchor->next = anchors;
	anchors = ws->anchor;
	ws->anchor->protocols[0] = tabs;
	if (config->other)
		ws->anchor->protocols[1] = *config->other;
	info.protocols = ws->anchor->protocols;
	info.user = ws->anchor;
	ws->vhost = lws_create_vhost(lws, &info);
	if (!ws->vhost) {
		ws->anchor->ws = NULL;
		free(ws);
		err_set(err, ST_UNAVAILABLE, "ws.no_vhost", "",
			"libwebsockets cannot make a place for the tabs");
		return NULL;
	}
	ws->hub = hub_create(config, &wire_ops, clock, timers, control);
	return ws;
}

void ws_destroy(struct ws *ws)
{
	if (!ws)
		return;
	while (ws->newcomers)
		close(take_newcomer(ws));
	timer_stop(ws->timers, &ws->adopt_timer);
	ws->anchor->ws = NULL;
	hub_destroy(ws->hub);
	free(ws);
}

void ws_adopt(struct ws *ws, int fd)
{
	struct newcomer *newcomer = xmalloc(sizeof(*newcomer));

	newcomer->fd = fd;
	DL_APPEND(ws->newcomers, newcomer);
	atomic_fetch_add(&ws->connections, 1);
	if (!timer_is_set(&ws->adopt_timer))
		timer_set(ws->timers, &ws->adopt_timer, clock_mono_us(ws->clock));
}

void ws_socket_gone(struct ws *ws)
{
	atomic_fetch_sub(&ws->connections, 1);
}

void ws_close_all(struct ws *ws, unsigned code, unsigned spread_ms)
{
	hub_close_all(ws->hub, code, spread_ms);
}

unsigned ws_connections(const struct ws *ws)
{
	return atomic_load(&ws->connections);
}

enum status ws_ticket_make(struct ws *ws, const struct uuid *agent_id,
			   const struct uuid *session_id, int64_t session_expires_ms,
			   const char *origin, char ret[44], struct err *err)
{
	const struct ticket ticket = {
		.agent_id = *agent_id,
		.session_id = *session_id,
		.session_expires_ms = session_expires_ms,
	};

	return tickets_make(hub_tickets(ws->hub), &ticket, origin, ret, err);
}

bool ws_allows_origin(const struct ws *ws, const char *origin)
{
	return hub_allows_origin(ws->hub, origin);
}

bool ws_ticket_take(struct ws *ws, const char *text, size_t length, const char *origin,
		    struct ticket *ret)
{
	return tickets_take(hub_tickets(ws->hub), text, length, origin, ret);
}

void ws_session_end(struct ws *ws, const struct uuid *session_id)
{
	hub_session_end(ws->hub, session_id);
}

void ws_figures(const struct ws *ws, struct ws_figures *ret)
{
	hub_figures(ws->hub, ret);
}
