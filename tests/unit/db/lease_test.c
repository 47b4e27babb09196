/* Two gateways and one node: one of them serves, the other one knows why not. */
#include "db_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "db/lease.h"
#include "tests/support/pg_proxy.h"

#define GRACE_MS 1500

static struct pg_fixture pg;
static char owner[PG_CONNINFO_SIZE], gateway[PG_CONNINFO_SIZE];
static char folder[128];

struct heard {
	atomic_uint wanted, lost;
	char by[128];
};

static int set_up(void **state)
{
	(void)state;
	pg_fixture_database(&pg, true, owner);
	pg_fixture_as(owner, "gateway", gateway);
	str_copy(folder, sizeof(folder), "/tmp/calltab-lease-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	char path[160];

	(void)state;
	pg_fixture_mend(&pg);
	for (unsigned i = 0; i < 2; i++) {
		str_format(path, sizeof(path), "%s/%s", folder, i ? "id" : "lock");
		unlink(path);
	}
	return rmdir(folder);
}

static void hear_wanted(void *user, const char *by)
{
	struct heard *heard = user;

	str_copy_cut(heard->by, sizeof(heard->by), by);
	atomic_fetch_add(&heard->wanted, 1);
}

static void hear_lost(void *user, const char *by)
{
	struct heard *heard = user;

	str_copy_cut(heard->by, sizeof(heard->by), by);
	atomic_fetch_add(&heard->lost, 1);
}

static struct lease *take_as(const char *node, const char *switch_name, bool take_over,
			     struct err *err)
{
	const struct lease_config config = {.conninfo = gateway,
					    .tenant_id = id_of(TENANT),
					    .node = node,
					    .switch_name = switch_name,
					    .journal_dir = folder,
					    .take_over = take_over,
					    .wait_s = 20,
					    .grace_ms = GRACE_MS};

	*err = (struct err){0};
	return lease_take(&config, err);
}

static struct lease *take(void)
{
	struct err err;
	struct lease *lease = take_as("n1", "ari a:1/x", false, &err);

	if (!lease)
		fail_msg("%s: %s", err.code, err.message);
	return lease;
}

static void watch(struct lease *lease, struct heard *heard, const struct uuid *journal_id)
{
	const struct lease_events events = {
		.on_wanted = hear_wanted, .on_lost = hear_lost, .user = heard};

	*heard = (struct heard){0};
	lease_watch(lease, &events, journal_id);
}

static bool is_set(void *flag)
{
	return atomic_load((atomic_uint *)flag) > 0;
}

static bool is_locked(void *arg)
{
	(void)arg;
	return !strcmp(pg_fixture_value(owner, "select count(*) from pg_locks where locktype = "
					       "'advisory' and granted"),
		       "2");
}

static bool has_journal(void *arg)
{
	(void)arg;
	return *pg_fixture_value(owner, "select journal_id from gateway_leases") != '\0';
}

/* --- tests --- */

static void second_is_refused_and_told_who_serves(void **state)
{
	struct lease *first = take();
	struct err err;
	char pid[40];

	(void)state;
	assert_int_equal(lease_epoch(first), 1);
	assert_null(take_as("n1", "", false, &err));
	assert_string_equal(err.code, "lease.held");
	str_format(pid, sizeof(pid), "(pid %d on ", (int)getpid());
	assert_non_null(strstr(err.message, pid));
	assert_non_null(strstr(err.message, " UTC"));
	assert_non_null(strstr(err.message, "--take-over"));
	lease_release(first);
	struct lease *second = take();
	assert_int_equal(lease_epoch(second), 2);
	lease_release(second);
}

static void one_switch_has_one_gateway_whatever_its_node(void **state)
{
	struct lease *first = take();
	struct err err;

	(void)state;
	assert_null(take_as("n2", "ari a:1/x", false, &err));
	assert_string_equal(err.code, "lease.held");
	struct lease *other = take_as("n2", "ari b:1/x", false, &err);
	assert_non_null(other);
	lease_release(other);
	lease_release(first);
}

static void *release_when_wanted(void *arg)
{
	void **both = arg;
	struct heard *heard = both[1];

	pg_until("the first is asked to end", is_set, &heard->wanted, 5000);
	lease_release(both[0]);
	return NULL;
}

static void take_over_asks_and_waits(void **state)
{
	struct lease *first = take();
	struct uuid journal = new_id();
	struct heard heard;
	pthread_t thread;
	struct err err;

	(void)state;
	watch(first, &heard, &journal);
	void *both[] = {first, &heard};
	assert_int_equal(pthread_create(&thread, NULL, release_when_wanted, both), 0);
	struct lease *second = take_as("n1", "ari a:1/x", true, &err);
	pthread_join(thread, NULL);
	assert_non_null(second);
	assert_int_equal(atomic_load(&heard.wanted), 1);
	assert_int_equal(atomic_load(&heard.lost), 0);
	assert_non_null(strstr(heard.by, "pid "));
	lease_release(second);
}

static void cut_off_holder_is_back_before_anybody_else(void **state)
{
	struct lease *first = take();
	struct uuid journal = new_id();
	struct heard heard;
	struct err err;

	(void)state;
	watch(first, &heard, &journal);
	for (int i = 0; i < 3; i++) {
		assert_true(pg_fixture_end_backends(owner, "calltab lease") > 0);
		assert_null(take_as("n1", "ari a:1/x", false, &err));
		assert_string_equal(err.code, "lease.held");
		pg_until("the first has its locks again", is_locked, NULL, 5000);
	}
	assert_int_equal(atomic_load(&heard.lost), 0);
	lease_release(first);
}

static void who_missed_a_take_over_hears_that_it_is_lost(void **state)
{
	struct lease *first = take();
	struct uuid journal = new_id();
	struct heard heard;

	(void)state;
	watch(first, &heard, &journal);
	pg_fixture_exec(owner, "update gateway_leases set epoch = 7, host = 'elsewhere', pid = 5");
	pg_until("the first hears it", is_set, &heard.lost, 5000);
	assert_string_equal(heard.by, "pid 5 on elsewhere");
	lease_release(first);
	assert_string_equal(pg_fixture_value(owner, "select released_on from gateway_leases"), "");
}

static void database_that_forgot_is_told_again(void **state)
{
	struct lease *first = take();
	struct uuid journal = new_id();
	struct heard heard;
	struct err err;

	(void)state;
	watch(first, &heard, &journal);
	pg_fixture_exec(owner, "delete from gateway_leases");
	assert_null(take_as("n1", "ari a:1/x", false, &err));
	assert_string_equal(pg_fixture_value(owner, "select epoch from gateway_leases"), "1");
	assert_int_equal(atomic_load(&heard.lost), 0);
	lease_release(first);
}

static void write_file(const char *name, const char *text)
{
	char path[160];

	str_format(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* The holder's session lives on (its machine is gone without a word), but its folder is ours. */
static void holder_whose_journal_is_free_is_dead(void **state)
{
	struct lease *first = take();
	struct uuid journal = new_id();
	struct heard heard;
	struct err err;
	char path[160];

	(void)state;
	watch(first, &heard, &journal);
	pg_until("the journal is on record", has_journal, NULL, 5000);
	write_file("id", id_text(&journal));
	write_file("lock", "");
	str_format(path, sizeof(path), "%s/lock", folder);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_null(take_as("n1", "ari a:1/x", false, &err)); /* it is alive */
	close(fd);
	struct lease *second = take();
	assert_int_equal(lease_epoch(second), 2);
	pg_until("the first hears that it is lost", is_set, &heard.lost, 5000);
	lease_release(first);
	lease_release(second);
}

static void who_died_without_a_word_is_waited_for(void **state)
{
	struct err err;
	int64_t began = clock_mono_us(&clock_system);

	(void)state;
	pg_fixture_exec(owner,
			"insert into gateway_leases (tenant_id, node, epoch, instance_id, host, "
			"pid, switch_name) values ('" TENANT
			"', 'n1', 4, gen_random_uuid(), 'gone', 9, '')");
	struct lease *lease = take_as("n1", "", false, &err);
	assert_non_null(lease);
	assert_int_equal(lease_epoch(lease), 5);
	assert_true(clock_mono_us(&clock_system) - began >= GRACE_MS * 1000);
	lease_release(lease);
}

static void without_a_database_nobody_begins(void **state)
{
	struct err err;

	(void)state;
	pg_fixture_kill(&pg);
	assert_null(take_as("n1", "", true, &err));
	assert_int_equal(err.status, ST_UNAVAILABLE);
	pg_fixture_revive(&pg);
}

static void holder_goes_on_without_its_database(void **state)
{
	struct lease *first = take();
	struct uuid journal = new_id();
	struct heard heard;
	struct err err;

	(void)state;
	watch(first, &heard, &journal);
	pg_fixture_kill(&pg);
	pg_fixture_revive(&pg);
	pg_until("it has its locks again", is_locked, NULL, 10000);
	assert_null(take_as("n1", "", false, &err));
	assert_int_equal(atomic_load(&heard.lost) + atomic_load(&heard.wanted), 0);
	lease_release(first);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(second_is_refused_and_told_who_serves),
		test(one_switch_has_one_gateway_whatever_its_node),
		test(take_over_asks_and_waits),
		test(cut_off_holder_is_back_before_anybody_else),
		test(who_missed_a_take_over_hears_that_it_is_lost),
		test(database_that_forgot_is_told_again),
		test(holder_whose_journal_is_free_is_dead),
		test(who_died_without_a_word_is_waited_for),
		test(without_a_database_nobody_begins),
		test(holder_goes_on_without_its_database),
	};

	start_or_skip(&pg);
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	pg_fixture_stop(&pg);
	return failures;
}
