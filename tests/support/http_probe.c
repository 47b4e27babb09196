/* http_probe: the HTTP door alone, for tests on the wire: a tiny accept loop, a store and a control
 *in memory.
 *
 *	http_probe [deadline=SECONDS] [web=FOLDER] [threads=N] [body=BYTES]
 *
 * Prints "port N" and takes one word a line on stdin, each answered with a line: freeze, thaw, away
 *(the database), hold, run (the call plane), waiting, posted, connections. SIGTERM stops it as the
 *real server is stopped and prints "stopped". */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "routes/routes.h"
#include "tests/support/routes_control.h"
#include "tests/support/routes_store.h"

#define RANDOM_PART "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

struct probe {
	struct db *db;
	struct control *control;
	struct routes *routes;
	int listen_fd, signal_fd;
};

static void make_ticket(void *user, const struct uuid *agent_id, const struct uuid *session_id,
			int64_t session_expires_ms, const char *origin,
			void (*done)(void *arg, enum status status, const char *ticket,
				     const struct err *err),
			void *arg)
{
	(void)user, (void)agent_id, (void)session_id, (void)session_expires_ms, (void)origin;
	done(arg, ST_OK, RANDOM_PART, NULL);
}

static bool ready(void *user, char *json, unsigned size)
{
	struct probe *probe = user;
	bool is_ready = db_is_available(probe->db);

	snprintf(json, size, "\"database\":\"%s\"", is_ready ? "ok" : "away");
	return is_ready;
}

static const char *option(char **argv, const char *name, const char *otherwise)
{
	for (size_t length = strlen(name); *argv; argv++)
		if (strncmp(*argv, name, length) == 0 && (*argv)[length] == '=')
			return *argv + length + 1;
	return otherwise;
}

static void start_routes(struct probe *probe, char **argv)
{
	static const char *const origins[] = {"https://crm.example", NULL};
	struct routes_config config = {
		.web_dir = option(argv, "web", NULL),
		.origins = origins,
		.request_deadline_s = (unsigned)atoi(option(argv, "deadline", "0")),
		.threads = (unsigned)atoi(option(argv, "threads", "0")),
		.body_limit = (unsigned)atoi(option(argv, "body", "0")),
		.version = "test",
	};
	struct route_hooks hooks = {.make_ticket = make_ticket, .ready = ready, .user = probe};
	struct err err = {0};

	if (!uuid_parse(STORE_TENANT, &config.tenant_id))
		abort();
	probe->control = routes_control_create();
	probe->db = routes_store_create(STORE_THREAD);
	routes_store_add_session(probe->db, "ctss_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	routes_store_add_key(probe->db, "ctsk_rrrrrrrr_" RANDOM_PART, "calls.read");
	routes_store_add_key(probe->db, "ctsk_dddddddd_" RANDOM_PART, "dial calls.read");
	probe->routes = routes_create(&config, probe->control, probe->db, &hooks, &err);
	if (!probe->routes) {
		fprintf(stderr, "%s: %s\n", err.code, err.message);
		exit(1);
	}
}

static void listen_somewhere(struct probe *probe)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;

	probe->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(probe->listen_fd, (struct sockaddr *)&address, length) != 0 ||
	    listen(probe->listen_fd, 4096) != 0 ||
	    getsockname(probe->listen_fd, (struct sockaddr *)&address, &length) != 0)
		exit(1);
	printf("port %d\n", ntohs(address.sin_port));
	fflush(stdout);
}

static void accept_all(struct probe *probe)
{
	for (;;) {
		struct sockaddr_storage address;
		socklen_t length = sizeof address;
		int fd = accept4(probe->listen_fd, (struct sockaddr *)&address, &length,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		routes_adopt(probe->routes, fd, (struct sockaddr *)&address, length);
	}
}

static void obey(struct probe *probe, const char *word)
{
	if (strcmp(word, "freeze") == 0)
		routes_store_set_mode(probe->db, STORE_FROZEN);
	else if (strcmp(word, "thaw") == 0)
		routes_store_set_mode(probe->db, STORE_THREAD);
	else if (strcmp(word, "away") == 0)
		routes_store_set_mode(probe->db, STORE_AWAY);
	else if (strcmp(word, "hold") == 0)
		routes_control_hold(probe->control, true);
	else if (strcmp(word, "run") == 0)
		routes_control_run(probe->control);
	if (strcmp(word, "waiting") == 0)
		printf("%u\n", routes_store_waiting(probe->db));
	else if (strcmp(word, "posted") == 0)
		printf("%u\n", routes_control_posted(probe->control));
	else if (strcmp(word, "connections") == 0)
		printf("%u\n", routes_connections(probe->routes));
	else
		printf("ok\n");
	fflush(stdout);
}

static bool read_words(struct probe *probe)
{
	static char line[256];
	static size_t length;
	ssize_t got = read(STDIN_FILENO, line + length, sizeof line - 1 - length);

	if (got <= 0)
		return false; /* the test is gone */
	length += (size_t)got;
	line[length] = '\0';
	for (char *end; (end = strchr(line, '\n'));) {
		*end = '\0';
		obey(probe, line);
		length -= (size_t)(end + 1 - line);
		memmove(line, end + 1, length + 1);
	}
	return true;
}

static void serve(struct probe *probe)
{
	struct pollfd fds[] = {{.fd = probe->listen_fd, .events = POLLIN},
			       {.fd = STDIN_FILENO, .events = POLLIN},
			       {.fd = probe->signal_fd, .events = POLLIN}};

	while (poll(fds, 3, -1) >= 0 && !fds[2].revents) {
		if (fds[0].revents)
			accept_all(probe);
		if (fds[1].revents && !read_words(probe))
			return;
	}
}

/* The order of the real server: no more connections, then the door, then what is behind it. */
static void stop(struct probe *probe)
{
	close(probe->listen_fd);
	routes_destroy(probe->routes);
	routes_store_destroy(probe->db);
	routes_control_run(probe->control);
	routes_control_destroy(probe->control);
	close(probe->signal_fd);
	printf("stopped\n");
}

int main(int argc, char **argv)
{
	struct probe probe = {0};
	sigset_t signals;

	(void)argc;
	log_set_level(LOG_ERR);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL); /* before any thread is made */
	probe.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	start_routes(&probe, argv + 1);
	listen_somewhere(&probe);
	serve(&probe);
	stop(&probe);
	return 0;
}
