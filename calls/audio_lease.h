#pragma once
/* Which of an agent's windows has his audio. One at a time: the one that asked first keeps it,
 * until it leaves or another takes it over. A window that has gone keeps its place for a moment, so
 * that a reload finds it free whatever other windows do. Pure: time comes in, in milliseconds. */
#include <stdbool.h>
#include <stdint.h>

#define WINDOW_SIZE	  17   /* of a name a window gave itself: [A-Za-z0-9_-]{1,16} */
#define AUDIO_RESERVED_MS 5000 /* for the window that has gone */

struct audio_lease {
	char window[WINDOW_SIZE]; /* "" = nobody's */
	bool is_connected;
	uint64_t serial; /* of the newest grant: what is told of an older one no longer counts */
	int64_t left_at_ms;
};

bool audio_window_is_valid(const char *window);
/* May this window have it? Then it has it. is_take: whoever has it. */
bool audio_lease_ask(struct audio_lease *lease, const char *window, bool is_take, int64_t now_ms);
/* The connection that was granted as `serial` has ended; false: another is there already. */
bool audio_lease_leave(struct audio_lease *lease, uint64_t serial, int64_t now_ms);
/* True: nobody has come back in time, it is nobody's from now on. */
bool audio_lease_expire(struct audio_lease *lease, int64_t now_ms);
