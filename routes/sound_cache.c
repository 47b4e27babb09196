#include "routes/sound_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "control/control.h"

struct kept {
	struct kept *prev, *next;
	char name[SOUND_SIZE], version[SOUND_VERSION_SIZE];
	char *bytes;
	size_t length;
};

struct sound_cache {
	pthread_mutex_t mutex;
	struct kept *list; /* the one asked for last is first */
	size_t bytes;
};

struct sound_cache *sound_cache_create(void)
{
	struct sound_cache *cache = xcalloc(1, sizeof *cache);

	pthread_mutex_init(&cache->mutex, NULL);
	return cache;
}

static void drop(struct sound_cache *cache, struct kept *kept)
{
	DL_DELETE(cache->list, kept);
	cache->bytes -= kept->length;
	free(kept->bytes);
	free(kept);
}

void sound_cache_destroy(struct sound_cache *cache)
{
	while (cache->list)
		drop(cache, cache->list);
	pthread_mutex_destroy(&cache->mutex);
	free(cache);
}

static struct kept *find(struct sound_cache *cache, const char *name, const char *version)
{
	struct kept *kept;

	DL_FOREACH(cache->list, kept)
		if (strcmp(kept->name, name) == 0 && strcmp(kept->version, version) == 0)
			return kept;
	return NULL;
}

char *sound_cache_get(struct sound_cache *cache, const char *name, const char *version,
		      size_t *ret_length)
{
	char *bytes = NULL;

	pthread_mutex_lock(&cache->mutex);
	struct kept *kept = find(cache, name, version);
	if (kept) {
		DL_DELETE(cache->list, kept);
		DL_PREPEND(cache->list, kept);
		bytes = xmalloc(kept->length);
		memcpy(bytes, kept->bytes, kept->length);
		*ret_length = kept->length;
	}
	pthread_mutex_unlock(&cache->mutex);
	return bytes;
}

void sound_cache_put(struct sound_cache *cache, const char *name, const char *version,
		     const void *bytes, size_t length)
{
	if (length == 0 || length > SOUND_CACHE_BYTES)
		return;
	pthread_mutex_lock(&cache->mutex);
	if (!find(cache, name, version)) {
		struct kept *kept = xcalloc(1, sizeof *kept);
		str_copy(kept->name, sizeof kept->name, name);
		str_copy(kept->version, sizeof kept->version, version);
		kept->bytes = xmalloc(length);
		memcpy(kept->bytes, bytes, length);
		kept->length = length;
		while (cache->bytes + length > SOUND_CACHE_BYTES)
			drop(cache, cache->list->prev);
		DL_PREPEND(cache->list, kept);
		cache->bytes += length;
	}
	pthread_mutex_unlock(&cache->mutex);
}

void sound_cache_drop(struct sound_cache *cache, const char *name)
{
	struct kept *kept, *next;

	pthread_mutex_lock(&cache->mutex);
	DL_FOREACH_SAFE(cache->list, kept, next)
		if (strcmp(kept->name, name) == 0)
			drop(cache, kept);
	pthread_mutex_unlock(&cache->mutex);
}
