#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/share.h"
#include "fleet/fleet.h"
#include "fleet/plan.h"
#include "fleet/rollout.h"

#define NOW 1764430000

/* A report without its documents and what else is in it. */
#define REPORT(more)                                                           \
	"{\"format\":1,\"state\":\"ready\",\"since\":1,\"time\":1764430000,"   \
	"\"machine\":\"m\"" more "}"
#define SITE(count, documents)                                                 \
	",\"site\":{\"count\":" #count ",\"documents\":[" documents "]}"
#define A(revision) "{\"name\":\"a.conf\",\"revision\":" #revision "}"
#define DIGEST(digest)                                                         \
	",\"workspaces\":[{\"active\":true,\"digest\":\"" digest "\"}]"

#define ROLLOUT(state, share)                                                  \
	"{\"format\":1,\"id\":\"9f3c2a5b7d114e60\",\"state\":\"" state         \
	"\",\"share\":" #share ",\"text\":\"x\",\"of\":5,\"stages\":[" #share  \
	"],\"every\":600,\"stop_when\":\"\",\"stepped\":1,\"started\":1}"

static void add(struct fleet *fleet, const char *name, const char *report)
{
	struct host *host = fleet_add(fleet, str_from(name));

	host->revision = 1;
	host_read(host, &fleet->arena, str_from(report));
}

/* What one host with @report is judged to be, beside a.conf at revision 5. */
static void assert_judged(const char *report, enum host_status status,
			  const char *reason)
{
	_cleanup_(fleet_deinit) struct fleet fleet = {.now = NOW};

	catalog_add(&fleet.catalog, STR("a.conf"), 5, STR(""));
	add(&fleet, "h", report);
	fleet_judge(&fleet);
	assert_string_equal(fleet.hosts[0].reason, reason);
	assert_int_equal(fleet.hosts[0].status, status);
}

static void a_host_is_what_it_needs_most(void **state)
{
	(void)state;
	assert_judged(REPORT(SITE(1, A(5))), HOST_READY, "");
	assert_judged(REPORT(SITE(1, A(4))), HOST_BEHIND,
		      "a.conf is of revision 4, and 5 is put");
	assert_judged(REPORT(SITE(0, "")), HOST_BEHIND,
		      "a.conf has not arrived");
	assert_judged(REPORT(SITE(1, A(0))), HOST_BEHIND,
		      "a.conf is from its cache");
	assert_judged(REPORT(SITE(2, A(5) ",{\"name\":\"b\",\"revision\":1}")),
		      HOST_BEHIND, "b is removed, and it still has it");
	assert_judged(
		REPORT(SITE(1,
			    "{\"name\":\"a.conf\",\"revision\":5,"
			    "\"state\":\"broken\"}") ",\"problem\":{\"text\":"
						     "\"1:1: no\"}"),
		HOST_BROKEN, "a.conf is broken: 1:1: no");
	assert_judged(REPORT(SITE(1, A(5)) ",\"rival\":\"41b0\""), HOST_DOUBLED,
		      "machine 41b0 would report under this name, too");
	assert_judged(REPORT(SITE(1, A(5)) ",\"clock\":-90"), HOST_READY,
		      "its clock is 90 seconds behind");
	assert_judged(REPORT(SITE(1, A(5)) ",\"consumers\":{\"behind\":2}"),
		      HOST_READY, "2 of its consumers run on older values");
	assert_judged(REPORT(SITE(1, A(5)) ",\"workspaces\":[{\"active\":true,"
					   "\"hold\":{\"reason\":\"mine\"}}]"),
		      HOST_HELD, "mine");
	assert_judged(REPORT(SITE(1, A(5)) ",\"workspaces\":[{\"active\":true,"
					   "\"waiting\":[\"9f2c\",1],"
					   "\"skipped\":[\"0a1b\"]}]"),
		      HOST_WAITING,
		      "vaults wait for their time: 9f2c; vaults were skipped: "
		      "0a1b");
	assert_judged("{\"format\":1,\"state\":\"degraded\""
		      ",\"problem\":{\"text\":\"away\"}" SITE(1, A(5)) "}",
		      HOST_AILING, "degraded: away");
	assert_judged("{\"format\":1,\"state\":\"ready\",\"time\":"
		      "1764530000" SITE(1, A(5)) "}",
		      HOST_READY, "its report is from the future");
}

static void what_is_no_report_is_told(void **state)
{
	_cleanup_(buf_deinit) struct buf huge = BUF_INIT;

	(void)state;
	assert_judged("", HOST_UNREADABLE,
		      "its report is damaged: it has no format or state");
	assert_judged("{\"format\":1", HOST_UNREADABLE,
		      "its report is damaged: it is no JSON object");
	assert_judged("{}", HOST_UNREADABLE,
		      "its report is damaged: it has no format or state");
	assert_judged("{\"format\":2,\"state\":\"ready\"}", HOST_UNREADABLE,
		      "its report is of a newer version: update clearconf "
		      "here");
	while (huge.len <= HOST_REPORT_BYTES)
		buf_putc(&huge, ' ');
	buf_puts(&huge, "{}");
	assert_judged(buf_str(&huge).ptr, HOST_UNREADABLE,
		      "its report is longer than any daemon's");
}

