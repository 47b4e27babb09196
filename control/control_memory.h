#pragma once
/* What the two files of the command memory share: control_memory.c remembers while the program
 * runs, control_memory_restart.c over its end. */
#include "control/control_priv.h"

#define KEY_MAX (sizeof(struct uuid) + 1 + COMMAND_ID_SIZE)

enum progress {
	ASKED,	   /* its intent is not stable yet, or it is being carried out */
	ANSWERING, /* its answer is not stable yet */
	ANSWERED,
};

struct remembered {
	UT_hash_handle hh;
	enum progress progress;
	uint64_t body_hash;
	int64_t at_ms;
	int tab;
	struct uuid call_id, dialer_call_id;
	struct err *refusal;  /* NULL = done */
	struct work *waiters; /* commands that hear the answer; the first is the one carried out */
	struct record_intent *intent; /* of before a restart, and nobody knows what became of it */
	size_t key_length;
	char key[]; /* agent, tab, id */
};

struct remembered *memory_find(struct control *, const char *key, size_t length);
struct remembered *memory_add(struct control *, const char *key, size_t length, int64_t at_ms);
void memory_forget(struct control *, struct remembered *);
/* What a program presents and what the agent's page asks are told apart. */
size_t memory_make_key(char key[KEY_MAX], const struct uuid *agent_id, int tab, bool is_program,
		       const char *id);
bool memory_is_for_now(const struct remembered *);
void memory_keep(struct remembered *, const struct reply *);
void memory_fill_answer(const struct remembered *, struct record *);
/* Kept, recorded, and told when that is stable. */
void memory_answer(struct control *, struct remembered *, const struct reply *);
