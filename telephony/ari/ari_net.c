#include "telephony/ari/ari_net.h"

#include <arpa/inet.h>
#include <libwebsockets.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include <uv.h>

#include "base/cleanup.h"
#include "base/spare.h"
#include "base/str.h"

#define VHOST		    "calltab-ari"
#define MESSAGE_MAX	    ((size_t)4 * 1024 * 1024)
#define RX_SIZE		    ((size_t)64 * 1024)
#define BURST		    16 /* messages written in one turn */
#define REASON_SIZE	    160
#define TIMEOUT_S	    10
#define CONNECT_DESCRIPTORS 1

/* The driver watches over the connection itself; the library's own policy would add pings. */
static const lws_retry_bo_t no_policy;

struct message {
	struct message *prev, *next;
	char *buffer;
	size_t length;
	bool is_binary;
};

/* A name being looked up. It outlives the connection attempt when that is given up. */
struct lookup {
	uv_getaddrinfo_t request;
	struct ari_net *net; /* NULL: nobody waits any more */
};

struct ari_net {
	struct lws_context *context;
	uv_loop_t *loop;
	struct ari_net_handler handler;
	char *host, *path, *protocol;
	unsigned port;
	char authorization[400];
	struct lws *wsi;
	struct lookup *lookup;
	unsigned attempts; /* picks among several addresses of one name */
	bool is_active, is_open;
	struct message *messages;
	unsigned waiting;
	char *received;
	size_t received_length, received_capacity;
};

static void drop_first(struct ari_net *net)
{
	struct message *message = net->messages;

	DL_DELETE(net->messages, message);
	net->waiting--;
	free(message->buffer);
	free(message);
}

static void forget_data(struct ari_net *net)
{
	struct message *message, *next;

	DL_FOREACH_SAFE(net->messages, message, next)
		drop_first(net);
	free(net->received);
	net->received = NULL;
	net->received_length = net->received_capacity = 0;
}

static void reset(struct ari_net *net)
{
	if (net->wsi)
		lws_set_opaque_user_data(net->wsi, NULL);
	net->wsi = NULL;
	net->is_active = net->is_open = false;
	forget_data(net);
}

static void is_over_n(struct ari_net *net, const char *reason, size_t length)
{
	char text[REASON_SIZE];

	if (!net->is_active)
		return;
	str_format(text, sizeof text, "%.*s",
		   (int)(length < sizeof text ? length : sizeof text - 1), reason);
	reset(net);
	net->handler.on_close(net->handler.user, text);
}

static void is_over(struct ari_net *net, const char *reason)
{
	is_over_n(net, reason, strlen(reason));
}

/* ---- traffic ---- */

static int add_authorization(struct ari_net *net, struct lws *wsi, unsigned char **at, size_t room)
{
	if (!net->authorization[0])
		return 0;
	return lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION,
					    (const unsigned char *)net->authorization,
					    (int)strlen(net->authorization), at, *at + room);
}

static bool keep_fragment(struct ari_net *net, const char *data, size_t length)
{
	size_t total = net->received_length + length;

	if (total > MESSAGE_MAX)
		return false;
	if (total > net->received_capacity) {
		net->received_capacity = total > RX_SIZE ? 2 * total : RX_SIZE;
		net->received = xrealloc(net->received, net->received_capacity);
	}
	memcpy(net->received + net->received_length, data, length);
	net->received_length = total;
	return true;
}

static void hand_over(struct ari_net *net, struct lws *wsi, const char *data, size_t length)
{
	if (net->handler.on_binary && lws_frame_is_binary(wsi))
		net->handler.on_binary(net->handler.user, data, length);
	else
		net->handler.on_message(net->handler.user, data, length);
}

static int receive(struct ari_net *net, struct lws *wsi, const char *data, size_t length)
{
	bool is_whole = lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi);

	if (is_whole && net->received_length == 0) {
		hand_over(net, wsi, data, length);
		return 0;
	}
	if (!keep_fragment(net, data, length))
		return -1;
	if (!is_whole)
		return 0;
	size_t total = net->received_length;
	net->received_length = 0;
	hand_over(net, wsi, net->received, total);
	return 0;
}

static int send_some(struct ari_net *net, struct lws *wsi)
{
	for (int i = 0; net->messages && i < BURST; i++) {
		struct message *message = net->messages;
		int written =
			lws_write(wsi, (unsigned char *)message->buffer + LWS_PRE, message->length,
				  message->is_binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
		if (written < (int)message->length)
			return -1;
		drop_first(net);
		if (lws_send_pipe_choked(wsi))
			break;
	}
	if (net->messages)
		lws_callback_on_writable(wsi);
	return 0;
}

static void opened(struct ari_net *net, struct lws *wsi)
{
	net->wsi = wsi;
	net->is_open = true;
	net->handler.on_open(net->handler.user);
}

static int on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		     size_t length)
{
	struct ari_net *net = wsi ? lws_get_opaque_user_data(wsi) : NULL;

	(void)user;
	if (!net || !net->is_active) /* given up: whatever is left of it may go */
		return reason == LWS_CALLBACK_CLIENT_RECEIVE ||
				       reason == LWS_CALLBACK_CLIENT_WRITEABLE
			       ? -1
			       : 0;
	switch (reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return add_authorization(net, wsi, in, length) ? -1 : 0;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		opened(net, wsi);
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return receive(net, wsi, in, length);
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return send_some(net, wsi);
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		is_over_n(net, in ? in : "cannot connect", in ? length : strlen("cannot connect"));
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
	case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
	case LWS_CALLBACK_WSI_DESTROY: /* a peer that closes instead of answering: no other word */
		is_over(net, "the connection was closed");
		return 0;
	default:
		return 0;
	}
}

