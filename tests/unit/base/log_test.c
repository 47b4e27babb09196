#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"

/* stderr of this process is put aside while a test catches it */
static int real_stderr = -1;

static void stderr_is(int fd)
{
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
}

static int set_up(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_set_level(LOG_INFO);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	/* what an earlier test left to be told is told here */
	stderr_is(open("/dev/null", O_WRONLY | O_CLOEXEC));
	log_info("start", NULL);
	alarm(30); /* a log that waits would stand still for ever */
	return real_stderr < 0;
}

static int tear_down(void **state)
{
	(void)state;
	alarm(0);
	stderr_is(real_stderr);
	return 0;
}

/* All that can be read now, NUL-ended; the caller frees. */
static char *read_now(int fd)
{
	size_t length = 0, size = 1 << 16;
	char *text = xmalloc(size);
	ssize_t got;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while ((got = read(fd, text + length, size - 1 - length)) > 0) {
		length += (size_t)got;
		if (size - length < 4096)
			text = xrealloc(text, size *= 2);
	}
	text[length] = '\0';
	return text;
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	while ((text = strstr(text, part))) {
		count++;
		text += strlen(part);
	}
	return count;
}

/* A pipe whose writing end is stderr; answers the reading end. */
static int catch_in_pipe(void)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	stderr_is(ends[1]);
	return ends[0];
}

static void expect_line(int fd, const char *after_time)
{
	auto_free char *line = read_now(fd);
	char *level = strstr(line, " level=");

	assert_non_null(level);
	assert_int_equal(level - line, strlen("time=2023-11-14T22:13:20.123Z"));
	assert_memory_equal(line, "time=20", 7);
	assert_int_equal(level[-1], 'Z');
	assert_string_equal(level + 1, after_time);
}

static void line_has_time_level_message_and_pairs(void **state)
{
	(void)state;
	auto_close int fd = catch_in_pipe();

	log_info("call ended", "call=%d cause=%s", 7, "busy");
	expect_line(fd, "level=info msg=\"call ended\" call=7 cause=busy\n");
	log_err("no pairs", NULL);
	expect_line(fd, "level=err msg=\"no pairs\"\n");
	log_warn("empty pairs", "%s", "");
	expect_line(fd, "level=warn msg=\"empty pairs\"\n");
}

static void level_decides_what_is_written(void **state)
{
	(void)state;
	auto_close int fd = catch_in_pipe();

	log_debug("hidden", NULL);
	log_set_level(LOG_WARN);
	assert_int_equal(log_get_level(), LOG_WARN);
	log_info("hidden", NULL);
	log_warn("seen", NULL);
	log_set_level(LOG_DEBUG);
	log_debug("seen", NULL);
	auto_free char *lines = read_now(fd);
	assert_int_equal(count_of(lines, "hidden"), 0);
	assert_int_equal(count_of(lines, "seen"), 2);
	assert_non_null(strstr(lines, "level=debug"));
}

static void level_words_are_read(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("err"), LOG_ERR);
	assert_int_equal(log_level_parse("warn"), LOG_WARN);
	assert_int_equal(log_level_parse("info"), LOG_INFO);
	assert_int_equal(log_level_parse("debug"), LOG_DEBUG);
	assert_int_equal(log_level_parse("INFO"), -1);
	assert_int_equal(log_level_parse("inf"), -1);
	assert_int_equal(log_level_parse(""), -1);
	assert_int_equal(log_level_parse(NULL), -1);
}

/* ---- text from outside ---- */

static void no_text_can_begin_a_second_line_or_command_a_terminal(void **state)
{
	(void)state;
	auto_close int fd = catch_in_pipe();

	log_info("m\n\"x\\", "v=%s", "a\nlevel=err\r\x1b[2J\x7f\t\x01");
	expect_line(fd, "level=info msg=\"m\\n\\\"x\\\\\" "
			"v=a\\nlevel=err\\x0d\\x1b[2J\\x7f\\x09\\x01\n");
	/* C1 controls, line and paragraph separator, bytes that are no UTF-8 */
	log_info("m", "v=%s",
		 "\xc2\x9b"
		 "2J \xe2\x80\xa8 \xe2\x80\xa9 \xff \xc3 \xc2\xa0\xc3\xa9");
	expect_line(fd, "level=info msg=\"m\" v=\\xc2\\x9b2J \\xe2\\x80\\xa8 \\xe2\\x80\\xa9 "
			"\\xff \\xc3 \xc2\xa0\xc3\xa9\n");
}

