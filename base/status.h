#pragma once
/* What a function that can fail answers, and the one shape in which a failure reaches a person or a
 * program: HTTP body, WebSocket reply and JavaScript exception all carry {code, message, target}.
 * Set the err where the fact is known; do not wrap it on the way up. */

#define MUST_USE	       __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum status {
	ST_OK,		/* 200 */
	ST_INVALID,	/* 400 the request itself is wrong */
	ST_DENIED,	/* 401 nobody is known by this token */
	ST_FORBIDDEN,	/* 403 known, but not allowed */
	ST_NOT_FOUND,	/* 404 */
	ST_CONFLICT,	/* 409 the thing is in another state */
	ST_TOO_LARGE,	/* 413 */
	ST_RATE,	/* 429 too often */
	ST_INTERNAL,	/* 500 a defect of ours */
	ST_UNSUPPORTED, /* 501 this driver cannot */
	ST_BUSY,	/* 503 a queue is full */
	ST_UNAVAILABLE, /* 503 switch or database away */
	ST_TIMEOUT,	/* 504 */
	ST_COUNT
};

struct err {
	enum status status;
	char code[40];	   /* for programs, stable: "call.not_held" */
	char target[40];   /* the field or thing it is about, "" when none */
	char message[200]; /* one sentence for a person: what is wrong and what to do */
};

/* Fills *err (which may be NULL) and returns status, so that a failing function can end with
 * `return err_set(err, ST_CONFLICT, "call.not_held", "callTab", "tab %d is not held", n);` */
enum status err_set(struct err *err, enum status status, const char *code, const char *target,
		    const char *format, ...) PRINTF_LIKE(5, 6);

/* The HTTP number of the table above. */
int status_http(enum status status);

/* "ok", "invalid", "conflict", ... for logs. */
const char *status_name(enum status status);
