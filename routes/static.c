#include "routes/static.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "routes/private.h"
#include "routes/secret.h"

#define FILES_MAX 2000
#define BYTES_MAX (64u << 20)
#define DEPTH_MAX 8
#define PATH_SIZE 512
#define HOME	  "/agent/" /* where "/" leads */
#define INDEX	  "index.html"

struct page {
	char *path; /* "/agent/index.html" */
	const char *type;
	char *bytes;
	size_t length;
	char etag[20];
};

struct pages {
	struct page *list; /* by path */
	unsigned count;
	size_t bytes;
};

static const char *type_of(const char *path)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		/* the longer ending first */
		{".d.ts", "application/typescript; charset=utf-8"},
		{".html", "text/html; charset=utf-8"},
		{".mjs", "text/javascript; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".json", "application/json"},
		{".map", "application/json"},
		{".webmanifest", "application/manifest+json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".ico", "image/x-icon"},
		{".woff2", "font/woff2"},
		{".wav", "audio/wav"},
		{".ogg", "audio/ogg"},
		{".txt", "text/plain; charset=utf-8"},
		{".md", "text/markdown; charset=utf-8"},
	};
	size_t length = strlen(path);

	for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
		size_t ending = strlen(types[i].ending);
		if (length > ending && strcmp(path + length - ending, types[i].ending) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}

/* ---- reading the folder ---- */

/* Names that stand in a URL as they are; hidden files are none of them. */
static bool is_servable(const char *name)
{
	return *name != '.' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-_.~")] == '\0';
}

static enum status read_bytes(int fd, size_t length, char *ret, struct err *err)
{
	for (size_t done = 0; done < length;) {
		ssize_t got = read(fd, ret + done, length - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_set(err, ST_INTERNAL, "pages.unreadable", "web_dir",
				       "a file of the pages changed while it was read");
		done += (size_t)got;
	}
	return ST_OK;
}

static void set_etag(struct page *page)
{
	char hash[SECRET_HASH_SIZE];

	secret_hash_bytes(page->bytes, page->length, hash);
	(void)str_format(page->etag, sizeof page->etag, "\"%.16s\"", hash);
}

/* The classic script is built into a folder of its own and served beside the modules. */
static const char *served_path(const char *path)
{
	return strcmp(path, "/dist/calltab.js") == 0 ? "/lib/calltab.js" : path;
}

static enum status add_file(struct pages *pages, int fd, const char *path, size_t length,
			    struct err *err)
{
	if (pages->count == FILES_MAX || pages->bytes + length > BYTES_MAX)
		return err_set(err, ST_TOO_LARGE, "pages.too_many", "web_dir",
			       "the folder of the pages has more than %d files or %u MB", FILES_MAX,
			       BYTES_MAX >> 20);
	struct page page = {.bytes = xmalloc(length + 1), .length = length};
	enum status status = read_bytes(fd, length, page.bytes, err);
	if (status != ST_OK) {
		free(page.bytes);
		return status;
	}
	page.path = xstrdup(served_path(path));
	page.type = type_of(path);
	set_etag(&page);
	pages->list = xrealloc(pages->list, (pages->count + 1) * sizeof page);
	pages->list[pages->count++] = page;
	pages->bytes += length;
	return ST_OK;
}

static enum status read_folder(struct pages *pages, int folder, const char *path, unsigned depth,
			       struct err *err);

static enum status read_entry(struct pages *pages, int folder, const char *path, const char *name,
			      unsigned depth, struct err *err)
{
	char child[PATH_SIZE];
	struct stat info;
	auto_close int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	/* A symbolic link is no part of the folder; what vanished meanwhile is not either. */
	if (fd < 0 || fstat(fd, &info) != 0)
		return ST_OK;
	if (!str_format(child, sizeof child, "%s/%s", path, name))
		return ST_OK;
	if (S_ISREG(info.st_mode))
		return add_file(pages, fd, child, (size_t)info.st_size, err);
	if (!S_ISDIR(info.st_mode) || depth == DEPTH_MAX)
		return ST_OK;
	return read_folder(pages, fd, child, depth + 1, err);
}

static enum status read_folder(struct pages *pages, int folder, const char *path, unsigned depth,
			       struct err *err)
{
	enum status status = ST_OK;
	DIR *entries = fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 0));
	const struct dirent *entry;

	if (!entries)
		return err_set(err, ST_INTERNAL, "pages.unreadable", "web_dir",
			       "a folder of the pages cannot be read");
	while (status == ST_OK && (entry = readdir(entries)))
		if (is_servable(entry->d_name))
			status = read_entry(pages, folder, path, entry->d_name, depth, err);
	closedir(entries);
	return status;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct page *)a)->path, ((const struct page *)b)->path);
}

