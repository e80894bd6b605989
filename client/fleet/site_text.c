#include "fleet/site_text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/source.h"
#include "config/mask.h"
#include "config/secrets.h"
#include "config/vault_env.h"
#include "read/doc.h"
#include "read/reader.h"
#include "text/watch_text.h"
#include "value/diff.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

/* A request to etcd has at most 1.5 MiB, key and all. */
#define ETCD_BYTES ((size_t)1536 * 1024 - 4096)

/* --- reading -------------------------------------------------------------- */

/* With the variables that every host shows to documents from elsewhere, unless
 * its [local] vault_environment says otherwise. */
static bool understand(struct site_text *text, const char *name,
		       enum conform_policy policy)
{
	_cleanup_(env_unrefp) struct env *all = env_from_process();
	_cleanup_(env_unrefp) struct env *env = env_for_vaults(all, NULL, true);
	const struct read_options how = {
		.format = read_format_of_path(name),
		.limits = READ_LIMITS_DEFAULT,
		.env = env,
	};

	if (read_text(&text->doc, text->name, text->text, &how, &text->diag) ==
		    0 &&
	    conform_check(text->doc, policy, &text->diag) == 0)
		return true;
	doc_unref(text->doc);
	text->doc = NULL;
	return false;
}

bool site_text_take(struct site_text *text, struct str taken, const char *name)
{
	*text = (struct site_text){.name = name};
	text->text = arena_str(&text->arena, taken);
	return understand(text, name, CONFORM_OFF);
}

static bool read_input(struct site_text *text)
{
	_cleanup_(buf_deinit) struct buf all = BUF_INIT;
	struct source source;
	ssize_t n;

	do {
		n = read(STDIN_FILENO, buf_reserve(&all, 65536), 65536);
		if (n < 0 && errno != EINTR)
			return diag_set(&text->diag, text->name, "%s",
					strerror(errno));
		all.len += n > 0 ? (size_t)n : 0;
	} while (n != 0 && all.len <= ETCD_BYTES);
	if (all.len > ETCD_BYTES)
		return diag_set(&text->diag, text->name,
				"has more than %zu bytes, which etcd does not "
				"take",
				ETCD_BYTES);
	if (source_from_text(&source, &text->arena, text->name, buf_str(&all),
			     &text->diag) != 0)
		return false;
	text->text = source.text;
	return true;
}

static bool read_named(struct site_text *text, const char *path)
{
	struct source source;
	int r = source_from_file(&source, &text->arena, path, ETCD_BYTES,
				 &text->diag);

	if (r == SOURCE_E_MISSING)
		return diag_set(&text->diag, path,
				"is not there, or is no file");
	if (r == 0)
		text->text = source.text;
	return r == 0;
}

bool site_text_read(struct site_text *text, const char *path, const char *name,
		    enum conform_policy policy)
{
	bool input = !strcmp(path, "-");

	*text = (struct site_text){.name = input ? "standard input" : path};
	return (input ? read_input(text) : read_named(text, path)) &&
	       understand(text, name ? name : path, policy);
}

void site_text_deinit(struct site_text *text)
{
	doc_unref(text->doc);
	diag_deinit(&text->diag);
	arena_free(&text->arena);
}

/* --- what is wrong -------------------------------------------------------- */

void site_text_print(const struct site_text *text)
{
	if (!text->doc)
		diag_print_excerpt(&text->diag, "", stdout);
	for (size_t i = 0; text->doc && i < text->doc->warnings.count; i++)
		diag_print_excerpt(&text->doc->warnings.items[i],
				   "warning: ", stdout);
}

static void add_diag(struct buf *out, const struct diag *diag)
{
	buf_putc(out, '{');
	json_add_int(out, "line", diag->pos.line);
	json_add_int(out, "column", diag->pos.column);
	json_add_string(out, "message", diag->text);
	buf_putc(out, '}');
}

void site_text_write_json(const struct site_text *text, struct buf *json)
{
	const struct doc *doc = text->doc;

	buf_putc(json, '{');
	json_add_bool(json, "ok", doc != NULL);
	json_key(json, "error");
	if (doc)
		buf_puts(json, "null");
	else
		add_diag(json, &text->diag);
	json_key(json, "warnings");
	buf_putc(json, '[');
	for (size_t i = 0; doc && i < doc->warnings.count; i++) {
		buf_puts(json, i ? "," : "");
		add_diag(json, &doc->warnings.items[i]);
	}
	buf_puts(json, "]}\n");
}

/* --- what differs --------------------------------------------------------- */

static void set(struct value *object, struct arena *arena, struct str key,
		const struct value *value)
{
	if (value)
		*value_object_slot(object, arena, key) = (struct value *)value;
}

struct comparison {
	const struct doc *old, *new;
	struct secrets *secrets; /* of both */
};

/* What stands at @path of @doc, as it may be shown; NULL: nothing does. */
static const struct value *visible(const struct comparison *comparison,
				   const struct doc *doc, struct arena *arena,
				   struct str path)
{
	struct path_error error;
	struct path parsed;

	if (!doc || !path_parse(&parsed, arena, path, &error))
		return NULL;
	return mask_at(comparison->secrets, arena, doc->root, &parsed);
}

/* As Watch tells of one. */
static void add_change(struct buf *out, const struct comparison *comparison,
		       const struct change *change)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct value *told = value_new(&arena, VALUE_OBJECT);

	set(told, &arena, STR("kind"),
	    value_new_string(&arena, str_from(change_kind_name(change->kind))));
	set(told, &arena, STR("path"), value_new_string(&arena, change->path));
	if (change->old)
		set(told, &arena, STR("old"),
		    visible(comparison, comparison->old, &arena, change->path));
	if (change->new)
		set(told, &arena, STR("new"),
		    visible(comparison, comparison->new, &arena, change->path));
	watch_text_add_change(out, told, true);
}

size_t site_text_add_changes(struct buf *out, const struct doc *old,
			     const struct doc *new)
{
	const struct comparison comparison = {old, new, secrets_new(NULL)};
	struct changes changes = CHANGES_INIT;
	size_t count;

	if (old)
		secrets_learn(comparison.secrets, old->root);
	if (new)
		secrets_learn(comparison.secrets, new->root);
	diff_add(&changes, STR(""), old ? old->root : NULL,
		 new ? new->root : NULL);
	changes_sort(&changes);
	for (size_t i = 0; i < changes.count; i++)
		add_change(out, &comparison, &changes.items[i]);
	count = changes.count;
	changes_deinit(&changes);
	secrets_free(comparison.secrets);
	return count;
}
