#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

static const struct {
	const char *word;
	int priority; /* of syslog, as the journal reads it */
} levels[] = {
	[LOG_ERR] = {"err", 3},
	[LOG_WARN] = {"warn", 4},
	[LOG_INFO] = {"info", 6},
	[LOG_DEBUG] = {"debug", 7},
};
#define LEVEL_COUNT (sizeof(levels) / sizeof(levels[0]))

static atomic_int level_now = LOG_INFO;

void log_set_level(enum log_level level)
{
	level_now = (int)level;
}

enum log_level log_get_level(void)
{
	return (enum log_level)level_now;
}

int log_level_parse(const char *word)
{
	for (size_t i = 0; word && i < LEVEL_COUNT; i++) {
		if (strcmp(word, levels[i].word) == 0)
			return (int)i;
	}
	return -1;
}

/* ---- text that cannot leave its line ---- */

struct out {
	char *text;
	size_t length, size;
	bool is_cut;
};

/* All of it or nothing, and after the first that did not fit nothing more. */
static void put(struct out *out, const char *bytes, size_t length)
{
	if (out->is_cut || length > out->size - out->length) {
		out->is_cut = true;
		return;
	}
	memcpy(out->text + out->length, bytes, length);
	out->length += length;
}

static void put_text(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

static void put_hex(struct out *out, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char hex[5];
		snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)bytes[i]);
		put(out, hex, 4);
	}
}

/* Terminals obey the C1 controls U+0080 to U+009F as they obey ESC; some viewers break lines at
 * U+2028 and U+2029. */
static bool is_control(const char *c, size_t length)
{
	const unsigned char *s = (const unsigned char *)c;

	if (length == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	if (length == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	return length == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9);
}

/* With quotes: as the inside of a quoted value. Without: a whole part of a line, whose own quotes
 * and backslashes stay. */
static void put_escaped(struct out *out, const char *text, bool in_quotes)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t step = str_utf8_char(text, left);
		if (*text == '\n')
			put_text(out, "\\n");
		else if (step == 0)
			put_hex(out, text, step = 1);
		else if (is_control(text, step))
			put_hex(out, text, step);
		else if (in_quotes && (*text == '"' || *text == '\\'))
			put(out, *text == '"' ? "\\\"" : "\\\\", 2);
		else
			put(out, text, step);
		text += step;
		left -= step;
	}
}

#define RING_SLOTS     8
#define RING_SLOT_SIZE 512

static char *ring_slot(void)
{
	static _Thread_local char slots[RING_SLOTS][RING_SLOT_SIZE];
	static _Thread_local unsigned next;

	return slots[next++ % RING_SLOTS];
}

const char *log_quote(const char *text)
{
	static const char ending[] = "\xe2\x80\xa6\""; /* "…" and the quote */
	char *slot = ring_slot();
	struct out out = {.text = slot, .size = RING_SLOT_SIZE - sizeof(ending)};

	put_text(&out, "\"");
	put_escaped(&out, text ? text : "", true);
	memcpy(slot + out.length, out.is_cut ? ending : "\"", out.is_cut ? sizeof(ending) : 2);
	return slot;
}

const char *log_number(const char *number)
{
	char digits[4] = "";
	size_t count = 0;

	if (!number || !*number)
		return "-";
	for (const char *c = number + strlen(number); c > number && count < 3; c--) {
		if (c[-1] >= '0' && c[-1] <= '9')
			digits[2 - count++] = c[-1];
	}
	char *slot = ring_slot();
	/* always five dots: the length of a number helps to guess it */
	snprintf(slot, RING_SLOT_SIZE,
		 "%s\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2%s",
		 number[0] == '+' ? "+" : "", digits + (3 - count));
	return slot;
}

/* ---- one line to stderr, never waiting ---- */

/* A write of at most PIPE_BUF to a pipe is done whole or not at all, so lines do not mix. */
#define LINE_SIZE PIPE_BUF
#define TAIL_SIZE 64 /* " cut=true dropped=18446744073709551615\n" */

