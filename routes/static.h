#pragma once
/* The pages: every file of one folder, read at start into a list of paths. A request's path is
 * looked up in that list and never joined to anything, so there is nothing to escape from. Changed
 * files are seen at the next start. */
#include "routes/request.h"

struct pages;

/* Takes regular files below directory (NULL = none): no hidden ones, no symbolic links, and only
 * names that need no percent-encoding. ST_NOT_FOUND when the folder cannot be read, ST_TOO_LARGE
 * above 2,000 files or 64 MB. */
enum status pages_load(const char *directory, struct pages **ret, struct err *err) MUST_USE;
void pages_free(struct pages *pages);
unsigned pages_count(const struct pages *pages);

/* Is there a file, or a folder with an index.html, at this decoded path? "/" leads to the agent
 * page. */
bool pages_has(const struct pages *pages, const char *path);
/* Is this tag among those of an If-None-Match (NULL: there was none)? */
bool etag_is_known(const char *list, const char *etag);
/* The file, 304, or the redirect that a folder needs. */
void pages_answer(struct request *request);
