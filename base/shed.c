#include "base/shed.h"

#include "base/str.h"
#include "base/uuid.h"

#define RETRY_LEAST_MS	 1000
#define RETRY_LONGEST_MS 5000

const char *overload_word(enum overload_level level)
{
	static const char *const words[] = {"none", "polls", "writes", "dials", "tabs", "resumes"};

	return words[level];
}

enum overload_level shed_level(const struct shed *shed)
{
	return shed ? (enum overload_level)atomic_load(&shed->level) : OVERLOAD_NONE;
}

void shed_set_level(struct shed *shed, enum overload_level level)
{
	atomic_store(&shed->level, (unsigned)level);
}

bool shed_refuses(struct shed *shed, enum overload_level work)
{
	if (work == OVERLOAD_NONE || shed_level(shed) < work)
		return false;
	atomic_fetch_add_explicit(&shed->refused[work], 1, memory_order_relaxed);
	return true;
}

enum status shed_error(enum overload_level work, struct err *err)
{
	char code[sizeof(((struct err *)NULL)->code)];

	str_format(code, sizeof(code), "overload.%s", overload_word(work));
	return err_set(err, ST_UNAVAILABLE, code, "",
		       "the gateway has more to do than it can: nothing was done, try again in a "
		       "moment");
}

unsigned shed_retry_ms(void)
{
	uint32_t chance;

	random_bytes(&chance, sizeof(chance));
	return RETRY_LEAST_MS + chance % (RETRY_LONGEST_MS - RETRY_LEAST_MS + 1);
}

unsigned shed_retry_s(void)
{
	return (shed_retry_ms() + 999) / 1000;
}
