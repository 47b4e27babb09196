#pragma once
/* What the tests of handlers start from: routes on a store and a control in memory, a clock that
 * stands still, an agent's session and keys of every scope. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "routes/private.h"
#include "tests/support/routes_control.h"
#include "tests/support/routes_store.h"
#include "tests/support/routes_loopback.h"

#define SESSION "ctss_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_OF(letter)                                                                             \
	"ctsk_" letter letter letter letter letter letter letter letter                            \
	"_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define KEY_READ  KEY_OF("r")
#define KEY_DIAL  KEY_OF("d")
#define KEY_ADMIN KEY_OF("a")
#define KEY_WRONG KEY_OF("w")
#define BEARER	  "Bearer "
#define ORIGIN	  "https://crm.example"

struct world {
	struct held_clock held;
	struct clock clock;
	struct db *db;
	struct control *control;
	struct routes *routes;
	struct loopback lo;
};

static inline struct world *world_make(enum store_mode mode, const struct route_hooks *hooks)
{
	static const char *const origins[] = {ORIGIN, "http://127.0.0.1:8080", NULL};
	struct world *world = xcalloc(1, sizeof *world);
	struct routes_config config = {.origins = origins};

	world->held = (struct held_clock){.wall_us = 1767607200123456, .mono_us = 1000000000};
	world->clock = clock_held(&world->held);
	world->db = routes_store_create(mode);
	world->control = routes_control_create();
	assert_true(uuid_parse(STORE_TENANT, &config.tenant_id));
	world->routes =
		routes_create_bare(&config, &world->clock, world->control, world->db, hooks, NULL);
	assert_non_null(world->routes);
	world->lo.routes = world->routes;
	routes_store_add_session(world->db, SESSION);
	routes_store_add_key(world->db, KEY_READ, "calls.read");
	routes_store_add_key(world->db, KEY_DIAL, "dial calls.read");
	routes_store_add_key(world->db, KEY_ADMIN, "admin");
	return world;
}

static inline void world_free(struct world *world)
{
	loopback_done(&world->lo);
	routes_store_destroy(world->db);
	routes_unref(world->routes);
	routes_control_destroy(world->control);
	free(world);
}

static inline int setup(void **state)
{
	*state = world_make(STORE_AT_ONCE, NULL);
	return 0;
}

static inline int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* One request by this key or session; NULL = nobody. */
static inline const struct answer *send_as(struct world *world, const char *token,
					   const char *method, const char *target, const char *body)
{
	static char header[200];

	if (token) {
		snprintf(header, sizeof header, BEARER "%s", token);
		loopback_header(&world->lo, "Authorization", header);
	}
	return loopback_send(&world->lo, method, target, body);
}

#define assert_contains(text, part)                                                                \
	do {                                                                                       \
		if (!strstr((text), (part)))                                                       \
			fail_msg("\"%s\" is not in: %s", (part), (text));                          \
	} while (0)
