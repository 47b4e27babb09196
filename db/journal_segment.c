#include "db/journal_segment.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/fault.h"
#include "base/spare.h"
#include "base/str.h"

#define MAGIC	      "calltab\n"
#define COPY_AT	      2048
#define COPY_SIZE     512 /* what a header's checksum covers */
#define SUFFIX	      ".journal"
#define ZERO_STEP_MAX (1 << 20)
#define ZERO_STEP_MIN 4096
#define ZERO_STEPS    64 /* of a segment of the usual size or less */
#define HEX_DIGITS    16

/* --- numbers --- */

static void put16(uint8_t *at, uint16_t value)
{
	value = htole16(value);
	memcpy(at, &value, sizeof(value));
}

static void put32(uint8_t *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static void put64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

static uint16_t get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static uint32_t checksum(uint32_t seed, const uint8_t *bytes, size_t size)
{
	return (uint32_t)crc32_z(seed, bytes, size);
}

/* --- header --- */

/* Where the fields are. */
enum {
	H_MAGIC = 0,
	H_VERSION = 8,
	H_CHECKSUM = 12, /* of all COPY_SIZE bytes, itself as 0 */
	H_NUMBER = 16,
	H_FIRST = 24,
	H_SYNCED = 32,
	H_ACCEPTED = 40,
	H_SALT = 48,
	H_CREATED = 56,
	H_NODE = 64, /* SEGMENT_NODE_MAX and a zero */
};

void segment_header_put(uint8_t *bytes, const struct segment_header *header)
{
	memset(bytes, 0, SEGMENT_HEADER_SIZE);
	memcpy(bytes + H_MAGIC, MAGIC, sizeof(MAGIC) - 1);
	put32(bytes + H_VERSION, SEGMENT_VERSION);
	put64(bytes + H_NUMBER, header->number);
	put64(bytes + H_FIRST, header->first);
	put64(bytes + H_SYNCED, header->synced);
	put64(bytes + H_ACCEPTED, header->accepted);
	put64(bytes + H_SALT, header->salt);
	put64(bytes + H_CREATED, (uint64_t)header->created_us);
	memcpy(bytes + H_NODE, header->node, strnlen(header->node, SEGMENT_NODE_MAX));
	put32(bytes + H_CHECKSUM, checksum(0, bytes, COPY_SIZE));
	memcpy(bytes + COPY_AT, bytes, COPY_SIZE);
}

static enum header_verdict get_copy(const uint8_t *bytes, struct segment_header *ret)
{
	uint8_t copy[COPY_SIZE];

	memcpy(copy, bytes, COPY_SIZE);
	put32(copy + H_CHECKSUM, 0);
	if (memcmp(bytes + H_MAGIC, MAGIC, sizeof(MAGIC) - 1) != 0 ||
	    get32(bytes + H_CHECKSUM) != checksum(0, copy, COPY_SIZE))
		return HEADER_BAD;
	if (get32(bytes + H_VERSION) < 1 || get32(bytes + H_VERSION) > SEGMENT_VERSION)
		return HEADER_NEWER;
	*ret = (struct segment_header){
		.number = get64(bytes + H_NUMBER),
		.first = get64(bytes + H_FIRST),
		.synced = get64(bytes + H_SYNCED),
		.accepted = get64(bytes + H_ACCEPTED),
		.salt = get64(bytes + H_SALT),
		.created_us = (int64_t)get64(bytes + H_CREATED),
	};
	memcpy(ret->node, bytes + H_NODE, SEGMENT_NODE_MAX);
	return ret->first > 0 && ret->synced >= ret->first - 1 ? HEADER_GOOD : HEADER_BAD;
}

enum header_verdict segment_header_get(const uint8_t *bytes, struct segment_header *ret)
{
	enum header_verdict verdict = get_copy(bytes, ret);

	return verdict == HEADER_BAD ? get_copy(bytes + COPY_AT, ret) : verdict;
}

uint32_t segment_seed(const struct segment_header *header)
{
	uint8_t bytes[16];

	put64(bytes, header->salt);
	put64(bytes + 8, header->number);
	return checksum(0, bytes, sizeof(bytes));
}

/* --- entries --- */

enum {
	E_SIZE = 0,
	E_CHECKSUM = 4, /* of all that follows, then of the size */
	E_NUMBER = 8,
	E_SYNCED = 16,
	E_TYPE = 24,
	E_FLAGS = 26,
	E_ZERO = 28,
};

#define FLAG_GOES_ON 1

size_t entry_bytes(uint32_t payload_size)
{
	return (ENTRY_HEADER_SIZE + (size_t)payload_size + 7) & ~(size_t)7;
}

static uint32_t entry_checksum(const uint8_t *bytes, uint32_t size, uint32_t seed)
{
	uint32_t sum = checksum(seed, bytes + E_NUMBER, entry_bytes(size) - E_NUMBER);

	return checksum(sum, bytes + E_SIZE, 4);
}

void entry_put(uint8_t *bytes, const struct entry_header *entry)
{
	memset(bytes, 0, ENTRY_HEADER_SIZE);
	put32(bytes + E_SIZE, entry->size);
	put64(bytes + E_NUMBER, entry->number);
	put64(bytes + E_SYNCED, entry->synced);
	put16(bytes + E_TYPE, entry->type);
	put16(bytes + E_FLAGS, entry->goes_on ? FLAG_GOES_ON : 0);
}

void entry_sign(uint8_t *bytes, const struct entry_header *entry, uint32_t seed)
{
	entry_put(bytes, entry);
	put32(bytes + E_CHECKSUM, entry_checksum(bytes, entry->size, seed));
}

bool entry_get(const uint8_t *bytes, struct entry_header *ret)
{
	*ret = (struct entry_header){
		.number = get64(bytes + E_NUMBER),
		.synced = get64(bytes + E_SYNCED),
		.size = get32(bytes + E_SIZE),
		.type = get16(bytes + E_TYPE),
		.goes_on = get16(bytes + E_FLAGS) & FLAG_GOES_ON,
	};
	return ret->number > 0 && ret->number < UINT64_MAX && ret->synced < ret->number &&
	       ret->size <= JOURNAL_PAYLOAD_MAX && ret->type != 0 &&
	       get16(bytes + E_FLAGS) <= FLAG_GOES_ON && get32(bytes + E_ZERO) == 0;
}

bool entry_is_good(const uint8_t *bytes, const struct entry_header *entry, uint32_t seed)
{
	return get32(bytes + E_CHECKSUM) == entry_checksum(bytes, entry->size, seed);
}

/* --- files --- */

bool segment_path(char path[JOURNAL_PATH_SIZE], const char *folder, uint64_t number)
{
	return str_format(path, JOURNAL_PATH_SIZE, "%s/%016" PRIx64 SUFFIX, folder, number);
}

bool segment_name_parse(const char *name, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (strlen(name) != HEX_DIGITS + sizeof(SUFFIX) - 1 ||
	    strcmp(name + HEX_DIGITS, SUFFIX) != 0)
		return false;
	for (int i = 0; i < HEX_DIGITS; i++) {
		const char *digit = strchr("0123456789abcdef", name[i]);
		if (!digit)
			return false;
		number = number << 4 | (uint64_t)(digit - "0123456789abcdef");
	}
	*ret_number = number;
	return number > 0;
}

bool segment_write(const struct journal_io *io, int fd, const void *bytes, size_t size, int64_t at)
{
	const uint8_t *from = bytes;

	while (size > 0) {
		int64_t count = io->pwrite(io->user, fd, from, size, at);
		if (count < 0 && errno == EINTR)
			continue;
		if (count == 0)
			errno = EIO;
		if (count <= 0)
			return false;
		from += count;
		size -= (size_t)count;
		at += count;
	}
	return true;
}

int64_t segment_read(const struct journal_io *io, int fd, void *bytes, size_t size, int64_t at)
{
	size_t done = 0;

	while (done < size) {
		int64_t count = io->pread(io->user, fd, (uint8_t *)bytes + done, size - done,
					  at + (int64_t)done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		if (count == 0)
			break;
		done += (size_t)count;
	}
	return (int64_t)done;
}

int segment_open(const struct journal_io *io, const char *path, int flags)
{
	int fd;

	do
		fd = io->open(io->user, path, flags | O_CLOEXEC, 0600);
	while (fd < 0 && (errno == EINTR || (spare_may_help(errno) && spare_release())));
	return fd;
}

int64_t segment_zero(const struct journal_io *io, int fd, int64_t at, int64_t size)
{
	static const uint8_t zeros[ZERO_STEP_MAX];
	int64_t step = size / ZERO_STEPS;

	if (step < ZERO_STEP_MIN)
		step = ZERO_STEP_MIN;
	if (step > ZERO_STEP_MAX)
		step = ZERO_STEP_MAX;
	if (step > size - at)
		step = size - at;
	if (!segment_write(io, fd, zeros, (size_t)step, at) || io->fdatasync(io->user, fd) != 0)
		return -1;
	return at + step;
}

/* --- spare --- */

static void spare_path(const struct segment_spare *spare, char path[JOURNAL_PATH_SIZE])
{
	if (!str_format(path, JOURNAL_PATH_SIZE, "%s/spare" SUFFIX, spare->folder))
		assert(!"the folder's name was looked at when the journal was opened");
}

void spare_drop(struct segment_spare *spare)
{
	if (spare->fd >= 0)
		spare->io->close(spare->io->user, spare->fd);
	spare->fd = -1;
}

/* What went wrong stays the answer. Without its name, so that the space is there for others. */
static void spare_fail(struct segment_spare *spare)
{
	char path[JOURNAL_PATH_SIZE];
	int why = errno;

	spare_drop(spare);
	spare_path(spare, path);
	spare->io->unlink(spare->io->user, path);
	errno = why;
}

/* One that an earlier run left is used again: its space is taken already, so there is a next
 * segment even on a full disk. What is in it is zeroed. */
static bool spare_begin(struct segment_spare *spare, int64_t size)
{
	const struct journal_io *io = spare->io;
	char path[JOURNAL_PATH_SIZE];

	spare_path(spare, path);
	spare->fd = segment_open(io, path, O_RDWR | O_CREAT);
	if (spare->fd < 0)
		return false;
	spare->zeroed = 0;
	spare->size = size;
	if (io->size(io->user, spare->fd) > size && io->ftruncate(io->user, spare->fd, size) != 0)
		return false;
	/* Where the file system cannot, the zeros take the space. */
	return io->fallocate(io->user, spare->fd, size) == 0 || errno == EOPNOTSUPP ||
	       errno == ENOSYS;
}

bool spare_step(struct segment_spare *spare, int64_t size)
{
	if (spare->fd >= 0 && spare->size != size)
		spare_drop(spare);
	if (spare->fd < 0 && !spare_begin(spare, size)) {
		spare_fail(spare);
		return false;
	}
	FAILPOINT("segment.spare");
	int64_t zeroed = segment_zero(spare->io, spare->fd, spare->zeroed, spare->size);
	if (zeroed < 0) {
		spare_fail(spare);
		return false;
	}
	spare->zeroed = zeroed;
	return true;
}

bool spare_is_ready(const struct segment_spare *spare, int64_t size)
{
	return spare->fd >= 0 && spare->size == size && spare->zeroed == size;
}

bool spare_reach(struct segment_spare *spare, int64_t size, int64_t zeroed)
{
	while (spare->fd < 0 || spare->size != size || spare->zeroed < zeroed)
		if (!spare_step(spare, size))
			return false;
	return true;
}

int spare_become(struct segment_spare *spare, const struct segment_header *header,
		 const void *group, size_t size)
{
	uint8_t bytes[SEGMENT_HEADER_SIZE];
	const struct journal_io *io = spare->io;
	char from[JOURNAL_PATH_SIZE], path[JOURNAL_PATH_SIZE];

	spare_path(spare, from);
	segment_header_put(bytes, header);
	FAILPOINT("segment.fill");
	if (!segment_path(path, spare->folder, header->number) ||
	    !segment_write(io, spare->fd, bytes, sizeof(bytes), 0) ||
	    !segment_write(io, spare->fd, group, size, sizeof(bytes)) ||
	    io->fdatasync(io->user, spare->fd) != 0 || FAILPOINT("segment.filled") ||
	    io->rename(io->user, from, path) != 0) {
		spare_fail(spare);
		return -1;
	}
	FAILPOINT("segment.named");
	if (io->fsync_dir(io->user, spare->folder) != 0) {
		int why = errno;
		spare_drop(spare);
		io->unlink(io->user, path);
		errno = why;
		return -1;
	}
	int fd = spare->fd;
	spare->fd = -1;
	return fd;
}
