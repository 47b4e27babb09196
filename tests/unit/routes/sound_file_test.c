#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "routes/sound_file.h"

#define HEAD 44

/* A WAV file to be: what its head says, and how its samples are made. */
struct make {
	unsigned format; /* 1 PCM, 3 float, 7 mu-law */
	unsigned channels, rate, bits;
	double hz[2], seconds, level;
};

static unsigned char *bytes;
static size_t length;
static struct sound_file sound;
static struct err err;

static void put(unsigned char *at, uint32_t value, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

static void put_sample(const struct make *make, unsigned char *at, double value)
{
	float real = (float)value;

	if (make->format == 3)
		memcpy(at, &real, 4);
	else if (make->bits == 8)
		at[0] = (unsigned char)lrint(128 + 127 * value);
	else
		put(at, (uint32_t)(int32_t)lrint(value * ((1u << (make->bits - 1)) - 1)),
		    make->bits / 8);
}

static void make_wav(struct make make)
{
	unsigned frame = make.channels * make.bits / 8;
	size_t frames = (size_t)(make.seconds * make.rate);

	length = HEAD + frames * frame;
	bytes = calloc(1, length);
	memcpy(bytes, "RIFF", 4);
	put(bytes + 4, (uint32_t)length - 8, 4);
	memcpy(bytes + 8, "WAVEfmt ", 8);
	put(bytes + 16, 16, 4);
	put(bytes + 20, make.format, 2);
	put(bytes + 22, make.channels, 2);
	put(bytes + 24, make.rate, 4);
	put(bytes + 28, make.rate * frame, 4);
	put(bytes + 32, frame, 2);
	put(bytes + 34, make.bits, 2);
	memcpy(bytes + 36, "data", 4);
	put(bytes + 40, (uint32_t)(length - HEAD), 4);
	for (size_t i = 0; i < frames; i++)
		for (unsigned k = 0; k < make.channels && make.hz[k < 2 ? k : 0] > 0; k++)
			put_sample(&make, bytes + HEAD + i * frame + k * make.bits / 8,
				   make.level * sin(2 * M_PI * make.hz[k < 2 ? k : 0] * (double)i /
						    make.rate));
}

static enum status convert(void)
{
	return sound_convert(bytes, length, &sound, &err);
}

static void converts(struct make make)
{
	make_wav(make);
	if (convert() != ST_OK)
		fail_msg("%s: %s", err.code, err.message);
}

static void is_refused(const char *code)
{
	assert_int_not_equal(convert(), ST_OK);
	assert_string_equal(err.code, code);
	assert_true(err.message[0] != '\0');
	assert_null(sound.wav);
}

static int16_t sample(size_t i)
{
	const unsigned char *at = sound.wav + HEAD + 2 * i;

	return (int16_t)(uint16_t)(at[0] | at[1] << 8);
}

/* How loud one frequency is, of 1; the middle of the sound, where a resampler has settled. */
static double level_of(double hz)
{
	size_t count = (sound.length - HEAD) / 2, from = count / 4, n = count / 2;
	double re = 0, im = 0;

	for (size_t i = 0; i < n; i++) {
		double angle = 2 * M_PI * hz * (double)i / SOUND_RATE;
		re += sample(from + i) * cos(angle);
		im += sample(from + i) * sin(angle);
	}
	return 2 * sqrt(re * re + im * im) / (double)n / 32768;
}

static void is_near(double value, double wanted, double tolerance)
{
	if (fabs(value - wanted) > tolerance)
		fail_msg("%f is not %f", value, wanted);
}

static int tear_down(void **state)
{
	(void)state;
	free(bytes);
	free(sound.wav);
	bytes = NULL;
	sound = (struct sound_file){0};
	err = (struct err){0};
	return 0;
}

/* ---- what is taken ---- */

static void what_telephones_carry_stays_as_it_is(void **state)
{
	(void)state;
	converts((struct make){1, 1, 8000, 16, {440}, 1, 0.5});
	assert_int_equal(sound.length, length);
	assert_memory_equal(sound.wav, bytes, length);
	assert_int_equal(sound.duration_ms, 1000);
	assert_int_equal(strlen(sound.sha256), 64);
}

static void cd_quality_stereo_float_is_mixed_and_resampled(void **state)
{
	(void)state;
	converts((struct make){3, 2, 44100, 32, {440, 1200}, 2, 0.5});
	assert_in_range(sound.duration_ms, 1995, 2005);
	is_near(level_of(440), 0.25, 0.01);
	is_near(level_of(1200), 0.25, 0.01);
	is_near(level_of(800), 0, 0.01);
	assert_memory_equal(sound.wav, "RIFF", 4);
	assert_memory_equal(sound.wav + 20, "\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\20\0data", 20);
}

/* 5 kHz would be heard as 3 kHz if samples were only left out. */
static void what_telephones_cannot_carry_is_left_out(void **state)
{
	(void)state;
	converts((struct make){1, 1, 48000, 24, {5000}, 1, 0.8});
	is_near(level_of(3000), 0, 0.005);
}

static void eight_bits_are_widened(void **state)
{
	(void)state;
	converts((struct make){1, 1, 8000, 8, {440}, 1, 0.5});
	is_near(level_of(440), 0.5, 0.02);
}

static void louder_than_loud_is_cut_not_wrapped(void **state)
{
	(void)state;
	converts((struct make){3, 1, 8000, 32, {100}, 1, 4});
	for (size_t i = 0; i < 8000; i++)
		if (fabs(sin(2 * M_PI * 100 * (double)i / 8000)) > 0.3)
			assert_true((sample(i) > 0) ==
				    (sin(2 * M_PI * 100 * (double)i / 8000) > 0));
	assert_int_equal(sample(20), INT16_MAX);
	assert_int_equal(sample(60), INT16_MIN);
}

static void numbers_that_are_none_become_silence(void **state)
{
	const float bad[] = {NAN, INFINITY, -INFINITY};

	(void)state;
	make_wav((struct make){3, 1, 8000, 32, {0}, 0.1, 0});
	memcpy(bytes + HEAD, bad, sizeof bad);
	assert_int_equal(convert(), ST_OK);
	assert_int_equal(sample(0), 0);
	assert_int_equal(sample(1), 0);
	assert_int_equal(sample(2), 0);
}

static void recording_that_was_cut_off_gives_what_there_is(void **state)
{
	(void)state;
	make_wav((struct make){1, 1, 8000, 16, {440}, 1, 0.5});
	length = HEAD + 8000;
	assert_int_equal(convert(), ST_OK);
	assert_int_equal(sound.duration_ms, 500);
}

/* ---- what is refused ---- */

static void empty_file_is_refused(void **state)
{
	(void)state;
	bytes = calloc(1, 1);
	length = 0;
	is_refused("sound.empty");
}

static void what_is_no_audio_is_refused(void **state)
{
	static const char *const texts[] = {"x", "not audio at all, but long enough",
					    "RIFF....AVI LIST", "ID3\3 an mp3 file", "#!/bin/sh\n"};

	(void)state;
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
		free(bytes);
		bytes = (unsigned char *)strdup(texts[i]);
		length = strlen(texts[i]);
		is_refused("sound.not_audio");
	}
}

