/* clang-format off */
/* Many call tabs in one process, for measuring servers: opens WebSockets all at once, attaches them, answers pings, counts
 * what comes and how long it took. Steered by lines on standard input; each is answered by one line of JSON.
 *
 *   open PORT COUNT ORIGIN [FILE]  opens so many sockets at once and attaches each to tab 1; FILE has a ticket a line.
 *                          When all are attached or lost: {"opened","lost","why" of the last,"wall_us"}
 *   send TAB TEXT          one text frame from this tab (0 = the first): {"sent_us"}: CLOCK_MONOTONIC
 *   mute COUNT PER_SECOND  mutes and unmutes the tabs' calls in turn, each command with its time as id: {"muting"} at once
 *   record 0|1             from now on each text frame is told, between the answers: {"tab","us","message"}
 *   stat                   {"open","frames","bytes","pings","lost","timed","p50_us","p99_us","max_us"} since the last one.
 *                          A frame's time is from the CLOCK_MONOTONIC microseconds in its commandId to its arrival here;
 *                          frames without 16 digits there have none
 *   close                  ends all at once, without a word: {"closed"} */
/* clang-format on */
#include <arpa/inet.h>
#include <errno.h>
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

#define TABS_MAX	20000
#define TIMES_MAX	(1 << 20)
#define EVENTS_MAX	256
#define STARTS_PER_TURN 128
#define TICKET_SIZE	64
#define READ_SIZE	65536
#define PARTIAL_MAX	65536
#define STAMP_KEY	"\"commandId\":\""
#define STAMP_DIGITS	16
#define OP_TEXT		1
#define OP_CLOSE	8
#define OP_PING		9
#define INPUT		(-1) /* standard input among the tabs */

enum tab_state { TAB_FREE, TAB_CONNECTING, TAB_UPGRADING, TAB_ATTACHING, TAB_OPEN };

struct tab {
	int fd;
	enum tab_state state;
	char *partial; /* of a frame or head; NULL = nothing waits */
	size_t partial_length;
};

static struct tab tabs[TABS_MAX];
static unsigned tab_count, started_count, open_count, lost_count, decided_count;
static bool is_opening, is_recording;
static char why_lost[64]; /* the newest */
static int64_t began_us;
static char (*tickets)[TICKET_SIZE];
static unsigned ticket_count;
static char origin[128];
static int port, epoll_fd;

static struct {
	uint64_t frames, bytes, pings;
	unsigned lost;
} seen;
static uint32_t times[TIMES_MAX];
static unsigned time_count;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static unsigned index_of(const struct tab *tab)
{
	return (unsigned)(tab - tabs);
}

/* ---- a tab's life ---- */

static void tell_opened(void)
{
	if (!is_opening || decided_count < tab_count)
		return;
	is_opening = false;
	printf("{\"opened\":%u,\"lost\":%u,\"why\":\"%s\",\"wall_us\":%lld}\n", open_count,
	       lost_count, why_lost, (long long)(now_us() - began_us));
	fflush(stdout);
}

static void decide(void)
{
	decided_count++;
	tell_opened();
}

static void free_tab(struct tab *tab)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(tab->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(tab->fd);
	free(tab->partial);
	tab->partial = NULL;
	tab->partial_length = 0;
	tab->state = TAB_FREE;
}

static void lose(struct tab *tab, const char *why)
{
	bool was_open = tab->state == TAB_OPEN;

	if (tab->state == TAB_FREE)
		return;
	snprintf(why_lost, sizeof(why_lost), "%s", why);
	free_tab(tab);
	lost_count++;
	seen.lost++;
	if (was_open)
		open_count--;
	else
		decide();
}

static void start(struct tab *tab)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
					    .sin_port = htons((uint16_t)port)};
	struct epoll_event event = {.events = EPOLLOUT, .data.fd = (int)index_of(tab)};
	int one = 1;

	tab->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (tab->fd < 0)
		die("socket");
	tab->state = TAB_CONNECTING;
	setsockopt(tab->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(tab->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 &&
	    errno != EINPROGRESS)
		die("connect");
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, tab->fd, &event) != 0)
		die("epoll_ctl");
}

/* ---- writing: a mask of zeros changes nothing ---- */

