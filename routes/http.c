#include "routes/http.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "routes/head.h"
#include "routes/private.h"
#include "routes/reaper.h"
#include "routes/router.h"

#define POOL_SIZE                                                                                  \
	16384 /* of a connection: bounds the head too; above it MHD answers 414 or 431             \
	       */
#define NO_LIMIT                                                                                   \
	1000000u /* MHD's own connection limit deadlocks its thread; the front door has the real   \
		    one */
#define SILENCE_S      30u
#define FIELDS_MAX     128
#define SWALLOW_FACTOR 16 /* how many times the limit a chunked body may go on before it is cut */
#define FAREWELL_MS    2000
#define LARGE_MAX      8u /* bodies beyond the usual size, at a time */

struct http {
	struct MHD_Daemon *daemon;
	struct routes *routes;
	struct reaper *reaper;
	atomic_uint connections, large_bodies;
	atomic_bool is_stopping;
	bool checks_bytes; /* this MHD's parser leaves its bytes as head_is_contiguous() knows them
			    */
};

struct connection {		      /* one TCP connection; MHD's socket context */
	struct reaper_entry deadline; /* first: take_late() gets its address */
	struct http *http;
	char peer[PEER_SIZE];
	/* of the present request */
	char *target; /* raw, before MHD decodes it in place */
	struct request *request;
	char *body;
	size_t length, capacity;
	unsigned limit;	  /* of the body */
	bool is_large;	  /* one of LARGE_MAX */
	bool is_rejected; /* answered on the first call: nothing more is to come */
	bool is_too_large;
	bool is_dispatched;
};

/* ---- deadlines ---- */

static void set_phase(struct connection *connection, enum phase phase)
{
	reaper_set(connection->http->reaper, &connection->deadline, phase);
}

static void *take_late(struct reaper_entry *entry)
{
	struct connection *connection = (struct connection *)entry;

	return connection->request ? request_ref(connection->request) : NULL;
}

static void late(void *taken)
{
	struct request *request = taken;
	bool is_stopping = atomic_load(&request->routes->http->is_stopping);
	struct err err = {0};

	if (is_stopping)
		err_set(&err, ST_UNAVAILABLE, "gateway.stopping", "", "the gateway is stopping");
	else
		err_set(&err, ST_TIMEOUT, "request.timeout", "",
			"the answer was not there in time; whether the request was carried out "
			"is not known");
	answer_error(request, &err);
	request_unref(request);
}

/* ---- connections ---- */

static void write_peer(const struct sockaddr *address, char ret[PEER_SIZE])
{
	const void *bytes = NULL;

	if (address && address->sa_family == AF_INET)
		bytes = &((const struct sockaddr_in *)address)->sin_addr;
	else if (address && address->sa_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
	if (!bytes || !inet_ntop(address->sa_family, bytes, ret, PEER_SIZE))
		str_copy(ret, PEER_SIZE, "local");
	/* IPv4 through a socket for both. */
	if (strncmp(ret, "::ffff:", 7) == 0 && strchr(ret, '.'))
		memmove(ret, ret + 7, strlen(ret + 7) + 1);
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void forget_request(struct connection *connection)
{
	struct request *request = connection->request;

	connection->request = NULL;
	if (connection->is_large)
		atomic_fetch_sub(&connection->http->large_bodies, 1);
	connection->is_large = false;
	free(connection->target);
	free(connection->body);
	connection->target = connection->body = NULL;
	connection->length = connection->capacity = 0;
	connection->is_rejected = connection->is_too_large = connection->is_dispatched = false;
	if (request)
		request_unref(request);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = cls;
	struct connection *connection = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connection = xcalloc(1, sizeof *connection);
		connection->http = http;
		connection->deadline.fd =
			MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		write_peer(MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
				   ->client_addr,
			   connection->peer);
		*context = connection;
		set_phase(connection, PHASE_HEAD);
		return;
	}
	set_phase(connection, PHASE_NONE); /* the descriptor is closed after this */
	forget_request(connection);
	free(connection);
	*context = NULL;
	atomic_fetch_sub(&http->connections, 1);
}

/* The request is over: answered, or its client is gone. */
static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct connection *connection = connection_of(mhd);

	(void)cls;
	(void)code;
	set_phase(connection, PHASE_IDLE);
	forget_request(connection);
	*context = NULL;
}

