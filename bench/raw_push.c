/* The floor: a bare epoll WebSocket server that does nothing but push frames made by hand to random
 * tabs. What it uses is what the kernel takes; the tabs' server is measured against it, with the
 * same bytes, the same order of tabs and the same pattern of wakes.
 *
 *   raw_push MESSAGE_FILE      first line: {"port":N}; ends with standard input
 *
 *   push COUNT [PER_TURN [PER_SECOND]]   as door_probe (tests/support/door_probe.c), answered in
 * the same way stat                                 {"rss_kb","cpu_us","connections"}
 *
 * MESSAGE_FILE is one event as door_probe sent it. The 16 digits of its commandId are set anew in
 * every turn, as there. The upgrade is answered without looking at it, and what a tab says with a
 * constant: no browser would do with that. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX	     65536
#define EVENTS_MAX   256
#define MESSAGE_MAX  16384
#define HEAD_MAX     4 /* of a frame */
#define STAMP_DIGITS 16
#define BACKLOG	     4096
#define PACE_US	     200

static int epoll_fd, listen_fd;
static bool is_tab[FDS_MAX]; /* by descriptor: the handshake is done */
static int tabs[FDS_MAX];    /* their descriptors, in order of arrival */
static unsigned tab_count, connections;

static char frame[HEAD_MAX + MESSAGE_MAX];
static size_t frame_length, message_length;
static char *stamp; /* in the frame */

static struct push {
	bool is_on;
	long count, done, per_turn, per_second;
	int64_t began_us, began_cpu_us;
	uint64_t random;
} push;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* ---- the frame ---- */

static void make_frame(const char *path)
{
	static char text[MESSAGE_MAX];
	FILE *file = fopen(path, "r");
	char *at = frame;

	if (!file)
		die(path);
	message_length = fread(text, 1, sizeof(text), file);
	fclose(file);
	*at++ = (char)0x81;
	if (message_length < 126) {
		*at++ = (char)message_length;
	} else {
		*at++ = 126;
		*at++ = (char)(message_length >> 8);
		*at++ = (char)message_length;
	}
	memcpy(at, text, message_length);
	frame_length = (size_t)(at - frame) + message_length;
	stamp = memmem(at, message_length, "\"commandId\":\"", 13);
	if (!stamp) {
		fputs("the message has no commandId\n", stderr);
		exit(1);
	}
	stamp += 13;
}

static void stamp_frame(void)
{
	char digits[STAMP_DIGITS + 1];

	snprintf(digits, sizeof(digits), "%016lld", (long long)clock_us(CLOCK_MONOTONIC));
	memcpy(stamp, digits, STAMP_DIGITS);
}

/* ---- connections ---- */

static void watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

static void start_listening(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);

	listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&address, length) != 0 ||
	    listen(listen_fd, BACKLOG) != 0)
		die("listen");
	getsockname(listen_fd, (struct sockaddr *)&address, &length);
	watch(listen_fd);
	printf("{\"port\":%d}\n", ntohs(address.sin_port));
	fflush(stdout);
}

static void accept_all(void)
{
	int fd, one = 1;

	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		if (fd >= FDS_MAX) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		is_tab[fd] = false;
		connections++;
		watch(fd);
	}
}

static void forget(int fd)
{
	for (unsigned i = 0; is_tab[fd] && i < tab_count; i++)
		if (tabs[i] == fd) {
			tabs[i] = tabs[--tab_count];
			break;
		}
	is_tab[fd] = false;
	connections--;
	close(fd);
}

static void on_data(int fd)
{
	static const char upgraded[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				       "Connection: Upgrade\r\n"
				       "Sec-WebSocket-Protocol: calltab.v1\r\n\r\n";
	static const char attached[] = "\x81\x0d{\"result\":{}}";
	char bytes[4096];
	ssize_t length = recv(fd, bytes, sizeof(bytes), 0);

	if (length <= 0) {
		if (length == 0 || errno != EAGAIN)
			forget(fd);
	} else if (!is_tab[fd]) {
		is_tab[fd] = true;
		tabs[tab_count++] = fd;
		if (send(fd, upgraded, sizeof(upgraded) - 1, MSG_NOSIGNAL) < 0)
			forget(fd);
	} else if ((bytes[0] & 0x0f) == 1 &&
		   send(fd, attached, sizeof(attached) - 1, MSG_NOSIGNAL) < 0) {
		forget(fd);
	}
}

/* ---- pushing ---- */

static void push_one(void)
{
	unsigned tab;

	push.random = push.random * UINT64_C(6364136223846793005) + 1442695040888963407;
	tab = (unsigned)(push.random >> 33) % tab_count;
	if (send(tabs[tab], frame, frame_length, MSG_NOSIGNAL) != (ssize_t)frame_length)
		die("a tab does not take a whole event");
}

static void push_some(void)
{
	long due = push.count;

	if (push.per_second > 0)
		due = (clock_us(CLOCK_MONOTONIC) - push.began_us) * push.per_second / 1000000;
	if (due > push.count)
		due = push.count;
	stamp_frame();
	for (long i = 0; i < push.per_turn && push.done < due; i++, push.done++)
		push_one();
	if (push.done < push.count) {
		if (push.per_second > 0 && push.done == due)
			usleep(PACE_US);
		return;
	}
	push.is_on = false;
	printf("{\"pushed\":%ld,\"wall_us\":%lld,\"cpu_us\":%lld,\"bytes\":%zu}\n", push.done,
	       (long long)(clock_us(CLOCK_MONOTONIC) - push.began_us),
	       (long long)(clock_us(CLOCK_PROCESS_CPUTIME_ID) - push.began_cpu_us), message_length);
	fflush(stdout);
}

/* ---- standard input ---- */

static long rss_kb(void)
{
	long pages = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file && fscanf(file, "%ld %ld", &pages, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void obey(const char *line)
{
	push = (struct push){.per_turn = 32, .random = 4711};
	if (sscanf(line, "push %ld %ld %ld", &push.count, &push.per_turn, &push.per_second) >= 1 &&
	    tab_count > 0) {
		push.is_on = true;
		push.began_us = clock_us(CLOCK_MONOTONIC);
		push.began_cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	} else if (strcmp(line, "stat") == 0) {
		printf("{\"rss_kb\":%ld,\"cpu_us\":%lld,\"connections\":%u}\n", rss_kb(),
		       (long long)clock_us(CLOCK_PROCESS_CPUTIME_ID), connections);
	} else {
		puts("{\"error\":\"no such command, or no tab\"}");
	}
	fflush(stdout);
}

static void on_input(void)
{
	static char line[256];
	static size_t filled;
	char bytes[256];
	ssize_t length = read(0, bytes, sizeof(bytes));

	if (length <= 0)
		exit(0);
	for (ssize_t i = 0; i < length; i++) {
		if (bytes[i] != '\n' && filled + 1 < sizeof(line)) {
			line[filled++] = bytes[i];
			continue;
		}
		line[filled] = '\0';
		filled = 0;
		obey(line);
	}
}

static void turn(void)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(epoll_fd, events, EVENTS_MAX, push.is_on ? 0 : -1);

	for (int i = 0; i < count; i++) {
		if (events[i].data.fd == 0)
			on_input();
		else if (events[i].data.fd == listen_fd)
			accept_all();
		else
			on_data(events[i].data.fd);
	}
	if (push.is_on)
		push_some();
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: raw_push MESSAGE_FILE\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	make_frame(argv[1]);
	epoll_fd = epoll_create1(0);
	watch(0);
	start_listening();
	for (;;)
		turn();
}