/* Wrong types are as good as absent. */
static void nothing_in_a_report_is_trusted(void **state)
{
	(void)state;
	assert_judged("{\"format\":1,\"state\":\"ready\",\"site\":[1],"
		      "\"workspaces\":{\"a\":1},\"bad\":[1,{},null],"
		      "\"groups\":[1,null],\"consumers\":\"x\"}",
		      HOST_BEHIND, "a.conf has not arrived");
}

static void documents_are_for_groups_and_hosts(void **state)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct host host = {.name = STR("h")};

	(void)state;
	host_read(&host, &arena,
		  STR("{\"format\":1,\"state\":\"x\",\"groups\":[\"g\"]}"));
	assert_true(catalog_is_for(STR("a"), &host));
	assert_true(catalog_is_for(STR("groups/g/a"), &host));
	assert_false(catalog_is_for(STR("groups/f/a"), &host));
	assert_false(catalog_is_for(STR("groups/g"), &host));
	assert_true(catalog_is_for(STR("hosts/h/a"), &host));
	assert_false(catalog_is_for(STR("hosts/i/a"), &host));
}

static void one_of_many_drifts(void **state)
{
	_cleanup_(fleet_deinit) struct fleet fleet = {.now = NOW};
	char name[8];

	(void)state;
	for (int i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "h%d", i);
		add(&fleet, name,
		    i == 3 ? REPORT(DIGEST("bb")) : REPORT(DIGEST("aa")));
	}
	fleet_judge(&fleet);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(fleet.hosts[i].status,
				 i == 3 ? HOST_DRIFTING : HOST_READY);
	assert_string_equal(fleet.hosts[3].reason,
			    "4 hosts with the same documents have other "
			    "values");
}

static void where_there_is_no_majority_nobody_drifts(void **state)
{
	_cleanup_(fleet_deinit) struct fleet fleet = {.now = NOW};

	(void)state;
	add(&fleet, "h1", REPORT(DIGEST("aa")));
	add(&fleet, "h2", REPORT(DIGEST("bb")));
	add(&fleet, "h3", REPORT(DIGEST("aa") SITE(1, A(5))));
	fleet_judge(&fleet);
	assert_int_equal(fleet.hosts[0].status, HOST_READY);
	assert_int_equal(fleet.hosts[1].status, HOST_READY);
}

static void hosts_that_are_alike_are_one_row(void **state)
{
	_cleanup_(fleet_deinit) struct fleet fleet = {.now = NOW};
	_cleanup_(fleet_rows_deinit) struct fleet_rows rows = {0};

	(void)state;
	add(&fleet, "h1", REPORT(DIGEST("aa")));
	add(&fleet, "h3", "damaged");
	add(&fleet, "h2", REPORT(DIGEST("aa")));
	fleet_judge(&fleet);
	fleet_rows_make(&rows, &fleet);
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.items[0].count, 1);
	assert_int_equal(rows.items[0].hosts[0]->status, HOST_UNREADABLE);
	assert_int_equal(rows.items[1].count, 2);
	assert_true(str_is(rows.items[1].hosts[0]->name, "h1"));
	assert_non_null(fleet_find(&fleet, STR("h2")));
	assert_null(fleet_find(&fleet, STR("h4")));
}

#define TAKEN                                                                  \
	REPORT(SITE(1, "{\"name\":\"a.conf\",\"revision\":6,\"rollout\":"      \
		       "\"9f3c2a5b7d114e60\"}"))
#define BAD                                                                    \
	REPORT(",\"bad\":[{\"rollout\":\"9f3c2a5b7d114e60\",\"name\":"         \
	       "\"a.conf\",\"kind\":\"check\",\"reason\":\"said no\"}]")

/* Of machine m: is it below the share? */
static void a_rollout_is_tallied_by_what_hosts_say(void **state)
{
	unsigned int place = share_of(STR("m"), STR("9f3c2a5b7d114e60"));
	_cleanup_(fleet_deinit) struct fleet fleet = {.now = NOW};
	const struct catalog_entry *entry;
	struct plan_tally tally;

	(void)state;
	assert_in_range(place, 1, 9998);
	catalog_add(&fleet.catalog, STR("a.conf"), 5, STR(""));
	catalog_add(&fleet.catalog, STR("a.conf.rollout/"), 6,
		    STR(ROLLOUT("running", 10000)));
	entry = catalog_find(&fleet.catalog, STR("a.conf"));
	assert_non_null(entry->rollout);
	add(&fleet, "taken", TAKEN);
	add(&fleet, "bad", BAD);
	add(&fleet, "behind", REPORT(SITE(1, A(5))));
	add(&fleet, "gone", REPORT(""));
	fleet.hosts[3].revision = 0;
	fleet_judge(&fleet);
	tally = fleet_tally(&fleet, entry);
	assert_int_equal(tally.reached, 4);
	assert_int_equal(tally.taken, 1);
	assert_int_equal(tally.broken, 1);
	assert_int_equal(tally.behind, 1);
	assert_int_equal(tally.offline, 1);
	assert_int_equal(fleet_find(&fleet, STR("taken"))->status, HOST_READY);
	assert_string_equal(fleet_find(&fleet, STR("bad"))->reason,
			    "a.conf: check: said no");
	assert_string_equal(fleet_find(&fleet, STR("behind"))->reason,
			    "a.conf: its rollout has not arrived");
}

