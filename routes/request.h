#pragma once
/* One HTTP request and its one answer, without a socket: what handlers work on and what unit tests
 * make by hand (tests/support/routes_loopback.h).
 *
 * A request is made from a head, gets its body, and is given to router_dispatch(). Somebody then
 * answers it, at once or later, from any thread. The first answer wins and the others are dropped,
 * so a deadline may answer in the place of a handler that is late. Whoever keeps the pointer beyond
 * his own call holds a reference. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/json_writer.h"
#include "base/status.h"
#include "db/db.h"
#include "routes/principal.h"

struct routes;
struct route;
struct request;

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_OTHER, /* any other token, and these words in another case: methods are case-sensitive
		     */
	HTTP_METHOD_COUNT
};
const char *http_method_word(enum http_method method);
enum http_method http_method_parse(const char *word);

/* The request headers that anybody here asks for. */
enum http_wanted {
	WANT_HOST,
	WANT_ORIGIN,
	WANT_AUTHORIZATION,
	WANT_API_KEY,
	WANT_CONTENT_TYPE,
	WANT_IF_NONE_MATCH,
	WANT_REQUEST_ID,
	WANT_IDEMPOTENCY_KEY,
	WANT_FORWARDED_FOR,
	WANT_FETCH_MODE,
	WANT_PREFLIGHT_METHOD,
	WANT_COUNT
};

struct http_field {
	const char *name, *value; /* NUL-ended */
};

struct http_head { /* as it came; everything is borrowed */
	const char *method;
	const char *target; /* raw: still percent-encoded, with its query */
	const char *version;
	const struct http_field *fields;
	unsigned field_count;
};

#define ANSWER_FIELDS 20

struct answer {
	int code;	  /* HTTP's number */
	const char *type; /* Content-Type, a constant; NULL = there is no body */
	char *body;
	size_t length;
	bool is_borrowed; /* body outlives every request; else it is freed */
	bool closes;	  /* the connection ends with this answer */
	unsigned field_count;
	struct {
		const char *name; /* a constant */
		char *value;
	} fields[ANSWER_FIELDS];
};

#define REQUEST_ID_SIZE 65
#define PEER_SIZE	46
#define ROUTE_ARGS	3

struct request {
	struct routes *routes;
	enum http_method method;
	char *path;	   /* decoded; "" when it cannot be decoded (head_check() refuses that) */
	const char *query; /* raw, without the question mark; "" when there is none */
	const char *wanted[WANT_COUNT]; /* NULL = absent */
	char *body;			/* not NUL-ended; freed with the request */
	size_t body_length;
	char peer[PEER_SIZE]; /* the client's address, behind a trusted proxy the one it names */
	char id[REQUEST_ID_SIZE];
	bool is_chunked;

	/* of the router */
	const struct route *route;
	struct {
		const char *text; /* inside path */
		size_t length;
	} args[ROUTE_ARGS];
	struct principal who;

	/* of the work in progress */
	struct db_conn *conn; /* set while a job of this request runs on a worker */
	enum status (*run)(struct request *, struct db_conn *, struct err *);
	struct db_job job;
	void *state; /* the handler's own, freed with the request by free() */

	/* of the answer */
	struct answer answer;
	atomic_bool is_claimed;
	atomic_int stage;		  /* enum request_stage */
	void (*resume)(struct request *); /* called when the answer of a waiting request is there */
	void *glue;
	atomic_uint refs;
};

enum request_stage { STAGE_RUNNING, STAGE_WAITING, STAGE_ANSWERED };

/* One reference belongs to the caller. */
struct request *request_create(struct routes *routes, const struct http_head *head,
			       const char *peer);
struct request *request_ref(struct request *request); /* returns its argument */
void request_unref(struct request *request);

/* Copies a piece of the path that the route's pattern names; false when it does not fit. */
bool request_arg(const struct request *request, unsigned index, char *ret, size_t size);
/* The decoded value of a query option, "" when it has none. Bad: it cannot be decoded or does not
 * fit. */
enum request_option { OPTION_ABSENT, OPTION_BAD, OPTION_GIVEN };
enum request_option request_option(const struct request *request, const char *name, char *ret,
				   size_t size);
/* Is this one of the configured origins? Exact: no case folding, no patterns. */
bool request_origin_is_allowed(const struct request *request);
/* Was the page that asks served here, by the name that its browser knows us by? */
bool request_origin_is_same(const struct request *request);

/* Has a job run on a database worker and answers with the error when it fails or cannot run; run
 * answers itself, or sees to it, when it returns ST_OK. On a worker already (a token was just
 * looked up) it runs at once. */
void request_run(struct request *request,
		 enum status (*run)(struct request *, struct db_conn *, struct err *));

/* On a worker, before it reads what calls have left in the tables: who was told of something finds
 * it there. False: the tables are further behind than that. */
bool request_settle(const struct request *request, unsigned wait_ms);

/* ---- answering: each takes what it is given; the first one wins ---- */
void request_answer(struct request *request, struct answer *answer);
void answer_json(struct request *request, int code, struct json_writer *w); /* takes w's text */
void answer_empty(struct request *request, int code);
void answer_error(struct request *request, const struct err *err);
/* The same, and the connection ends: for requests whose rest is not to be read. */
void answer_rejection(struct request *request, const struct err *err);

/* The body of an error: problem+json, or OData's form under /odata/ (docs/http-api.md). */
void error_answer_make(const struct request *request, const struct err *err, struct answer *ret);
/* The same with an HTTP number that no status has (405, 415, 426). */
void error_answer_make_as(const struct request *request, int code, const struct err *err,
			  struct answer *ret);
const char *http_reason(int code);

void answer_add(struct answer *answer, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
void answer_done(struct answer *answer);
/* The first field of this name, or NULL. */
const char *answer_field(const struct answer *answer, const char *name);
