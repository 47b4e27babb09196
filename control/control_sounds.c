/* Which sounds may be played, by name. What they are is known to the doors and the switch only. */
#include "control/control_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

static struct sound_slot *find(const struct control *control, const char *name)
{
	struct sound_slot *sound;

	HASH_FIND(by_name, control->sounds, name, strlen(name), sound);
	return sound;
}

void control_set_sound(struct control *control, const struct sound_setup *setup)
{
	struct sound_slot *sound = find(control, setup->name);

	if (!sound) {
		sound = xcalloc(1, sizeof(*sound));
		sound->setup = *setup;
		HASH_ADD_KEYPTR(by_name, control->sounds, sound->setup.name,
				strlen(sound->setup.name), sound);
	}
	sound->setup = *setup;
}

static void drop(struct control *control, struct sound_slot *sound)
{
	HASH_DELETE(by_name, control->sounds, sound);
	free(sound);
}

void control_forget_sound(struct control *control, const char *name)
{
	struct sound_slot *sound = find(control, name);

	if (sound)
		drop(control, sound);
}

void control_sounds_free(struct control *control)
{
	struct sound_slot *sound, *next;

	HASH_ITER(by_name, control->sounds, sound, next)
		drop(control, sound);
}

void control_set_sounds(struct control *control, const struct sound_setup *list, unsigned count)
{
	control_sounds_free(control);
	for (unsigned i = 0; i < count; i++)
		control_set_sound(control, &list[i]);
}

bool control_find_sound(const struct control *control, const char *name, struct sound_setup *ret)
{
	const struct sound_slot *sound = find(control, name);

	if (sound)
		*ret = sound->setup;
	return sound != NULL;
}

/* What is no name is told from a name that nobody has. */
enum status control_check_sound(const struct control *control, const char *name, struct err *err)
{
	size_t length = strlen(name);

	if (!length ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
		    length)
		return err_set(err, ST_INVALID, "sound.invalid", "filename",
			       "a sound's name is 1 to 64 of A-Z a-z 0-9 _ -");
	if (!find(control, name))
		return err_set(err, ST_NOT_FOUND, "sound.not_found", "filename",
			       "no sound of this name is registered");
	return ST_OK;
}
