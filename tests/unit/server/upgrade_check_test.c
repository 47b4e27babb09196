/* Every odd head we could think of, each with the rule that must have caught it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/upgrade_check.h"

static const struct upgrade_rules rules = {.path = "/ws", .subprotocol = "calltab.v1"};

#define GET  "GET /ws HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define UP   "Upgrade: websocket\r\n"
#define CON  "Connection: Upgrade\r\n"
#define KEY  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VER  "Sec-WebSocket-Version: 13\r\n"
#define PROTO                                                                                      \
	"Sec-WebSocket-Protocol: calltab.v1, "                                                     \
	"ticket.0123456789012345678901234567890123456789-_A\r\n"
#define END  "\r\n"
#define REST HOST UP CON KEY VER PROTO
#define GOOD GET REST END

#define BARE_CR	   "a bare CR"
#define BARE_LF	   "a bare LF"
#define CONTROL	   "a control byte"
#define NO_FIELD   "a line is no field"
#define TWICE	   "a field stands twice"
#define FORBIDDEN  "a field that an upgrade may not have"
#define NO_HTTP11  "the request line is not HTTP/1.1"
#define NO_UPGRADE "Upgrade is not websocket"
#define NO_CON	   "Connection has no upgrade"
#define NO_KEY	   "Sec-WebSocket-Key is not a key"
#define NO_VERSION "Sec-WebSocket-Version is not 13"
#define NO_PROTO   "Sec-WebSocket-Protocol has not ours"
#define NO_TOKENS  "a list has something else than tokens"
#define LONG_LIST  "a list is too long"

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10

/* In place of a length: text ends at its NUL. */
#define TEXT(s) (s), sizeof(s) - 1

