#include "front/hold_json.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/mask.h"
#include "engine/hold.h"
#include "value/json.h"

static void add_list(struct buf *json, const char *key, char *const *texts,
		     size_t count, const struct secrets *secrets)
{
	if (!count)
		return;
	json_key(json, key);
	buf_putc(json, '[');
	for (size_t i = 0; i < count; i++) {
		_cleanup_(mem_freep) char *shown = mask_text(secrets, texts[i]);

		if (i)
			buf_putc(json, ',');
		json_write_string(json, str_from(shown));
	}
	buf_putc(json, ']');
}

void hold_json_add(struct buf *json, const struct hold *hold,
		   const struct secrets *secrets)
{
	const struct hold_record *record = hold->record;
	const struct hold_losses *losses = &hold->losses;
	_cleanup_(mem_freep) char *reason = NULL;

	if (!record)
		return;
	reason = mask_text(secrets, record->reason);
	json_key(json, "hold");
	buf_putc(json, '{');
	json_add_int(json, "generation", (long long)record->generation);
	json_add_int(json, "since", record->since);
	if (hold->ends_ms)
		json_add_int(json, "until", clock_wall_of(hold->ends_ms));
	json_add_string(json, "reason", reason);
	json_add_int(json, "uid", record->uid);
	json_add_bool(json, "differs", hold->differs);
	if (losses->count)
		json_add_int(json, "revoked", (long long)losses->count);
	add_list(json, "revoked_secrets", losses->secrets, losses->listed,
		 secrets);
	add_list(json, "revoked_vaults", losses->vaults, losses->vault_count,
		 secrets);
	buf_putc(json, '}');
}
