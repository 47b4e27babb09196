#include "journal_ram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

uint64_t ram_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* --- files --- */

struct ram *ram_make(void)
{
	struct ram *ram = xcalloc(1, sizeof(*ram));

	pthread_mutex_init(&ram->lock, NULL);
	ram->locked_fd = -1;
	return ram;
}

void ram_free(struct ram *ram)
{
	if (!ram)
		return;
	for (unsigned i = 0; i < ram->inode_count; i++)
		free(ram->inodes[i].bytes);
	free(ram->inodes);
	free(ram->names);
	free(ram->ops);
	free(ram->bytes);
	pthread_mutex_destroy(&ram->lock);
	free(ram);
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct ram_name *find_name(const struct ram *ram, const char *path)
{
	for (unsigned i = 0; i < ram->name_count; i++)
		if (!strcmp(ram->names[i].name, base_of(path)))
			return &ram->names[i];
	return NULL;
}

struct ram_inode *ram_find(struct ram *ram, const char *name)
{
	pthread_mutex_lock(&ram->lock);
	const struct ram_name *found = find_name(ram, name);
	struct ram_inode *inode = found ? &ram->inodes[found->inode] : NULL;
	pthread_mutex_unlock(&ram->lock);
	return inode;
}

static const char *name_of(const struct ram *ram, unsigned inode)
{
	for (unsigned i = 0; i < ram->name_count; i++)
		if (ram->names[i].inode == inode)
			return ram->names[i].name;
	return "";
}

static void add_name(struct ram *ram, const char *path, unsigned inode)
{
	struct ram_name *name = find_name(ram, path);

	if (!name) {
		ram->names = xrealloc(ram->names, (ram->name_count + 1) * sizeof(*ram->names));
		name = &ram->names[ram->name_count++];
		str_copy(name->name, sizeof(name->name), base_of(path));
	}
	name->inode = inode;
}

static bool remove_name(struct ram *ram, const char *path)
{
	struct ram_name *name = find_name(ram, path);

	if (!name)
		return false;
	*name = ram->names[--ram->name_count];
	return true;
}

static bool move_name(struct ram *ram, const char *from, const char *to)
{
	const struct ram_name *name = find_name(ram, from);

	if (!name)
		return false;
	unsigned inode = name->inode;
	remove_name(ram, from);
	add_name(ram, to, inode);
	return true;
}

static unsigned add_inode(struct ram *ram)
{
	ram->inodes = xrealloc(ram->inodes, (ram->inode_count + 1) * sizeof(*ram->inodes));
	ram->inodes[ram->inode_count] = (struct ram_inode){0};
	return ram->inode_count++;
}

static void set_size(struct ram_inode *inode, int64_t size)
{
	if (size > inode->capacity) {
		int64_t capacity = size > 2 * inode->capacity ? size : 2 * inode->capacity;
		inode->bytes = xrealloc(inode->bytes, (size_t)capacity);
		inode->capacity = capacity;
	}
	if (size > inode->size)
		memset(inode->bytes + inode->size, 0, (size_t)(size - inode->size));
	inode->size = size;
}

static void put_bytes(struct ram_inode *inode, const uint8_t *bytes, size_t size, int64_t at)
{
	if (size == 0)
		return;
	if (at + (int64_t)size > inode->size)
		set_size(inode, at + (int64_t)size);
	memcpy(inode->bytes + at, bytes, size);
}

/* --- record --- */

static void record(struct ram *ram, struct ram_op op, const void *bytes)
{
	if (!ram->is_recording)
		return;
	if (ram->op_count == ram->op_capacity) {
		ram->op_capacity = ram->op_capacity ? ram->op_capacity * 2 : 256;
		ram->ops = xrealloc(ram->ops, ram->op_capacity * sizeof(*ram->ops));
	}
	while (ram->byte_count + op.size > ram->byte_capacity) {
		ram->byte_capacity = ram->byte_capacity ? ram->byte_capacity * 2 : 65536;
		ram->bytes = xrealloc(ram->bytes, ram->byte_capacity);
	}
	if (op.size > 0)
		memcpy(ram->bytes + ram->byte_count, bytes, op.size);
	op.bytes = ram->byte_count;
	ram->byte_count += op.size;
	ram->ops[ram->op_count++] = op;
}

void ram_note(struct ram *ram, enum ram_kind kind, uint64_t number)
{
	pthread_mutex_lock(&ram->lock);
	record(ram, (struct ram_op){.kind = kind, .at = (int64_t)number}, NULL);
	pthread_mutex_unlock(&ram->lock);
}

unsigned ram_count(struct ram *ram, enum ram_kind kind)
{
	unsigned count = 0;

	pthread_mutex_lock(&ram->lock);
	for (unsigned i = 0; i < ram->op_count; i++)
		count += ram->ops[i].kind == kind;
	pthread_mutex_unlock(&ram->lock);
	return count;
}

/* --- the table --- */

/* false: errno. The lock is held when true. */
static bool enter(struct ram *ram, enum ram_kind kind, const char *path)
{
	int error = ram->hook ? ram->hook(ram->hook_user, kind, base_of(path)) : 0;

	if (error) {
		errno = error;
		return false;
	}
	pthread_mutex_lock(&ram->lock);
	return true;
}

static int leave(struct ram *ram, int result, int error)
{
	pthread_mutex_unlock(&ram->lock);
	if (result < 0)
		errno = error;
	return result;
}

/* The inode's name at the moment, for the hook. */
static void copy_name(struct ram *ram, int fd, char name[32])
{
	pthread_mutex_lock(&ram->lock);
	str_copy(name, 32, name_of(ram, ram->fds[fd] - 1));
	pthread_mutex_unlock(&ram->lock);
}

static int ram_mkdir(void *user, const char *folder)
{
	(void)user;
	(void)folder;
	errno = EEXIST;
	return -1;
}

static int ram_lock(void *user, int fd)
{
	struct ram *ram = user;

	pthread_mutex_lock(&ram->lock);
	if (ram->locked_fd >= 0)
		return leave(ram, -1, EWOULDBLOCK);
	ram->locked_fd = fd;
	return leave(ram, 0, 0);
}

static int ram_open(void *user, const char *path, int flags, unsigned mode)
{
	struct ram *ram = user;
	int fd = 0;

	(void)mode;
	if (!enter(ram, RAM_OPEN, path))
		return -1;
	const struct ram_name *name = find_name(ram, path);
	if (!name && !(flags & O_CREAT))
		return leave(ram, -1, ENOENT);
	while (fd < RAM_FDS && ram->fds[fd])
		fd++;
	if (fd == RAM_FDS)
		return leave(ram, -1, EMFILE);
	if (!name) {
		unsigned inode = add_inode(ram);
		struct ram_op op = {.kind = RAM_CREATE, .inode = inode};
		str_copy(op.to, sizeof(op.to), base_of(path));
		add_name(ram, path, inode);
		record(ram, op, NULL);
		name = find_name(ram, path);
	}
	ram->fds[fd] = name->inode + 1;
	return leave(ram, fd, 0);
}

static int ram_close(void *user, int fd)
{
	struct ram *ram = user;

	pthread_mutex_lock(&ram->lock);
	ram->fds[fd] = 0;
	if (ram->locked_fd == fd)
		ram->locked_fd = -1;
	return leave(ram, 0, 0);
}

/* Every third call is interrupted, every other one short. */
static int64_t chop(struct ram *ram, size_t size)
{
	if (!ram->is_choppy)
		return (int64_t)size;
	unsigned turn = ++ram->chops;
	if (turn % 3 == 0)
		return -1;
	return (int64_t)(turn % 2 && size > 1 ? size / 2 : size);
}

static int64_t ram_pread(void *user, int fd, void *bytes, size_t size, int64_t at)
{
	struct ram *ram = user;
	char name[32];

	if (ram->hook)
		copy_name(ram, fd, name);
	if (!enter(ram, RAM_READ, ram->hook ? name : ""))
		return -1;
	const struct ram_inode *inode = &ram->inodes[ram->fds[fd] - 1];
	int64_t count = inode->size - at;
	if (count > (int64_t)size)
		count = (int64_t)size;
	if (count > 0)
		count = chop(ram, (size_t)count);
	if (count > 0)
		memcpy(bytes, inode->bytes + at, (size_t)count);
	pthread_mutex_unlock(&ram->lock);
	if (count < 0 && at < inode->size) {
		errno = EINTR;
		return -1;
	}
	return count < 0 ? 0 : count;
}

static int64_t ram_pwrite(void *user, int fd, const void *bytes, size_t size, int64_t at)
{
	struct ram *ram = user;
	char name[32];

	copy_name(ram, fd, name);
	if (!enter(ram, RAM_WRITE, name))
		return -1;
	int64_t count = chop(ram, size);
	if (count < 0)
		return leave(ram, -1, EINTR);
	unsigned inode = ram->fds[fd] - 1;
	put_bytes(&ram->inodes[inode], bytes, (size_t)count, at);
	record(ram,
	       (struct ram_op){.kind = RAM_WRITE, .inode = inode, .at = at, .size = (size_t)count},
	       bytes);
	pthread_mutex_unlock(&ram->lock);
	return count;
}

static int ram_fdatasync(void *user, int fd)
{
	struct ram *ram = user;
	char name[32];

	copy_name(ram, fd, name);
	pthread_mutex_lock(&ram->lock);
	unsigned inode = ram->fds[fd] - 1;
	ram->synced_after_failure += ram->inodes[inode].has_failed;
	pthread_mutex_unlock(&ram->lock);
	if (!enter(ram, RAM_SYNC, name)) {
		int error = errno;
		pthread_mutex_lock(&ram->lock);
		ram->inodes[inode].has_failed = true;
		return leave(ram, -1, error);
	}
	record(ram, (struct ram_op){.kind = RAM_SYNC, .inode = inode}, NULL);
	return leave(ram, 0, 0);
}

static int resize(struct ram *ram, int fd, int64_t size, bool may_shrink)
{
	char name[32];

	copy_name(ram, fd, name);
	if (!enter(ram, RAM_SIZE, name))
		return -1;
	unsigned inode = ram->fds[fd] - 1;
	if (may_shrink || size > ram->inodes[inode].size)
		set_size(&ram->inodes[inode], size);
	record(ram,
	       (struct ram_op){.kind = RAM_SIZE, .inode = inode, .at = ram->inodes[inode].size},
	       NULL);
	return leave(ram, 0, 0);
}

static int ram_fallocate(void *user, int fd, int64_t size)
{
	return resize(user, fd, size, false);
}

static int ram_ftruncate(void *user, int fd, int64_t size)
{
	return resize(user, fd, size, true);
}

static int ram_rename(void *user, const char *from, const char *to)
{
	struct ram *ram = user;
	struct ram_op op = {.kind = RAM_RENAME};

	if (!enter(ram, RAM_RENAME, to))
		return -1;
	if (!move_name(ram, from, to))
		return leave(ram, -1, ENOENT);
	str_copy(op.from, sizeof(op.from), base_of(from));
	str_copy(op.to, sizeof(op.to), base_of(to));
	record(ram, op, NULL);
	return leave(ram, 0, 0);
}

static int ram_unlink(void *user, const char *path)
{
	struct ram *ram = user;
	struct ram_op op = {.kind = RAM_UNLINK};

	if (!enter(ram, RAM_UNLINK, path))
		return -1;
	if (!remove_name(ram, path))
		return leave(ram, -1, ENOENT);
	str_copy(op.from, sizeof(op.from), base_of(path));
	record(ram, op, NULL);
	return leave(ram, 0, 0);
}

static int ram_fsync_dir(void *user, const char *folder)
{
	struct ram *ram = user;

	if (!enter(ram, RAM_SYNC_DIR, folder))
		return -1;
	record(ram, (struct ram_op){.kind = RAM_SYNC_DIR}, NULL);
	return leave(ram, 0, 0);
}

static int ram_list(void *user, const char *folder, void (*each)(void *arg, const char *name),
		    void *arg)
{
	struct ram *ram = user;

	(void)folder;
	pthread_mutex_lock(&ram->lock);
	for (unsigned i = 0; i < ram->name_count; i++)
		each(arg, ram->names[i].name);
	return leave(ram, 0, 0);
}

static int64_t ram_size(void *user, int fd)
{
	struct ram *ram = user;

	pthread_mutex_lock(&ram->lock);
	int64_t size = ram->inodes[ram->fds[fd] - 1].size;
	pthread_mutex_unlock(&ram->lock);
	return size;
}

struct journal_io ram_io(struct ram *ram)
{
	return (struct journal_io){
		.mkdir = ram_mkdir,
		.lock = ram_lock,
		.open = ram_open,
		.close = ram_close,
		.pread = ram_pread,
		.pwrite = ram_pwrite,
		.fdatasync = ram_fdatasync,
		.fallocate = ram_fallocate,
		.ftruncate = ram_ftruncate,
		.rename = ram_rename,
		.unlink = ram_unlink,
		.fsync_dir = ram_fsync_dir,
		.list = ram_list,
		.size = ram_size,
		.user = ram,
	};
}

/* --- crashes --- */

static bool is_of_folder(enum ram_kind kind)
{
	return kind == RAM_CREATE || kind == RAM_RENAME || kind == RAM_UNLINK;
}

static void apply_to_folder(struct ram *ram, const struct ram_op *op)
{
	if (op->kind == RAM_CREATE)
		add_name(ram, op->to, op->inode);
	else if (op->kind == RAM_RENAME)
		move_name(ram, op->from, op->to);
	else
		remove_name(ram, op->from);
}

static void apply(struct ram *ram, const struct ram *record, const struct ram_op *op)
{
	while (ram->inode_count <= op->inode)
		add_inode(ram);
	if (op->kind == RAM_WRITE)
		put_bytes(&ram->inodes[op->inode], record->bytes + op->bytes, op->size, op->at);
	else if (op->kind == RAM_SIZE)
		set_size(&ram->inodes[op->inode], op->at);
	else
		apply_to_folder(ram, op);
}

struct ram *ram_copy(const struct ram *ram)
{
	struct ram *copy = ram_make();

	for (unsigned i = 0; i < ram->inode_count; i++) {
		const struct ram_inode *from = &ram->inodes[i];
		unsigned inode = add_inode(copy);
		if (from->size > 0 && name_of(ram, i)[0])
			put_bytes(&copy->inodes[inode], from->bytes, (size_t)from->size, 0);
	}
	for (unsigned i = 0; i < ram->name_count; i++)
		add_name(copy, ram->names[i].name, ram->names[i].inode);
	return copy;
}

void ram_replay_init(struct ram_replay *replay, const struct ram *record, const struct ram *start)
{
	*replay = (struct ram_replay){.record = record,
				      .stable = start ? ram_copy(start) : ram_make()};
	replay->loose = xcalloc(record->op_count + 1, sizeof(*replay->loose));
}

void ram_replay_done(struct ram_replay *replay)
{
	ram_free(replay->stable);
	free(replay->loose);
}

/* What this sync covers is stable now, in its order. */
static void settle(struct ram_replay *replay, const struct ram_op *sync)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < replay->loose_count; i++) {
		const struct ram_op *op = &replay->record->ops[replay->loose[i]];
		bool is_covered = sync->kind == RAM_SYNC_DIR
					  ? is_of_folder(op->kind)
					  : !is_of_folder(op->kind) && op->inode == sync->inode;
		if (is_covered)
			apply(replay->stable, replay->record, op);
		else
			replay->loose[kept++] = replay->loose[i];
	}
	replay->loose_count = kept;
}

