#pragma once
/* Sounds that were fetched lately, in memory: what the switch asks for again needs no database. On
 * any thread. */
#include <stdbool.h>
#include <stddef.h>

#define SOUND_CACHE_BYTES (64u * 1000 * 1000)

struct sound_cache;

struct sound_cache *sound_cache_create(void);
void sound_cache_destroy(struct sound_cache *cache);
/* A copy to be freed, NULL when it is not there. version: the first digits of its SHA-256. */
char *sound_cache_get(struct sound_cache *cache, const char *name, const char *version,
		      size_t *ret_length);
/* Copies; what was not asked for the longest makes room. */
void sound_cache_put(struct sound_cache *cache, const char *name, const char *version,
		     const void *bytes, size_t length);
/* Every version of it. */
void sound_cache_drop(struct sound_cache *cache, const char *name);
