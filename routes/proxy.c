#include "routes/proxy.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"

static bool is_trusted(const char *const *trusted, const char *address)
{
	for (; trusted && *trusted; trusted++)
		if (strcmp(*trusted, address) == 0)
			return true;
	return false;
}

/* Takes the list's last element off it, without the blanks around it. */
static bool take_last(const char *list, size_t *length, char ret[PEER_SIZE])
{
	const char *comma = memrchr(list, ',', *length);
	const char *start = comma ? comma + 1 : list, *end = list + *length;

	*length = comma ? (size_t)(comma - list) : 0;
	while (start < end && (*start == ' ' || *start == '\t'))
		start++;
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (start == end || end - start >= PEER_SIZE)
		return false;
	memcpy(ret, start, (size_t)(end - start));
	ret[end - start] = '\0';
	return true;
}

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

void proxy_client_address(const char *const *trusted, const char *peer, const char *forwarded,
			  char ret[PEER_SIZE])
{
	char last[PEER_SIZE];
	size_t length = forwarded ? strlen(forwarded) : 0;

	str_copy(ret, PEER_SIZE, peer);
	while (length > 0 && is_trusted(trusted, ret) && take_last(forwarded, &length, last) &&
	       is_address(last))
		str_copy(ret, PEER_SIZE, last);
}
