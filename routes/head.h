#pragma once
/* Screens the head of a request before anything is done with it. libmicrohttpd 0.9.75 takes heads
 * that another program on the way (a proxy, a cache) may read differently: two Hosts, two
 * Content-Lengths, Content-Length beside chunked, folded lines, bare line feeds, NUL bytes, %00 in
 * the path. Each is a way to smuggle a second request or to reach what a proxy denies, and no
 * honest client sends it. Pure: unit-tested without a socket. */
#include "routes/request.h"

struct head_framing {
	int64_t content_length; /* -1 = none named */
	bool is_chunked;
};

/* ST_INVALID with the fault named; ST_OK fills *ret (its fields are valid on failure too: 0,
 * false). */
enum status head_check(const struct http_head *head, struct head_framing *ret,
		       struct err *err) MUST_USE;

/* 415: a body in a coding that we do not undo. */
bool head_has_coding(const struct http_head *head);

/* Was the head, before the parser put NUL bytes into it, exactly `METHOD SP target SP version CRLF`
 * and lines of `name ":" OWS value CRLF`, ended by CRLF? head's texts must be the parser's own
 * pointers into its buffer, the fields in order of arrival; size is the whole head's. What a folded
 * line, a bare LF or CR, a NUL inside a value or a second blank in the request line leaves behind
 * is a gap in that chain or a byte too many. */
bool head_is_contiguous(const struct http_head *head, size_t target_length, size_t size);

/* Percent-decodes a path. False: not valid percent-encoding, a control byte, an encoded slash or
 * backslash, or not UTF-8. dst takes strlen(src) + 1. */
bool path_decode(char *dst, const char *src, size_t length);
/* The same for a piece of a query, where + is a blank and slashes are like other characters. */
bool option_decode(char *dst, const char *src, size_t length);