static void any_bytes_stay_in_one_printable_line(void **state)
{
	(void)state;
	auto_close int fd = catch_in_pipe();
	char text[300];

	random_start();
	for (int round = 0; round < 300; round++) {
		size_t length = random_below(sizeof(text));
		for (size_t i = 0; i < length; i++)
			text[i] = (char)(1 + random_below(255));
		text[length] = '\0';
		log_info(text, "v=%s q=%s", text, log_quote(text));
		auto_free char *line = read_now(fd);
		size_t size = strlen(line);
		assert_true(size > 0 && line[size - 1] == '\n');
		line[size - 1] = '\0';
		assert_true(str_is_printable(line));
		assert_true(str_is_utf8(line, size - 1));
	}
}

static void quoted_value_is_one_logfmt_value(void **state)
{
	(void)state;
	auto_close int fd = catch_in_pipe();

	assert_string_equal(log_quote("two words"), "\"two words\"");
	assert_string_equal(log_quote("say \"hi\" \\ \n\x1b"), "\"say \\\"hi\\\" \\\\ \\n\\x1b\"");
	assert_string_equal(log_quote(""), "\"\"");
	assert_string_equal(log_quote(NULL), "\"\"");
	log_info("m", "v=%s", log_quote("a\" level=err b=\"\n"));
	expect_line(fd, "level=info msg=\"m\" v=\"a\\\" level=err b=\\\"\\n\"\n");
}

static void long_quoted_value_is_cut_and_still_closed(void **state)
{
	(void)state;
	char text[2000];

	for (size_t pad = 0; pad < 4; pad++) {
		memset(text, '\\', sizeof(text));
		memset(text, 'x', pad);
		text[sizeof(text) - 1] = '\0';
		const char *quoted = log_quote(text);
		size_t length = strlen(quoted);
		assert_true(length > 480 && length < 512);
		assert_string_equal(quoted + length - 4, "\xe2\x80\xa6\"");
		assert_int_equal(count_of(quoted, "\\\\") * 2 + pad + 5, length);
	}
}

static void number_keeps_only_its_last_three_digits(void **state)
{
	(void)state;
#define DOTS "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"
	assert_string_equal(log_number("+15551234234"), "+" DOTS "234");
	assert_string_equal(log_number("+4930901820"), "+" DOTS "820");
	assert_string_equal(log_number("0049 (30) 90-18-20"), DOTS "820");
	assert_string_equal(log_number("sip:5551234@host"), DOTS "234");
	assert_string_equal(log_number("12"), DOTS "12");
	assert_string_equal(log_number("anonymous"), DOTS);
	assert_string_equal(log_number(""), "-");
	assert_string_equal(log_number(NULL), "-");
}

static void eight_texts_of_one_line_do_not_overwrite_each_other(void **state)
{
	(void)state;
	const char *texts[8];
	char plain[8][16], expected[16];

	for (int i = 0; i < 8; i++) {
		snprintf(plain[i], sizeof(plain[i]), "text %d", i);
		texts[i] = i % 2 ? log_quote(plain[i]) : log_number("100200300");
	}
	for (int i = 0; i < 8; i++) {
		snprintf(expected, sizeof(expected), "\"text %d\"", i);
		assert_string_equal(texts[i], i % 2 ? expected : DOTS "300");
	}
}