static void put(struct tab *tab, const char *bytes, size_t length)
{
	if (send(tab->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
		lose(tab, "not sent");
}

static void put_frame(struct tab *tab, unsigned op, const char *text, size_t length)
{
	char bytes[8 + 8192] = {(char)(0x80 | op)};
	size_t head = 2;

	if (length > sizeof(bytes) - 8)
		return;
	if (length < 126) {
		bytes[1] = (char)(0x80 | length);
	} else {
		bytes[1] = (char)(0x80 | 126);
		bytes[2] = (char)(length >> 8);
		bytes[3] = (char)length;
		head = 4;
	}
	head += 4;
	memcpy(bytes + head, text, length);
	put(tab, bytes, head + length);
}

static void upgrade(struct tab *tab)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = (int)index_of(tab)};
	char head[1024];
	bool has_ticket = index_of(tab) < ticket_count;
	int length, error = 0;
	socklen_t size = sizeof(error);

	getsockopt(tab->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error) {
		lose(tab, strerror(error));
		return;
	}
	length = snprintf(head, sizeof(head),
			  "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
			  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: %s\r\n"
			  "Sec-WebSocket-Protocol: calltab.v1%s%s\r\n\r\n",
			  port, origin, has_ticket ? ", ticket." : "",
			  has_ticket ? tickets[index_of(tab)] : "");
	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, tab->fd, &event);
	tab->state = TAB_UPGRADING;
	put(tab, head, (size_t)length);
}

static void attach(struct tab *tab)
{
	char text[160];
	int length = snprintf(text, sizeof(text),
			      "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"attach\",\"params\":{"
			      "\"tab\":1,\"client\":\"bench-%u\"}}",
			      index_of(tab));

	tab->state = TAB_ATTACHING;
	put_frame(tab, OP_TEXT, text, (size_t)length);
}

/* ---- reading ---- */

static void note_time(const char *text, size_t length)
{
	const char *at = memmem(text, length, STAMP_KEY, strlen(STAMP_KEY));
	char digits[STAMP_DIGITS + 1] = "";

	if (!at || time_count == TIMES_MAX)
		return;
	at += strlen(STAMP_KEY);
	if (at + STAMP_DIGITS > text + length)
		return;
	memcpy(digits, at, STAMP_DIGITS);
	if (strspn(digits, "0123456789") == STAMP_DIGITS)
		times[time_count++] = (uint32_t)(now_us() - strtoll(digits, NULL, 10));
}

/* False: it is a notification, which may come first. */
static bool on_attach_answer(struct tab *tab, const char *text, size_t length)
{
	if (memmem(text, length, "\"method\":", 9))
		return false;
	if (!memmem(text, length, "\"result\":", 9)) {
		lose(tab, "attach refused");
		return true;
	}
	tab->state = TAB_OPEN;
	open_count++;
	decide();
	return true;
}

static void on_text(struct tab *tab, const char *text, size_t length)
{
	if (is_recording) {
		printf("{\"tab\":%u,\"us\":%lld,\"message\":%.*s}\n", index_of(tab),
		       (long long)now_us(), (int)length, text);
		fflush(stdout);
	}
	if (tab->state == TAB_ATTACHING && on_attach_answer(tab, text, length))
		return;
	seen.frames++;
	seen.bytes += length;
	note_time(text, length);
}

static void on_close(struct tab *tab, const char *payload, size_t length)
{
	const unsigned char *code = (const unsigned char *)payload;
	char why[32] = "closed";

	if (length >= 2)
		snprintf(why, sizeof(why), "closed with %u", (unsigned)code[0] << 8 | code[1]);
	lose(tab, why);
}

static void on_frame(struct tab *tab, unsigned op, const char *payload, size_t length)
{
	if (op == OP_TEXT) {
		on_text(tab, payload, length);
	} else if (op == OP_PING) {
		seen.pings++;
		put_frame(tab, 10, payload, length);
	} else if (op == OP_CLOSE) {
		on_close(tab, payload, length);
	}
}

/* How many bytes were used; 0 = the frame is not whole yet. */
static size_t take_frame(struct tab *tab, const char *bytes, size_t length)
{
	const unsigned char *head = (const unsigned char *)bytes;
	size_t start = 2, size;

	if (length < 2)
		return 0;
	size = head[1] & 0x7f;
	if (size == 126) {
		if (length < 4)
			return 0;
		size = (size_t)head[2] << 8 | head[3];
		start = 4;
	} else if (size == 127) {
		lose(tab, "a frame too long");
		return length;
	}
	if (length < start + size)
		return 0;
	on_frame(tab, head[0] & 0x0f, bytes + start, size);
	return start + size;
}