/* Called as soon as the request line is there, with the target as it came. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct connection *connection = connection_of(mhd);

	(void)cls;
	forget_request(connection);
	connection->target = xstrdup(target);
	return connection;
}

/* ---- the answer ---- */

static struct MHD_Response *make_response(struct answer *answer)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->length, answer->body,
		answer->is_borrowed ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);

	if (!response)
		abort();     /* out of memory */
	answer->body = NULL; /* the response's now */
	if (answer->type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
	for (unsigned i = 0; i < answer->field_count; i++)
		MHD_add_response_header(response, answer->fields[i].name, answer->fields[i].value);
	if (answer->closes)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return response;
}

/* Every answer has a size, so HEAD is MHD's affair: it keeps the length and drops the body. */
static enum MHD_Result queue_answer(struct MHD_Connection *mhd, struct connection *connection)
{
	struct answer *answer = &connection->request->answer;

	if (atomic_load(&connection->http->is_stopping))
		answer->closes = true;
	struct MHD_Response *response = make_response(answer);
	set_phase(connection, PHASE_ANSWER);
	enum MHD_Result result = MHD_queue_response(mhd, (unsigned)answer->code, response);
	MHD_destroy_response(response);
	return result;
}

/* On the first call an answer ends the connection without the body being read: right for what must
 * not be read on, and for nothing else. What the client sends meanwhile is drained, or it would
 * never see the answer. */
static enum MHD_Result reject(struct MHD_Connection *mhd, struct connection *connection, int code,
			      const struct err *err)
{
	struct answer answer;
	int fd = fcntl(connection->deadline.fd, F_DUPFD_CLOEXEC, 0);

	connection->is_rejected = true;
	error_answer_make_as(connection->request, code, err, &answer);
	answer.closes = true;
	request_answer(connection->request, &answer);
	if (fd >= 0)
		reaper_linger(connection->http->reaper, fd);
	return queue_answer(mhd, connection);
}

/* ---- the first call: the head is there ---- */

struct fields {
	struct http_field list[FIELDS_MAX];
	unsigned count;
	bool is_truncated; /* a value goes on after a NUL */
};

static enum MHD_Result take_field(void *cls, enum MHD_ValueKind kind, const char *name,
				  size_t name_size, const char *value, size_t value_size)
{
	struct fields *fields = cls;

	(void)kind;
	if (fields->count == FIELDS_MAX || !value || strlen(name) != name_size ||
	    strlen(value) != value_size) {
		fields->is_truncated = true;
		return MHD_NO;
	}
	fields->list[fields->count++] = (struct http_field){name, value};
	return MHD_YES;
}

static enum status check_bytes(struct MHD_Connection *mhd, const struct connection *connection,
			       const struct http_head *parsed, const struct fields *fields,
			       struct err *err)
{
	size_t size =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;

	if (fields->is_truncated)
		return err_set(err, ST_INVALID, "http.bad_header", "",
			       "there are more than %d headers, or one has a NUL byte", FIELDS_MAX);
	if (connection->http->checks_bytes &&
	    !head_is_contiguous(parsed, strlen(connection->target), size))
		return err_set(
			err, ST_INVALID, "http.bad_line", "",
			"a line of the request's head is folded, has a control byte, or does "
			"not end with CR LF");
	return ST_OK;
}

/* Memory is what such a body costs before anybody knows whose it is. */
static bool take_large(struct connection *connection)
{
	atomic_uint *count = &connection->http->large_bodies;

	connection->is_large = atomic_fetch_add(count, 1) < LARGE_MAX;
	if (!connection->is_large)
		atomic_fetch_sub(count, 1);
	return connection->is_large;
}

