#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("calltab: out of memory\n", stderr);
		abort();
	}
	return p;
}

/* Size 0 asks for 1 byte: NULL would be a legal answer to 0 and must not look like a failure. */
void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return checked(count && size ? calloc(count, size) : calloc(1, 1));
}

void *xrealloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return checked(strdup(text));
}
