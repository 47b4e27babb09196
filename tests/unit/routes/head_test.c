#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "routes/head.h"

/* A head of HTTP/1.1 with a Host and at most three more fields. */
static enum status check(const char *method, const char *target, const struct http_field *more,
			 struct err *err)
{
	struct http_field fields[4] = {{"Host", "a"}};
	struct http_head head = {method, target, "HTTP/1.1", fields, 1};
	struct head_framing framing;

	for (; more && more->name; more++)
		fields[head.field_count++] = *more;
	return head_check(&head, &framing, err);
}

static void ordinary_heads_pass(void **state)
{
	static const struct http_field fields[] = {{"Content-Length", "12"},
						   {"X-Name", "caf\xc3\xa9\twith a tab"},
						   {"Accept", ""},
						   {0}};
	(void)state;
	assert_int_equal(check("POST", "/api/v1/sign-in", fields, NULL), ST_OK);
	assert_int_equal(check("GET", "/odata/v4/agents?$top=5&x=%41+b", NULL, NULL), ST_OK);
	assert_int_equal(check("BREW", "/", NULL, NULL), ST_OK);
	assert_int_equal(check("GET", "/a%20b/%C3%A9", NULL, NULL), ST_OK);
}

static void bad_targets_are_refused(void **state)
{
	static const char *const targets[] = {
		"",	      "*",	  "http://b/x", "x",	   "/a b",    "/a\tb",	  "/a\x01",
		"/a\x7f",     "/a%00b",	  "/a%0d%0ab",	"/a%zz",   "/a%4",    "/a%",	  "/a#b",
		"/a\\b",      "/a%5cb",	  "/a%2fb",	"/a%2Fb",  "/\xff",   "/%ff",	  "/a%c3",
		"/%ed%a0%80", "/a?b=%00", "/a?b=%1f",	"/%c0%af", "/a?\x80", "/a?b=%g1", "\\x",
	};
	(void)state;
	for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct err err = {0};
		if (check("GET", targets[i], NULL, &err) != ST_INVALID)
			fail_msg("accepted: %s", targets[i]);
		assert_string_equal(err.code, "http.bad_target");
	}
}

