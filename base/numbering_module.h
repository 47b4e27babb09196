#pragma once
/* What base/numbering.c and its module base/numbering_module.cc know of each other: C names only.
 */
#include <stddef.h>

#define NUMBERING_MODULE_SYMBOL "calltab_numbering_module"

enum numbering_answer {
	NUMBERING_OK,
	NUMBERING_NO_NUMBER,
	NUMBERING_NO_COUNTRY, /* there is no such country code */
	NUMBERING_TOO_SHORT,
	NUMBERING_TOO_LONG,
	NUMBERING_NO_LENGTH, /* there are shorter and longer ones */
	NUMBERING_LOCAL,     /* without its area code */
	NUMBERING_ANSWER_COUNT
};

struct numbering_module {
	int (*has_region)(const char *region); /* upper case */
	enum numbering_answer (*normalise)(const char *region, const char *text, char *ret,
					   size_t size);
};
