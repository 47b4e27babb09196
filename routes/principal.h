#pragma once
/* Who asks, and what he may do. */
#include <stdbool.h>
#include <stdint.h>
#include "base/uuid.h"
#include "calls/call_view.h"

enum scope { /* of API keys; the words are scope_word()'s */
	     SCOPE_CALLS_READ = 1 << 0,
	     SCOPE_CALLS_WRITE = 1 << 1,
	     SCOPE_AGENTS_READ = 1 << 2,
	     SCOPE_CONFIG_READ = 1 << 3,
	     SCOPE_EVENTS_READ = 1 << 4,
	     SCOPE_WEBHOOKS_MANAGE = 1 << 5,
	     SCOPE_DIAL = 1 << 6,
	     SCOPE_ADMIN = 1 << 7,
};
#define SCOPE_COUNT 8
const char *scope_word(enum scope scope); /* "calls.read" ... */
/* Words with blanks or commas between; false names the first unknown word in *ret_bad (may be
 * NULL). */
bool scopes_parse(const char *text, unsigned *ret, char ret_bad[WORD_SIZE]);

enum principal_kind { WHO_NOBODY, WHO_SESSION, WHO_KEY };

struct principal {
	enum principal_kind kind;
	/* of a session: an agent's browser */
	struct uuid agent_id, session_id;
	int64_t session_expires_ms;
	char login[WORD_SIZE], name[NAME_SIZE], extension[WORD_SIZE];
	/* of an API key: a program */
	struct uuid key_id;
	unsigned scopes;
};

/* What a route asks for. */
enum right {
	RIGHT_NONE,    /* anybody */
	RIGHT_SESSION, /* an agent */
	RIGHT_READ,    /* an agent, or a key with calls.read */
	RIGHT_DIAL,    /* an agent, or a key with dial */
	RIGHT_ADMIN,   /* a key with admin */
};
