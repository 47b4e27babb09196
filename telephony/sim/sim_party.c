#include "telephony/sim/sim_private.h"

#include <inttypes.h>

#include "base/str.h"

static void strip_control_characters(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if ((unsigned char)*from >= 0x20 && *from != 0x7f)
			*to++ = *from;
	*to = '\0';
}

enum status sim_call_in(struct sim *sim, const char *from_number, const char *from_name,
			const char *dnis, char ret_leg[TEL_ID_SIZE], struct err *err)
{
	char id[TEL_ID_SIZE];

	if (!tel_is_number(dnis))
		return err_set(err, ST_INVALID, "number.invalid", "dnis",
			       "the dialed number must be 1 to 32 of +0-9*#");
	if (from_number && from_number[0] && !tel_is_number(from_number))
		return err_set(err, ST_INVALID, "number.invalid", "from",
			       "the caller's number must be empty or 1 to 32 of +0-9*#");
	if (sim->live_legs >= sim->config.max_legs)
		return err_set(err, ST_BUSY, "switch.full", "",
			       "the simulated switch holds %u legs already", sim->live_legs);
	str_format(id, sizeof id, "sim-%" PRIx64 "-%" PRIu64, (uint64_t)sim->epoch,
		   ++sim->next_caller);
	struct sim_leg *leg = sim_leg_create(sim, id);
	leg->is_inbound = true;
	str_copy(leg->number, sizeof leg->number, from_number);
	str_copy_cut(leg->name, sizeof leg->name, from_name);
	strip_control_characters(leg->name);
	str_copy(leg->dnis, sizeof leg->dnis, dnis);
	str_copy(leg->party, sizeof leg->party, leg->number[0] ? leg->number : "anonymous");
	str_copy(ret_leg, TEL_ID_SIZE, id);
	sim_tell_offer(leg);
	return ST_OK;
}

enum status sim_party_answer(struct sim *sim, const char *id)
{
	struct sim_leg *leg = sim_leg_find(sim, id);

	if (!leg)
		return ST_NOT_FOUND;
	if (leg->is_inbound || leg->phase == SIM_UP)
		return ST_CONFLICT;
	sim_leg_up(leg);
	return ST_OK;
}

enum status sim_party_hangup(struct sim *sim, const char *id)
{
	struct sim_leg *leg = sim_leg_find(sim, id);

	if (!leg)
		return ST_NOT_FOUND;
	if (leg->phase == SIM_UP)
		sim_leg_end(leg, (struct sim_ending){TEL_NORMAL, TEL_BY_THEM, 16, 0});
	else if (leg->is_inbound)
		sim_leg_end(leg, (struct sim_ending){TEL_ABANDONED, TEL_BY_THEM, 127, 487});
	else
		sim_leg_end(leg, (struct sim_ending){TEL_REJECTED, TEL_BY_THEM, 21, 603});
	return ST_OK;
}

enum status sim_party_hold(struct sim *sim, const char *id, bool on)
{
	struct sim_leg *leg = sim_leg_find(sim, id);
	struct tel_fact fact = {.kind = TEL_LEG_HELD, .on = on};

	if (!leg)
		return ST_NOT_FOUND;
	if (leg->phase != SIM_UP)
		return ST_CONFLICT;
	if (leg->is_holding == on)
		return ST_OK;
	leg->is_holding = on;
	sim_tell(sim, leg, &fact);
	return ST_OK;
}

enum status sim_party_press(struct sim *sim, const char *id, const char *digits)
{
	struct sim_leg *leg = sim_leg_find(sim, id);

	if (!tel_is_digits(digits))
		return ST_INVALID;
	if (!leg)
		return ST_NOT_FOUND;
	if (leg->phase != SIM_UP)
		return ST_CONFLICT;
	for (; *digits; digits++)
		sim_tell_digit(leg, *digits);
	return ST_OK;
}
