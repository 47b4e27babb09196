#include "telephony/ari/ari_result.h"

#include <stddef.h>

struct row {
	int code;
	enum tel_result result;
};

/* clang-format off */
static const struct row by_sip[] = {
	{486, TEL_BUSY},
	{600, TEL_BUSY},
	{480, TEL_NO_ANSWER},
	{408, TEL_NO_ANSWER},
	{404, TEL_INVALID},
	{410, TEL_INVALID},
	{484, TEL_INVALID},    /* address incomplete */
	{485, TEL_INVALID},    /* ambiguous */
	{604, TEL_INVALID},
	{403, TEL_REJECTED},
	{603, TEL_REJECTED},
	{607, TEL_REJECTED},   /* unwanted */
	{503, TEL_CONGESTION},
	{504, TEL_CONGESTION},
	{488, TEL_ERROR},      /* no codec in common */
	{500, TEL_ERROR},
	{606, TEL_ERROR},
};

static const struct row by_cause[] = {
	{17, TEL_BUSY},
	{18, TEL_NO_ANSWER},
	{19, TEL_NO_ANSWER},
	{1,  TEL_INVALID},     /* unallocated number */
	{20, TEL_INVALID},     /* subscriber absent */
	{22, TEL_INVALID},     /* number changed */
	{28, TEL_INVALID},     /* invalid number format */
	{21, TEL_REJECTED},
	{29, TEL_REJECTED},
	{34, TEL_CONGESTION},
	{42, TEL_CONGESTION},
	{44, TEL_CONGESTION},
	{47, TEL_CONGESTION},
};
/* clang-format on */

static const struct row *find(const struct row *rows, size_t count, int code)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

#define FIND(rows, code) find(rows, sizeof(rows) / sizeof((rows)[0]), code)

enum tel_result ari_result(const struct ari_ending *ending)
{
	if (ending->was_up)
		return TEL_NORMAL;
	if (ending->was_hangup_ours)
		return TEL_CANCELLED;
	if (ending->is_inbound)
		return TEL_ABANDONED;
	/* A dead carrier over UDP says nothing at all. Asterisk calls that "no answer" as well, but
	 * only a telephone that rang can be left unanswered. */
	if (ending->was_timeout)
		return ending->has_rung ? TEL_NO_ANSWER : TEL_ERROR;
	const struct row *row = FIND(by_sip, ending->sip);
	if (!row)
		row = FIND(by_cause, ending->cause);
	return row ? row->result : TEL_ERROR;
}