bool ram_replay_step(struct ram_replay *replay)
{
	if (replay->next == replay->record->op_count)
		return false;
	const struct ram_op *op = &replay->record->ops[replay->next];
	if (op->kind == RAM_SYNC || op->kind == RAM_SYNC_DIR)
		settle(replay, op);
	else if (op->kind == RAM_ACKED)
		replay->acked = (uint64_t)op->at;
	else if (op->kind == RAM_RELEASE) /* a later one may ask for less, and changes nothing */
		replay->released =
			(uint64_t)op->at > replay->released ? (uint64_t)op->at : replay->released;
	else
		replay->loose[replay->loose_count++] = replay->next;
	replay->next++;
	return true;
}

static bool may_have_name(const struct ram_replay *replay, unsigned inode)
{
	if (name_of(replay->stable, inode)[0])
		return true;
	for (unsigned i = 0; i < replay->loose_count; i++) {
		const struct ram_op *op = &replay->record->ops[replay->loose[i]];
		if (op->kind == RAM_CREATE && op->inode == inode)
			return true;
	}
	return false;
}

static struct ram *copy_stable(const struct ram_replay *replay)
{
	const struct ram *stable = replay->stable;
	struct ram *ram = ram_make();

	/* Files that are gone stay empty. */
	for (unsigned i = 0; i < stable->inode_count; i++) {
		const struct ram_inode *from = &stable->inodes[i];
		unsigned inode = add_inode(ram);
		if (from->size > 0 && may_have_name(replay, i))
			put_bytes(&ram->inodes[inode], from->bytes, (size_t)from->size, 0);
	}
	for (unsigned i = 0; i < stable->name_count; i++)
		add_name(ram, stable->names[i].name, stable->names[i].inode);
	return ram;
}

