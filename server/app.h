#pragma once
/* Builds the rooms bottom up, wires what may not see each other, runs the loop, tears down top
 * down. */
#include "server/config.h"

struct db_conn;
struct dial_rule;

/* `calltab serve`: returns the exit code. Prints `ready port=N url=...` on stdout once it serves.
 * salvage: go on behind a damage of the journal. take_over: from the gateway that serves now. */
int app_serve(struct config *config, bool salvage, bool take_over);

/* The one tenant there is until tenants are configured. */
#define TENANT_DEFAULT "00000000-0000-7000-8000-000000000001"
struct uuid app_tenant(void);
/* The tenant's dial rules in their order; the caller frees *ret, also after an error. */
enum status app_read_dial_rules(struct db_conn *, struct dial_rule **ret, unsigned *ret_count,
				struct err *err) MUST_USE;
