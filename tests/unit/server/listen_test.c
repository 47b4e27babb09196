#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/listen.h"

static char folder[64], socket_text[96];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/calltab-listen-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(socket_text, sizeof(socket_text), "unix:%s/s", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(socket_text + 5);
	return rmdir(folder);
}

static void port_zero_gives_a_real_port(void **state)
{
	(void)state;
	struct listener one = {.fd = -1}, two = {.fd = -1};

	assert_int_equal(listener_open(&one, "127.0.0.1:0", NULL), ST_OK);
	assert_int_equal(listener_open(&two, "localhost:0", NULL), ST_OK);
	assert_in_range(one.port, 1, 65535);
	assert_in_range(two.port, 1, 65535);
	assert_int_not_equal(one.port, two.port);
	listener_close(&one);
	listener_close(&two);
	assert_int_equal(one.fd, -1);
}

static void a_port_in_use_is_told_in_words(void **state)
{
	(void)state;
	struct listener one = {.fd = -1}, two = {.fd = -1};
	struct err err = {0};
	char address[32];

	assert_int_equal(listener_open(&one, "127.0.0.1:0", NULL), ST_OK);
	snprintf(address, sizeof(address), "127.0.0.1:%u", one.port);
	assert_int_equal(listener_open(&two, address, &err), ST_CONFLICT);
	assert_string_equal(err.code, "listen.in_use");
	assert_string_equal(err.target, "listen");
	assert_non_null(strstr(err.message, address));
	assert_int_equal(two.fd, -1);
	listener_close(&one);
	assert_int_equal(listener_open(&two, address, &err), ST_OK);
	listener_close(&two);
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"8080",
		":8080",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:x",
		"127.0.0.1:-1",
		"127.0.0.1:65536",
		"127.0.0.1:123456",
		"::1:8080",
		"[::1]",
		"[]:1",
		"300.0.0.1:80",
		"203.0.113.7:0", /* nobody's: not ours to listen on */
		"unix:",
		"unix:relative/path",
		"unix:/tmp/"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789",
		"unix:/no/such/folder/s",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct listener listener = {.fd = -1};
		struct err err = {0};
		if (listener_open(&listener, texts[i], &err) != ST_INVALID)
			fail_msg("\"%s\" was taken", texts[i]);
		assert_string_equal(err.code, "listen.invalid");
		assert_non_null(strstr(err.message, texts[i]));
		assert_int_equal(listener.fd, -1);
	}
}

static void a_unix_socket_goes_with_its_listener(void **state)
{
	(void)state;
	struct listener one = {.fd = -1}, two = {.fd = -1};
	struct stat file;
	struct err err = {0};

	assert_int_equal(listener_open(&one, socket_text, NULL), ST_OK);
	assert_int_equal(one.port, 0);
	assert_int_equal(stat(socket_text + 5, &file), 0);
	assert_int_equal(listener_open(&two, socket_text, &err), ST_CONFLICT);
	assert_string_equal(err.code, "listen.in_use");
	listener_close(&one);
	assert_int_not_equal(stat(socket_text + 5, &file), 0);
}

static void a_socket_file_nobody_listens_on_is_replaced(void **state)
{
	(void)state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct listener listener = {.fd = -1};
	int dead = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, socket_text + 5);
	assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof(address)), 0);
	close(dead);
	assert_int_equal(listener_open(&listener, socket_text, NULL), ST_OK);
	listener_close(&listener);
}

/* Somebody listens there, but his queue is full: to connect fails, and he is alive all the same. */
static void a_busy_listener_is_not_taken_for_a_dead_one(void **state)
{
	(void)state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct listener listener = {.fd = -1};
	struct err err = {0};
	int busy = socket(AF_UNIX, SOCK_STREAM, 0), callers[8];

	strcpy(address.sun_path, socket_text + 5);
	assert_int_equal(bind(busy, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(busy, 0), 0);
	for (int i = 0; i < 8; i++) {
		callers[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(callers[i], (struct sockaddr *)&address, sizeof(address)) != 0)
			assert_int_equal(errno, EAGAIN);
	}
	assert_int_equal(listener_open(&listener, socket_text, &err), ST_CONFLICT);
	for (int i = 0; i < 8; i++)
		close(callers[i]);
	close(busy);
	unlink(socket_text + 5);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	(void)state;
	struct listener listener = {.fd = -1};
	struct stat file;
	FILE *precious = fopen(socket_text + 5, "w");

	fclose(precious);
	assert_int_equal(listener_open(&listener, socket_text, NULL), ST_CONFLICT);
	assert_int_equal(stat(socket_text + 5, &file), 0);
	unlink(socket_text + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_zero_gives_a_real_port),
		cmocka_unit_test(a_port_in_use_is_told_in_words),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_unix_socket_goes_with_its_listener),
		cmocka_unit_test(a_socket_file_nobody_listens_on_is_replaced),
		cmocka_unit_test(a_busy_listener_is_not_taken_for_a_dead_one),
		cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
