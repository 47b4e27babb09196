/* calltab sound: what may be played into a call. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_writer.h"
#include "db/db.h"
#include "routes/sound_file.h"
#include "server/app.h"
#include "server/cli.h"

static enum status read_file(const char *path, char **ret, size_t *ret_length, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *bytes = file ? xmalloc(SOUND_BODY_MAX + 1) : NULL;
	size_t length = file ? fread(bytes, 1, SOUND_BODY_MAX + 1, file) : 0;

	if (file && !ferror(file)) {
		fclose(file);
		*ret = bytes;
		*ret_length = length;
		return ST_OK;
	}
	err_set(err, ST_INVALID, "sound.file", "file", "cannot read %.150s: %s", path,
		strerror(errno));
	if (file)
		fclose(file);
	free(bytes);
	return ST_INVALID;
}

static enum status store(struct db_conn *conn, const char *name, const struct sound_file *sound,
			 struct err *err)
{
	struct uuid tenant = app_tenant();
	struct db_param params[] = {db_uuid(&tenant),
				    db_text(name),
				    db_bytes(sound->wav, sound->length),
				    db_int(sound->duration_ms),
				    db_text(sound->sha256),
				    db_int(SOUNDS_MAX)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "sound_put", params, 6, &rows, err);

	if (status == ST_OK && db_rows(rows) == 0)
		return err_set(err, ST_CONFLICT, "sound.limit", "name",
			       "there are %d sounds already: remove one first", SOUNDS_MAX);
	return status;
}

static void print_added(const struct cli *cli, const char *name, const struct sound_file *sound)
{
	struct json_writer w = {0};

	if (!cli->is_json) {
		printf("sound %s added: %u.%03u s. A running gateway learns of it by SIGHUP.\n",
		       name, sound->duration_ms / 1000, sound->duration_ms % 1000);
		return;
	}
	jw_object(&w);
	jw_kv_text(&w, "name", name);
	jw_kv_int(&w, "durationMs", sound->duration_ms);
	jw_kv_int(&w, "bytes", (int64_t)sound->length);
	jw_kv_text(&w, "sha256", sound->sha256);
	jw_object_end(&w);
	printf("%.*s\n", (int)w.length, jw_start(&w));
	jw_done(&w);
}

static enum status sound_add(struct cli *cli, struct db_conn *conn, const char *name,
			     const char *path, struct err *err)
{
	auto_free char *bytes = NULL;
	struct sound_file sound = {0};
	size_t length = 0;
	enum status status = read_file(path, &bytes, &length, err);

	if (status == ST_OK)
		status = sound_convert(bytes, length, &sound, err);
	if (status == ST_OK)
		status = store(conn, name, &sound, err);
	if (status == ST_OK)
		print_added(cli, name, &sound);
	free(sound.wav);
	return status;
}

static enum status sound_remove(struct db_conn *conn, const char *name, struct err *err)
{
	struct uuid tenant = app_tenant();
	struct db_param params[] = {db_uuid(&tenant), db_text(name)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "sound_delete", params, 2, &rows, err);

	if (status == ST_OK && db_rows(rows) == 0)
		return err_set(err, ST_NOT_FOUND, "sound.not_found", "name",
			       "there is no sound %s; `calltab sound list` shows them", name);
	return status;
}

static enum status do_sound(struct cli *cli, struct db_conn *conn, struct err *err)
{
	const char *name = cli->word_count > 1 ? cli->words[1] : "";

	if (!strcmp(cli->words[0], "list"))
		return cli_list(cli, conn, "sound_list", 0, err);
	if (!sound_name_is_valid(name))
		return err_set(err, ST_INVALID, "sound.invalid", "name",
			       "a sound's name is 1 to 64 of A-Z a-z 0-9 _ -");
	if (!strcmp(cli->words[0], "add"))
		return sound_add(cli, conn, name, cli->words[2], err);
	return sound_remove(conn, name, err);
}

static int run_sound(struct cli *cli)
{
	static const struct {
		const char *verb;
		unsigned words;
	} verbs[] = {{"list", 1}, {"add", 3}, {"remove", 2}};

	for (unsigned i = 0; cli->word_count && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(cli->words[0], verbs[i].verb) && cli->word_count == verbs[i].words)
			return cli_with_database(cli, do_sound);
	return cli_usage(&command_sound, "say list, add with a name and a file, or remove with a "
					 "name");
}

const struct cli_command command_sound = {
	.name = "sound",
	.summary = "add, list and remove the sounds that may be played into calls",
	.help = "Usage: calltab sound add NAME FILE     replaces a sound of this name\n"
		"       calltab sound list [--json]\n"
		"       calltab sound remove NAME\n\n"
		"A name has 1 to 64 of A-Z a-z 0-9 _ -. A file is WAV, AIFF, FLAC or Ogg, of one "
		"or\n"
		"two channels, at most 10 minutes and 10 MB; it is converted to what telephones\n"
		"carry (8 kHz, mono, 16 bit).\n\n"
		"Example: calltab sound add greeting greeting.wav\n",
	.run = run_sound,
};