static void long_line_is_cut_and_says_so(void **state)
{
	(void)state;
	auto_close int fd = catch_in_pipe();
	char text[9000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("m", "v=%s", text);
	auto_free char *line = read_now(fd);
	assert_true(strlen(line) > 3900 && strlen(line) <= 4096);
	assert_int_equal(count_of(line, "\n"), 1);
	assert_string_equal(line + strlen(line) - 10, " cut=true\n");
	log_info(text, "v=%s", text);
	auto_free char *second = read_now(fd);
	assert_string_equal(second + strlen(second) - 10, " cut=true\n");
}

static void errno_stays_as_it_was(void **state)
{
	(void)state;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	stderr_is(ends[1]);
	close(ends[0]);
	errno = ENOENT;
	log_info("nobody reads", NULL);
	assert_int_equal(errno, ENOENT);
}

/* ---- where it goes ---- */

static void journal_gets_the_priority_instead_of_the_time(void **state)
{
	(void)state;
	static const char *const expected = "<3>level=err msg=\"m\" a=1\n<4>level=warn msg=\"m\"\n"
					    "<6>level=info msg=\"m\"\n<7>level=debug msg=\"m\"\n";
	auto_close int fd = catch_in_pipe();
	char stream[64];
	struct stat stat;

	assert_int_equal(fstat(STDERR_FILENO, &stat), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)stat.st_dev,
		 (unsigned long long)stat.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_set_level(LOG_DEBUG);
	log_err("m", "a=1");
	log_warn("m", NULL);
	log_info("m", NULL);
	log_debug("m", NULL);
	auto_free char *lines = read_now(fd);
	assert_string_equal(lines, expected);
}

static void journal_of_another_file_is_not_ours(void **state)
{
	(void)state;
	auto_close int fd = catch_in_pipe();

	setenv("JOURNAL_STREAM", "1:2", 1);
	log_info("m", NULL);
	expect_line(fd, "level=info msg=\"m\"\n");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_info("m", NULL);
	expect_line(fd, "level=info msg=\"m\"\n");
}

#define FLOOD 3000

/* Logs more than fits, reads it, and sees that the next line tells exactly what is missing. */
static void flood_and_count(int fd)
{
	int flags = fcntl(STDERR_FILENO, F_GETFL);
	char expected[64];

	for (int i = 0; i < FLOOD; i++)
		log_info("flood", "number=%d padding=%0200d.", i, 0);
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL), flags);
	auto_free char *lines = read_now(fd);
	size_t arrived = count_of(lines, "0.\n");
	assert_true(arrived > 0 && arrived < FLOOD);

	log_info("after", NULL);
	auto_free char *after = read_now(fd);
	snprintf(expected, sizeof(expected), "msg=\"after\" dropped=%zu\n", FLOOD - arrived);
	assert_non_null(strstr(after, expected));
	log_info("later", NULL);
	auto_free char *later = read_now(fd);
	assert_null(strstr(later, "dropped"));
}

static void full_pipe_drops_lines_and_counts_them(void **state)
{
	(void)state;
	auto_close int fd = catch_in_pipe();

	flood_and_count(fd);
}

static void full_pipe_that_cannot_be_opened_anew_drops_lines_too(void **state)
{
	(void)state;
	auto_close int fd = catch_in_pipe();
	struct rlimit kept, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &kept), 0);
	none = (struct rlimit){.rlim_cur = 3, .rlim_max = kept.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(open("/dev/null", O_RDONLY), -1);
	flood_and_count(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &kept), 0);
}

/* As under systemd. */
static void full_socket_drops_lines_and_counts_them(void **state)
{
	(void)state;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	stderr_is(ends[1]);
	auto_close int fd = ends[0];
	flood_and_count(fd);
}

/* Every line begins at the beginning of a line, whole or not. */
static void assert_nothing_is_glued(const char *lines)
{
	assert_int_equal(count_of(lines, "time="), count_of(lines, "\ntime=") + 1);
}

/* Connected through the loopback, with buffers as small as they get; answers the far end. */
static int catch_in_tcp(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	const int smallest = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	auto_close int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest));
	assert_int_equal(listen(listener, 1), 0);
	int near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(near, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest));
	assert_int_equal(connect(near, (struct sockaddr *)&address, size), 0);
	int far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(far >= 0);
	stderr_is(near);
	return far;
}

/* A TCP socket takes parts of lines, as a slow terminal may. */
static void line_that_got_out_in_part_is_ended_before_the_next(void **state)
{
	(void)state;
	auto_close int fd = catch_in_tcp();
	size_t length = 0, size = 4 << 20;
	auto_free char *lines = xcalloc(1, size);

	for (int i = 0; i < FLOOD; i++) {
		log_info("flood", "number=%d padding=%0*d.", i, i % 700, 0);
		if (i % 10 == 0) {
			ssize_t got = recv(fd, lines + length, size - 1 - length, MSG_DONTWAIT);
			length += got > 0 ? (size_t)got : 0;
		}
	}
	assert_true(count_of(lines, "dropped=") > 0);
	assert_nothing_is_glued(lines);
}

static void remove_carriage_returns(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text != '\r')
			*to++ = *text;
	}
	*to = '\0';
}

