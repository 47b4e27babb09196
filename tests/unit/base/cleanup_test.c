#include "unit.h"

#include <errno.h>

#include "base/cleanup.h"

/* A size that no machine has must be an answer of NULL for the test, not the end of it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static volatile size_t too_much = SIZE_MAX / 4;

static void ask_malloc(void)
{
	free(xmalloc(too_much));
}

static void ask_calloc(void)
{
	free(xcalloc(too_much, 16));
}

static void ask_realloc(void)
{
	free(xrealloc(NULL, too_much));
}

static void out_of_memory_aborts_with_a_message(void **state)
{
	(void)state;
	assert_aborts(ask_malloc, "calltab: out of memory");
	assert_aborts(ask_calloc, "calltab: out of memory");
	assert_aborts(ask_realloc, "calltab: out of memory");
}

static void size_zero_is_no_failure(void **state)
{
	(void)state;
	char *a = xmalloc(0), *b = xcalloc(0, 8), *c = xrealloc(xmalloc(4), 0);

	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	free(a);
	free(b);
	free(c);
}

static void memory_from_xcalloc_is_zero_and_xrealloc_keeps_contents(void **state)
{
	(void)state;
	auto_free unsigned char *p = xcalloc(100, 3);

	for (int i = 0; i < 300; i++)
		assert_int_equal(p[i], 0);
	memset(p, 7, 300);
	p = xrealloc(p, 100000);
	for (int i = 0; i < 300; i++)
		assert_int_equal(p[i], 7);
}

static void xstrdup_copies(void **state)
{
	(void)state;
	const char *text = "text";
	auto_free char *copy = xstrdup(text);

	assert_ptr_not_equal(copy, text);
	assert_string_equal(copy, "text");
}

static void auto_close_closes_at_the_end_of_the_block(void **state)
{
	(void)state;
	int kept;

	{
		auto_close int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		auto_close int none = -1;
		assert_true(fd >= 0 && none < 0);
		kept = fd;
	}
	assert_int_equal(fcntl(kept, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_of_memory_aborts_with_a_message),
		cmocka_unit_test(size_zero_is_no_failure),
		cmocka_unit_test(memory_from_xcalloc_is_zero_and_xrealloc_keeps_contents),
		cmocka_unit_test(xstrdup_copies),
		cmocka_unit_test(auto_close_closes_at_the_end_of_the_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
