#pragma once
/* What the files of this room share. */
#include <stdatomic.h>
#include "base/clock.h"
#include "routes/request.h"
#include "routes/routes.h"

struct routes {
	struct routes_config config; /* its texts and lists are our copies */
	struct route_hooks hooks;
	struct control *control;
	struct db *db; /* NULL: every read is answered with 503 */
	const struct clock *clock;
	struct auth *auth;
	struct pages *pages;
	struct http *http;
	struct sound_cache *sounds;
	char *content_security_policy;
	atomic_uint refs; /* one for the owner, one for each request */
};

/* Without the HTTP glue: what unit tests use. clock is borrowed. */
struct routes *routes_create_bare(const struct routes_config *config, const struct clock *clock,
				  struct control *control, struct db *db,
				  const struct route_hooks *hooks, struct err *err);
struct routes *routes_ref(struct routes *routes);
void routes_unref(struct routes *routes);
