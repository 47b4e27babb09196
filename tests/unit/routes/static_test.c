#include "fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "routes/static.h"

#define OUTSIDE "outside, never to be read"

struct site {
	char folder[64], secret[64];
	struct pages *pages;
	struct world *world;
};

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void make_folder(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void make_link(const char *folder, const char *name, const char *target)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(symlink(target, path), 0);
}

static void fill(struct site *site)
{
	const char *folder = site->folder;

	make_folder(folder, "agent");
	make_folder(folder, "lib");
	make_folder(folder, ".git");
	write_file(folder, "agent/index.html", "<p>agent");
	write_file(folder, "agent/page.mjs", "export {}");
	write_file(folder, "agent/page.css", "p {}");
	write_file(folder, "lib/calltab.js", "'use strict'");
	write_file(folder, "lib/dynamics-telephony.d.ts", "export {}");
	write_file(folder, "lib/empty.txt", "");
	write_file(folder, ".git/config", "[core]");
	write_file(folder, "agent/.env", "SECRET=1");
	write_file(folder, "agent/with space.html", "x");
	write_file(site->secret, "passwd", OUTSIDE);
	make_link(folder, "agent/passwd", site->secret);
	make_link(folder, "up", "..");
}

static int setup_site(void **state)
{
	struct site *site = xcalloc(1, sizeof *site);
	struct err err = {0};

	str_copy(site->folder, sizeof site->folder, "/tmp/calltab-pages-XXXXXX");
	str_copy(site->secret, sizeof site->secret, "/tmp/calltab-outside-XXXXXX");
	assert_non_null(mkdtemp(site->folder));
	assert_non_null(mkdtemp(site->secret));
	fill(site);
	site->world = world_make(STORE_AT_ONCE, NULL);
	pages_free(site->world->routes->pages);
	assert_int_equal(pages_load(site->folder, &site->world->routes->pages, &err), ST_OK);
	*state = site;
	return 0;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw)
{
	(void)info;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int teardown_site(void **state)
{
	struct site *site = *state;

	world_free(site->world);
	nftw(site->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	nftw(site->secret, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(site);
	return 0;
}

static const struct answer *get(struct site *site, const char *target)
{
	return loopback_send(&site->world->lo, "GET", target, NULL);
}

static void files_have_their_types(void **state)
{
	static const struct {
		const char *target, *type, *body;
	} cases[] = {
		{"/agent/", "text/html; charset=utf-8", "<p>agent"},
		{"/agent/index.html", "text/html; charset=utf-8", "<p>agent"},
		{"/agent/page.mjs", "text/javascript; charset=utf-8", "export {}"},
		{"/lib/calltab.js", "text/javascript; charset=utf-8", "'use strict'"},
		{"/agent/page.css", "text/css; charset=utf-8", "p {}"},
		{"/lib/dynamics-telephony.d.ts", "application/typescript; charset=utf-8",
		 "export {}"},
		{"/lib/empty.txt", "text/plain; charset=utf-8", ""},
		{"/agent/page.mjs?v=1", "text/javascript; charset=utf-8", "export {}"},
		{"/agent/p%61ge.mjs", "text/javascript; charset=utf-8", "export {}"},
	};
	struct site *site = *state;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct answer *answer = get(site, cases[i].target);
		assert_int_equal(answer->code, 200);
		assert_string_equal(answer->type, cases[i].type);
		assert_string_equal(site->world->lo.body, cases[i].body);
		assert_string_equal(answer_field(answer, "Cache-Control"), "no-cache");
	}
	assert_int_equal(pages_count(site->world->routes->pages), 6);
}

static void folders_lead_to_their_index(void **state)
{
	struct site *site = *state;

	assert_int_equal(get(site, "/")->code, 302);
	assert_string_equal(answer_field(loopback_answer(&site->world->lo), "Location"), "/agent/");
	assert_int_equal(get(site, "/agent?tab=2")->code, 302);
	assert_string_equal(answer_field(loopback_answer(&site->world->lo), "Location"),
			    "/agent/?tab=2");
	assert_int_equal(get(site, "/lib/")->code, 404);
	assert_int_equal(get(site, "/lib")->code, 404);
}

static void nothing_outside_the_list_can_be_named(void **state)
{
	static const char *const targets[] = {
		"/agent/../lib/calltab.js",
		"/../etc/passwd",
		"/agent/passwd",
		"/agent/passwd/passwd",
		"/up/etc/passwd",
		"/.git/config",
		"/agent/.env",
		"/agent/with%20space.html",
		"/agent/%2e%2e/lib/calltab.js",
		"//agent/",
		"/agent//index.html",
		"/agent/index.html/",
		"/agent/./index.html",
		"/AGENT/",
		"/agent/index.htm",
		"/agent/page.mjs%20",
	};
	struct site *site = *state;

	for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
		if (get(site, targets[i])->code != 404)
			fail_msg("served: %s", targets[i]);
		assert_null(strstr(site->world->lo.body, OUTSIDE));
	}
}

static void a_known_file_is_not_sent_again(void **state)
{
	struct site *site = *state;
	char etag[32], list[80];

	strcpy(etag, answer_field(get(site, "/agent/page.css"), "ETag"));
	snprintf(list, sizeof list, "\"other\", W/%s", etag);
	const char *const known[] = {etag, "*", list};
	for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
		loopback_header(&site->world->lo, "If-None-Match", known[i]);
		const struct answer *answer = get(site, "/agent/page.css");
		assert_int_equal(answer->code, 304);
		assert_int_equal(answer->length, 0);
		assert_string_equal(answer_field(answer, "ETag"), etag);
	}
	loopback_header(&site->world->lo, "If-None-Match", "\"other\"");
	assert_int_equal(get(site, "/agent/page.css")->code, 200);
	assert_string_not_equal(answer_field(get(site, "/agent/page.mjs"), "ETag"), etag);
}

static void pages_are_read_only(void **state)
{
	struct site *site = *state;
	const struct answer *answer =
		loopback_send(&site->world->lo, "POST", "/agent/index.html", "{}");

	assert_int_equal(answer->code, 405);
	assert_string_equal(answer_field(answer, "Allow"), "GET, HEAD, OPTIONS");
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	struct pages *pages = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(pages_load("/nowhere/at/all", &pages, &err), ST_NOT_FOUND);
	assert_string_equal(err.target, "web_dir");
	assert_null(pages);
	assert_int_equal(pages_load(NULL, &pages, &err), ST_OK);
	assert_false(pages_has(pages, "/"));
	assert_false(pages_has(pages, ""));
	pages_free(pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_have_their_types, setup_site, teardown_site),
		cmocka_unit_test_setup_teardown(folders_lead_to_their_index, setup_site,
						teardown_site),
		cmocka_unit_test_setup_teardown(nothing_outside_the_list_can_be_named, setup_site,
						teardown_site),
		cmocka_unit_test_setup_teardown(a_known_file_is_not_sent_again, setup_site,
						teardown_site),
		cmocka_unit_test_setup_teardown(pages_are_read_only, setup_site, teardown_site),
		cmocka_unit_test(a_folder_that_is_not_there_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
