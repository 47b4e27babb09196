#include "calls/pair.h"

#include <stddef.h>

static const char *phrase(const struct call *call)
{
	if (!call || call_state_is_over(call->view.state))
		return "it has no call";
	if (call_state_is_held(call->view.state))
		return "it is held";
	if (call_state_is_active(call->view.state))
		return "it is active";
	return call->view.state == CALL_RINGING ? "it is ringing" : "it is not connected";
}

enum status pair_check(const char *method, const struct call *active, int active_tab,
		       const struct call *held, int held_tab, struct err *err)
{
	if (held_tab == active_tab)
		return err_set(err, ST_INVALID, "tab.same", "callTab",
			       "%s needs another tab of yours in callTab: %d is this one", method,
			       held_tab);
	if (!active || !call_state_is_active(active->view.state))
		return err_set(err, ST_CONFLICT, "tab.not_active", "tab",
			       "%s needs this tab active: %s", method, phrase(active));
	if (active->view.state == CALL_CONFERENCE)
		return err_set(err, ST_CONFLICT, "tab.in_conference", "tab",
			       "%s needs this tab active: it is in a conference", method);
	if (!held || !call_state_is_held(held->view.state))
		return err_set(err, ST_CONFLICT, "tab.not_held", "callTab",
			       "%s needs tab %d held: %s", method, held_tab, phrase(held));
	return ST_OK;
}
