#include "db/statements.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *name, const void *statement)
{
	return strcmp(name, ((const struct db_statement *)statement)->name);
}

int db_statement_find(const char *name)
{
	const struct db_statement *found =
		bsearch(name, db_statements, db_statement_count, sizeof(*db_statements), compare);

	return found ? (int)(found - db_statements) : -1;
}