static void whom_it_does_not_reach_has_the_document(void **state)
{
	_cleanup_(fleet_deinit) struct fleet fleet = {.now = NOW};

	(void)state;
	catalog_add(&fleet.catalog, STR("a.conf"), 5, STR(""));
	catalog_add(&fleet.catalog, STR("a.conf.rollout/"), 6,
		    STR(ROLLOUT("running", 1)));
	add(&fleet, "well", REPORT(SITE(1, A(5))));
	fleet_judge(&fleet);
	assert_int_equal(fleet.hosts[0].status, HOST_READY);
	assert_int_equal(fleet_tally(&fleet, fleet.catalog.items).reached, 0);
}

static void what_is_stopped_is_missed_by_nobody(void **state)
{
	_cleanup_(fleet_deinit) struct fleet fleet = {.now = NOW};

	(void)state;
	catalog_add(&fleet.catalog, STR("a.conf"), 5, STR(""));
	catalog_add(&fleet.catalog, STR("a.conf.rollout/"), 6,
		    STR(ROLLOUT("stopped", 10000)));
	add(&fleet, "has", TAKEN);
	add(&fleet, "lacks", REPORT(SITE(1, A(5))));
	fleet_judge(&fleet);
	assert_int_equal(fleet.hosts[0].status, HOST_READY);
	assert_int_equal(fleet.hosts[1].status, HOST_READY);
}

#define WAITS                                                                  \
	",\"workspaces\":[{\"active\":true,\"waiting\":[\"9f2c1d33ab01\","     \
	"\"9f2c1d33ab02\"]}]"
#define BAD_VAULTS                                                             \
	",\"bad\":[{\"vaults\":\"9f2c1d33ab01\",\"kind\":\"broken\","          \
	"\"reason\":\"1:1: no\"},{\"kind\":\"broken\"}]"

static void revisions_of_vaults_are_bad_or_wait(void **state)
{
	_cleanup_(fleet_deinit) struct fleet fleet = {.now = NOW};
	const struct host_bad *bad;

	(void)state;
	(void)verdicts_set(&fleet.verdicts, STR("9f2c1d33ab01"),
			   STR("{\"by\":\"a@b\"}"));
	add(&fleet, "one", REPORT(BAD_VAULTS));
	add(&fleet, "two", REPORT(WAITS));
	fleet_judge(&fleet);
	assert_int_equal(fleet.hosts[0].bad_count, 1);
	bad = host_bad_vaults(&fleet.hosts[0], STR("9f2c1d33ab01"));
	assert_true(str_is(bad->reason, "1:1: no"));
	assert_null(host_bad_vaults(&fleet.hosts[0], STR("9f2c1d33ab02")));
	assert_null(host_bad_vaults(&fleet.hosts[1], STR("9f2c1d33ab01")));
	assert_int_equal(fleet.hosts[0].status, HOST_READY);
	assert_int_equal(fleet.hosts[1].status, HOST_WAITING);
	assert_string_equal(fleet.hosts[1].reason,
			    "vaults do not come: 9f2c1d33ab01 is bad, said a@b"
			    "; vaults wait for their time: 9f2c1d33ab02");
}

static void what_is_remembered_is_machine_and_groups(void **state)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(buf_deinit) struct buf memory = BUF_INIT;
	struct host host = {.name = STR("h")}, again = {.name = STR("h")};

	(void)state;
	host_read(&host, &arena, STR(REPORT(",\"groups\":[\"g\",\"h\"]")));
	host_write_memory(&memory, &host, 77);
	host_read(&again, &arena, buf_str(&memory));
	assert_null(again.fault);
	assert_true(host_is_same_memory(&host, &again));
	assert_int_equal(again.since, 77);
	again.group_count--;
	assert_false(host_is_same_memory(&host, &again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_what_it_needs_most),
		cmocka_unit_test(what_is_no_report_is_told),
		cmocka_unit_test(nothing_in_a_report_is_trusted),
		cmocka_unit_test(documents_are_for_groups_and_hosts),
		cmocka_unit_test(one_of_many_drifts),
		cmocka_unit_test(where_there_is_no_majority_nobody_drifts),
		cmocka_unit_test(hosts_that_are_alike_are_one_row),
		cmocka_unit_test(a_rollout_is_tallied_by_what_hosts_say),
		cmocka_unit_test(whom_it_does_not_reach_has_the_document),
		cmocka_unit_test(what_is_stopped_is_missed_by_nobody),
		cmocka_unit_test(revisions_of_vaults_are_bad_or_wait),
		cmocka_unit_test(what_is_remembered_is_machine_and_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
