#include "front/arrivals.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/mask.h"
#include "engine/layers.h"
#include "engine/workspace.h"
#include "value/json.h"

/* One feed: what it served so far, and what it will. */
struct writer {
	const struct workspace *workspace;
	enum layer_kind kind;
	const struct arrival *arrival;
	struct buf *json;
};

static void add_text(const struct writer *writer, const char *key,
		     const char *text)
{
	_cleanup_(mem_freep) char *shown =
		text ? mask_text(writer->workspace->host->secrets, text) : NULL;

	json_add_optional_string(writer->json, key, shown);
}

static void add_vault(const struct writer *writer, const struct vault *vault,
		      const char *kind)
{
	struct buf *json = writer->json;

	buf_puts(json, json->data[json->len - 1] == '[' ? "{" : ",{");
	add_text(writer, "id", vault->id);
	if (vault->description && *vault->description)
		add_text(writer, "description", vault->description);
	json_add_string(json, "kind", kind);
	add_text(writer, "last_update", vault->last_update);
	buf_putc(json, '}');
}

static bool has_vault(const struct writer *writer, const char *id)
{
	const struct arrival *arrival = writer->arrival;

	for (size_t i = 0; i < arrival->count; i++)
		if (layers_take_vault(writer->kind, &arrival->vaults[i]) &&
		    !strcmp(arrival->vaults[i].id, id))
			return true;
	return false;
}

static bool is_as_before(const struct layer *layer, const struct vault *vault)
{
	bool known;

	return layer->format == layers_vault_format(vault, &known) &&
	       str_equal(layer->text, vault->data);
}

/* What differs; nothing does when it is the order alone. */
static void add_vaults(const struct writer *writer)
{
	const struct arrival *arrival = writer->arrival;
	struct layer *layer;

	for (size_t i = 0; i < arrival->count; i++) {
		const struct vault *vault = &arrival->vaults[i];
		const struct layer *old = stack_find(&writer->workspace->stack,
						     writer->kind, vault->id);

		if (!layers_take_vault(writer->kind, vault))
			continue;
		if (!old || !is_as_before(old, vault))
			add_vault(writer, vault, old ? "changed" : "added");
	}
	for (stack_each(&writer->workspace->stack, layer))
		if (layer->kind == writer->kind &&
		    !has_vault(writer, layer->source))
			add_vault(writer,
				  &(struct vault){.id = layer->source,
						  .description =
							  layer->description},
				  "removed");
}

static void add_arrival(const struct writer *writer)
{
	const struct arrival *arrival = writer->arrival;
	struct buf *json = writer->json;
	int64_t until = workspace_arrival_until(writer->workspace, arrival);

	buf_puts(json, json->data[json->len - 1] == '[' ? "{" : ",{");
	json_add_string(json, "layer", layer_traits[writer->kind].name);
	json_add_string(json, "revision", arrival->name);
	json_add_int(json, "since", clock_wall_of(arrival->seen_ms));
	if (until)
		json_add_int(json, "until", until);
	add_text(writer, "bad",
		 workspace_arrival_said(writer->workspace, arrival));
	json_key(json, "vaults");
	buf_putc(json, '[');
	add_vaults(writer);
	buf_puts(json, "]}");
}

bool arrivals_exist(const struct workspace *workspace, const char *revision)
{
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		if (arrival_is(&workspace->arrivals[i], revision))
			return true;
	return false;
}

void arrivals_put(const struct workspace *workspace, struct stack *stack)
{
	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		const struct arrival *arrival = &workspace->arrivals[i];
		struct vault_answer answer =
			arrival_answer(arrival, (enum vault_feed)i);

		if (arrival_is_shown(arrival))
			(void)layers_set_vaults(stack, layers_of_feeds[i],
						&answer);
	}
}

void arrivals_write(const struct workspace *workspace, const char *revision,
		    struct buf *json)
{
	json_key(json, "arriving");
	buf_putc(json, '[');
	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		const struct writer writer = {workspace, layers_of_feeds[i],
					      &workspace->arrivals[i], json};

		if (arrival_is(writer.arrival, revision))
			add_arrival(&writer);
	}
	buf_putc(json, ']');
}
