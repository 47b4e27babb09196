#include "telephony/driver.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define TIMEOUT_MAX_S 3600
#define TONE_MIN_MS   20
#define TONE_MAX_MS   5000
#define TONE_MS	      100
#define SOUND_SIZE    256

static bool consists_of(const char *text, const char *allowed, size_t max)
{
	if (!text)
		return false;
	size_t length = strnlen(text, max + 1);
	return length >= 1 && length <= max && strspn(text, allowed) == length;
}

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

bool tel_is_id(const char *text)
{
	return consists_of(text, LETTERS_AND_DIGITS "._-", TEL_ID_SIZE - 1);
}

bool tel_is_number(const char *text)
{
	return consists_of(text, "+0123456789*#", TEL_NUMBER_SIZE - 1);
}

bool tel_is_digits(const char *text)
{
	return consists_of(text, "0123456789*#", TEL_DIGITS_SIZE - 1);
}

bool tel_is_dest(const struct tel_dest *dest)
{
	switch (dest->kind) {
	case TEL_DEST_STATION:
	case TEL_DEST_MEDIA:
		return consists_of(dest->value, LETTERS_AND_DIGITS "_-", 32);
	case TEL_DEST_NUMBER:
		return tel_is_number(dest->value);
	}
	return false;
}

static bool is_empty_or_id(const char *text)
{
	return !text[0] || tel_is_id(text);
}

static bool are_options_valid(const struct tel_leg_options *options)
{
	return (!options->caller_number[0] || tel_is_number(options->caller_number)) &&
	       memchr(options->caller_name, '\0', sizeof options->caller_name) &&
	       options->timeout_s <= TIMEOUT_MAX_S && is_empty_or_id(options->mix) &&
	       is_empty_or_id(options->tag);
}

enum status tel_driver_open(struct tel_driver *driver, struct err *err)
{
	return driver->ops->open(driver, err);
}

void tel_driver_close(struct tel_driver *driver)
{
	if (driver)
		driver->ops->close(driver);
}

unsigned tel_driver_capabilities(const struct tel_driver *driver)
{
	return driver->ops->capabilities;
}

enum status tel_leg_make(struct tel_driver *driver, uint32_t token, const char *leg,
			 const struct tel_dest *dest, const struct tel_leg_options *options)
{
	static const struct tel_leg_options none;
	if (!options)
		options = &none;
	if (!tel_is_id(leg) || !tel_is_dest(dest) || !are_options_valid(options))
		return ST_INVALID;
	if (dest->kind == TEL_DEST_MEDIA && !(driver->ops->capabilities & TEL_CAN_MEDIA))
		return ST_UNSUPPORTED;
	return driver->ops->leg_make(driver, token, leg, dest, options);
}

enum status tel_leg_ring(struct tel_driver *driver, uint32_t token, const char *leg)
{
	return tel_is_id(leg) ? driver->ops->leg_ring(driver, token, leg) : ST_INVALID;
}

enum status tel_leg_answer(struct tel_driver *driver, uint32_t token, const char *leg)
{
	return tel_is_id(leg) ? driver->ops->leg_answer(driver, token, leg) : ST_INVALID;
}

enum status tel_leg_hangup(struct tel_driver *driver, uint32_t token, const char *leg, int cause)
{
	if (!tel_is_id(leg) || cause < 1 || cause > 127)
		return ST_INVALID;
	return driver->ops->leg_hangup(driver, token, leg, cause);
}

static bool is_tone_length(unsigned ms)
{
	return ms >= TONE_MIN_MS && ms <= TONE_MAX_MS;
}

enum status tel_leg_dtmf(struct tel_driver *driver, uint32_t token, const char *leg,
			 const char *digits, unsigned on_ms, unsigned gap_ms)
{
	on_ms = on_ms ? on_ms : TONE_MS;
	gap_ms = gap_ms ? gap_ms : TONE_MS;
	if (!tel_is_id(leg) || !tel_is_digits(digits) || !is_tone_length(on_ms) ||
	    !is_tone_length(gap_ms))
		return ST_INVALID;
	return driver->ops->leg_dtmf(driver, token, leg, digits, on_ms, gap_ms);
}

enum status tel_leg_mute(struct tel_driver *driver, uint32_t token, const char *leg,
			 enum tel_mute mute, bool on)
{
	if (!tel_is_id(leg) || mute < TEL_MUTE_VOICE || mute > TEL_MUTE_BOTH)
		return ST_INVALID;
	return driver->ops->leg_mute(driver, token, leg, mute, on);
}

enum status tel_mix_make(struct tel_driver *driver, uint32_t token, const char *mix,
			 enum tel_mix_kind kind)
{
	if (!tel_is_id(mix) || (kind != TEL_MIX_TALK && kind != TEL_MIX_PARK))
		return ST_INVALID;
	return driver->ops->mix_make(driver, token, mix, kind);
}

enum status tel_mix_free(struct tel_driver *driver, uint32_t token, const char *mix)
{
	return tel_is_id(mix) ? driver->ops->mix_free(driver, token, mix) : ST_INVALID;
}

