#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "routes/proxy.h"

static void the_nearest_address_that_is_no_trusted_proxy_is_the_client(void **state)
{
	static const char *const trusted[] = {"127.0.0.1", "10.0.0.1", NULL};
	static const struct {
		const char *peer, *forwarded, *client;
	} cases[] = {
		{"192.0.2.1", NULL, "192.0.2.1"},
		{"192.0.2.1", "203.0.113.9", "192.0.2.1"}, /* not from a proxy: not believed */
		{"127.0.0.1", NULL, "127.0.0.1"},
		{"127.0.0.1", "203.0.113.9", "203.0.113.9"},
		{"127.0.0.1", "1.2.3.4, 203.0.113.9",
		 "203.0.113.9"}, /* the client made the first up */
		{"127.0.0.1", "203.0.113.9 ,10.0.0.1", "203.0.113.9"},
		{"127.0.0.1", "10.0.0.1", "10.0.0.1"},
		{"127.0.0.1", "2001:db8::1", "2001:db8::1"},
		{"127.0.0.1", "unknown", "127.0.0.1"},
		{"127.0.0.1", "203.0.113.9,", "127.0.0.1"},
		{"127.0.0.1", "", "127.0.0.1"},
		{"127.0.0.1", ",,,", "127.0.0.1"},
		{"127.0.0.1", "203.0.113.9:1234", "127.0.0.1"},
	};
	char client[PEER_SIZE];

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		proxy_client_address(trusted, cases[i].peer, cases[i].forwarded, client);
		assert_string_equal(client, cases[i].client);
	}
}

static void without_trusted_proxies_the_peer_is_the_client(void **state)
{
	char client[PEER_SIZE];

	(void)state;
	proxy_client_address(NULL, "127.0.0.1", "203.0.113.9", client);
	assert_string_equal(client, "127.0.0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_address_that_is_no_trusted_proxy_is_the_client),
		cmocka_unit_test(without_trusted_proxies_the_peer_is_the_client),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
