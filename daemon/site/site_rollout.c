#include "site/site_rollout.h"

#include <string.h>
#include <time.h>

#include "base/diag.h"
#include "base/mem.h"
#include "base/share.h"
#include "config/layer.h"
#include "fetch/etcd/etcd_wire.h"
#include "read/doc.h"
#include "read/reader.h"
#include "value/value.h"

#define SUFFIX ".rollout/"

/* etcd takes values of 1.5 MiB. */
#define ROLLOUT_BYTES ((size_t)4 << 20)

#define FORMAT 1

bool rollout_of_key(struct str key, struct str *document)
{
	if (!str_ends(key, STR(SUFFIX)))
		return false;
	*document = (struct str){key.ptr, key.len - strlen(SUFFIX)};
	return true;
}

char *rollout_key(const struct site_rollout *rollout)
{
	return mem_printf("%s" SUFFIX, rollout->key);
}

/* --- the list --- */

static struct str own(struct str text)
{
	return (struct str){mem_strndup(text.ptr, text.len), text.len};
}

static void drop_text(struct site_rollouts *rollouts, struct str *text)
{
	rollouts->bytes -= text->len;
	mem_free((char *)text->ptr);
	*text = (struct str){0};
}

static void set_text(struct site_rollouts *rollouts, struct str *held,
		     struct str text)
{
	drop_text(rollouts, held);
	*held = own(text);
	rollouts->bytes += text.len;
}

static void rollout_deinit(struct site_rollouts *rollouts,
			   struct site_rollout *rollout)
{
	drop_text(rollouts, &rollout->text);
	drop_text(rollouts, &rollout->base);
	mem_free(rollout->key);
	mem_free(rollout->id);
	mem_free(rollout->problem);
	mem_free(rollout->reason);
}

void rollouts_clear(struct site_rollouts *rollouts)
{
	for (size_t i = 0; i < rollouts->count; i++)
		rollout_deinit(rollouts, &rollouts->items[i]);
	mem_free(rollouts->items);
	*rollouts = (struct site_rollouts){0};
}

struct site_rollout *rollouts_find(const struct site_rollouts *rollouts,
				   struct str document)
{
	for (size_t i = 0; i < rollouts->count; i++)
		if (str_is(document, rollouts->items[i].key))
			return &rollouts->items[i];
	return NULL;
}

struct site_rollout *rollouts_add(struct site_rollouts *rollouts,
				  struct str document)
{
	struct site_rollout *rollout;

	rollouts->items =
		mem_grow(rollouts->items,
			 (rollouts->count + 1) * sizeof(rollouts->items[0]));
	rollout = &rollouts->items[rollouts->count++];
	*rollout = (struct site_rollout){
		.key = mem_strndup(document.ptr, document.len),
		.stopped = true,
	};
	return rollout;
}

void rollouts_remove(struct site_rollouts *rollouts,
		     struct site_rollout *rollout)
{
	rollout_deinit(rollouts, rollout);
	*rollout = rollouts->items[--rollouts->count];
}

void rollout_set_base(struct site_rollouts *rollouts,
		      struct site_rollout *rollout, struct str text,
		      int64_t revision)
{
	drop_text(rollouts, &rollout->base);
	rollout->base_revision = revision;
	if (text.ptr)
		set_text(rollouts, &rollout->base, text);
}

/* --- what etcd says --- */

static const char *find_fault(const struct value *root)
{
	struct str state = value_text_at(root, "state");
	int64_t format = 0, share = -1;

	(void)value_to_int64(value_get(root, STR("format")), &format);
	(void)value_to_int64(value_get(root, STR("share")), &share);
	if (format != FORMAT)
		return format > FORMAT ? "it is of a newer version of "
					 "clearconf"
				       : "it has no format";
	if (!value_text_at(root, "id").len)
		return "it has no id";
	if (!value_text_at(root, "text").ptr)
		return "it has no text";
	if (!str_is(state, "running") && !str_is(state, "stopped"))
		return "its state is neither running nor stopped";
	if (share < 0 || share > SHARE_WHOLE)
		return "its share is no number from 0 to 10000";
	return NULL;
}

/* Another id is another rollout: nothing is bad about that yet. */
static void set_id(struct site_rollout *rollout, struct str id)
{
	if (rollout->id && str_is(id, rollout->id))
		return;
	mem_free(rollout->id);
	rollout->id = mem_strndup(id.ptr, id.len);
	(void)rollout_set_bad(rollout, ROLLOUT_FINE, NULL);
}

static void take(struct site_rollouts *rollouts, struct site_rollout *rollout,
		 const struct value *root)
{
	int64_t share = 0;

	(void)value_to_int64(value_get(root, STR("share")), &share);
	set_id(rollout, value_text_at(root, "id"));
	rollout->stopped = !str_is(value_text_at(root, "state"), "running");
	rollout->share = (unsigned int)share;
	set_text(rollouts, &rollout->text, value_text_at(root, "text"));
}

void rollout_read(struct site_rollouts *rollouts, struct site_rollout *rollout,
		  const struct etcd_kv *kv)
{
	const struct read_options options = {
		.format = READ_JSON,
		.limits = {.bytes = ROLLOUT_BYTES, .depth = 8, .values = 1000},
	};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	const char *fault = "it is no JSON object";

	if (read_text(&doc, "rollout", kv->value, &options, &diag) == 0)
		fault = find_fault(doc->root);
	mem_free(TAKE(rollout->problem));
	rollout->revision = kv->revision;
	if (!fault) {
		take(rollouts, rollout, doc->root);
		return;
	}
	rollout->problem = mem_strdup(fault);
	rollout->stopped = true;
}

/* --- what this host makes of it --- */

bool rollout_is_for(const struct site_rollout *rollout, const char *machine,
		    struct str had)
{
	if (!rollout->id)
		return false;
	if (rollout->stopped)
		return had.ptr && str_equal(had, rollout->text);
	return share_of(str_from(machine), str_from(rollout->id)) <
	       rollout->share;
}

enum rollout_bad rollout_bad_of(const struct layer *layer)
{
	if (layer->state != LAYER_BROKEN)
		return ROLLOUT_FINE;
	return str_ends(str_from(layer->problem.text), STR(CONFORM_REFUSED))
		       ? ROLLOUT_ILL_TYPED
		       : ROLLOUT_BROKEN;
}

bool rollout_set_bad(struct site_rollout *rollout, enum rollout_bad bad,
		     const char *reason)
{
	if (bad == rollout->bad && str_same(reason, rollout->reason))
		return false;
	if (bad != rollout->bad)
		rollout->bad_since = time(NULL);
	rollout->bad = bad;
	mem_free(rollout->reason);
	rollout->reason = reason ? mem_strdup(reason) : NULL;
	return true;
}

const char *rollout_bad_name(enum rollout_bad bad)
{
	static const char *const names[] = {
		[ROLLOUT_FINE] = "fine",           [ROLLOUT_BROKEN] = "broken",
		[ROLLOUT_ILL_TYPED] = "ill-typed", [ROLLOUT_CHECK] = "check",
		[ROLLOUT_LEFT] = "left",
	};

	return names[bad];
}