enum status pages_load(const char *directory, struct pages **ret, struct err *err)
{
	struct pages *pages = xcalloc(1, sizeof *pages);
	auto_close int folder = -1;
	enum status status = ST_OK;

	if (directory) {
		folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		status = folder < 0 ? err_set(err, ST_NOT_FOUND, "pages.not_found", "web_dir",
					      "the folder of the pages cannot be opened: %s",
					      strerror(errno))
				    : read_folder(pages, folder, "", 0, err);
	}
	if (status != ST_OK) {
		pages_free(pages);
		return status;
	}
	if (pages->count > 0)
		qsort(pages->list, pages->count, sizeof *pages->list, by_path);
	*ret = pages;
	return ST_OK;
}

void pages_free(struct pages *pages)
{
	if (!pages)
		return;
	for (unsigned i = 0; i < pages->count; i++) {
		free(pages->list[i].path);
		free(pages->list[i].bytes);
	}
	free(pages->list);
	free(pages);
}

unsigned pages_count(const struct pages *pages)
{
	return pages->count;
}

/* ---- answering ---- */

static int is_at(const void *path, const void *page)
{
	return strcmp(path, ((const struct page *)page)->path);
}

static const struct page *find(const struct pages *pages, const char *path)
{
	if (pages->count == 0)
		return NULL;
	return bsearch(path, pages->list, pages->count, sizeof *pages->list, is_at);
}

/* The index of the folder at path, with or without its slash. */
static const struct page *find_index(const struct pages *pages, const char *path)
{
	char index[PATH_SIZE];
	const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";

	return str_format(index, sizeof index, "%s%s" INDEX, path, slash) ? find(pages, index)
									  : NULL;
}

static bool is_home(const struct pages *pages, const char *path)
{
	return strcmp(path, "/") == 0 && pages->count > 0;
}

bool pages_has(const struct pages *pages, const char *path)
{
	return *path && (is_home(pages, path) || find(pages, path) || find_index(pages, path));
}

/* If-None-Match: a list of tags, weak or strong, or a star. */
bool etag_is_known(const char *list, const char *etag)
{
	size_t length = strlen(etag);

	for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',') {
		at += strspn(at, " \t");
		if (*at == '*')
			return true;
		if (strncmp(at, "W/", 2) == 0)
			at += 2;
		if (strncmp(at, etag, length) == 0)
			return true;
	}
	return false;
}

static void answer_page(struct request *request, const struct page *page)
{
	struct answer answer = {.code = 200};

	answer_add(&answer, "ETag", "%s", page->etag);
	/* Asked for again each time, and nearly always answered with 304: a new version is seen at
	 * once. */
	answer_add(&answer, "Cache-Control", "no-cache");
	if (etag_is_known(request->wanted[WANT_IF_NONE_MATCH], page->etag)) {
		answer.code = 304;
	} else {
		answer.type = page->type;
		answer.body = page->bytes;
		answer.length = page->length;
		answer.is_borrowed = true;
	}
	request_answer(request, &answer);
}

/* path is in our list, so it needs no encoding and leads nowhere else. */
static void answer_redirect(struct request *request, const char *path, const char *slash)
{
	struct answer answer = {.code = 302};
	const char *query = request->query;

	answer_add(&answer, "Location", "%s%s%s%s", path, slash, *query ? "?" : "", query);
	request_answer(request, &answer);
}

void pages_answer(struct request *request)
{
	const struct pages *pages = request->routes->pages;
	const char *path = request->path;
	const struct page *page = find(pages, path);

	if (!page && is_home(pages, path)) {
		answer_redirect(request, HOME, "");
		return;
	}
	if (!page && path[strlen(path) - 1] != '/') {
		answer_redirect(request, path, "/");
		return;
	}
	answer_page(request, page ? page : find_index(pages, path));
}