/* clang-format off */
static const struct {
	const char *name, *head;
	size_t length;
	enum head_verdict verdict;
	const char *why;
} cases[] = {
	/* --- taken --- */
	{"as browsers send it", TEXT(GOOD), HEAD_UPGRADE, NULL},
	{"names in lower case", TEXT(GET "host: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
		"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
		"sec-websocket-protocol: calltab.v1\r\n" END), HEAD_UPGRADE, NULL},
	{"names in upper case", TEXT(GET HOST "UPGRADE: websocket\r\n" CON KEY VER PROTO END), HEAD_UPGRADE, NULL},
	{"value in capitals", TEXT(GET HOST "Upgrade: WebSocket\r\n" CON KEY VER PROTO END), HEAD_UPGRADE, NULL},
	{"keep-alive before upgrade", TEXT(GET HOST UP "Connection: keep-alive, Upgrade\r\n" KEY VER PROTO END), HEAD_UPGRADE, NULL},
	{"upgrade before keep-alive", TEXT(GET HOST UP "Connection: upgrade,keep-alive\r\n" KEY VER PROTO END), HEAD_UPGRADE, NULL},
	{"no space after the colon", TEXT(GET "Host:a\r\nUpgrade:websocket\r\nConnection:Upgrade\r\n"
		"Sec-WebSocket-Key:dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version:13\r\n"
		"Sec-WebSocket-Protocol:calltab.v1\r\n" END), HEAD_UPGRADE, NULL},
	{"tabs and spaces around values", TEXT(GET HOST "Upgrade: \twebsocket \t\r\n" CON KEY VER PROTO END), HEAD_UPGRADE, NULL},
	{"origin, agent and cookie", TEXT(GET REST "Origin: https://a.example\r\nUser-Agent: x (y; z)\r\nCookie: a=b; c=\"d\"\r\n" END), HEAD_UPGRADE, NULL},
	{"extensions offered", TEXT(GET REST "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" END), HEAD_UPGRADE, NULL},
	{"only our protocol", TEXT(GET HOST UP CON KEY VER "Sec-WebSocket-Protocol: calltab.v1\r\n" END), HEAD_UPGRADE, NULL},
	{"our protocol second", TEXT(GET HOST UP CON KEY VER "Sec-WebSocket-Protocol: other, calltab.v1\r\n" END), HEAD_UPGRADE, NULL},
	{"letters beyond ASCII in a value", TEXT(GET REST "X-Name: J\xc3\xbcrgen\r\n" END), HEAD_UPGRADE, NULL},
	{"an empty field", TEXT(GET REST "X-Empty:\r\n" END), HEAD_UPGRADE, NULL},
	{"a proxy's fields", TEXT(GET REST "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nVia: 1.1 proxy\r\n" END), HEAD_UPGRADE, NULL},
	/* --- the other door, at once --- */
	{"another path", TEXT("GET / HTTP/1.1\r\n"), HEAD_HTTP, NULL},
	{"a longer name", TEXT("GET /wsx HTTP/1.1\r\n"), HEAD_HTTP, NULL},
	{"a path below", TEXT("GET /ws/x HTTP/1.1\r\n"), HEAD_HTTP, NULL},
	{"the path in capitals", TEXT("GET /WS HTTP/1.1\r\n"), HEAD_HTTP, NULL},
	{"an encoded path", TEXT("GET /%77s HTTP/1.1\r\n"), HEAD_HTTP, NULL},
	{"dots in the path", TEXT("GET /x/../ws HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"two slashes", TEXT("GET //ws HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"a path parameter", TEXT("GET /ws;x=1 HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"a fragment", TEXT("GET /ws#x HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"a whole address", TEXT("GET http://a/ws HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"POST", TEXT("POST /ws HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"HEAD", TEXT("HEAD /ws HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"CONNECT", TEXT("CONNECT /ws HTTP/1.1\r\nHost: a\r\n\r\n"), HEAD_HTTP, NULL},
	{"get in small letters", TEXT("get /ws HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"HTTP/2 with prior knowledge", TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HEAD_HTTP, NULL},
	{"TLS", TEXT("\x16\x03\x01\x02\x00\x01"), HEAD_HTTP, NULL},
	{"an empty line first", TEXT("\r\n" GOOD), HEAD_HTTP, NULL},
	{"a space first", TEXT(" " GOOD), HEAD_HTTP, NULL},
	{"a tab after the method", TEXT("GET\t/ws HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"two spaces after the method", TEXT("GET  /ws HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"a tab after the path", TEXT("GET /ws\tHTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"a NUL after the path", TEXT("GET /ws\0 HTTP/1.1\r\n" REST END), HEAD_HTTP, NULL},
	{"HTTP/0.9", TEXT("GET /ws\r\n"), HEAD_HTTP, NULL},
	/* --- more, please --- */
	{"nothing", TEXT(""), HEAD_MORE, NULL},
	{"half a method", TEXT("GE"), HEAD_MORE, NULL},
	{"half a path", TEXT("GET /w"), HEAD_MORE, NULL},
	{"the path, no end", TEXT("GET /ws"), HEAD_MORE, NULL},
	{"the request line", TEXT(GET), HEAD_MORE, NULL},
	{"a CR at the end", TEXT(GET "Host: a\r"), HEAD_MORE, NULL},
	{"all but the blank line", TEXT(GET REST), HEAD_MORE, NULL},
	{"all but the last byte", TEXT(GET REST "\r"), HEAD_MORE, NULL},
	/* --- refused: request line --- */
	{"HTTP/1.0", TEXT("GET /ws HTTP/1.0\r\n" REST END), HEAD_REFUSED, NO_HTTP11},
	{"HTTP/2.0", TEXT("GET /ws HTTP/2.0\r\n" REST END), HEAD_REFUSED, NO_HTTP11},
	{"http/1.1", TEXT("GET /ws http/1.1\r\n" REST END), HEAD_REFUSED, NO_HTTP11},
	{"HTTP/1.10", TEXT("GET /ws HTTP/1.10\r\n" REST END), HEAD_REFUSED, NO_HTTP11},
	{"two spaces before the version", TEXT("GET /ws  HTTP/1.1\r\n" REST END), HEAD_REFUSED, NO_HTTP11},
	{"a space after the version", TEXT("GET /ws HTTP/1.1 \r\n" REST END), HEAD_REFUSED, NO_HTTP11},
	{"another word in between", TEXT("GET /ws x HTTP/1.1\r\n" REST END), HEAD_REFUSED, NO_HTTP11},
	{"no version", TEXT("GET /ws \r\n" REST END), HEAD_REFUSED, NO_HTTP11},
	{"a query", TEXT("GET /ws?ticket=1 HTTP/1.1\r\n" REST END), HEAD_REFUSED, "the path has a query"},
	/* --- refused: bytes --- */
	{"a bare LF ends a line", TEXT(GET "X: a\nUpgrade: h2c\r\n" REST END), HEAD_REFUSED, BARE_LF},
	{"only LF", TEXT("GET /ws HTTP/1.1\nHost: a\n\n"), HEAD_REFUSED, BARE_LF},
	{"LF CR", TEXT(GET "X: a\n\rY: b\r\n" REST END), HEAD_REFUSED, BARE_LF},
	{"a bare CR", TEXT(GET "X: a\rUpgrade: h2c\r\n" REST END), HEAD_REFUSED, BARE_CR},
	{"CR CR LF", TEXT(GET "X: a\r\r\n" REST END), HEAD_REFUSED, BARE_CR},
	{"NUL in a value", TEXT(GET "X: a\0b\r\n" REST END), HEAD_REFUSED, CONTROL},
	{"NUL in a name", TEXT(GET "X\0: a\r\n" REST END), HEAD_REFUSED, CONTROL},
	{"an escape in a value", TEXT(GET "X: \x1b[2J\r\n" REST END), HEAD_REFUSED, CONTROL},
	{"DEL in a value", TEXT(GET "X: \x7f\r\n" REST END), HEAD_REFUSED, CONTROL},
	{"a bad byte is seen before the end", TEXT(GET "X: \1"), HEAD_REFUSED, CONTROL},
	/* --- refused: lines --- */
	{"a folded line", TEXT(GET REST "X: a\r\n b\r\n" END), HEAD_REFUSED, NO_FIELD},
	{"a line folded with a tab", TEXT(GET REST "X: a\r\n\tUpgrade: h2c\r\n" END), HEAD_REFUSED, NO_FIELD},
	{"a folded Upgrade", TEXT(GET HOST "Upgrade:\r\n websocket\r\n" CON KEY VER PROTO END), HEAD_REFUSED, NO_UPGRADE},
	{"a space before the colon", TEXT(GET REST "X : a\r\n" END), HEAD_REFUSED, NO_FIELD},
	{"a space before Upgrade's colon", TEXT(GET HOST "Upgrade : websocket\r\n" CON KEY VER PROTO END), HEAD_REFUSED, NO_FIELD},
	{"a line without a colon", TEXT(GET REST "garbage\r\n" END), HEAD_REFUSED, NO_FIELD},
	{"no name", TEXT(GET REST ": a\r\n" END), HEAD_REFUSED, NO_FIELD},
	{"a name in brackets", TEXT(GET REST "(X): a\r\n" END), HEAD_REFUSED, NO_FIELD},
	{"a name beyond ASCII", TEXT(GET REST "X\xc3\xbc: a\r\n" END), HEAD_REFUSED, NO_FIELD},
	/* --- refused: fields that must be --- */
	{"no Host", TEXT(GET UP CON KEY VER PROTO END), HEAD_REFUSED, "Host is missing"},
	{"an empty Host", TEXT(GET "Host: \r\n" UP CON KEY VER PROTO END), HEAD_REFUSED, "Host is empty"},
	{"two Hosts", TEXT(GET REST "Host: b\r\n" END), HEAD_REFUSED, TWICE},
	{"no Upgrade", TEXT(GET HOST CON KEY VER PROTO END), HEAD_REFUSED, "Upgrade is missing"},
	{"an empty Upgrade", TEXT(GET HOST "Upgrade:\r\n" CON KEY VER PROTO END), HEAD_REFUSED, NO_UPGRADE},
	{"Upgrade h2c", TEXT(GET HOST "Upgrade: h2c\r\n" CON KEY VER PROTO END), HEAD_REFUSED, NO_UPGRADE},
	{"Upgrade with a version", TEXT(GET HOST "Upgrade: websocket/13\r\n" CON KEY VER PROTO END), HEAD_REFUSED, NO_UPGRADE},
	{"a list in Upgrade", TEXT(GET HOST "Upgrade: h2c, websocket\r\n" CON KEY VER PROTO END), HEAD_REFUSED, NO_UPGRADE},
	{"a list in Upgrade, ours first", TEXT(GET HOST "Upgrade: websocket, h2c\r\n" CON KEY VER PROTO END), HEAD_REFUSED, NO_UPGRADE},
	{"two Upgrades, h2c first", TEXT(GET HOST "Upgrade: h2c\r\n" UP CON KEY VER PROTO END), HEAD_REFUSED, NO_UPGRADE},
	{"two Upgrades, h2c last", TEXT(GET REST "Upgrade: h2c\r\n" END), HEAD_REFUSED, TWICE},
	{"two Upgrades, both ours", TEXT(GET REST UP END), HEAD_REFUSED, TWICE},
	{"no Connection", TEXT(GET HOST UP KEY VER PROTO END), HEAD_REFUSED, "Connection is missing"},
	{"an empty Connection", TEXT(GET HOST UP "Connection:\r\n" KEY VER PROTO END), HEAD_REFUSED, NO_TOKENS},
	{"Connection without upgrade", TEXT(GET HOST UP "Connection: keep-alive\r\n" KEY VER PROTO END), HEAD_REFUSED, NO_CON},
	{"half the word", TEXT(GET HOST UP "Connection: up\r\n" KEY VER PROTO END), HEAD_REFUSED, NO_CON},
	{"more than the word", TEXT(GET HOST UP "Connection: upgrades\r\n" KEY VER PROTO END), HEAD_REFUSED, NO_CON},
	{"an empty item", TEXT(GET HOST UP "Connection: ,upgrade\r\n" KEY VER PROTO END), HEAD_REFUSED, NO_TOKENS},
	{"no list", TEXT(GET HOST UP "Connection: keep alive, upgrade\r\n" KEY VER PROTO END), HEAD_REFUSED, NO_TOKENS},
	{"a quoted item", TEXT(GET HOST UP "Connection: \"x\", upgrade\r\n" KEY VER PROTO END), HEAD_REFUSED, NO_TOKENS},
	{"a list too long for the library", TEXT(GET HOST UP "Connection: " X60 "," X60 ",upgrade\r\n" KEY VER PROTO END), HEAD_REFUSED, LONG_LIST},
	{"two Connections", TEXT(GET REST "Connection: close\r\n" END), HEAD_REFUSED, TWICE},
	{"no key", TEXT(GET HOST UP CON VER PROTO END), HEAD_REFUSED, "Sec-WebSocket-Key is missing"},
	{"a short key", TEXT(GET HOST UP CON "Sec-WebSocket-Key: abc\r\n" VER PROTO END), HEAD_REFUSED, NO_KEY},
	{"a long key", TEXT(GET HOST UP CON "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZXM=dGhl\r\n" VER PROTO END), HEAD_REFUSED, NO_KEY},
	{"a key of 17 bytes", TEXT(GET HOST UP CON "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZXM=\r\n" VER PROTO END), HEAD_REFUSED, NO_KEY},
	{"a key that is not base64", TEXT(GET HOST UP CON "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q==\r\n" VER PROTO END), HEAD_REFUSED, NO_KEY},
	{"two keys", TEXT(GET REST KEY END), HEAD_REFUSED, TWICE},
	{"no version field", TEXT(GET HOST UP CON KEY PROTO END), HEAD_REFUSED, "Sec-WebSocket-Version is missing"},
	{"version 8", TEXT(GET HOST UP CON KEY "Sec-WebSocket-Version: 8\r\n" PROTO END), HEAD_REFUSED, NO_VERSION},
	{"version 013", TEXT(GET HOST UP CON KEY "Sec-WebSocket-Version: 013\r\n" PROTO END), HEAD_REFUSED, NO_VERSION},
	{"a list of versions", TEXT(GET HOST UP CON KEY "Sec-WebSocket-Version: 13, 8\r\n" PROTO END), HEAD_REFUSED, NO_VERSION},
	{"two versions", TEXT(GET REST VER END), HEAD_REFUSED, TWICE},
	{"no protocol", TEXT(GET HOST UP CON KEY VER END), HEAD_REFUSED, "Sec-WebSocket-Protocol is missing"},
	{"another protocol", TEXT(GET HOST UP CON KEY VER "Sec-WebSocket-Protocol: chat\r\n" END), HEAD_REFUSED, NO_PROTO},
	{"our protocol in capitals", TEXT(GET HOST UP CON KEY VER "Sec-WebSocket-Protocol: Calltab.V1\r\n" END), HEAD_REFUSED, NO_PROTO},
	{"our protocol with a tail", TEXT(GET HOST UP CON KEY VER "Sec-WebSocket-Protocol: calltab.v10\r\n" END), HEAD_REFUSED, NO_PROTO},
	{"two protocol lines", TEXT(GET REST "Sec-WebSocket-Protocol: calltab.v1\r\n" END), HEAD_REFUSED, TWICE},
	{"a ticket with a slash", TEXT(GET HOST UP CON KEY VER "Sec-WebSocket-Protocol: calltab.v1, ticket.a/b\r\n" END), HEAD_REFUSED, NO_TOKENS},
	{"an item too long for the library", TEXT(GET HOST UP CON KEY VER "Sec-WebSocket-Protocol: " X60 "xxxx, calltab.v1\r\n" END), HEAD_REFUSED, LONG_LIST},
	{"two Origins", TEXT(GET REST "Origin: https://a\r\nOrigin: https://b\r\n" END), HEAD_REFUSED, TWICE},
	/* --- refused: what stands behind it --- */
	{"a frame glued to it", TEXT(GOOD "\x81\x82\1\2\3\4\n\r"), HEAD_REFUSED, "bytes behind the head"},
	{"a second request glued to it", TEXT(GOOD "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"), HEAD_REFUSED, "bytes behind the head"},
	{"one byte more", TEXT(GOOD "\r"), HEAD_REFUSED, "bytes behind the head"},
	/* --- refused: fields that must not be --- */
	{"a body", TEXT(GET REST "Content-Length: 5\r\n" END "hello"), HEAD_REFUSED, FORBIDDEN},
	{"a body of nothing", TEXT(GET REST "Content-Length: 0\r\n" END), HEAD_REFUSED, FORBIDDEN},
	{"a chunked body", TEXT(GET REST "Transfer-Encoding: chunked\r\n" END), HEAD_REFUSED, FORBIDDEN},
	{"HTTP/2 settings", TEXT(GET REST "HTTP2-Settings: AAMAAABk\r\n" END), HEAD_REFUSED, FORBIDDEN},
	{"HTTP/2 settings in small letters", TEXT(GET REST "http2-settings: AAMAAABk\r\n" END), HEAD_REFUSED, FORBIDDEN},
	{"an expectation", TEXT(GET REST "Expect: 100-continue\r\n" END), HEAD_REFUSED, FORBIDDEN},
};
/* clang-format on */

static void every_head_gets_its_verdict_for_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* A copy of the exact length, so that the sanitizer sees a byte too far. */
		char *head = malloc(cases[i].length + 1);
		const char *why = NULL;
		memcpy(head, cases[i].head, cases[i].length);
		head = realloc(head, cases[i].length ? cases[i].length : 1);
		enum head_verdict verdict = upgrade_check(head, cases[i].length, &rules, &why);
		free(head);
		if (verdict != cases[i].verdict)
			fail_msg("%s: verdict %d, not %d (%s)", cases[i].name, verdict,
				 cases[i].verdict, why ? why : "-");
		if (cases[i].why == NULL ? why != NULL : !why || strcmp(why, cases[i].why) != 0)
			fail_msg("%s: because of \"%s\", not \"%s\"", cases[i].name,
				 why ? why : "-", cases[i].why ? cases[i].why : "-");
	}
}

static void a_good_head_is_taken_at_its_last_byte_and_not_before(void **state)
{
	(void)state;
	const size_t whole = sizeof(GOOD) - 1;

	for (size_t length = 0; length < whole; length++)
		assert_int_equal(upgrade_check(GOOD, length, &rules, NULL), HEAD_MORE);
	assert_int_equal(upgrade_check(GOOD, whole, &rules, NULL), HEAD_UPGRADE);
}

static void a_head_is_refused_when_it_fills_the_limit(void **state)
{
	(void)state;
	char head[HEAD_MAX];
	const char *why = NULL;

	memset(head, 'x', sizeof(head));
	memcpy(head, GET "X: ", sizeof(GET "X: ") - 1);
	assert_int_equal(upgrade_check(head, sizeof(head) - 1, &rules, &why), HEAD_MORE);
	assert_int_equal(upgrade_check(head, sizeof(head), &rules, &why), HEAD_REFUSED);
	assert_string_equal(why, "the head is too long");
}

static void sixty_four_fields_are_taken_and_one_more_is_not(void **state)
{
	(void)state;
	const unsigned in_rest = 6;
	char head[4096];
	const char *why = NULL;

	for (unsigned more = 58; more <= 59; more++) {
		int n = snprintf(head, sizeof(head), GET REST);
		for (unsigned i = 0; i < more; i++)
			n += snprintf(head + n, sizeof(head) - (size_t)n, "X-%u: y\r\n", i);
		n += snprintf(head + n, sizeof(head) - (size_t)n, END);
		enum head_verdict verdict = upgrade_check(head, (size_t)n, &rules, &why);
		assert_int_equal(verdict, in_rest + more <= 64 ? HEAD_UPGRADE : HEAD_REFUSED);
	}
	assert_string_equal(why, "too many fields");
}

static void another_path_is_asked_for_by_its_own_name(void **state)
{
	(void)state;
	const struct upgrade_rules other = {.path = "/tabs/v1", .subprotocol = "calltab.v1"};

	assert_int_equal(upgrade_check(TEXT("GET /tabs/v1 HTTP/1.1\r\n" REST END), &other, NULL),
			 HEAD_UPGRADE);
	assert_int_equal(upgrade_check(TEXT(GOOD), &other, NULL), HEAD_HTTP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_head_gets_its_verdict_for_its_reason),
		cmocka_unit_test(a_good_head_is_taken_at_its_last_byte_and_not_before),
		cmocka_unit_test(a_head_is_refused_when_it_fills_the_limit),
		cmocka_unit_test(sixty_four_fields_are_taken_and_one_more_is_not),
		cmocka_unit_test(another_path_is_asked_for_by_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
