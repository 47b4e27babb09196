#pragma once
/* A WebSocket to Asterisk: the only file of the driver that knows libwebsockets. One connection
 * at a time; it neither tries again nor understands what it carries, nor watches over its health.
 *
 * The call plane's context, on libuv, is borrowed and may serve other sockets: the connection lives
 * on a virtual host of its own, which stays in the context until that is destroyed. Every function
 * is called on the context's thread. */
#include <stddef.h>

struct lws_context;
struct uv_loop_s;
struct ari_net;

struct ari_net_config {	  /* texts are copied */
	const char *host; /* address or name */
	struct uv_loop_s
		*loop; /* looks names up without blocking; NULL: libwebsockets does, blocking */
	unsigned port;
	const char *path;
	const char *protocol;	     /* NULL = "ari" */
	const char *user, *password; /* NULL = none is asked for */
};

struct ari_net_handler {
	void (*on_open)(void *user);
	void (*on_message)(void *user, const char *text, size_t length); /* a whole message */
	/* The same, a binary one; NULL: those are messages like others. */
	void (*on_binary)(void *user, const char *bytes, size_t length);
	/* It could not be opened, or ended by itself; may come from inside ari_net_connect(). */
	void (*on_close)(void *user, const char *reason);
	void *user;
};

struct ari_net *ari_net_create(struct lws_context *context, const struct ari_net_config *config,
			       const struct ari_net_handler *handler);
/* Not from inside a handler's function. */
void ari_net_destroy(struct ari_net *net);
/* Only when there is no connection: after create, close or on_close. */
void ari_net_connect(struct ari_net *net);
/* Ends connection or attempt, if any; the handler hears no more of it. */
void ari_net_close(struct ari_net *net);
/* Queues one message: takes the buffer, whose text begins after ari_net_reserve() bytes. */
void ari_net_send(struct ari_net *net, char *buffer, size_t length);
void ari_net_send_binary(struct ari_net *net, char *buffer, size_t length);
size_t ari_net_reserve(void);
unsigned ari_net_waiting(const struct ari_net *net); /* messages that are not sent yet */
