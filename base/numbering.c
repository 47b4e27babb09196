#include "base/numbering.h"

#include <ctype.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/numbering_module.h"
#include "base/numbering_places.h"
#include "base/str.h"

#define REGION_SIZE 3

struct numbering {
	char region[REGION_SIZE];
	const struct numbering_module *module;
};

/* Beside the program, as it was installed or built: places are relative to its folder. */
static void *load(void)
{
	static const char *const places[] = {NUMBERING_PLACES};
	char program[PATH_MAX], path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *end;
	void *library = NULL;

	program[length > 0 ? length : 0] = 0;
	end = strrchr(program, '/');
	if (!end)
		return NULL;
	*end = 0;
	for (unsigned i = 0; !library && i < sizeof(places) / sizeof(places[0]); i++)
		if (str_format(path, sizeof(path), "%s/%s", program, places[i]))
			library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return library;
}

static const struct numbering_module *module_of(void *library)
{
	return library ? dlsym(library, NUMBERING_MODULE_SYMBOL) : NULL;
}

enum status numbering_open(const char *region, struct numbering **ret, struct err *err)
{
	const struct numbering_module *module;
	struct numbering *numbering;

	if (strlen(region) != REGION_SIZE - 1)
		return err_set(err, ST_INVALID, "numbering.region", "number_region",
			       "a region is two letters of ISO 3166, as GB or DE");
	module = module_of(load());
	if (!module)
		return err_set(err, ST_UNSUPPORTED, "numbering.module", "number_region",
			       "the numbering plans cannot be loaded: install libphonenumber, and "
			       "calltab with its module calltab_numbering.so");
	numbering = xcalloc(1, sizeof(*numbering));
	numbering->module = module;
	for (int i = 0; i < REGION_SIZE - 1; i++)
		numbering->region[i] = (char)toupper((unsigned char)region[i]);
	if (!module->has_region(numbering->region)) {
		free(numbering);
		return err_set(err, ST_INVALID, "numbering.region", "number_region",
			       "there are no numbering rules of a region %s; it is two letters of "
			       "ISO 3166, as GB or DE",
			       region);
	}
	*ret = numbering;
	return ST_OK;
}

void numbering_close(struct numbering *numbering)
{
	free(numbering);
}

enum status numbering_normalise(const struct numbering *numbering, const char *text, char *ret,
				size_t size, struct err *err)
{
	static const char *const reasons[NUMBERING_ANSWER_COUNT] = {
		[NUMBERING_NO_NUMBER] = "no number is written like this",
		[NUMBERING_NO_COUNTRY] = "there is no such country code",
		[NUMBERING_TOO_SHORT] = "it has too few digits for its country",
		[NUMBERING_TOO_LONG] = "it has too many digits for its country",
		[NUMBERING_NO_LENGTH] = "no number of its country has so many digits",
		[NUMBERING_LOCAL] = "its area code is missing",
	};
	enum numbering_answer answer =
		numbering->module->normalise(numbering->region, text, ret, size);

	if (answer == NUMBERING_OK)
		return ST_OK;
	return err_set(err, ST_INVALID, "number.invalid", "number",
		       "this is no telephone number: %s", reasons[answer]);
}
