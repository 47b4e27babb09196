#include "routes/sound_file.h"

#include <math.h>
#include <samplerate.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "routes/secret.h"

#define HEAD	     44 /* bytes of a WAV file before its samples */
#define CHUNK	     4096
#define CHANNELS_MAX 2
#define RATE_MIN     4000
#define RATE_MAX     192000
#define SAMPLES_MAX  ((size_t)SOUND_RATE * SOUND_LENGTH_MAX)

bool sound_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < SOUND_NAME_SIZE &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
		       length;
}

/* ---- the file as the library reads it ---- */

struct source {
	const unsigned char *bytes;
	sf_count_t length, at;
};

static sf_count_t source_length(void *user)
{
	return ((struct source *)user)->length;
}

static sf_count_t source_seek(sf_count_t offset, int whence, void *user)
{
	struct source *source = user;
	sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? source->at : source->length;

	if (offset < -from || offset > source->length - from)
		return -1;
	source->at = from + offset;
	return source->at;
}

static sf_count_t source_read(void *to, sf_count_t count, void *user)
{
	struct source *source = user;
	sf_count_t left = source->length - source->at;

	if (count > left)
		count = left;
	if (count <= 0)
		return 0;
	memcpy(to, source->bytes + source->at, (size_t)count);
	source->at += count;
	return count;
}

static sf_count_t source_tell(void *user)
{
	return ((struct source *)user)->at;
}

/* ---- converting ---- */

struct conversion {
	SNDFILE *file;
	SRC_STATE *resampler;
	int channels;
	double ratio;
	unsigned char *wav;
	size_t count, capacity; /* samples */
};

/* The library knows many kinds of file, some of them hardly ever read by anybody: only these few
 * get as far as its parsers. */
static bool is_taken(const unsigned char *bytes, size_t length)
{
	if (length < 12)
		return false;
	return (memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WAVE", 4) == 0) ||
	       (memcmp(bytes, "FORM", 4) == 0 && memcmp(bytes + 8, "AIF", 3) == 0) ||
	       memcmp(bytes, "fLaC", 4) == 0 || memcmp(bytes, "OggS", 4) == 0;
}

static enum status too_long(struct err *err)
{
	return err_set(err, ST_INVALID, "sound.too_long", "", "the sound is longer than %d minutes",
		       SOUND_LENGTH_MAX / 60);
}

static enum status check_kind(const SF_INFO *info, struct err *err)
{
	if (info->channels > CHANNELS_MAX)
		return err_set(err, ST_INVALID, "sound.channels", "",
			       "the sound has %d channels, at most %d are taken", info->channels,
			       CHANNELS_MAX);
	if (info->samplerate < RATE_MIN || info->samplerate > RATE_MAX)
		return err_set(err, ST_INVALID, "sound.rate", "",
			       "the sound has %d samples a second, %d to %d are taken",
			       info->samplerate, RATE_MIN, RATE_MAX);
	return ST_OK;
}

static void put_sample(struct conversion *c, float value)
{
	long sample = isfinite(value) ? lrintf(value * 32768.0f) : 0;
	unsigned char *at;

	if (c->count == c->capacity) {
		c->capacity = c->capacity ? 2 * c->capacity : 16 * CHUNK;
		c->wav = xrealloc(c->wav, HEAD + 2 * c->capacity);
	}
	if (sample > INT16_MAX)
		sample = INT16_MAX;
	else if (sample < INT16_MIN)
		sample = INT16_MIN;
	at = c->wav + HEAD + 2 * c->count++;
	at[0] = (unsigned char)((unsigned long)sample & 0xff);
	at[1] = (unsigned char)((unsigned long)sample >> 8 & 0xff);
}

static enum status put_samples(struct conversion *c, const float *values, size_t count,
			       struct err *err)
{
	if (count > SAMPLES_MAX - c->count)
		return too_long(err);
	for (size_t i = 0; i < count; i++)
		put_sample(c, values[i]);
	return ST_OK;
}

/* Gives the resampler what it was given, until it has no more to say to it. */
static enum status resample(struct conversion *c, const float *mono, size_t count, bool is_end,
			    struct err *err)
{
	float out[CHUNK];
	SRC_DATA data = {.data_in = mono,
			 .input_frames = (long)count,
			 .data_out = out,
			 .output_frames = CHUNK,
			 .src_ratio = c->ratio,
			 .end_of_input = is_end};
	enum status status = ST_OK;

	do {
		if (src_process(c->resampler, &data) != 0)
			return err_set(err, ST_INTERNAL, "internal", "",
				       "the sound cannot be resampled");
		status = put_samples(c, out, (size_t)data.output_frames_gen, err);
		data.data_in += data.input_frames_used;
		data.input_frames -= data.input_frames_used;
	} while (status == ST_OK && (data.input_frames > 0 || data.output_frames_gen == CHUNK));
	return status;
}

static void mix_down(const float *frames, sf_count_t count, int channels, float *mono)
{
	for (sf_count_t i = 0; i < count; i++) {
		float sum = 0;
		for (int k = 0; k < channels; k++)
			sum += frames[i * channels + k];
		mono[i] = sum / (float)channels;
	}
}

static enum status convert_samples(struct conversion *c, struct err *err)
{
	float frames[CHUNK * CHANNELS_MAX], mono[CHUNK];
	enum status status = ST_OK;
	sf_count_t count;

	do {
		count = sf_readf_float(c->file, frames, CHUNK);
		mix_down(frames, count, c->channels, mono);
		status = c->resampler ? resample(c, mono, (size_t)count, count == 0, err)
				      : put_samples(c, mono, (size_t)count, err);
	} while (status == ST_OK && count > 0);
	return status;
}

static void put_number(unsigned char *at, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> 8 * i & 0xff);
}

