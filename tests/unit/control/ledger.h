#pragma once
/* What every record and every tell must be part of: for each call one life, its rows opened and
 * closed in turn, one idle, one end, dense numbers, versions that grow. Read it after everything is
 * stable. */
#include "house.h"

struct entry { /* one presentation of a call that has not ended */
	struct uuid call_id;
	struct uuid open_event;
	bool has_row, is_ended;
	int64_t begun_ms, row_at_ms, sum_ms;
	/* as told */
	bool is_told, is_told_ended;
	unsigned version;
	enum call_state state;
	int64_t state_at_ms;
};

struct ledger {
	struct entry entries[400];
	unsigned count;
	unsigned records, tells, ended; /* how many were checked */
	uint64_t seq[AGENTS + 1][TAB_MAX + 1];
};

/* Checks what is new since the last time; fails the test with what is wrong. */
void ledger_read(struct ledger *ledger, struct house *house);
/* Everything has come to its end. */
void ledger_close(const struct ledger *ledger);
