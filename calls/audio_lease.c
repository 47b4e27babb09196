#include "calls/audio_lease.h"

#include <string.h>

#include "base/str.h"

bool audio_window_is_valid(const char *window)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t length = strlen(window);

	return length > 0 && length < WINDOW_SIZE && strspn(window, allowed) == length;
}

static bool is_reserved(const struct audio_lease *lease, int64_t now_ms)
{
	return lease->is_connected ||
	       (lease->window[0] && now_ms - lease->left_at_ms < AUDIO_RESERVED_MS);
}

bool audio_lease_ask(struct audio_lease *lease, const char *window, bool is_take, int64_t now_ms)
{
	if (!is_take && is_reserved(lease, now_ms) && strcmp(lease->window, window) != 0)
		return false;
	str_copy(lease->window, sizeof(lease->window), window);
	lease->is_connected = true;
	lease->serial++;
	return true;
}

bool audio_lease_leave(struct audio_lease *lease, uint64_t serial, int64_t now_ms)
{
	if (!lease->is_connected || lease->serial != serial)
		return false;
	lease->is_connected = false;
	lease->left_at_ms = now_ms;
	return true;
}

bool audio_lease_expire(struct audio_lease *lease, int64_t now_ms)
{
	if (!lease->window[0] || is_reserved(lease, now_ms))
		return false;
	lease->window[0] = '\0';
	return true;
}
