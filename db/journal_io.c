#include "db/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/spare.h"

static int io_fsync_dir(void *user, const char *folder)
{
	(void)user;
	int fd;

	do
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd < 0 && spare_may_help(errno) && spare_release());
	if (fd < 0)
		return -1;
	int result = fsync(fd);
	int error = errno;
	close(fd);
	errno = error;
	return result;
}

static int io_mkdir(void *user, const char *folder)
{
	auto_free char *copy = xstrdup(folder);

	if (mkdir(folder, 0700) != 0)
		return -1;
	return io_fsync_dir(user, dirname(copy));
}

static int io_lock(void *user, int fd)
{
	(void)user;
	return flock(fd, LOCK_EX | LOCK_NB);
}

static int io_open(void *user, const char *path, int flags, unsigned mode)
{
	(void)user;
	if (flags & O_CREAT && DISK_FAULT(DISK_TAKES_SPACE))
		return -1;
	return open(path, flags, (mode_t)mode);
}

static int io_close(void *user, int fd)
{
	(void)user;
	return close(fd);
}

static int64_t io_pread(void *user, int fd, void *bytes, size_t size, int64_t at)
{
	(void)user;
	return pread(fd, bytes, size, at);
}

static int64_t io_pwrite(void *user, int fd, const void *bytes, size_t size, int64_t at)
{
	(void)user;
	if (DISK_FAULT(DISK_TAKES_SPACE))
		return -1;
	return pwrite(fd, bytes, size, at);
}

static int io_fdatasync(void *user, int fd)
{
	(void)user;
	if (DISK_FAULT(DISK_SYNCS))
		return -1;
	return fdatasync(fd);
}

static int io_fallocate(void *user, int fd, int64_t size)
{
	(void)user;
	if (DISK_FAULT(DISK_TAKES_SPACE))
		return -1;
	return fallocate(fd, 0, 0, size);
}

static int io_ftruncate(void *user, int fd, int64_t size)
{
	(void)user;
	return ftruncate(fd, size);
}

static int io_rename(void *user, const char *from, const char *to)
{
	(void)user;
	return rename(from, to);
}

static int io_unlink(void *user, const char *path)
{
	(void)user;
	return unlink(path);
}

static int io_list(void *user, const char *folder, void (*each)(void *arg, const char *name),
		   void *arg)
{
	(void)user;
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (!dir)
		return -1;
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		each(arg, entry->d_name);
	int error = errno;
	closedir(dir);
	errno = error;
	return error ? -1 : 0;
}

static int64_t io_size(void *user, int fd)
{
	(void)user;
	struct stat stat;

	return fstat(fd, &stat) == 0 ? stat.st_size : -1;
}

const struct journal_io journal_io_system = {
	.mkdir = io_mkdir,
	.lock = io_lock,
	.open = io_open,
	.close = io_close,
	.pread = io_pread,
	.pwrite = io_pwrite,
	.fdatasync = io_fdatasync,
	.fallocate = io_fallocate,
	.ftruncate = io_ftruncate,
	.rename = io_rename,
	.unlink = io_unlink,
	.fsync_dir = io_fsync_dir,
	.list = io_list,
	.size = io_size,
};