static size_t take_head(struct tab *tab, const char *bytes, size_t length)
{
	const char *end = memmem(bytes, length, "\r\n\r\n", 4);

	if (!end)
		return 0;
	if (length < 12 || memcmp(bytes, "HTTP/1.1 101", 12) != 0)
		lose(tab, "upgrade refused");
	else
		attach(tab);
	return (size_t)(end + 4 - bytes);
}

/* Uses what is whole and keeps the rest. */
static void take(struct tab *tab, const char *bytes, size_t length)
{
	size_t used = 0;

	while (used < length && tab->state != TAB_FREE) {
		size_t step = tab->state == TAB_UPGRADING
				      ? take_head(tab, bytes + used, length - used)
				      : take_frame(tab, bytes + used, length - used);
		if (step == 0)
			break;
		used += step;
	}
	if (used == length || tab->state == TAB_FREE)
		return;
	tab->partial_length = length - used;
	tab->partial = malloc(tab->partial_length);
	if (!tab->partial)
		die("malloc");
	memcpy(tab->partial, bytes + used, tab->partial_length);
}

static void on_readable(struct tab *tab)
{
	static char bytes[PARTIAL_MAX + READ_SIZE];
	size_t kept = tab->partial_length;
	ssize_t length;

	if (kept > PARTIAL_MAX) {
		lose(tab, "a message too long");
		return;
	}
	if (kept > 0)
		memcpy(bytes, tab->partial, kept);
	free(tab->partial);
	tab->partial = NULL;
	tab->partial_length = 0;
	length = recv(tab->fd, bytes + kept, READ_SIZE, 0);
	if (length > 0)
		take(tab, bytes, kept + (size_t)length);
	else
		lose(tab, length == 0 ? "ended" : strerror(errno));
}

/* ---- standard input ---- */

static void read_tickets(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		die(path);
	tickets = calloc(TABS_MAX, TICKET_SIZE);
	while (ticket_count < TABS_MAX && fscanf(file, "%63s", tickets[ticket_count]) == 1)
		ticket_count++;
	fclose(file);
}

static void close_all(void)
{
	for (unsigned i = 0; i < tab_count; i++)
		if (tabs[i].state != TAB_FREE)
			free_tab(&tabs[i]);
	tab_count = started_count = open_count = lost_count = decided_count = 0;
}

static void do_open(const char *line)
{
	char path[512] = "";
	unsigned count = 0;

	close_all();
	ticket_count = 0;
	free(tickets);
	tickets = NULL;
	if (sscanf(line, "open %d %u %127s %511s", &port, &count, origin, path) < 3 || count == 0 ||
	    count > TABS_MAX) {
		puts("{\"error\":\"open PORT COUNT ORIGIN [FILE]\"}");
		return;
	}
	if (path[0])
		read_tickets(path);
	is_opening = true;
	tab_count = count;
	began_us = now_us();
}

/* A browser speaks as soon as it is connected: so do these, while others still connect. */
static void start_some(void)
{
	for (int i = 0; i < STARTS_PER_TURN && started_count < tab_count; i++)
		start(&tabs[started_count++]);
}

static void do_send(const char *line)
{
	unsigned tab;
	int at = 0;
	int64_t sent_us = now_us();

	if (sscanf(line, "send %u %n", &tab, &at) < 1 || at == 0 || tab >= tab_count ||
	    tabs[tab].state != TAB_OPEN) {
		puts("{\"error\":\"this tab is not open\"}");
		return;
	}
	put_frame(&tabs[tab], OP_TEXT, line + at, strlen(line + at));
	printf("{\"sent_us\":%lld}\n", (long long)sent_us);
}

/* ---- commands in turn ---- */

static struct {
	unsigned count, sent, per_second;
	int64_t began_us;
} mutes;

