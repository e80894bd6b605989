/* The arrival part of workspace_parts.h. */

#include "base/clock.h"
#include "base/log.h"
#include "engine/workspace_parts.h"
#include "settings/settings.h"
#include "site/site.h"

static struct arrival_rule rule_of(const struct workspace *workspace)
{
	const struct workspace_host *host = workspace->host;

	return (struct arrival_rule){
		.share = host->settings->stage.share,
		.wait_ms = host->settings->stage.wait,
		.machine = host->machine,
		.verdicts = host->site ? &host->site->docs.verdicts : NULL,
		.unsure = !site_has_asked(host->site),
	};
}

static void log_arrival(const struct workspace *workspace,
			const struct arrival *arrival, const char *event)
{
	log_info(event, LOG_TEXT("workspace", workspace->name),
		 LOG_TEXT("revision", arrival->name));
}

static void note_change(struct workspace *workspace)
{
	workspace->last_good.unsaved = true;
	workspace->host->on_state(workspace->host->data, workspace);
}

bool workspace_admits(struct workspace *workspace,
		      const struct vault_answer *answer)
{
	struct arrival *arrival = &workspace->arrivals[answer->feed];
	enum arrival_state before = arrival->state;
	bool shown = arrival_is_shown(arrival);
	struct arrival_rule rule = rule_of(workspace);
	enum arrival_verdict verdict =
		arrival_meet(arrival, answer, &rule, clock_boot_ms());

	if (verdict == ARRIVAL_BEGINS || verdict == ARRIVAL_TAKEN)
		log_arrival(workspace, arrival,
			    verdict == ARRIVAL_TAKEN ? "vaults-taken"
						     : "vaults-wait");
	if (verdict == ARRIVAL_BEGINS || before != arrival->state ||
	    shown != arrival_is_shown(arrival))
		note_change(workspace);
	return verdict == ARRIVAL_IN_FORCE || verdict == ARRIVAL_TAKEN;
}

int64_t workspace_arrives_in(const struct workspace *workspace)
{
	struct arrival_rule rule = rule_of(workspace);
	int64_t first = -1, now_ms = clock_boot_ms(), ms;

	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		ms = arrival_left(&workspace->arrivals[i], &rule, now_ms);
		if (ms >= 0 && (first < 0 || ms < first))
			first = ms;
	}
	return first;
}

/* True when that changes the stack. */
static bool take(struct workspace *workspace, enum vault_feed feed)
{
	struct arrival *arrival = &workspace->arrivals[feed];
	struct vault_answer answer = arrival_answer(arrival, feed);
	bool changed = workspace_set_vaults(workspace, &answer);

	log_arrival(workspace, arrival, "vaults-taken");
	arrival_take(arrival);
	return changed;
}

/* @feeds: a bit each. They are taken together, as one change. */
static void take_feeds(struct workspace *workspace, unsigned int feeds)
{
	bool changed = false;

	for (size_t i = 0; i < VAULT_FEEDS; i++)
		if (feeds >> i & 1)
			changed =
				take(workspace, (enum vault_feed)i) || changed;
	workspace_publish(workspace, changed, CAUSE_VAULT);
	note_change(workspace);
}

bool workspace_take_due(struct workspace *workspace)
{
	struct arrival_rule rule = rule_of(workspace);
	int64_t now_ms = clock_boot_ms();
	unsigned int feeds = 0;

	for (size_t i = 0; i < VAULT_FEEDS; i++)
		if (!arrival_left(&workspace->arrivals[i], &rule, now_ms))
			feeds |= 1U << i;
	if (feeds)
		take_feeds(workspace, feeds);
	return feeds != 0;
}

static unsigned int feeds_of(const struct workspace *workspace,
			     const char *revision)
{
	unsigned int feeds = 0;

	for (size_t i = 0; i < VAULT_FEEDS; i++)
		if (arrival_is(&workspace->arrivals[i], revision))
			feeds |= 1U << i;
	return feeds;
}

void workspace_take_arrivals(struct workspace *workspace, const char *revision)
{
	unsigned int feeds = feeds_of(workspace, revision);

	if (!feeds)
		return;
	take_feeds(workspace, feeds);
	workspace_set_state(workspace);
	workspace_save(workspace);
}

void workspace_skip_arrivals(struct workspace *workspace, const char *revision)
{
	unsigned int feeds = feeds_of(workspace, revision);

	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		if (!(feeds >> i & 1))
			continue;
		arrival_skip(&workspace->arrivals[i]);
		log_arrival(workspace, &workspace->arrivals[i],
			    "vaults-skipped");
	}
	if (!feeds)
		return;
	note_change(workspace);
	workspace_save(workspace);
}

const char *workspace_arrivals_lack(const struct workspace *workspace,
				    const char *revision)
{
	bool lack = false;

	for (size_t i = 0; i < VAULT_FEEDS; i++)
		lack = lack || arrival_is_unknown(&workspace->arrivals[i]);
	return lack && !feeds_of(workspace, revision)
		       ? "clearconfd knows of vaults that wait, or were "
			 "skipped, but has not heard from the server since it "
			 "started what is in them"
		       : NULL;
}

const char *workspace_arrival_said(const struct workspace *workspace,
				   const struct arrival *arrival)
{
	struct arrival_rule rule = rule_of(workspace);
	const struct verdict *verdict = arrival_verdict(arrival, &rule);

	return verdict ? verdict->said : NULL;
}

int64_t workspace_arrival_until(const struct workspace *workspace,
				const struct arrival *arrival)
{
	return arrival->state == ARRIVAL_SKIPPED ||
			       workspace_arrival_said(workspace, arrival)
		       ? 0
		       : clock_wall_of(arrival->seen_ms +
				       rule_of(workspace).wait_ms);
}

void workspace_forget_arrivals(struct workspace *workspace)
{
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		arrival_forget(&workspace->arrivals[i]);
}
