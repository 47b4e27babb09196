/* Any bytes as something that Asterisk says. The first one chooses what they are: E an event, and
 * of the bodies of answers C channels, N one channel, B bridges, P endpoints, I who it is, R a
 * reason; T a time, V a version, L a name. Whatever comes out fits its field and is what the driver
 * may rely on. Built by clang with -fsanitize=fuzzer,address,undefined from this file,
 * telephony/ari/ari_event.c, telephony/driver.c and json, str, status and cleanup of base; with
 * -DREPLAY it runs the files named on the command line, so that the corpus is part of every test
 * run. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "telephony/ari/ari_event.h"

#define APP "calltab"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	assert(length < size);
	assert(str_is_utf8(text, length));
}

static void check_number(const char *number)
{
	assert(!number[0] || tel_is_number(number));
}

static void check_channel(void *user, const struct ari_channel *channel)
{
	(void)user;
	check_text(channel->id, sizeof channel->id);
	assert(strnlen(channel->argument, sizeof channel->argument) < sizeof channel->argument);
	check_text(channel->name, sizeof channel->name);
	assert(str_is_printable(channel->name));
	check_number(channel->number);
	check_number(channel->redirected_from);
	assert(!channel->is_inbound || channel->is_in_app);
	assert(channel->state <= ARI_STATE_UP);
}

static void check_event(const char *text, size_t length)
{
	struct ari_event event;

	if (ari_event_parse(text, length, APP, &event) != ST_OK) {
		assert(!event.body);
		return;
	}
	check_channel(NULL, &event.channel);
	check_text(event.bridge, sizeof event.bridge);
	check_text(event.playback, sizeof event.playback);
	check_text(event.technology, sizeof event.technology);
	check_text(event.resource, sizeof event.resource);
	check_text(event.dial_status, sizeof event.dial_status);
	assert(event.cause >= 0 && event.tech_cause >= 0);
	assert(event.kind != ARI_EVENT_ANSWER || event.body);
	assert(!event.body || strlen(event.body) == event.body_length);
	ari_event_done(&event);
}

static void check_bridge(void *user, const struct ari_bridge *bridge)
{
	(void)user;
	assert(bridge->id[0]);
	check_text(bridge->id, sizeof bridge->id);
}

static void check_member(void *user, const char *bridge, const char *channel)
{
	(void)user;
	assert(bridge[0] && str_is_utf8(channel, strlen(channel)));
}

static void check_endpoint(void *user, const char *technology, const char *resource, bool is_online)
{
	(void)user;
	(void)is_online;
	assert(str_is_utf8(technology, strlen(technology)) &&
	       str_is_utf8(resource, strlen(resource)));
}

static void check_bodies(char kind, const char *text, size_t length)
{
	struct ari_channel channel;
	struct ari_info info;
	char media[TEL_ID_SIZE];
	enum status status = ST_OK;

	switch (kind) {
	case 'C':
		status = ari_channels_parse(text, length, APP, check_channel, NULL);
		break;
	case 'N':
		status = ari_channel_parse(text, length, APP, &channel);
		if (status == ST_OK)
			check_channel(NULL, &channel);
		break;
	case 'B':
		status = ari_bridges_parse(text, length, APP, check_bridge, check_member, NULL);
		break;
	case 'P':
		status = ari_endpoints_parse(text, length, check_endpoint, NULL);
		break;
	case 'M':
		status = ari_media_parse(text, length, media);
		assert(status != ST_OK || tel_is_id(media));
		break;
	case 'I':
		status = ari_info_parse(text, length, &info);
		assert(status != ST_OK ||
		       strspn(info.version, "0123456789.") == strlen(info.version));
		break;
	}
	assert(status == ST_OK || status == ST_INVALID);
}

/* NUL-ended texts; str_is_utf8() holds only for what was UTF-8 before. */
static void check_small(char kind, const char *text, size_t length)
{
	char name[TEL_NAME_SIZE], reason[96];
	int64_t ms;

	switch (kind) {
	case 'R':
		ari_reason_parse(text, length, reason, sizeof reason);
		check_text(reason, sizeof reason);
		break;
	case 'T':
		(void)ari_time_parse(text, &ms);
		break;
	case 'V':
		(void)ari_version_is_supported(text);
		break;
	case 'L':
		ari_clean_name(name, sizeof name, text);
		assert(str_is_printable(name) && !strpbrk(name, "\"\\<>"));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	auto_free char *text = xmalloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'E')
		check_event(text, size - 1);
	check_bodies((char)data[0], text, size - 1);
	check_small((char)data[0], text, size - 1);
	return 0;
}

#ifdef REPLAY
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		static uint8_t bytes[64 * 1024];

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		size_t size = fread(bytes, 1, sizeof bytes, file);
		fclose(file);
		LLVMFuzzerTestOneInput(bytes, size);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
#endif
