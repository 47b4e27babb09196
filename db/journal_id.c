#include "db/journal_id.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define TEXT_LENGTH (UUID_TEXT_SIZE - 1)

static enum status failed(const char *path, const char *what, struct err *err)
{
	return err_set(err, ST_UNAVAILABLE, "journal.io", "journal_dir", "cannot %s %.120s: %s",
		       what, path, strerror(errno));
}

/* False: there is none, or not a whole one. */
static bool read_id(const struct journal_io *io, const char *path, struct uuid *ret)
{
	char text[UUID_TEXT_SIZE] = "";
	int fd = io->open(io->user, path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return false;
	int64_t got = io->pread(io->user, fd, text, TEXT_LENGTH, 0);
	io->close(io->user, fd);
	return got == TEXT_LENGTH && uuid_parse(text, ret);
}

static bool write_all(const struct journal_io *io, int fd, const char *text, size_t size)
{
	size_t done = 0;

	while (done < size) {
		int64_t n = io->pwrite(io->user, fd, text + done, size - done, (int64_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* There whole or not at all, whenever the power fails. */
static enum status write_id(const struct journal_io *io, const char *folder, const char *path,
			    const struct uuid *id, struct err *err)
{
	char text[UUID_TEXT_SIZE + 1], other[JOURNAL_PATH_SIZE + 8];

	uuid_format(id, text);
	text[TEXT_LENGTH] = '\n';
	str_format(other, sizeof(other), "%s.new", path);
	int fd = io->open(io->user, other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(other, "make", err);
	bool is_written =
		write_all(io, fd, text, TEXT_LENGTH + 1) && io->fdatasync(io->user, fd) == 0;
	if (!is_written)
		failed(other, "write", err);
	io->close(io->user, fd);
	if (!is_written)
		return ST_UNAVAILABLE;
	if (io->rename(io->user, other, path) != 0 || io->fsync_dir(io->user, folder) != 0)
		return failed(path, "make", err);
	return ST_OK;
}

bool journal_id_peek(const char *folder, const struct journal_io *io, struct uuid *ret)
{
	char path[JOURNAL_PATH_SIZE];

	return str_format(path, sizeof(path), "%s/id", folder) && read_id(io, path, ret);
}

enum status journal_id_get(const char *folder, const struct journal_io *io, bool is_new,
			   struct uuid *ret, struct err *err)
{
	char path[JOURNAL_PATH_SIZE];

	if (!str_format(path, sizeof(path), "%s/id", folder))
		return err_set(err, ST_INVALID, "journal.io", "journal_dir",
			       "the journal's folder has too long a name");
	if (!is_new && read_id(io, path, ret))
		return ST_OK;
	*ret = uuid_make(clock_wall_ms(&clock_system));
	return write_id(io, folder, path, ret, err);
}