/* ---- connecting ---- */

static struct lws_vhost *find_vhost(struct lws_context *context)
{
	static const struct lws_protocols protocols[] = {
		{.name = VHOST, .callback = on_socket, .rx_buffer_size = RX_SIZE},
		{.name = NULL},
	};
	struct lws_vhost *vhost = lws_get_vhost_by_name(context, VHOST);
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.vhost_name = VHOST,
		.retry_and_idle_policy = &no_policy,
		.timeout_secs = TIMEOUT_S,
		.gid = -1,
		.uid = -1,
	};

	return vhost ? vhost : lws_create_vhost(context, &info);
}

static void dial(struct ari_net *net, const char *address)
{
	struct lws_client_connect_info info = {
		.context = net->context,
		.vhost = find_vhost(net->context),
		.address = address,
		.port = (int)net->port,
		.path = net->path,
		.host = net->host,
		.origin = net->host,
		.protocol = net->protocol,
		.local_protocol_name = VHOST,
		.opaque_user_data = net,
		.retry_and_idle_policy = &no_policy,
		.pwsi = &net->wsi,
	};

	/* A connection that fails at once is reported by the callback, by NULL, or by both. */
	spare_make_room(CONNECT_DESCRIPTORS);
	if (!info.vhost || !lws_client_connect_via_info(&info)) {
		net->wsi = NULL;
		is_over(net, "cannot connect");
	}
}

/* The address to try now: with several, each attempt takes the next. */
static const struct addrinfo *pick_address(const struct addrinfo *list, unsigned attempt)
{
	unsigned count = 0;

	for (const struct addrinfo *info = list; info; info = info->ai_next)
		count++;
	if (count == 0)
		return NULL;
	for (attempt %= count; attempt > 0; attempt--)
		list = list->ai_next;
	return list;
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct lookup *lookup = request->data;
	struct ari_net *net = lookup->net;
	const struct addrinfo *info =
		status == 0 ? pick_address(list, net ? net->attempts++ : 0) : NULL;
	char address[INET6_ADDRSTRLEN];

	free(lookup);
	if (net) {
		net->lookup = NULL;
		if (info && getnameinfo(info->ai_addr, info->ai_addrlen, address, sizeof address,
					NULL, 0, NI_NUMERICHOST) == 0)
			dial(net, address);
		else
			is_over(net, "the host name is unknown");
	}
	uv_freeaddrinfo(list);
}

static void look_up(struct ari_net *net)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct lookup *lookup = xcalloc(1, sizeof *lookup);

	lookup->net = net;
	lookup->request.data = lookup;
	net->lookup = lookup;
	if (uv_getaddrinfo(net->loop, &lookup->request, on_looked_up, net->host, NULL, &hints) == 0)
		return;
	net->lookup = NULL;
	free(lookup);
	is_over(net, "the host name cannot be looked up");
}

static bool is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

void ari_net_connect(struct ari_net *net)
{
	net->is_active = true;
	if (!net->loop || is_address(net->host))
		dial(net, net->host);
	else
		look_up(net);
}

void ari_net_close(struct ari_net *net)
{
	if (net->lookup) {
		net->lookup->net = NULL;
		uv_cancel((uv_req_t *)&net->lookup->request);
		net->lookup = NULL;
	}
	if (net->wsi)
		lws_set_timeout(net->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	reset(net);
}

static void send_message(struct ari_net *net, char *buffer, size_t length, bool is_binary)
{
	if (!net->is_open) {
		free(buffer);
		return;
	}
	struct message *message = xmalloc(sizeof *message);
	*message = (struct message){.buffer = buffer, .length = length, .is_binary = is_binary};
	DL_APPEND(net->messages, message);
	net->waiting++;
	lws_callback_on_writable(net->wsi);
}

void ari_net_send(struct ari_net *net, char *buffer, size_t length)
{
	send_message(net, buffer, length, false);
}

void ari_net_send_binary(struct ari_net *net, char *buffer, size_t length)
{
	send_message(net, buffer, length, true);
}

unsigned ari_net_waiting(const struct ari_net *net)
{
	return net->waiting;
}

size_t ari_net_reserve(void)
{
	return LWS_PRE;
}

struct ari_net *ari_net_create(struct lws_context *context, const struct ari_net_config *config,
			       const struct ari_net_handler *handler)
{
	struct ari_net *net = xcalloc(1, sizeof *net);
	char plain[256], encoded[360];

	net->context = context;
	net->loop = config->loop;
	net->handler = *handler;
	net->host = xstrdup(config->host);
	net->path = xstrdup(config->path);
	net->protocol = xstrdup(config->protocol ? config->protocol : "ari");
	net->port = config->port;
	if (!config->user)
		return net;
	str_format(plain, sizeof plain, "%s:%s", config->user, config->password);
	lws_b64_encode_string(plain, (int)strlen(plain), encoded, (int)sizeof encoded);
	str_format(net->authorization, sizeof net->authorization, "Basic %s", encoded);
	explicit_bzero(plain, sizeof plain);
	explicit_bzero(encoded, sizeof encoded);
	return net;
}

void ari_net_destroy(struct ari_net *net)
{
	if (!net)
		return;
	ari_net_close(net);
	explicit_bzero(net->authorization, sizeof net->authorization);
	free(net->host);
	free(net->path);
	free(net->protocol);
	free(net);
}