/* 0 when the body may come, else the number of the answer. */
static int check_first(struct MHD_Connection *mhd, struct connection *connection,
		       const struct http_head *head, const struct http_head *parsed,
		       const struct fields *fields, struct err *err)
{
	struct head_framing framing;

	if (check_bytes(mhd, connection, parsed, fields, err) != ST_OK ||
	    head_check(head, &framing, err) != ST_OK)
		return 400;
	connection->request->is_chunked = framing.is_chunked;
	if (head_has_coding(head)) {
		err_set(err, ST_INVALID, "http.unsupported_coding", "Content-Encoding",
			"a body in a Content-Encoding is not taken: send it as it is");
		return 415;
	}
	connection->limit = router_body_limit(connection->request);
	if (framing.content_length > (int64_t)connection->limit) {
		err_set(err, ST_TOO_LARGE, "http.too_large", "",
			"the body has %lld bytes, at most %u are taken",
			(long long)framing.content_length, connection->limit);
		return 413;
	}
	if (atomic_load(&connection->http->is_stopping)) {
		err_set(err, ST_UNAVAILABLE, "gateway.stopping", "", "the gateway is stopping");
		return 503;
	}
	if (connection->limit > connection->http->routes->config.body_limit &&
	    !take_large(connection)) {
		err_set(err, ST_BUSY, "http.busy", "", "too many large bodies at once: try again");
		return 503;
	}
	return 0;
}

static enum MHD_Result first_call(struct MHD_Connection *mhd, struct connection *connection,
				  const char *url, const char *method, const char *version)
{
	struct fields fields = {.count = 0};
	struct err err = {0};

	MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, take_field, &fields);
	struct http_head head = {.method = method,
				 .target = connection->target,
				 .version = version,
				 .fields = fields.list,
				 .field_count = fields.count};
	struct http_head parsed = head;
	parsed.target = url;
	connection->request = request_create(connection->http->routes, &head, connection->peer);
	connection->request->glue = mhd;
	int code = check_first(mhd, connection, &head, &parsed, &fields, &err);
	if (code != 0)
		return reject(mhd, connection, code, &err);
	set_phase(connection, PHASE_BODY);
	return MHD_YES;
}

/* ---- the body ---- */

/* False: cut the connection. MHD takes no answer in the middle of a body, so what is too long is
 * dropped until its end and answered then, unless it goes on and on. */
static bool take_body(struct connection *connection, const char *bytes, size_t size)
{
	size_t limit = connection->limit;

	if (connection->is_too_large || connection->length + size > limit) {
		connection->is_too_large = true;
		connection->length += size;
		return connection->length <= limit * SWALLOW_FACTOR;
	}
	if (connection->length + size > connection->capacity) {
		connection->capacity = 2 * (connection->length + size);
		connection->body = xrealloc(connection->body, connection->capacity);
	}
	memcpy(connection->body + connection->length, bytes, size);
	connection->length += size;
	return true;
}

/* ---- the last call: everything is there ---- */

/* Called by whoever answers a request that waits. */
static void resume(struct request *request)
{
	MHD_resume_connection(request->glue);
}

static void dispatch(struct connection *connection)
{
	struct request *request = connection->request;
	struct err err = {0};

	connection->is_dispatched = true;
	request->body =
		connection->body; /* the request's from now on: it may outlive the connection */
	request->body_length = connection->length;
	connection->body = NULL;
	request->resume = resume;
	set_phase(connection, PHASE_WORK);
	if (connection->is_too_large) {
		err_set(&err, ST_TOO_LARGE, "http.too_large", "", "the body has more than %u bytes",
			connection->limit);
		answer_rejection(request, &err);
	} else if (atomic_load(&connection->http->is_stopping)) {
		err_set(&err, ST_UNAVAILABLE, "gateway.stopping", "", "the gateway is stopping");
		answer_rejection(request, &err);
	} else {
		router_dispatch(request);
	}
}

