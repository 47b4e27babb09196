#pragma once
/* A reserve of descriptors for what must go on when there are none left: the journal's next
 * segment, a connection to PostgreSQL or the switch. Opened early, so their numbers are low and
 * stay good when the limit of the running process is lowered.
 *
 * Who needs one releases it, which makes room for the very next open. Whoever lets strangers in
 * fills the reserve up first and lets nobody in while it is not whole: so what was released goes to
 * whom it is for. The limit is the process's, and so is the reserve; from any thread. */
#include <stdbool.h>

/* From now on so many are kept, at most 16; 0 gives all back. */
void spare_keep(unsigned count);
/* Opens what is missing. True when the reserve is whole. */
bool spare_fill(void);
/* Closes one, for an open that follows at once and may ask again. False: there is none. */
bool spare_release(void);
/* Is errno one that spare_release() may help against? */
bool spare_may_help(int error);
/* Sees to it that so many can be opened within the next second, as far as the reserve goes: what
 * is released for it is not filled up meanwhile. */
void spare_make_room(unsigned count);
