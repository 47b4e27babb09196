#include "server/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

#define BACKLOG	  4096
#define HOST_SIZE 256

struct place { /* an address in both forms */
	const char *text;
	struct sockaddr_storage address;
	socklen_t length;
};

static enum status invalid(struct err *err, const char *text, const char *why)
{
	return err_set(err, ST_INVALID, "listen.invalid", "listen",
		       "cannot listen on \"%s\": %s; give address:port or unix:/path", text, why);
}

/* ---- the text ---- */

/* "host:port" or "[host]:port" -> two texts. */
static bool split(const char *text, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;

	if (length >= 2 && text[0] == '[' && colon[-1] == ']') {
		text++;
		length -= 2;
	} else if (colon && memchr(text, ':', length)) {
		return false; /* an IPv6 address without brackets */
	}
	if (!colon || length == 0 || length >= size || colon[1] == '\0')
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	*port = colon + 1;
	return true;
}

static enum status find_inet(struct place *place, struct err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *found = NULL;
	char host[HOST_SIZE];
	const char *port;

	if (!split(place->text, host, sizeof(host), &port))
		return invalid(err, place->text, "no address and port");
	if (strlen(port) > 5 || strspn(port, "0123456789") != strlen(port) || atoi(port) > 65535)
		return invalid(err, place->text, "the port is not a number from 0 to 65535");
	int problem = getaddrinfo(host, port, &hints, &found);
	if (problem != 0)
		return invalid(err, place->text, gai_strerror(problem));
	memcpy(&place->address, found->ai_addr, found->ai_addrlen);
	place->length = found->ai_addrlen;
	freeaddrinfo(found);
	return ST_OK;
}

static enum status find_unix(struct place *place, const char *path, struct err *err)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&place->address;

	if (path[0] != '/')
		return invalid(err, place->text, "the path of the socket must begin with /");
	address->sun_family = AF_UNIX;
	if (!str_copy(address->sun_path, sizeof(address->sun_path), path))
		return invalid(err, place->text, "the path of the socket is too long");
	place->length = sizeof(*address);
	return ST_OK;
}

/* ---- the socket ---- */

/* A file that a killed process left behind: nobody answers there. */
static void remove_stale(const struct place *place)
{
	const char *path = ((const struct sockaddr_un *)&place->address)->sun_path;
	struct stat file;

	if (lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode))
		return;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&place->address, place->length) != 0 &&
	    errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

static enum status refuse(struct err *err, const char *text, int why)
{
	switch (why) {
	case EADDRINUSE:
		return err_set(err, ST_CONFLICT, "listen.in_use", "listen",
			       "cannot listen on %s: another program listens there; stop it or "
			       "choose another address",
			       text);
	case EACCES:
	case EPERM:
		return err_set(err, ST_FORBIDDEN, "listen.denied", "listen",
			       "cannot listen on %s: %s", text, strerror(why));
	default:
		return invalid(err, text, strerror(why));
	}
}

static unsigned real_port(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	getsockname(fd, (struct sockaddr *)&address, &length);
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

static enum status open_at(struct listener *ret, const struct place *place, struct err *err)
{
	const int one = 1;
	int fd = socket(place->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return refuse(err, place->text, errno);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&place->address, place->length) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		int why = errno;
		close(fd);
		return refuse(err, place->text, why);
	}
	ret->fd = fd;
	ret->port = real_port(fd);
	return ST_OK;
}

enum status listener_open(struct listener *ret, const char *address, struct err *err)
{
	struct place place = {.text = address};
	const char *path = strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;
	enum status status = path ? find_unix(&place, path, err) : find_inet(&place, err);

	if (status != ST_OK)
		return status;
	if (path)
		remove_stale(&place);
	status = open_at(ret, &place, err);
	if (status == ST_OK)
		str_copy(ret->path, sizeof(ret->path), path ? path : "");
	return status;
}

void listener_close(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	close(listener->fd);
	listener->fd = -1;
	if (listener->path[0])
		unlink(listener->path);
}
