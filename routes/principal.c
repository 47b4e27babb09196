#include "routes/principal.h"

#include <string.h>

static const char *const words[SCOPE_COUNT] = {
	"calls.read",  "calls.write",	  "agents.read", "config.read",
	"events.read", "webhooks.manage", "dial",	 "admin",
};

const char *scope_word(enum scope scope)
{
	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		if (scope == 1u << i)
			return words[i];
	return "";
}

static unsigned find_scope(const char *word, size_t length)
{
	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		if (strlen(words[i]) == length && strncmp(words[i], word, length) == 0)
			return 1u << i;
	return 0;
}

bool scopes_parse(const char *text, unsigned *ret, char ret_bad[WORD_SIZE])
{
	static const char separators[] = " ,\t\n";
	bool is_good = true;

	*ret = 0;
	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		size_t length = strcspn(text, separators);
		unsigned scope = find_scope(text, length);
		if (scope == 0 && is_good && ret_bad) {
			size_t shown = length < WORD_SIZE ? length : WORD_SIZE - 1;
			memcpy(ret_bad, text, shown);
			ret_bad[shown] = '\0';
		}
		is_good = is_good && scope != 0;
		*ret |= scope;
		text += length;
	}
	return is_good;
}