static pthread_mutex_t stderr_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long dropped_lines; /* under the lock, as is_torn */
static bool is_torn; /* the last line got out in part: the next begins with a line end */

/* Also no when the reader is gone: writing would raise SIGPIPE. */
static bool is_ready(void)
{
	struct pollfd pollfd = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&pollfd, 1, 0) == 1 && pollfd.revents == POLLOUT;
}

/* O_NONBLOCK belongs to the open file, which we share with whoever started us, and setting it
 * there would surprise them. So a pipe or terminal is opened anew for each line (a few
 * microseconds, no state to go stale), and a socket is asked for each message. Where it cannot be
 * opened anew (no descriptor left, another user's terminal) a ready pipe has room for a whole line,
 * unless another process fills it in the same moment. */
static ssize_t write_without_waiting(const struct stat *stat, const char *text, size_t length)
{
	if (S_ISSOCK(stat->st_mode))
		return send(STDERR_FILENO, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!S_ISFIFO(stat->st_mode) && !S_ISCHR(stat->st_mode))
		return write(STDERR_FILENO, text, length);
	if (!is_ready())
		return -1;
	int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return write(STDERR_FILENO, text, length);
	ssize_t written = write(fd, text, length);
	close(fd);
	return written;
}

/* JOURNAL_STREAM is inherited by everything a service starts; it means us only when it names the
 * file that our stderr is. */
static bool is_journal(const struct stat *stat)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       device == stat->st_dev && inode == stat->st_ino;
}

static void put_head(struct out *out, const struct stat *stat, enum log_level level,
		     const char *message)
{
	char text[64], now[CLOCK_TEXT_SIZE];

	if (is_journal(stat)) {
		snprintf(text, sizeof(text), "<%d>", levels[level].priority);
	} else {
		clock_format(now, clock_wall_ms(&clock_system), true);
		snprintf(text, sizeof(text), "time=%s ", now);
	}
	put_text(out, text);
	put_text(out, "level=");
	put_text(out, levels[level].word);
	put_text(out, " msg=\"");
	put_escaped(out, message, true);
	put_text(out, "\"");
}

static void put_tail(struct out *out)
{
	char dropped[48];

	out->size += TAIL_SIZE;
	if (out->is_cut) {
		out->is_cut = false;
		put_text(out, " cut=true");
	}
	if (dropped_lines) {
		snprintf(dropped, sizeof(dropped), " dropped=%llu", dropped_lines);
		put_text(out, dropped);
	}
	put_text(out, "\n");
}

/* text has a line end in front, which is sent only to end a torn line. */
static void send_line(const struct stat *stat, const char *text, size_t length)
{
	const char *from = is_torn ? text : text + 1;
	size_t size = length - (size_t)(from - text);
	ssize_t written = write_without_waiting(stat, from, size);

	if (written == (ssize_t)size) {
		dropped_lines = 0;
		is_torn = false;
		return;
	}
	dropped_lines++;
	if (written > 0)
		is_torn = true;
}

static void write_line(const struct stat *stat, enum log_level level, const char *message,
		       const char *pairs)
{
	char line[LINE_SIZE];
	struct out out = {.text = line, .size = sizeof(line) - TAIL_SIZE};

	put_text(&out, "\n");
	put_head(&out, stat, level, message);
	if (pairs[0]) {
		put_text(&out, " ");
		put_escaped(&out, pairs, false);
	}
	pthread_mutex_lock(&stderr_lock);
	put_tail(&out);
	send_line(stat, line, out.length);
	pthread_mutex_unlock(&stderr_lock);
}

void log_write(enum log_level level, const char *message, const char *format, ...)
{
	struct stat stat;
	char pairs[LINE_SIZE];
	va_list args;
	int length = 0;

	if (level > log_get_level())
		return;
	int saved_errno = errno;
	if (format) {
		va_start(args, format);
		length = vsnprintf(pairs, sizeof(pairs), format, args);
		va_end(args);
	}
	if (length <= 0)
		pairs[0] = '\0';
	if (fstat(STDERR_FILENO, &stat) == 0)
		write_line(&stat, level, message, pairs);
	errno = saved_errno;
}
