#pragma once
/* The name of a journal, in the file `id` of its folder: numbers begin at 1 in every new journal,
 * and how far one has been moved to PostgreSQL must not be taken for another. Private to db/. */
#include <stdbool.h>

#include "base/status.h"
#include "base/uuid.h"
#include "db/journal.h"

/* Only reads it; false when there is none. */
bool journal_id_peek(const char *folder, const struct journal_io *io, struct uuid *ret);
/* Reads it; makes a new one when there is none or is_new. */
enum status journal_id_get(const char *folder, const struct journal_io *io, bool is_new,
			   struct uuid *ret, struct err *err) MUST_USE;
