#pragma once
/* The sets of rows that others may read, in one table: name, aliases, statements, properties. A row
 * becomes JSON by the types and names of its columns, so a statement of db/sql is the only place
 * where a property is mapped to a column; the list here says what is promised, and a test holds the
 * two together. */
#include <stdbool.h>
#include <stddef.h>
#include "base/json_writer.h"
#include "db/db.h"

#define ENTITY_PROPERTIES 24

struct entity_property {
	const char *name;
	enum db_type type;
};

struct entity_related { /* rows of another set that belong to one row */
	const char *name;
	const char *statement; /* $1 tenant, $2 key, $3 top, $4 skip */
};

struct entity_set {
	const char *name;		  /* as links and documents spell it */
	const char *alias;		  /* of the published API, singular; NULL = none */
	const char *list;		  /* $1 tenant, $2 top, $3 skip: oldest first */
	const char *one;		  /* $1 tenant, $2 key */
	const char *count;		  /* $1 tenant */
	struct entity_related related[3]; /* ended by a name of NULL */
	struct entity_property
		properties[ENTITY_PROPERTIES]; /* the key first; ended by a name of NULL */
};
extern const struct entity_set entity_sets[]; /* ended by a name of NULL */

/* Exact, then without regard to case. */
const struct entity_set *entity_set_find(const char *name);
const struct entity_related *entity_related_find(const struct entity_set *set, const char *name);

/* One row as an object. */
void entity_row_write(struct json_writer *w, const struct db_result *rows, unsigned row);