enum keep { KEEP_NOTHING, KEEP_ALL, KEEP_PREFIX, KEEP_BLOCKS, KEEP_TORN, KEEP_LATER, KEEP_COUNT };

/* Blocks of 512 bytes reach the disk one by one, in any order. */
static void apply_blocks(struct ram *ram, const struct ram *record, const struct ram_op *op,
			 uint64_t *random, enum keep keep)
{
	uint64_t from = ram_random(random) % (op->size + 1);

	for (size_t done = 0, size; done < op->size; done += size) {
		struct ram_op part = *op;
		size = 512 - (size_t)(op->at + (int64_t)done) % 512;
		if (size > op->size - done)
			size = op->size - done;
		if (keep == KEEP_BLOCKS ? ram_random(random) % 2 : done < from)
			continue;
		part.at += (int64_t)done;
		part.bytes += done;
		part.size = size;
		apply(ram, record, &part);
	}
}

static void apply_loose(struct ram *ram, const struct ram_replay *replay, unsigned i,
			unsigned border, enum keep keep, uint64_t *random)
{
	struct ram_op op = replay->record->ops[replay->loose[i]];

	if (keep == KEEP_NOTHING || (keep == KEEP_PREFIX && i > border) ||
	    (keep == KEEP_LATER && i < border))
		return;
	if (op.kind == RAM_SIZE && ram_random(random) % 2)
		return;
	if (op.kind == RAM_WRITE && op.size > 0 &&
	    (keep == KEEP_BLOCKS || (keep == KEEP_LATER && i == border))) {
		apply_blocks(ram, replay->record, &op, random, keep);
		return;
	}
	if (op.kind == RAM_WRITE && ((keep == KEEP_PREFIX && i == border) ||
				     (keep == KEEP_TORN && i + 1 == replay->loose_count)))
		op.size = ram_random(random) % (op.size + 1);
	apply(ram, replay->record, &op);
}

struct ram *ram_replay_crash(const struct ram_replay *replay, uint64_t *random)
{
	struct ram *ram = copy_stable(replay);
	enum keep keep = ram_random(random) % KEEP_COUNT;
	unsigned border = replay->loose_count ? ram_random(random) % replay->loose_count : 0;
	unsigned folder = ram_random(random) % 4;

	for (unsigned i = 0; i < replay->loose_count; i++) {
		const struct ram_op *op = &replay->record->ops[replay->loose[i]];
		if (!is_of_folder(op->kind))
			apply_loose(ram, replay, i, border, keep, random);
		else if (folder == 1 || (folder == 2 && i <= border) ||
			 (folder == 3 && ram_random(random) % 2))
			apply(ram, replay->record, op);
	}
	return ram;
}
