#pragma once
/* The last events of all tabs, so that a window whose connection broke gets exactly what it missed.
 * Bounded in number, in bytes and in age: whoever was away longer attaches anew and takes the
 * snapshot. */
#include <stdbool.h>
#include <stdint.h>
#include "base/uuid.h"

#define RECENT_EVENTS 512 /* half a megabyte: more would push other things out of the cache */
#define RECENT_BYTES  (4u << 20)
#define RECENT_AGE_US (120 * INT64_C(1000000))
#define RECENT_MISSED                                                                              \
	48 /* more are not replayed: a snapshot is shorter, and they must fit a queue */

struct frame;
struct recent;

struct recent *recent_create(void);
void recent_destroy(struct recent *recent);
/* Keeps a reference. In the order in which it was told. */
void recent_put(struct recent *recent, const struct uuid *agent_id, int tab, uint64_t epoch,
		uint64_t seq, struct frame *frame, int64_t now_us);
void recent_forget_old(struct recent *recent, int64_t now_us);
/* The events after .. last of the tab, oldest first and borrowed; *ret_count of them. False when
 * one is not there any more: then nothing may be replayed. */
bool recent_missed(const struct recent *recent, const struct uuid *agent_id, int tab,
		   uint64_t epoch, uint64_t after, uint64_t last, struct frame *ret[RECENT_MISSED],
		   unsigned *ret_count);
unsigned recent_count(const struct recent *recent);
