#include "config/layer.h"

#include <stdatomic.h>
#include <string.h>
#include <wire.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/mask.h"
#include "config/secret_rules.h"
#include "read/doc.h"
#include "value/value.h"

/* Defaults are not looked up: their keys are what everybody has anyway, and a
 * vault that relies on one means the host's own (semantics.md, "Variables in
 * texts": from `site` upward). What the settings declare is a text of ours,
 * without lines. */
/* clang-format off */
const struct layer_traits layer_traits[LAYER_KINDS] = {
	/*                     name           provenance         fetched required lookup lines */
	[LAYER_DEFAULTS]    = {"defaults",    LAYER_OF_FILE,     false,  true,    false, true},
	[LAYER_SITE]        = {"site",        LAYER_OF_FILE,     false,  true,    true,  true},
	[LAYER_ETCD]        = {"site",        LAYER_OF_ETCD,     true,   true,    true,  true},
	[LAYER_FILE]        = {"file",        LAYER_OF_FILE,     false,  true,    true,  true},
	[LAYER_WORKSPACE]   = {"workspace",   LAYER_OF_SETTINGS, false,  true,    true,  false},
	[LAYER_ENV_GENERIC] = {"env-generic", LAYER_OF_VARIABLE, false,  false,   true,  true},
	[LAYER_VAULT]       = {"vault",       LAYER_OF_VAULT,    true,   false,   true,  true},
	[LAYER_PROTECTED]   = {"protected",   LAYER_DERIVED,     false,  false,   true,  true},
	[LAYER_ENV_NAMED]   = {"env-named",   LAYER_OF_VARIABLE, false,  false,   true,  true},
	[LAYER_MONITORING]  = {"monitoring",  LAYER_OF_VAULT,    true,   false,   true,  true},
};
/* clang-format on */

const char *layer_state_name(enum layer_state state)
{
	static const char *const names[] = {
		[LAYER_OK] = "ok",
		[LAYER_MISSING] = "missing",
		[LAYER_BROKEN] = "broken",
	};

	return names[state];
}

/* Threads share it, as they do documents. */
struct layer_text {
	atomic_uint refs;
	char bytes[];
};

static void drop_text(struct layer *layer)
{
	if (layer->held && --layer->held->refs == 0)
		mem_free(layer->held);
	layer->held = NULL;
	layer->text = (struct str){0};
}

struct layer *layer_new(enum layer_kind kind, const char *source)
{
	struct layer *layer = mem_alloc(sizeof(*layer));

	list_init(&layer->link);
	layer->kind = kind;
	layer->source = mem_strdup(source);
	layer->state = LAYER_MISSING;
	layer->unread = true;
	return layer;
}

struct layer *layer_copy(const struct layer *layer)
{
	struct layer *copy = layer_new(layer->kind, layer->source);

	layer_set_description(copy, layer->description);
	layer_set_edit(copy, &layer->edit);
	layer_set_under(copy, str_from(layer->under ? layer->under : ""));
	copy->doc = layer->doc ? doc_ref(layer->doc) : NULL;
	copy->doc_format = layer->doc_format;
	copy->state = layer->state;
	copy->problem = diag_copy(&layer->problem);
	copy->format = layer->format;
	copy->text = layer->text;
	copy->held = layer->held;
	if (copy->held)
		copy->held->refs++;
	copy->unread = layer->unread;
	return copy;
}

void layer_free(struct layer *layer)
{
	if (!layer)
		return;
	list_remove(&layer->link);
	mem_free(layer->source);
	mem_free(layer->description);
	layer_edit_deinit(&layer->edit);
	mem_free(layer->under);
	drop_text(layer);
	mem_free((char *)layer->spare.ptr);
	doc_unref(layer->doc);
	diag_deinit(&layer->problem);
	diag_list_deinit(&layer->others);
	mem_free(layer);
}