static void what_another_reader_may_read_differently_is_refused(void **state)
{
	static const struct {
		struct http_field fields[4];
		const char *code;
	} cases[] = {
		{{{"Host", "b"}}, "http.duplicate_header"},
		{{{"host", "a"}}, "http.duplicate_header"},
		{{{"Content-Length", "5"}, {"Content-Length", "6"}}, "http.duplicate_header"},
		{{{"Content-Length", "5"}, {"content-length", "5"}}, "http.duplicate_header"},
		{{{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}, "http.bad_framing"},
		{{{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
		 "http.duplicate_header"},
		{{{"Transfer-Encoding", "gzip, chunked"}}, "http.bad_framing"},
		{{{"Transfer-Encoding", "xchunked"}}, "http.bad_framing"},
		{{{"Transfer-Encoding", "identity"}}, "http.bad_framing"},
		{{{"Transfer-Encoding", " chunked"}}, "http.bad_framing"},
		{{{"Transfer-Encoding", ""}}, "http.bad_framing"},
		{{{"Content-Length", "+5"}}, "http.bad_framing"},
		{{{"Content-Length", "-1"}}, "http.bad_framing"},
		{{{"Content-Length", "0x5"}}, "http.bad_framing"},
		{{{"Content-Length", "5, 5"}}, "http.bad_framing"},
		{{{"Content-Length", "5 "}}, "http.bad_framing"},
		{{{"Content-Length", ""}}, "http.bad_framing"},
		{{{"Content-Length", "9999999999999999999"}}, "http.bad_framing"},
		{{{"Authorization", "a"}, {"authorization", "b"}}, "http.duplicate_header"},
		{{{"X-API-Key", "a"}, {"X-Api-Key", "b"}}, "http.duplicate_header"},
		{{{"Origin", "a"}, {"Origin", "b"}}, "http.duplicate_header"},
		{{{"X", "a\rb"}}, "http.bad_header"},
		{{{"X", "a\nb"}}, "http.bad_header"},
		{{{"X", "a\x1b[1m"}}, "http.bad_header"},
		{{{"X", "a\x7f"}}, "http.bad_header"},
		{{{"X ", "a"}}, "http.bad_header"},
		{{{"", "a"}}, "http.bad_header"},
		{{{"X\x80", "a"}}, "http.bad_header"},
		{{{"X(", "a"}}, "http.bad_header"},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = {0};
		if (check("POST", "/", cases[i].fields, &err) != ST_INVALID)
			fail_msg("accepted: %s: %s", cases[i].fields[0].name,
				 cases[i].fields[0].value);
		assert_string_equal(err.code, cases[i].code);
	}
}

static void hosts_are_hosts(void **state)
{
	static const struct {
		const char *host, *version;
		enum status status;
	} cases[] = {
		{"example.org:8080", "HTTP/1.1", ST_OK},
		{"[::1]:80", "HTTP/1.1", ST_OK},
		{NULL, "HTTP/1.0", ST_OK},
		{NULL, "HTTP/1.1", ST_INVALID},
		{"", "HTTP/1.1", ST_INVALID},
		{"a b", "HTTP/1.1", ST_INVALID},
		{"a/b", "HTTP/1.1", ST_INVALID},
		{"a,b", "HTTP/1.1", ST_INVALID},
		{"user@a", "HTTP/1.1", ST_INVALID},
		{"a", "HTTP/1.2", ST_INVALID},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_field field = {"Host", cases[i].host};
		struct http_head head = {"GET", "/", cases[i].version, &field,
					 cases[i].host != NULL};
		struct head_framing framing;
		assert_int_equal(head_check(&head, &framing, NULL), cases[i].status);
	}
}

static void framing_says_how_the_body_comes(void **state)
{
	struct http_field fields[] = {{"Host", "a"}, {"Content-Length", "1234"}};
	struct http_head head = {"POST", "/", "HTTP/1.1", fields, 2};
	struct head_framing framing;

	(void)state;
	assert_int_equal(head_check(&head, &framing, NULL), ST_OK);
	assert_int_equal(framing.content_length, 1234);
	assert_false(framing.is_chunked);
	fields[1] = (struct http_field){"Transfer-Encoding", "Chunked"};
	assert_int_equal(head_check(&head, &framing, NULL), ST_OK);
	assert_int_equal(framing.content_length, -1);
	assert_true(framing.is_chunked);
	head.version = "HTTP/1.0";
	assert_int_equal(head_check(&head, &framing, NULL), ST_INVALID);
}

static void codings_are_seen(void **state)
{
	struct http_field field = {"Content-Encoding", "gzip"};
	struct http_head head = {"POST", "/", "HTTP/1.1", &field, 1};

	(void)state;
	assert_true(head_has_coding(&head));
	field.value = "identity";
	assert_false(head_has_coding(&head));
	head.field_count = 0;
	assert_false(head_has_coding(&head));
}

/* ---- the bytes that a parser leaves behind ---- */

struct parsed {
	char bytes[256];
	size_t size, target_length;
	struct http_field fields[4];
	struct http_head head;
};

/* As libmicrohttpd 0.9.75 does it: NUL for the blanks of the request line, for colons, for CR and
 * for LF. */
static void parse(struct parsed *parsed, const char *text, size_t size)
{
	char *at = parsed->bytes;

	*parsed = (struct parsed){.size = size};
	memcpy(parsed->bytes, text, size);
	parsed->head.method = at;
	at = strchr(at, ' ');
	*at++ = '\0';
	at += strspn(at, " ");
	parsed->head.target = at;
	char *end = strpbrk(at, "\r\n"), *blank = end;
	while (*blank != ' ')
		blank--;
	parsed->head.version = blank + 1;
	while (*blank == ' ')
		*blank-- = '\0';
	parsed->target_length = strlen(parsed->head.target);
	for (at = end;;) {
		bool is_cr = *at == '\r';
		*at++ = '\0';
		if (is_cr)
			*at++ = '\0';
		if (*at == '\r' || *at == '\n')
			break;
		struct http_field *field = &parsed->fields[parsed->head.field_count++];
		field->name = at;
		at = strchr(at, ':');
		*at++ = '\0';
		at += strspn(at, " \t");
		field->value = at;
		at = strpbrk(at, "\r\n");
	}
	while (at < parsed->bytes + size)
		*at++ = '\0';
	parsed->head.fields = parsed->fields;
}

static bool is_contiguous(const char *text)
{
	struct parsed parsed;

	parse(&parsed, text, strlen(text));
	return head_is_contiguous(&parsed.head, parsed.target_length, parsed.size);
}

static void strict_heads_are_contiguous(void **state)
{
	(void)state;
	assert_true(is_contiguous("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(is_contiguous("GET /a?b=c HTTP/1.1\r\nHost:a\r\nX: \t b \r\nY:\r\n\r\n"));
	assert_true(is_contiguous("GET / HTTP/1.0\r\n\r\n"));
}

static void loose_line_ends_leave_gaps(void **state)
{
	(void)state;
	assert_false(is_contiguous("GET / HTTP/1.1\nHost: a\r\n\r\n"));
	assert_false(is_contiguous("GET / HTTP/1.1\r\nHost: a\n\r\n"));
	assert_false(is_contiguous("GET / HTTP/1.1\r\nHost: a\r\n\n"));
	assert_false(is_contiguous("GET / HTTP/1.1\nHost: a\n\n"));
	assert_false(is_contiguous("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_false(is_contiguous("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"));
}

static void a_folded_or_cut_value_leaves_a_gap(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n";
	struct parsed parsed;

	(void)state;
	parse(&parsed, text, strlen(text));
	parsed.fields[1].value = "b c"; /* joined elsewhere */
	assert_false(head_is_contiguous(&parsed.head, parsed.target_length, parsed.size));
	parse(&parsed, text, strlen(text));
	((char *)parsed.fields[0].value)[0] = '\0'; /* "\0" where the a was: a NUL in the value */
	assert_false(head_is_contiguous(&parsed.head, parsed.target_length, parsed.size));
	parse(&parsed, text, strlen(text));
	assert_false(head_is_contiguous(&parsed.head, parsed.target_length, parsed.size - 1));
	parse(&parsed, text, strlen(text));
	parsed.head.field_count = 1;
	assert_false(head_is_contiguous(&parsed.head, parsed.target_length, parsed.size));
}

static void options_know_plus_and_slash(void **state)
{
	char text[32];

	(void)state;
	assert_true(option_decode(text, "a+b%2fc%5C", 10));
	assert_string_equal(text, "a b/c\\");
	assert_false(option_decode(text, "%00", 3));
	assert_true(path_decode(text, "/a+b%20", 7));
	assert_string_equal(text, "/a+b ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_heads_pass),
		cmocka_unit_test(bad_targets_are_refused),
		cmocka_unit_test(what_another_reader_may_read_differently_is_refused),
		cmocka_unit_test(hosts_are_hosts),
		cmocka_unit_test(framing_says_how_the_body_comes),
		cmocka_unit_test(codings_are_seen),
		cmocka_unit_test(strict_heads_are_contiguous),
		cmocka_unit_test(loose_line_ends_leave_gaps),
		cmocka_unit_test(a_folded_or_cut_value_leaves_a_gap),
		cmocka_unit_test(options_know_plus_and_slash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
