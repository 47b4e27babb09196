#pragma once
/* Whose request is it behind a proxy? X-Forwarded-For is a list that every proxy lengthens at its
 * right end and that the client may have begun as he pleases. So it is believed only from a trusted
 * peer, read from the right, and the first address that is no trusted proxy is the client. */
#include "routes/request.h"

/* trusted: addresses as text, NULL-ended; NULL = none. forwarded may be NULL. */
void proxy_client_address(const char *const *trusted, const char *peer, const char *forwarded,
			  char ret[PEER_SIZE]);
