#include "fleet/rollout_text.h"

#include "base/buf.h"
#include "base/printable.h"
#include "fleet/fleet.h"
#include "fleet/rollout.h"
#include "text/output.h"
#include "value/json.h"

static void add_count(struct buf *out, int64_t count, const char *word,
		      enum output_colour colour)
{
	if (count)
		buf_printf(out, ", %s%lld %s%s", output_colour(colour),
			   (long long)count, word, output_colour(OUTPUT_PLAIN));
}

static void add_hosts(struct buf *out, const struct plan_tally *tally)
{
	buf_printf(out, ": %lld host%s, %lld taken", (long long)tally->reached,
		   tally->reached == 1 ? "" : "s", (long long)tally->taken);
	add_count(out, tally->broken, "broken", OUTPUT_RED);
	add_count(out, tally->behind, "behind", OUTPUT_YELLOW);
	add_count(out, tally->offline, "offline", OUTPUT_YELLOW);
}

static void add_left(struct buf *out, int64_t left)
{
	if (left)
		buf_printf(out, "; %lld s of the stage are left",
			   (long long)left);
	else
		buf_puts(out, "; the stage is over");
}

static void add_standing(struct buf *out, const struct fleet *fleet,
			 const struct catalog_entry *entry)
{
	const struct rollout *rollout = entry->rollout;
	struct plan_tally tally;

	buf_puts(out, output_colour(OUTPUT_BOLD));
	printable_add(out, entry->name);
	buf_printf(out, "%s: ", output_colour(OUTPUT_PLAIN));
	if (!rollout) {
		buf_puts(out, "its rollout is damaged, or of a newer version: "
			      "it reaches nobody");
		return;
	}
	tally = fleet_tally(fleet, entry);
	plan_add_share(out, rollout_share(rollout));
	buf_printf(out, " (stage %zu of %zu)", rollout->stage + 1,
		   rollout->plan.stages);
	add_hosts(out, &tally);
	if (rollout->state != ROLLOUT_STOPPED)
		return;
	buf_puts(out, "; stopped: ");
	printable_add(out, rollout->why);
}

void rollout_text_add(struct buf *out, const struct fleet *fleet,
		      const struct catalog_entry *entry)
{
	add_standing(out, fleet, entry);
	if (entry->rollout && entry->rollout->state == ROLLOUT_RUNNING)
		add_left(out, rollout_left(entry->rollout, fleet->now));
	buf_putc(out, '\n');
}

void rollout_text_add_standing(struct buf *out, const struct fleet *fleet,
			       const struct catalog_entry *entry)
{
	add_standing(out, fleet, entry);
	buf_putc(out, '\n');
}

static void add_tally(struct buf *out, const struct plan_tally *tally)
{
	json_add_int(out, "hosts", tally->reached);
	json_add_int(out, "taken", tally->taken);
	json_add_int(out, "broken", tally->broken);
	json_add_int(out, "behind", tally->behind);
	json_add_int(out, "offline", tally->offline);
}

void rollout_text_add_json(struct buf *out, const struct fleet *fleet,
			   const struct catalog_entry *entry)
{
	const struct rollout *rollout = entry->rollout;
	struct plan_tally tally;

	buf_putc(out, '{');
	json_add_str(out, "document", entry->name);
	json_add_bool(out, "damaged", !rollout);
	if (rollout) {
		tally = fleet_tally(fleet, entry);
		json_add_str(out, "id", rollout->id);
		json_add_string(out, "state",
				rollout_state_name(rollout->state));
		json_add_str(out, "why", rollout->why);
		json_add_int(out, "share", rollout_share(rollout));
		json_add_int(out, "stage", (long long)rollout->stage + 1);
		json_add_int(out, "stages", (long long)rollout->plan.stages);
		json_add_int(out, "left", rollout_left(rollout, fleet->now));
		json_add_str(out, "by", rollout->by);
		json_add_str(out, "reason", rollout->reason);
		add_tally(out, &tally);
	}
	buf_putc(out, '}');
}

void rollout_text_add_all(struct buf *out, const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->catalog.count; i++)
		if (fleet->catalog.items[i].rollout_revision)
			rollout_text_add(out, fleet, &fleet->catalog.items[i]);
}

void rollout_text_add_all_json(struct buf *out, const struct fleet *fleet)
{
	const char *before = "";

	buf_putc(out, '[');
	for (size_t i = 0; i < fleet->catalog.count; i++) {
		if (!fleet->catalog.items[i].rollout_revision)
			continue;
		buf_puts(out, before);
		before = ",";
		rollout_text_add_json(out, fleet, &fleet->catalog.items[i]);
	}
	buf_putc(out, ']');
}
