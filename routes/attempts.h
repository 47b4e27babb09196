#pragma once
/* Counts wrong secrets by client address: five in a minute and the address has to wait. A bounded
 * table: an attacker with many addresses pushes out old ones, never honest memory. IPv6 addresses
 * count by their /64, which one customer usually has for himself. Any thread. */
#include <stdbool.h>
#include "base/clock.h"
#include "routes/request.h"

#define ATTEMPTS_MAX	  5
#define ATTEMPTS_WINDOW_S 60

struct attempts;

struct attempts *attempts_create(const struct clock *clock);
void attempts_destroy(struct attempts *attempts);
/* 0 when the address may try; else the seconds until it may. */
unsigned attempts_wait_s(struct attempts *attempts, const char *peer);
void attempts_add_wrong(struct attempts *attempts, const char *peer);
