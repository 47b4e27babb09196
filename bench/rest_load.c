/* clang-format off */
/* Clients that ask a server over and over, each on a kept connection, the next question when the answer before is whole
 * (and PAUSE_US later).
 *
 *   rest_load PORT CONNECTIONS SECONDS PAUSE_US FIELD PATH...
 *
 * FIELD is a field of the head ("Authorization: Bearer ..."), "-" = none. Client i asks for path i, i + CONNECTIONS ...
 * When the time is over: {"answers","unanswered","p50_us","p99_us","max_us","statuses":{"200":N}} */
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

#define CLIENTS_MAX 256
#define EVENTS_MAX  64
#define HEAD_MAX    4096
#define TIMES_MAX   (1 << 20)

struct client {
	int fd;
	char head[HEAD_MAX]; /* of the answer, as far as it is there */
	size_t head_size;
	int64_t body_left; /* -1: the head is not whole */
	int64_t asked_us, ask_at_us;
	bool is_waiting; /* for an answer */
	unsigned path;
};

static struct client clients[CLIENTS_MAX];
static unsigned client_count, path_count;
static char **paths;
static const char *field;
static int port, epoll_fd;
static int64_t pause_us;
static uint32_t times[TIMES_MAX];
static unsigned time_count;
static uint64_t answers, statuses[600];

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

static void ask(struct client *client)
{
	char head[HEAD_MAX];
	int length =
		snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n",
			 paths[client->path], port, field, *field ? "\r\n" : "");

	client->path = (client->path + client_count) % path_count;
	client->head_size = 0;
	client->body_left = -1;
	client->is_waiting = true;
	client->asked_us = now_us();
	if (send(client->fd, head, (size_t)length, MSG_NOSIGNAL) != length)
		die("send");
}

static void open_client(struct client *client, unsigned number)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
					    .sin_port = htons((uint16_t)port)};
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
	int one = 1;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0 ||
	    connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect");
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0)
		die("epoll_ctl");
	ask(client);
}

static void end_connection(struct client *client)
{
	close(client->fd);
	open_client(client, (unsigned)(client - clients));
}

static void on_answer(struct client *client)
{
	int64_t at_us = now_us();

	client->is_waiting = false;
	client->ask_at_us = at_us + pause_us;
	answers++;
	if (time_count < TIMES_MAX)
		times[time_count++] = (uint32_t)(at_us - client->asked_us);
	if (strcasestr(client->head, "\r\nconnection: close"))
		end_connection(client);
	else if (pause_us == 0)
		ask(client);
}

/* The head is whole: how much body follows? */
static void read_head(struct client *client)
{
	const char *length = strcasestr(client->head, "\r\ncontent-length:");
	unsigned status = 0;

	sscanf(client->head, "HTTP/1.1 %u", &status);
	if (status < 600)
		statuses[status]++;
	client->body_left = length ? strtoll(length + 17, NULL, 10) : 0;
	if (status == 304)
		client->body_left = 0;
}

static void take(struct client *client, const char *bytes, size_t size)
{
	if (client->body_left < 0) {
		size_t room = HEAD_MAX - 1 - client->head_size;
		size_t before = client->head_size, more = size < room ? size : room;
		memcpy(client->head + before, bytes, more);
		client->head_size += more;
		client->head[client->head_size] = '\0';
		char *end = strstr(client->head, "\r\n\r\n");
		if (!end)
			return;
		size_t used = (size_t)(end + 4 - client->head) - before;
		end[2] = '\0';
		read_head(client);
		size -= used;
	}
	client->body_left -= (int64_t)size;
	if (client->body_left <= 0)
		on_answer(client);
}

static void on_readable(struct client *client)
{
	static char bytes[1 << 18];
	ssize_t length = recv(client->fd, bytes, sizeof(bytes), 0);

	if (length > 0)
		take(client, bytes, (size_t)length);
	else
		end_connection(client);
}

/* Asks where a pause is over; how long the shortest other one still takes, in ms. */
static int ask_due(void)
{
	int64_t at_us = now_us(), next_us = at_us + 100000;

	for (unsigned i = 0; i < client_count && pause_us > 0; i++) {
		struct client *client = &clients[i];
		if (client->is_waiting)
			continue;
		if (client->ask_at_us <= at_us)
			ask(client);
		else if (client->ask_at_us < next_us)
			next_us = client->ask_at_us;
	}
	return (int)((next_us - at_us + 999) / 1000);
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

static void report(void)
{
	unsigned unanswered = 0;
	const char *comma = "";

	for (unsigned i = 0; i < client_count; i++)
		unanswered += clients[i].is_waiting;
	qsort(times, time_count, sizeof(times[0]), by_size);
	printf("{\"answers\":%llu,\"unanswered\":%u,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,"
	       "\"statuses\":{",
	       (unsigned long long)answers, unanswered, time_at(50), time_at(99), time_at(100));
	for (unsigned i = 0; i < 600; i++)
		if (statuses[i]) {
			printf("%s\"%u\":%llu", comma, i, (unsigned long long)statuses[i]);
			comma = ",";
		}
	puts("}}");
}

static void run(int64_t until_us)
{
	struct epoll_event events[EVENTS_MAX];

	while (now_us() < until_us) {
		int count = epoll_wait(epoll_fd, events, EVENTS_MAX, ask_due());
		for (int i = 0; i < count; i++)
			on_readable(&clients[events[i].data.u32]);
	}
}

int main(int argc, char **argv)
{
	if (argc < 7)
		return 2;
	port = atoi(argv[1]);
	client_count = (unsigned)atoi(argv[2]);
	pause_us = atoll(argv[4]);
	field = strcmp(argv[5], "-") == 0 ? "" : argv[5];
	paths = argv + 6;
	path_count = (unsigned)(argc - 6);
	if (client_count == 0 || client_count > CLIENTS_MAX)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		die("epoll");
	for (unsigned i = 0; i < client_count; i++) {
		clients[i].path = i % path_count;
		open_client(&clients[i], i);
	}
	run(now_us() + atoll(argv[3]) * 1000000);
	report();
	return 0;
}