static void set_text(char **field, const char *text)
{
	mem_free(*field);
	*field = text ? mem_strdup(text) : NULL;
}

void layer_set_description(struct layer *layer, const char *description)
{
	set_text(&layer->description, description);
}

void layer_set_edit(struct layer *layer, const struct layer_edit *edit)
{
	struct layer_edit copy = layer_edit_copy(edit);

	layer_edit_deinit(&layer->edit);
	layer->edit = copy;
}

void layer_set_under(struct layer *layer, struct str under)
{
	if (str_equal(under, str_from(layer->under)))
		return;
	mem_free(layer->under);
	layer->under = under.len ? mem_strndup(under.ptr, under.len) : NULL;
	layer->unread = true;
}

void layer_set_file(struct layer *layer, enum read_format format,
		    const char *under)
{
	bool same = layer->format == format;

	layer->format = format;
	layer_set_under(layer, str_from(under));
	if (same && layer->state == LAYER_OK && doc_is_current(layer->doc))
		layer->since = clock_boot_ms();
	else
		layer_touch(layer);
}

void layer_set_text(struct layer *layer, enum read_format format,
		    struct str text)
{
	struct layer_text *held;

	if (layer->text.ptr && layer->format == format &&
	    str_equal(layer->text, text))
		return;
	held = mem_alloc(sizeof(*held) + text.len + 1);
	held->refs = 1;
	if (text.len)
		memcpy(held->bytes, text.ptr, text.len);
	drop_text(layer);
	layer->held = held;
	layer->text = (struct str){held->bytes, text.len};
	layer->format = format;
	layer->unread = layer->fresh = true;
}

void layer_set_spare(struct layer *layer, struct str spare)
{
	const char *old = layer->spare.ptr;
	bool same = spare.ptr && old ? str_equal(spare, layer->spare)
				     : spare.ptr == old;

	if (same)
		return;
	mem_free((char *)old);
	layer->spare = (struct str){0};
	if (spare.ptr)
		layer->spare = (struct str){mem_strndup(spare.ptr, spare.len),
					    spare.len};
	layer->unread = layer->unread || !layer->doc;
}

void layer_set_odd_format(struct layer *layer, bool odd)
{
	layer->unread = layer->unread || layer->odd_format != odd;
	layer->odd_format = odd;
}

void layer_touch(struct layer *layer)
{
	layer->unread = true;
}

bool layer_is_lost(const struct layer *layer)
{
	return layer->state == LAYER_BROKEN && !layer->doc &&
	       layer_traits[layer->kind].required;
}

static struct read_options options_of(const struct layer *layer,
				      const struct layer_context *context,
				      const struct value *lower)
{
	return (struct read_options){
		.format = layer->format,
		.dialect = context->dialect,
		.limits = context->limits,
		.env = layer_traits[layer->kind].fetched ? context->vault_env
							 : context->env,
		.lower = lower,
		.secrecy = secret_below,
		.under = str_from(layer->under),
		.may_include = layer_is_of(layer, LAYER_OF_FILE),
	};
}

/* A document of etcd's is no file, though its key looks like a path. "vault
 * 'NAME'" rather than an id that says nothing to anybody. */
static char *name_for_people(const struct layer *layer)
{
	const char *name = layer->description;

	if (layer_is_of(layer, LAYER_OF_ETCD))
		return mem_printf("etcd %s", layer->source);
	if (!layer_is_of(layer, LAYER_OF_VAULT))
		return mem_strdup(layer->source);
	if (name && *name)
		return mem_printf("vault '%s'", name);
	return mem_printf("vault %s", layer->source);
}

static int refuse_own_output(struct doc **doc, struct diag *diag)
{
	struct source *text = (*doc)->sources[0];

	if (!str_starts(text->text, STR(WIRE_DUMP_COMMENT)))
		return 0;
	diag_at(diag, text, 0,
		"this is clearconf's own output: name the files to read by "
		"`files =` under [local] in clearconfd.conf");
	*doc = doc_unref(*doc);
	return READ_E_BROKEN;
}

