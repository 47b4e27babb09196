/* Sounds: what the HTTP door has changed becomes known to calls, and the switch learns from where
 * to fetch what it is to play. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "server/app_priv.h"

struct sound_change {
	struct sound_setup setup;
	bool is_deleted;
	void (*done)(void *arg);
	void *arg;
};

static void change_on_call_plane(struct control *control, void *arg)
{
	auto_free struct sound_change *change = arg;

	if (change->is_deleted)
		control_forget_sound(control, change->setup.name);
	else
		control_set_sound(control, &change->setup);
	change->done(change->arg);
}

void app_set_sound(void *user, const char *name, const char *version, unsigned duration_ms,
		   void (*done)(void *arg), void *arg)
{
	struct app *app = user;
	struct sound_change *change = xcalloc(1, sizeof(*change));

	str_copy_cut(change->setup.name, sizeof(change->setup.name), name);
	str_copy_cut(change->setup.version, sizeof(change->setup.version), version ? version : "");
	change->setup.duration_ms = duration_ms;
	change->is_deleted = !version;
	change->done = done;
	change->arg = arg;
	atomic_fetch_add(&app->sound_changes, 1);
	if (control_post(app->control, change_on_call_plane, change))
		return;
	/* Too much is waiting there: it is stored, and is read again with everything else. */
	free(change);
	app_reload_setup(app);
	done(arg);
}

/* Everywhere is reached at home. */
static bool is_everywhere(const char *host, size_t length)
{
	return length == 0 || (length == 7 && !strncmp(host, "0.0.0.0", 7)) ||
	       (length == 4 && !strncmp(host, "[::]", 4)) || (length == 1 && *host == '*');
}

static bool write_base(const struct app *app, char *ret, size_t size)
{
	const char *given = config_text(app->config, OPT_sounds_url);
	const char *listen = config_text(app->config, OPT_listen), *colon = strrchr(listen, ':');
	size_t length = strlen(given), host = colon ? (size_t)(colon - listen) : 0;

	if (length)
		return str_format(ret, size, "%.*s", (int)(length - (given[length - 1] == '/')),
				  given);
	if (!front_port(app->front))
		return false; /* a unix socket: Asterisk cannot fetch from there */
	if (is_everywhere(listen, host))
		return str_format(ret, size, "http://127.0.0.1:%u", front_port(app->front));
	return str_format(ret, size, "http://%.*s:%u", (int)host, listen, front_port(app->front));
}

bool app_find_sound(void *user, const char *name, char url[ARI_SOUND_SIZE], unsigned *ret_ms)
{
	const struct app *app = user;
	struct sound_setup sound;
	char base[ARI_SOUND_SIZE];

	if (!control_find_sound(app->control, name, &sound) || !write_base(app, base, sizeof(base)))
		return false;
	*ret_ms = sound.duration_ms;
	return str_format(url, ARI_SOUND_SIZE, "%s/sounds/%s-%080d/%s.wav", base, sound.version, 0,
			  name);
}
