#include "read/reader.h"

#include "base/mem.h"
#include "read/hocon.h"
#include "read/json.h"
#include "read/key.h"
#include "read/reading.h"
#include "read/tree.h"
#include "read/yaml.h"

/* A string, whatever is in it. */
static bool literal_read(struct reading *reading)
{
	struct source *source = reading->doc->sources[0];

	reading->doc->root = value_new_string(reading->arena, source->text);
	return true;
}

/* A value of HOCON's if it is one, whole (semantics.md, "Layers"); else a
 * string. */
static bool value_read(struct reading *reading)
{
	struct diag *diag = reading->diag, why_not = DIAG_INIT;
	bool ok;

	reading->diag = &why_not;
	ok = hocon_read_value(reading);
	reading->diag = diag;
	diag_deinit(&why_not);
	return ok || literal_read(reading);
}

/* How a format is read: set reading->doc->root from its first source. */
static const struct {
	const char *name;
	bool (*read)(struct reading *reading);
} formats[] = {
	[READ_HOCON] = {"hocon", hocon_read},
	[READ_JSON] = {"json", json_read},
	[READ_YAML] = {"yaml", yaml_read},
	[READ_VALUE] = {NULL, value_read},
	[READ_LITERAL] = {NULL, literal_read},
};

static const struct {
	const char *suffix;
	enum read_format format;
} suffixes[] = {
	{".json", READ_JSON},
	{".yaml", READ_YAML},
	{".yml", READ_YAML},
};

enum read_format read_format_of_path(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (str_ends(str_from(path), str_from(suffixes[i].suffix)))
			return suffixes[i].format;
	return READ_HOCON;
}

const char *read_format_name(enum read_format format)
{
	return formats[format].name;
}

bool read_format_from_name(struct str name, enum read_format *format)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (formats[i].name && str_is(name, formats[i].name)) {
			*format = (enum read_format)i;
			return true;
		}
	}
	return false;
}

/* The key of its owner's that a document goes under. The owner may be gone
 * before the document: its keys are the document's own. */
static bool cut_under(struct reading *reading, struct path *path)
{
	const char *name = reading->doc->sources[0]->name;
	struct str under = arena_str(reading->arena, reading->options->under);

	if (!key_cut(reading, under, path))
		return diag_set(reading->diag, name,
				"the key that its name stands for has too many "
				"parts");
	return path->count ||
	       diag_set(reading->diag, name, "its name stands for no key");
}

static bool put_under(struct reading *reading)
{
	struct value *whole = reading->doc->root;
	struct path path;

	if (!reading->options->under.len)
		return true;
	reading->doc->root = value_new(reading->arena, VALUE_OBJECT);
	return cut_under(reading, &path) &&
	       tree_put(reading, reading->doc->root, &path, whole);
}

static struct reading reading_of(struct doc *doc,
				 const struct read_options *options,
				 struct diag *diag)
{
	return (struct reading){
		.doc = doc,
		.arena = &doc->arena,
		.options = options,
		.diag = diag,
	};
}

static bool parse(struct reading *reading)
{
	const struct read_options *options = reading->options;
	struct doc *doc = reading->doc;

	if (options->format < READ_VALUE &&
	    !str_trim(doc->sources[0]->text).len) {
		doc->root = value_new(&doc->arena, VALUE_OBJECT);
		return put_under(reading);
	}
	if (!formats[options->format].read(reading))
		return false;
	if (!doc->root) { /* an optional substitution of nothing */
		doc->root = value_new(&doc->arena, VALUE_OBJECT);
		return true;
	}
	if (options->under.len)
		return put_under(reading);
	if (value_is(doc->root, VALUE_OBJECT))
		return true;
	return diag_at(reading->diag, doc->sources[doc->root->source],
		       doc->root->offset,
		       "the whole must be an object, not a %s",
		       value_type_name(doc->root));
}

int read_file(struct doc **doc, const char *path,
	      const struct read_options *options, struct diag *diag)
{
	_cleanup_(doc_unrefp) struct doc *new = doc_new();
	int found = source_from_file(doc_add_source(new), &new->arena, path,
				     options->limits.bytes, diag);
	struct reading reading = reading_of(new, options, diag);

	if (found == SOURCE_E_MISSING)
		return READ_E_MISSING;
	if (found || !parse(&reading))
		return READ_E_BROKEN;
	*doc = TAKE(new);
	return 0;
}

/* May the vault that was read as HOCON, or failed to be, have been meant as
 * YAML (semantics.md, "Formats")? A failure after the text was parsed is no
 * sign of it. */
static bool may_be_yaml(const struct reading *reading, bool ok)
{
	const struct read_options *options = reading->options;

	if (options->format != READ_HOCON || options->may_include ||
	    reading->refused)
		return false;
	if (!ok && options->dialect == READ_STRICT)
		return false;
	return reading->doc->like_yaml || !reading->doc->root;
}

/* The document of @hocon's text as YAML; NULL when it is no map of YAML. */
static struct doc *read_as_yaml(const struct reading *hocon)
{
	struct source *source = hocon->doc->sources[0];
	struct read_options options = *hocon->options;
	struct diag diag = DIAG_INIT;
	struct doc *doc = NULL;

	options.format = READ_YAML;
	if (read_text(&doc, source->name, source->text, &options, &diag) == 0)
		doc_set_misread(doc, "this is YAML, which ClearML itself would "
				     "misread as HOCON");
	diag_deinit(&diag);
	return doc;
}

int read_text(struct doc **doc, const char *name, struct str text,
	      const struct read_options *options, struct diag *diag)
{
	_cleanup_(doc_unrefp) struct doc *new = doc_new();
	struct reading reading = reading_of(new, options, diag);
	struct doc *yaml;
	bool ok;

	if (text.len > options->limits.bytes) {
		diag_set(diag, name, "is larger than the limit of %zu bytes",
			 options->limits.bytes);
		return READ_E_BROKEN;
	}
	if (source_from_text(doc_add_source(new), &new->arena, name, text,
			     diag))
		return READ_E_BROKEN;
	ok = parse(&reading);
	yaml = may_be_yaml(&reading, ok) ? read_as_yaml(&reading) : NULL;
	if (!ok && !yaml)
		return READ_E_BROKEN;
	if (!ok)
		diag_deinit(diag);
	*doc = yaml ? yaml : TAKE(new);
	return 0;
}
