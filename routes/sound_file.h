#pragma once
/* A sound as it is uploaded -> a sound as the switch plays it: WAV, 8 kHz, mono, 16 bit. The only
 * place that reads audio somebody else made (libsndfile), so it takes few kinds of file and little
 * of each: WAV, AIFF, FLAC and Ogg, at most SOUND_BODY_MAX bytes, one or two channels, 4 to 192
 * kHz, at most 10 minutes. Converts in memory and touches no disk; takes up to a second of CPU for
 * the longest, so it is nothing for a thread that must not wait. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

#define SOUND_NAME_SIZE	 65		    /* [A-Za-z0-9_-]{1,64} and the NUL */
#define SOUND_BODY_MAX	 (10 * 1000 * 1000) /* bytes, of what is uploaded */
#define SOUND_LENGTH_MAX (10 * 60)	    /* seconds */
#define SOUND_RATE	 8000
#define SOUNDS_MAX	 1000 /* of one tenant */
#define SOUND_HASH_SIZE	 65

struct sound_file {
	unsigned char *wav; /* free() it */
	size_t length;
	unsigned duration_ms;
	char sha256[SOUND_HASH_SIZE]; /* of wav, in hexadecimal */
};

bool sound_name_is_valid(const char *name);
/* ST_INVALID sound.empty, sound.not_audio, sound.channels, sound.rate, sound.silent (no samples),
 * sound.too_long; ST_TOO_LARGE sound.too_large. The message is meant for whoever made the file. */
enum status sound_convert(const void *bytes, size_t length, struct sound_file *ret,
			  struct err *err) MUST_USE;