static void do_mute(const char *line)
{
	memset(&mutes, 0, sizeof(mutes));
	if (sscanf(line, "mute %u %u", &mutes.count, &mutes.per_second) != 2 || !open_count ||
	    !mutes.per_second) {
		mutes.count = 0;
		puts("{\"error\":\"mute COUNT PER_SECOND, with open tabs\"}");
		return;
	}
	mutes.began_us = now_us();
	printf("{\"muting\":%u}\n", mutes.count);
}

static void mute_next(void)
{
	struct tab *tab = &tabs[mutes.sent % tab_count];
	char text[160];
	int length = snprintf(text, sizeof(text),
			      "{\"jsonrpc\":\"2.0\",\"id\":\"%0*lld\",\"method\":\"mute\","
			      "\"params\":{\"on\":%s}}",
			      STAMP_DIGITS, (long long)now_us(),
			      mutes.sent / tab_count % 2 ? "false" : "true");

	if (tab->state == TAB_OPEN)
		put_frame(tab, OP_TEXT, text, (size_t)length);
	mutes.sent++;
}

/* Sends what is due; how long until the next, in ms, -1 = for ever. */
static int mute_due(void)
{
	if (mutes.sent >= mutes.count)
		return -1;
	int64_t elapsed_us = now_us() - mutes.began_us;
	while (mutes.sent < mutes.count &&
	       (int64_t)mutes.sent * 1000000 / mutes.per_second <= elapsed_us)
		mute_next();
	int64_t next_us = (int64_t)mutes.sent * 1000000 / mutes.per_second - elapsed_us;
	return (int)(next_us / 1000 + 1);
}

static int by_size(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static uint32_t time_at(unsigned percent)
{
	return time_count ? times[(uint64_t)(time_count - 1) * percent / 100] : 0;
}

static void do_stat(void)
{
	qsort(times, time_count, sizeof(times[0]), by_size);
	printf("{\"open\":%u,\"frames\":%llu,\"bytes\":%llu,\"pings\":%llu,\"lost\":%u,"
	       "\"timed\":%u,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u}\n",
	       open_count, (unsigned long long)seen.frames, (unsigned long long)seen.bytes,
	       (unsigned long long)seen.pings, seen.lost, time_count, time_at(50), time_at(99),
	       time_at(100));
	memset(&seen, 0, sizeof(seen));
	time_count = 0;
}

static void obey(const char *line)
{
	if (strncmp(line, "open ", 5) == 0) {
		do_open(line);
	} else if (strncmp(line, "send ", 5) == 0) {
		do_send(line);
	} else if (strncmp(line, "mute ", 5) == 0) {
		do_mute(line);
	} else if (strncmp(line, "record ", 7) == 0) {
		is_recording = line[7] == '1';
		puts("{\"done\":true}");
	} else if (strcmp(line, "stat") == 0) {
		do_stat();
	} else if (strcmp(line, "close") == 0) {
		printf("{\"closed\":%u}\n", open_count);
		close_all();
	} else {
		puts("{\"error\":\"no such command\"}");
	}
	fflush(stdout);
}

static void on_input(void)
{
	static char line[16384];
	static size_t filled;
	char bytes[4096];
	ssize_t length = read(0, bytes, sizeof(bytes));

	if (length <= 0)
		exit(0);
	for (ssize_t i = 0; i < length; i++) {
		if (bytes[i] != '\n') {
			if (filled + 1 < sizeof(line))
				line[filled++] = bytes[i];
			continue;
		}
		line[filled] = '\0';
		filled = 0;
		obey(line);
	}
}

static void on_event(const struct epoll_event *event)
{
	struct tab *tab;

	if (event->data.fd == INPUT) {
		on_input();
		return;
	}
	tab = &tabs[event->data.fd];
	if (tab->state == TAB_CONNECTING)
		upgrade(tab);
	else if (tab->state != TAB_FREE)
		on_readable(tab);
}

int main(void)
{
	struct epoll_event input = {.events = EPOLLIN, .data.fd = INPUT};
	struct epoll_event events[EVENTS_MAX];

	signal(SIGPIPE, SIG_IGN);
	epoll_fd = epoll_create1(0);
	if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &input) != 0)
		die("epoll");
	for (;;) {
		bool is_more = started_count < tab_count;
		int wait_ms = mute_due();
		int count = epoll_wait(epoll_fd, events, EVENTS_MAX, is_more ? 0 : wait_ms);
		for (int i = 0; i < count; i++)
			on_event(&events[i]);
		start_some();
	}
}