/* Left as terminals are, so that a line end becomes two bytes: such a terminal says that it is
 * ready while it has room for less than a line. */
static void stopped_terminal_drops_lines_and_never_glues_two(void **state)
{
	(void)state;
	int screen, terminal;

	assert_int_equal(openpty(&screen, &terminal, NULL, NULL, NULL), 0);
	stderr_is(terminal);
	auto_close int fd = screen;
	for (int i = 0; i < FLOOD; i++)
		log_info("flood", "number=%d padding=%0*d.", i, i % 700, 0);
	auto_free char *lines = read_now(fd);
	remove_carriage_returns(lines);
	size_t whole = count_of(lines, "0.\n");
	assert_true(whole > 0 && whole < FLOOD);
	assert_nothing_is_glued(lines);
	log_info("after", NULL);
	auto_free char *after = read_now(fd);
	assert_int_equal(count_of(after, "msg=\"after\" dropped="), 1);
}

static void file_gets_every_line(void **state)
{
	(void)state;
	char path[] = "/tmp/calltab-log-XXXXXX";
	int file = mkstemp(path);

	assert_true(file >= 0);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	stderr_is(file);
	for (int i = 0; i < FLOOD; i++)
		log_info("m", "number=%d", i);
	auto_free char *lines = read_now(fd);
	assert_int_equal(count_of(lines, "msg=\"m\" number="), FLOOD);
}

static void closed_stderr_and_vanished_reader_are_survived(void **state)
{
	(void)state;
	int ends[2];

	close(catch_in_pipe());
	log_info("nobody reads", NULL); /* SIGPIPE would end the test */
	assert_int_equal(pipe(ends), 0);
	close(STDERR_FILENO);
	log_info("nowhere to go", NULL);
	stderr_is(ends[1]);
	auto_close int fd = ends[0];
	log_info("again", NULL);
	auto_free char *line = read_now(fd);
	assert_non_null(strstr(line, "msg=\"again\" dropped=1\n"));
}

#define WRITERS	    4
#define PER_WRITER  200
#define LINE_LENGTH 700

static void *write_lines(void *arg)
{
	char text[LINE_LENGTH + 1];

	memset(text, *(char *)arg, LINE_LENGTH);
	text[LINE_LENGTH] = '\0';
	for (int i = 0; i < PER_WRITER; i++)
		log_info("m", "v=%s n=%s.", text, log_quote(text));
	return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
	(void)state;
	int fd = catch_in_pipe(), whole = 0;
	char names[WRITERS];
	pthread_t threads[WRITERS];

	assert_true(fcntl(fd, F_SETPIPE_SZ, 1 << 20) > 0);
	for (int i = 0; i < WRITERS; i++) {
		names[i] = (char)('a' + i);
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &names[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	auto_free char *lines = read_now(fd);
	char *rest = NULL;
	for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *value = strstr(line, " v=");
		assert_non_null(value);
		assert_int_equal(strspn(value + 3, (char[]){value[3], '\0'}), LINE_LENGTH);
		assert_int_equal(count_of(line, "time="), 1);
		whole += strstr(line, "\".") != NULL;
	}
	assert_true(whole > 0);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(line_has_time_level_message_and_pairs),
		TEST(level_decides_what_is_written),
		TEST(level_words_are_read),
		TEST(no_text_can_begin_a_second_line_or_command_a_terminal),
		TEST(any_bytes_stay_in_one_printable_line),
		TEST(quoted_value_is_one_logfmt_value),
		TEST(long_quoted_value_is_cut_and_still_closed),
		TEST(number_keeps_only_its_last_three_digits),
		TEST(eight_texts_of_one_line_do_not_overwrite_each_other),
		TEST(long_line_is_cut_and_says_so),
		TEST(errno_stays_as_it_was),
		TEST(journal_gets_the_priority_instead_of_the_time),
		TEST(journal_of_another_file_is_not_ours),
		TEST(full_pipe_drops_lines_and_counts_them),
		TEST(full_pipe_that_cannot_be_opened_anew_drops_lines_too),
		TEST(full_socket_drops_lines_and_counts_them),
		TEST(line_that_got_out_in_part_is_ended_before_the_next),
		TEST(stopped_terminal_drops_lines_and_never_glues_two),
		TEST(file_gets_every_line),
		TEST(closed_stderr_and_vanished_reader_are_survived),
		TEST(threads_do_not_mix_their_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