enum status tel_mix_add(struct tel_driver *driver, uint32_t token, const char *mix, const char *leg)
{
	if (!tel_is_id(mix) || !tel_is_id(leg))
		return ST_INVALID;
	return driver->ops->mix_add(driver, token, mix, leg);
}

enum status tel_mix_remove(struct tel_driver *driver, uint32_t token, const char *mix,
			   const char *leg)
{
	if (!tel_is_id(mix) || !tel_is_id(leg))
		return ST_INVALID;
	return driver->ops->mix_remove(driver, token, mix, leg);
}

enum status tel_mix_music(struct tel_driver *driver, uint32_t token, const char *mix, bool on)
{
	return tel_is_id(mix) ? driver->ops->mix_music(driver, token, mix, on) : ST_INVALID;
}

enum status tel_mix_play(struct tel_driver *driver, uint32_t token, const char *mix,
			 const char *play, const char *sound)
{
	if (!(driver->ops->capabilities & TEL_CAN_PLAY))
		return ST_UNSUPPORTED;
	if (!tel_is_id(mix) || !tel_is_id(play) || !sound || !sound[0] ||
	    strnlen(sound, SOUND_SIZE) == SOUND_SIZE || !str_is_printable(sound))
		return ST_INVALID;
	return driver->ops->mix_play(driver, token, mix, play, sound);
}

enum status tel_play_stop(struct tel_driver *driver, uint32_t token, const char *play)
{
	if (!(driver->ops->capabilities & TEL_CAN_PLAY))
		return ST_UNSUPPORTED;
	return tel_is_id(play) ? driver->ops->play_stop(driver, token, play) : ST_INVALID;
}

enum status tel_mix_record(struct tel_driver *driver, uint32_t token, const char *mix,
			   const char *record)
{
	if (!(driver->ops->capabilities & TEL_CAN_RECORD))
		return ST_UNSUPPORTED;
	if (!tel_is_id(mix) || !tel_is_id(record))
		return ST_INVALID;
	return driver->ops->mix_record(driver, token, mix, record);
}

enum status tel_record_pause(struct tel_driver *driver, uint32_t token, const char *record, bool on)
{
	if (!(driver->ops->capabilities & TEL_CAN_RECORD))
		return ST_UNSUPPORTED;
	return tel_is_id(record) ? driver->ops->record_pause(driver, token, record, on)
				 : ST_INVALID;
}

enum status tel_record_stop(struct tel_driver *driver, uint32_t token, const char *record)
{
	if (!(driver->ops->capabilities & TEL_CAN_RECORD))
		return ST_UNSUPPORTED;
	return tel_is_id(record) ? driver->ops->record_stop(driver, token, record) : ST_INVALID;
}

enum status tel_driver_resync(struct tel_driver *driver)
{
	return driver->ops->resync(driver);
}

static const char *word_of(const char *const *words, unsigned count, unsigned index)
{
	return index < count ? words[index] : "?";
}

const char *tel_result_word(enum tel_result result)
{
	static const char *const words[TEL_RESULT_COUNT] = {
		[TEL_NORMAL] = "normal",       [TEL_BUSY] = "busy",
		[TEL_NO_ANSWER] = "noanswer",  [TEL_REJECTED] = "rejected",
		[TEL_INVALID] = "invalid",     [TEL_CONGESTION] = "congestion",
		[TEL_ERROR] = "error",	       [TEL_CANCELLED] = "cancelled",
		[TEL_ABANDONED] = "abandoned", [TEL_LOST] = "lost",
	};
	return word_of(words, TEL_RESULT_COUNT, result);
}

const char *tel_fact_word(enum tel_fact_kind kind)
{
	static const char *const words[TEL_FACT_COUNT] = {
		[TEL_LINK] = "link",
		[TEL_SYNC_BEGIN] = "sync_begin",
		[TEL_LEG_SEEN] = "leg_seen",
		[TEL_MIX_SEEN] = "mix_seen",
		[TEL_SYNC_END] = "sync_end",
		[TEL_LEG_OFFERED] = "leg_offered",
		[TEL_LEG_RINGING] = "leg_ringing",
		[TEL_LEG_EARLY] = "leg_early",
		[TEL_LEG_UP] = "leg_up",
		[TEL_LEG_ENDED] = "leg_ended",
		[TEL_LEG_JOINED] = "leg_joined",
		[TEL_LEG_LEFT] = "leg_left",
		[TEL_LEG_DIGIT] = "leg_digit",
		[TEL_LEG_HELD] = "leg_held",
		[TEL_LEG_DTMF_DONE] = "leg_dtmf_done",
		[TEL_RECORD_BEGUN] = "record_begun",
		[TEL_RECORD_ENDED] = "record_ended",
		[TEL_PLAY_ENDED] = "play_ended",
		[TEL_LEG_MEDIA] = "leg_media",
		[TEL_STATION] = "station",
		[TEL_OP_FAILED] = "op_failed",
	};
	return word_of(words, TEL_FACT_COUNT, kind);
}
