#pragma once
/* How a leg ended: from what Asterisk says at the end of a channel to one of the words that control
 * knows. Pure, a table. "Dial" events are of no use here: their dialstatus is NOANSWER for nearly
 * every failure (docs/telephony.md, "Asterisk"). */
#include <stdbool.h>
#include "telephony/driver.h"

struct ari_ending {
	bool is_inbound, was_up;
	bool has_rung;	      /* Ringing or early media was seen */
	bool was_hangup_ours; /* tel_leg_hangup() came before the end */
	bool was_timeout;     /* the switch itself gave up ringing */
	int cause;	      /* Q.850 */
	int sip;	      /* tech_cause, 0 = unknown */
};

enum tel_result ari_result(const struct ari_ending *ending);
