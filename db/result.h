#pragma once
/* The rows behind struct db_result. Private to db/. */
#include <libpq-fe.h>

#include "db/db.h"

/* Takes the result. */
struct db_result *result_wrap(PGresult *result);