/* Say of @doc, which is HOCON, that its format says another, and @why it is not
 * that. */
static void note_format(struct doc *doc, enum read_format said,
			const struct diag *why)
{
	_cleanup_(mem_freep) char *text = mem_printf(
		"this is not the %s that its format says (%u:%u: %s): it is "
		"read as HOCON, as ClearML itself reads every vault",
		said == READ_JSON ? "JSON" : "YAML", why->pos.line,
		why->pos.column, why->text);

	doc_add_remark(doc,
		       "it is not what its format says, and is read as HOCON",
		       text);
}

struct text {
	const char *name; /* for people */
	struct str text;
	bool is_vault;
};

/* With comments or commas too many, say; not something else altogether. */
static bool looks_like_json(struct str text)
{
	text = str_trim(text);
	return text.len && str_set_has("{/#", text.ptr[0]);
}

/* A vault that is not quite what its format says is read as ClearML reads all
 * of them; but not where that would make one text of broken YAML. */
static int read_words(const struct text *text,
		      const struct read_options *options, struct doc **doc,
		      struct diag *diag)
{
	int r = read_text(doc, text->name, text->text, options, diag);
	struct read_options hocon = *options;
	_cleanup_(doc_unrefp) struct doc *theirs = NULL;
	_cleanup_(diag_deinit) struct diag why_not = DIAG_INIT;

	hocon.format = READ_HOCON;
	if (!r || !text->is_vault || options->format == READ_HOCON ||
	    (options->format == READ_JSON && !looks_like_json(text->text)) ||
	    read_text(&theirs, text->name, text->text, &hocon, &why_not) ||
	    theirs->like_yaml)
		return r;
	if (!theirs->misread)
		note_format(theirs, options->format, diag);
	diag_deinit(diag);
	*doc = TAKE(theirs);
	return 0;
}

static int read_once(const struct layer *layer,
		     const struct read_options *options, struct doc **doc,
		     struct diag *diag)
{
	_cleanup_(mem_freep) char *name = name_for_people(layer);
	int r;

	if (layer->text.ptr)
		return read_words(
			&(struct text){name, layer->text,
				       layer_is_of(layer, LAYER_OF_VAULT)},
			options, doc, diag);
	if (!layer_is_of(layer, LAYER_OF_FILE))
		return 0;
	r = read_file(doc, layer->source, options, diag);
	return r == 0 ? refuse_own_output(doc, diag) : r;
}

/* Alone first, as ClearML does: the lower layers only ever repair what would be
 * broken, or break a += that would hide what they hold. */
static int read_alone_or_over(const struct layer *layer,
			      const struct layer_context *context,
			      const struct value *lower, struct doc **doc,
			      struct diag *diag)
{
	struct read_options options = options_of(layer, context, NULL);
	int r;

	options.others = lower ? NULL : context->others;
	r = read_once(layer, &options, doc, diag);
	if (!lower || (r == 0 && !(*doc && (*doc)->appends_to_none)))
		return r;
	diag_deinit(diag);
	*doc = doc_unref(*doc);
	options.lower = lower;
	options.others = context->others;
	return read_once(layer, &options, doc, diag);
}

/* Variables are texts whatever they are for, and what the settings declare is
 * our own. */
static bool is_for_the_schema(const struct layer *layer)
{
	return layer_is_of(layer, LAYER_OF_FILE) ||
	       layer_is_of(layer, LAYER_OF_ETCD) ||
	       layer_is_of(layer, LAYER_OF_VAULT);
}

static int read_newest(const struct layer *layer,
		       const struct layer_context *context,
		       const struct value *lower, struct doc **doc,
		       struct diag *diag)
{
	int r = read_alone_or_over(layer, context, lower, doc, diag);