/* Every shorter head, each in a block of its own size: a sanitizer sees a byte read too far. */
static void head_that_was_cut_off_is_refused(void **state)
{
	unsigned char *whole;

	(void)state;
	make_wav((struct make){1, 1, 8000, 16, {440}, 0.1, 0.5});
	whole = bytes;
	for (length = 1; length <= HEAD; length++) {
		bytes = malloc(length);
		memcpy(bytes, whole, length);
		assert_int_not_equal(convert(), ST_OK);
		assert_true(strcmp(err.code, "sound.not_audio") == 0 ||
			    strcmp(err.code, "sound.silent") == 0);
		free(bytes);
	}
	bytes = whole;
}

static void damaged_bytes_never_do_harm(void **state)
{
	unsigned seed = 1;

	(void)state;
	make_wav((struct make){1, 2, 11025, 16, {440, 300}, 0.05, 0.5});
	for (unsigned i = 0; i < 3000; i++) {
		size_t at = (seed = seed * 1103515245 + 12345) / 7 % HEAD;
		unsigned char was = bytes[at];
		bytes[at] = (unsigned char)(seed >> 16);
		if (convert() == ST_OK)
			assert_true(sound.length > HEAD &&
				    sound.duration_ms <= SOUND_LENGTH_MAX * 1000);
		free(sound.wav);
		sound.wav = NULL;
		bytes[at] = was;
	}
}

