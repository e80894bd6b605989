/* What any host may have put into etcd as its report, and anybody as a rollout
 * or a revision, and what is made and shown of it. */

#include <assert.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fleet/fleet.h"
#include "fleet/fleet_text.h"
#include "fleet/revision.h"
#include "fleet/rollout.h"
#include "fuzz_text.h"

static void check_rollout(struct str input)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct rollout rollout, again;

	if (!rollout_parse(&rollout, input))
		return;
	assert(rollout.stage < rollout.plan.stages);
	rollout_write(&json, &rollout);
	assert(rollout_parse(&again, buf_str(&json)));
	assert(rollout_share(&again) == rollout_share(&rollout));
	rollout_deinit(&again);
	rollout_deinit(&rollout);
}

static void check_revision(struct str input)
{
	struct revision revision;

	revision_read(&revision, 1, input);
	revision_deinit(&revision);
}

static void check_host(struct str input)
{
	_cleanup_(fleet_deinit) struct fleet fleet = {.now = 1764430000};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct host *host = fleet_add(&fleet, STR("h"));

	catalog_add(&fleet.catalog, STR("20-gpu.yaml"), 1234, STR(""));
	catalog_add(&fleet.catalog, STR("20-gpu.yaml.rollout/"), 1235, input);
	host->revision = 1;
	host_read(host, &fleet.arena, input);
	assert(host->document_count <= HOST_DOCUMENTS);
	assert(host->bad_count <= HOST_BAD);
	fleet_judge(&fleet);
	assert(host->reason && host->status < HOST_STATUSES);
	fleet_text_add(&out, &fleet);
	fleet_text_add_json(&out, &fleet);
	fleet_text_add_metrics(&out, &fleet);
	fleet_text_add_host(&out, &fleet, host);
	fleet_text_add_host_json(&out, host);
}

static void test(struct str input)
{
	check_rollout(input);
	check_revision(input);
	check_host(input);
}

FUZZ_TARGET("fleet", test)
