#pragma once
/* National telephone numbers -> E.164, by the numbering plans of libphonenumber. That library comes
 * as a module of its own (base/numbering_module.cc), loaded when a region is set: a gateway that is
 * given international numbers only does without it and its memory. */
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

struct numbering;

/* region: the two letters of ISO 3166-1 whose rules national numbers follow, in either case.
 * Errors: ST_INVALID numbering.region, there are no rules of this name; ST_UNSUPPORTED
 * numbering.module, the module is not installed. */
enum status numbering_open(const char *region, struct numbering **ret, struct err *err) MUST_USE;
void numbering_close(struct numbering *); /* NULL is fine; for good: the module stays loaded */

/* text: digits, with a + in front when it is international. ret: + and 7 to 15 digits, for a number
 * that can exist by its length and its country (whether somebody has it, nobody knows); text and
 * ret may be the same. Errors: ST_INVALID number.invalid, and why; ret is then untouched. */
enum status numbering_normalise(const struct numbering *, const char *text, char *ret, size_t size,
				struct err *err) MUST_USE;