static void many_channels_are_refused(void **state)
{
	(void)state;
	make_wav((struct make){1, 6, 8000, 16, {440, 440}, 0.1, 0.5});
	is_refused("sound.channels");
}

static void odd_rates_are_refused(void **state)
{
	(void)state;
	make_wav((struct make){1, 1, 2000, 16, {100}, 0.1, 0.5});
	is_refused("sound.rate");
	free(bytes);
	make_wav((struct make){1, 1, 384000, 16, {100}, 0.1, 0.5});
	is_refused("sound.rate");
}

static void file_without_samples_is_refused(void **state)
{
	(void)state;
	make_wav((struct make){1, 1, 8000, 16, {0}, 0, 0});
	is_refused("sound.silent");
}

static void more_than_ten_minutes_are_refused(void **state)
{
	(void)state;
	make_wav((struct make){1, 1, 8000, 8, {0}, SOUND_LENGTH_MAX + 1, 0});
	is_refused("sound.too_long");
	free(bytes);
	make_wav((struct make){1, 1, 8000, 8, {0}, SOUND_LENGTH_MAX, 0});
	assert_int_equal(convert(), ST_OK);
	assert_int_equal(sound.duration_ms, SOUND_LENGTH_MAX * 1000);
}

static void more_bytes_than_are_taken_are_refused(void **state)
{
	(void)state;
	make_wav((struct make){1, 1, 8000, 16, {0}, SOUND_LENGTH_MAX, 0});
	bytes = realloc(bytes, SOUND_BODY_MAX + 1);
	length = SOUND_BODY_MAX + 1;
	is_refused("sound.too_large");
}

static void names_are_plain(void **state)
{
	static const char *const bad[] = {"",	 "a b",	   "a.wav", "../x", "/x",
					  "a/b", "http:x", "a\n",   "a%2f", "\xc3\xa4"};
	char longest[SOUND_NAME_SIZE + 1];

	(void)state;
	assert_true(sound_name_is_valid("Greeting_1-a"));
	memset(longest, 'a', sizeof longest);
	longest[SOUND_NAME_SIZE] = '\0';
	assert_false(sound_name_is_valid(longest));
	longest[SOUND_NAME_SIZE - 1] = '\0';
	assert_true(sound_name_is_valid(longest));
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(sound_name_is_valid(bad[i]));
}

/* Ten minutes in a quality for which 10 MB are enough. */
static void longest_sound_is_converted_soon(void **state)
{
	int64_t begun_us;

	(void)state;
	make_wav((struct make){1, 1, 16000, 8, {440}, SOUND_LENGTH_MAX, 0.5});
	begun_us = clock_mono_us(&clock_system);
	assert_int_equal(convert(), ST_OK);
	printf("# ten minutes of 16 kHz in %lld ms\n",
	       (long long)(clock_mono_us(&clock_system) - begun_us) / 1000);
}

#define test(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_telephones_carry_stays_as_it_is),
		test(cd_quality_stereo_float_is_mixed_and_resampled),
		test(what_telephones_cannot_carry_is_left_out),
		test(eight_bits_are_widened),
		test(louder_than_loud_is_cut_not_wrapped),
		test(numbers_that_are_none_become_silence),
		test(recording_that_was_cut_off_gives_what_there_is),
		test(empty_file_is_refused),
		test(what_is_no_audio_is_refused),
		test(head_that_was_cut_off_is_refused),
		test(damaged_bytes_never_do_harm),
		test(many_channels_are_refused),
		test(odd_rates_are_refused),
		test(file_without_samples_is_refused),
		test(more_than_ten_minutes_are_refused),
		test(more_bytes_than_are_taken_are_refused),
		test(names_are_plain),
		test(longest_sound_is_converted_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