	if (r || !*doc || !is_for_the_schema(layer) ||
	    !conform_check(*doc, context->types, diag))
		return r;
	*doc = doc_unref(*doc);
	return READ_E_BROKEN;
}

static bool set_state(struct layer *layer, enum layer_state state)
{
	bool changed = layer->state != state;

	layer->state = state;
	if (state != LAYER_BROKEN)
		diag_deinit(&layer->problem);
	return changed;
}

/* The same values at the same places? */
static bool is_same(const struct doc *a, const struct doc *b)
{
	if (a->source_count != b->source_count ||
	    !value_equal(a->root, b->root))
		return false;
	for (size_t i = 0; i < a->source_count; i++)
		if (strcmp(a->sources[i]->name, b->sources[i]->name) != 0 ||
		    !str_equal(a->sources[i]->text, b->sources[i]->text))
			return false;
	return true;
}

/* True when the documents differ in anything but their address. */
static bool swap_doc(struct layer *layer, struct doc *doc)
{
	bool changed = !layer->doc || !doc || !is_same(layer->doc, doc);

	changed = changed && (layer->doc || doc);
	doc_unref(layer->doc);
	layer->doc = doc;
	layer->doc_format = layer->format;
	layer->since = clock_boot_ms();
	return changed;
}

const struct diag_list *layer_warnings(const struct layer *layer)
{
	return layer->doc ? &layer->doc->warnings : NULL;
}

/* Is the newest text another than the one that was looked at last? */
static bool is_another(struct layer *layer)
{
	struct file_stamp stamp = {0};
	bool another = layer->fresh;

	layer->fresh = false;
	if (layer_is_of(layer, LAYER_OF_FILE))
		file_stamp_of(&stamp, layer->source);
	another = another || !file_stamp_equal(&stamp, &layer->stamp);
	layer->stamp = stamp;
	return another;
}

static void log_problem(const struct layer *layer)
{
	log_warning("layer-broken",
		    LOG_TEXT("layer", layer_traits[layer->kind].name),
		    LOG_TEXT("source", layer->problem.source),
		    LOG_INT("line", layer->problem.pos.line),
		    LOG_INT("column", layer->problem.pos.column),
		    LOG_TEXT("reason", layer->problem.text));
}

/* Logged when it begins or changes, not each time the text is read again. */
static bool set_problem(struct layer *layer, struct diag *problem,
			const struct layer_context *context)
{
	if (diag_equal(&layer->problem, problem))
		return false;
	diag_deinit(&layer->problem);
	layer->problem = diag_take(problem);
	set_state(layer, LAYER_BROKEN);
	if (!context->is_trial)
		log_problem(layer);
	return true;
}

/* Their texts name keys, which the log need not: status tells them. */
static void log_findings(const struct layer *layer)
{
	const struct doc *doc = layer->doc;
	const struct diag *first;

	if (!doc || !doc->finding_count)
		return;
	first = &doc->warnings.items[doc->first_finding];
	log_warning("layer-odd",
		    LOG_TEXT("layer", layer_traits[layer->kind].name),
		    LOG_TEXT("source", first->source),
		    LOG_INT("line", first->pos.line),
		    LOG_INT("column", first->pos.column),
		    LOG_INT("warnings", (long long)doc->finding_count));
}

/* ClearML reads every vault as HOCON, whatever its format says. */
static void note_misreading(const struct layer *layer,
			    const struct layer_context *context,
			    struct doc *doc)
{
	struct read_options options = options_of(layer, context, NULL);
	_cleanup_(doc_unrefp) struct doc *theirs = NULL;

	if (!layer_is_of(layer, LAYER_OF_VAULT) || layer->format == READ_HOCON)
		return;
	options.format = READ_HOCON;
	options.dialect = READ_STRICT;
	if (read_text(&theirs, layer->source, layer->text, &options, NULL) ||
	    theirs->misread || !value_equal(theirs->root, doc->root))
		doc_set_misread(doc, "ClearML itself reads this vault as "
				     "HOCON, to other values or none");
}