/* The answer may come between our look and the suspension: then it is resumed at once. */
static enum MHD_Result wait_for_answer(struct MHD_Connection *mhd, struct request *request)
{
	int running = STAGE_RUNNING;

	MHD_suspend_connection(mhd);
	if (!atomic_compare_exchange_strong(&request->stage, &running, STAGE_WAITING))
		MHD_resume_connection(mhd);
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *bytes,
				  size_t *size, void **context)
{
	struct connection *connection = *context;

	(void)cls;
	if (!connection->request)
		return first_call(mhd, connection, url, method, version);
	if (*size > 0) {
		bool goes_on = take_body(connection, bytes, *size);
		*size = 0;
		return goes_on ? MHD_YES : MHD_NO;
	}
	/* 0.9.75 may ask once more although it has the answer. */
	if (connection->is_rejected)
		return MHD_YES;
	if (!connection->is_dispatched)
		dispatch(connection);
	if (atomic_load(&connection->request->stage) == STAGE_ANSWERED)
		return queue_answer(mhd, connection);
	return wait_for_answer(mhd, connection->request);
}

/* ---- life ---- */

static void PRINTF_LIKE(2, 0) on_log(void *cls, const char *format, va_list args)
{
	char text[200];

	(void)cls;
	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http library", "text=%s", log_quote(text));
}

static bool start_daemon(struct http *http)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
			 MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_USE_ERROR_LOG;
	unsigned threads = http->routes->config.threads;
	struct MHD_OptionItem pool[] = {
		{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	/* One thread is no pool, and asking for a pool of one is a warning. The logger comes first:
	 * it is to hear of a start that fails. */
	if (threads < 2)
		pool[0].option = MHD_OPTION_END;
	http->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_CONNECTION_LIMIT, NO_LIMIT, MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_SIZE, MHD_OPTION_STRICT_FOR_CLIENT,
		1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target,
		NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, http, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
	return http->daemon != NULL;
}

struct http *http_create(struct routes *routes, struct err *err)
{
	struct http *http = xcalloc(1, sizeof *http);
	unsigned ms = routes->config.request_deadline_s * 1000;
	struct reaper_config config = {
		.limit_ms = {[PHASE_HEAD] = ms / 2,
			     [PHASE_IDLE] = 3 * ms,
			     [PHASE_BODY] = ms,
			     [PHASE_WORK] = ms,
			     [PHASE_ANSWER] = 6 * ms},
		.take_late = take_late,
		.late = late,
	};

	http->routes = routes;
	routes->http = http;
	/* Later versions refuse by themselves what this check is for, and parse in another way. */
	http->checks_bytes = strncmp(MHD_get_version(), "0.9.75", 6) == 0;
	http->reaper = reaper_create(&config);
	if (http->reaper && start_daemon(http))
		return http;
	reaper_destroy(http->reaper);
	free(http);
	routes->http = NULL;
	err_set(err, ST_INTERNAL, "http.start", "", "the HTTP library cannot be started");
	return NULL;
}

void http_destroy(struct http *http)
{
	if (!http)
		return;
	atomic_store(&http->is_stopping, true);
	reaper_end_work(http->reaper);
	if (!reaper_wait_quiet(http->reaper, FAREWELL_MS))
		reaper_end_work(http->reaper);
	MHD_stop_daemon(http->daemon);
	reaper_destroy(http->reaper);
	http->routes->http = NULL;
	free(http);
}

void http_drain(struct http *http)
{
	atomic_store(&http->is_stopping, true);
}

bool http_is_quiet(struct http *http)
{
	return reaper_wait_quiet(http->reaper, 0);
}

bool http_adopt(struct http *http, int fd, const struct sockaddr *address, socklen_t length)
{
	atomic_fetch_add(&http->connections, 1);
	if (MHD_add_connection(http->daemon, fd, address, length) == MHD_YES)
		return true;
	atomic_fetch_sub(&http->connections, 1);
	return false;
}

unsigned http_connections(const struct http *http)
{
	return atomic_load(&http->connections);
}