static void write_head(unsigned char *wav, size_t samples)
{
	memcpy(wav, "RIFF", 4);
	put_number(wav + 4, (uint32_t)(HEAD - 8 + 2 * samples), 4);
	memcpy(wav + 8, "WAVEfmt ", 8);
	put_number(wav + 16, 16, 4);
	put_number(wav + 20, 1, 2); /* PCM */
	put_number(wav + 22, 1, 2); /* channels */
	put_number(wav + 24, SOUND_RATE, 4);
	put_number(wav + 28, 2 * SOUND_RATE, 4);
	put_number(wav + 32, 2, 2);
	put_number(wav + 34, 16, 2);
	memcpy(wav + 36, "data", 4);
	put_number(wav + 40, (uint32_t)(2 * samples), 4);
}

static enum status run(struct conversion *c, const SF_INFO *info, struct err *err)
{
	enum status status = check_kind(info, err);
	int error = 0;

	/* What the file says of its length may be a lie: this only spares the work. */
	if (status == ST_OK && info->frames / info->samplerate > SOUND_LENGTH_MAX)
		status = too_long(err);
	if (status != ST_OK)
		return status;
	c->channels = info->channels;
	c->ratio = (double)SOUND_RATE / info->samplerate;
	if (info->samplerate != SOUND_RATE &&
	    !(c->resampler = src_new(SRC_SINC_FASTEST, 1, &error)))
		abort(); /* out of memory */
	status = convert_samples(c, err);
	if (status == ST_OK && c->count == 0)
		return err_set(err, ST_INVALID, "sound.silent", "",
			       "there is no sound in the file");
	return status;
}

static void finish(struct conversion *c, struct sound_file *ret)
{
	write_head(c->wav, c->count);
	ret->wav = c->wav;
	ret->length = HEAD + 2 * c->count;
	ret->duration_ms = (unsigned)((c->count * 1000 + SOUND_RATE - 1) / SOUND_RATE);
	secret_hash_bytes(ret->wav, ret->length, ret->sha256);
}

static enum status check_bytes(const void *bytes, size_t length, struct err *err)
{
	if (length == 0)
		return err_set(err, ST_INVALID, "sound.empty", "", "the file is empty");
	if (length > SOUND_BODY_MAX)
		return err_set(err, ST_TOO_LARGE, "sound.too_large", "",
			       "the file has %zu bytes, at most %d are taken", length,
			       SOUND_BODY_MAX);
	if (!is_taken(bytes, length))
		return err_set(err, ST_INVALID, "sound.not_audio", "",
			       "this is no WAV, AIFF, FLAC or Ogg file");
	return ST_OK;
}

enum status sound_convert(const void *bytes, size_t length, struct sound_file *ret, struct err *err)
{
	SF_VIRTUAL_IO io = {.get_filelen = source_length,
			    .seek = source_seek,
			    .read = source_read,
			    .tell = source_tell};
	struct source source = {.bytes = bytes, .length = (sf_count_t)length};
	struct conversion c = {0};
	SF_INFO info = {0};
	enum status status = check_bytes(bytes, length, err);

	*ret = (struct sound_file){0};
	if (status != ST_OK)
		return status;
	c.file = sf_open_virtual(&io, SFM_READ, &info, &source);
	if (!c.file)
		return err_set(err, ST_INVALID, "sound.not_audio", "",
			       "the file cannot be read as audio: its head is damaged or cut off");
	status = run(&c, &info, err);
	sf_close(c.file);
	if (c.resampler)
		src_delete(c.resampler);
	if (status == ST_OK)
		finish(&c, ret);
	else
		free(c.wav);
	return status;
}
