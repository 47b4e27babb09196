#pragma once
/* Results of db/db.h made by hand: rows of named and typed cells. As strict as the real ones: a
 * wrong column or type is a defect of the asker and ends the test. */
#include "db/db.h"

struct db_result *rows_new(void);
void rows_add(struct db_result *rows); /* a row; the cells below go into the last one */
void rows_text(struct db_result *rows, const char *name, const char *text); /* NULL is SQL NULL */
void rows_int(struct db_result *rows, const char *name, int64_t number);
void rows_null_int(struct db_result *rows, const char *name);
void rows_bool(struct db_result *rows, const char *name, bool value);
void rows_time(struct db_result *rows, const char *name, int64_t ms);	    /* 0 is SQL NULL */
void rows_uuid(struct db_result *rows, const char *name, const char *text); /* NULL is SQL NULL */