/* A format that nobody knows is likely why a text cannot be read. */
static void blame_format(const struct layer *layer, struct diag *diag)
{
	char *text;

	if (!layer->odd_format)
		return;
	text = mem_printf("%s (its format is not known: it is read as HOCON)",
			  diag->text);
	mem_free(diag->text);
	diag->text = text;
}

static void hide_in(const struct secrets *secrets, char **text)
{
	char *shown = mask_text(secrets, *text);

	mem_free(*text);
	*text = shown;
}

/* Of other texts, too; who reads status or logs need not be who may read them.
 * A vault's source is what somebody calls it. */
static void hide_secrets(const struct secrets *secrets, struct diag *diag)
{
	if (!secrets)
		return;
	hide_in(secrets, &diag->text);
	hide_in(secrets, &diag->source);
}

/* Nothing good has been here yet. What is wrong with the spare text nobody need
 * know: the newest one is to be mended. */
static bool read_spare(struct layer *layer, const struct layer_context *context,
		       const struct value *lower)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct layer_context own = *context;
	struct layer spare = *layer;
	struct doc *doc = NULL;

	if (layer->doc || !layer->spare.ptr)
		return false;
	own.others = NULL;
	spare.text = layer->spare;
	return read_newest(&spare, &own, lower, &doc, &diag) == 0 &&
	       swap_doc(layer, doc);
}

bool layer_read(struct layer *layer, const struct layer_context *context,
		const struct value *lower)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct layer_context own = *context;
	struct doc *doc = NULL;
	bool changed = is_another(layer);
	int r;

	diag_list_deinit(&layer->others);
	own.others = &layer->others;
	r = read_newest(layer, &own, lower, &doc, &diag);
	layer->unread = false;
	if (r == READ_E_BROKEN) {
		blame_format(layer, &diag);
		hide_secrets(context->secrets, &diag);
		changed = read_spare(layer, context, lower) || changed;
		return set_problem(layer, &diag, context) || changed;
	}
	if (doc)
		note_misreading(layer, context, doc);
	if (doc && layer->odd_format)
		doc_add_remark(doc,
			       "its format is not known: it is read as HOCON",
			       "the format of this vault is not known: it is "
			       "read as HOCON");
	changed = swap_doc(layer, doc);
	if (changed && !context->is_trial)
		log_findings(layer);
	return set_state(layer, doc ? LAYER_OK : LAYER_MISSING) || changed;
}

/* The text of the last good document, for another environment or what lies
 * below in it. */
static struct doc *last_good_for(const struct layer *layer,
				 const struct layer_context *context,
				 const struct value *lower, struct diag *diag)
{
	struct read_options options = options_of(layer, context, lower);
	struct doc *doc = layer->doc, *again = NULL;
	struct text text;

	options.format = layer->doc_format;
	options.kept = doc;
	if (!doc || !(doc->used_environment || doc->used_lower))
		return doc ? doc_ref(doc) : NULL;
	text = (struct text){doc->sources[0]->name, doc->sources[0]->text,
			     layer_is_of(layer, LAYER_OF_VAULT)};
	(void)read_words(&text, &options, &again, diag);
	return again;
}

struct doc *layer_doc_for(const struct layer *layer,
			  const struct layer_context *context,
			  const struct value *lower, struct diag *diag)
{
	struct doc *doc = NULL;

	if (layer->state != LAYER_BROKEN &&
	    !layer_is_of(layer, LAYER_OF_VARIABLE))
		return last_good_for(layer, context, lower, diag);
	if (read_newest(layer, context, lower, &doc, diag) != READ_E_BROKEN)
		return doc;
	if (layer_is_lost(layer))
		return NULL;
	diag_deinit(diag);
	return last_good_for(layer, context, lower, diag);
}
