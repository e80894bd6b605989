#include "fetch/cache_entry.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/mem.h"
#include "fetch/vault.h"
#include "read/reader.h"
#include "value/json.h"
#include "value/value.h"

#define MAGIC   "clearconf-cache "
#define VERSION "1"

/* What the first line is made of, and its length. */
#define FIRST_LINE       MAGIC VERSION " %016llx %010zu\n"
#define FIRST_LINE_BYTES (sizeof(MAGIC VERSION " 0123456789abcdef 0123456789"))

/* Objects, lists and vaults; nothing of ours goes deeper. */
#define DEPTH 4

static const char *const feed_names[VAULT_FEEDS] = {
	[VAULT_CONFIG] = "config",
	[VAULT_MONITORING] = "monitoring",
};

void cache_entry_deinit(struct cache_entry *entry)
{
	if (entry->held)
		entry->release(entry->held);
	arena_free(&entry->arena);
	*entry = (struct cache_entry){0};
}

int64_t cache_entry_fetched_at(const struct cache_entry *entry)
{
	int64_t oldest = 0, at;

	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		at = entry->feeds[i].fetched_at;
		if (at && (!oldest || at < oldest))
			oldest = at;
	}
	return oldest;
}

/* --- entry -> bytes --- */

static void write_vault(struct buf *out, const struct vault *vault)
{
	buf_putc(out, '{');
	json_add_string(out, "id", vault->id);
	json_add_string(out, "description", vault->description);
	json_add_optional_string(out, "format", vault->format);
	json_add_optional_string(out, "type", vault->type);
	json_add_optional_string(out, "scope", vault->scope);
	json_add_optional_string(out, "owner", vault->owner);
	json_add_optional_string(out, "last_update", vault->last_update);
	if (vault->data.ptr) {
		json_add_str(out, "data", vault->data);
	}
	buf_putc(out, '}');
}

/* A line each, so that a complaint about one does not have to count the
 * characters of all. */
static void write_vaults(struct buf *out, const struct cache_vaults *feed)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < feed->count; i++) {
		buf_puts(out, i ? ",\n" : "\n");
		write_vault(out, &feed->vaults[i]);
	}
	buf_putc(out, ']');
}

static void write_feeds(struct buf *out, const struct cache_entry *entry)
{
	json_key(out, "vaults");
	buf_putc(out, '{');
	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		if (!entry->feeds[i].fetched_at)
			continue;
		json_key(out, feed_names[i]);
		write_vaults(out, &entry->feeds[i]);
	}
	buf_putc(out, '}');
}

static void write_arrival(struct buf *out, const struct cache_arrival *arrival)
{
	buf_putc(out, '{');
	if (arrival->in_force[0])
		json_add_string(out, "in_force", arrival->in_force);
	if (arrival->next[0]) {
		json_add_string(out, "next", arrival->next);
		json_add_int(out, "seen_at", arrival->seen_at);
		json_add_bool(out, "skipped", arrival->skipped);
	}
	buf_putc(out, '}');
}

static void write_arrivals(struct buf *out, const struct cache_entry *entry)
{
	json_key(out, "arrivals");
	buf_putc(out, '{');
	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		if (!entry->feeds[i].fetched_at)
			continue;
		json_key(out, feed_names[i]);
		write_arrival(out, &entry->feeds[i].arrival);
	}
	buf_putc(out, '}');
}

void cache_entry_describe(const struct cache_entry *entry, struct buf *content)
{
	buf_putc(content, '{');
	json_add_string(content, "workspace", entry->workspace);
	json_add_string(content, "api_server", entry->api_server);
	json_add_string(content, "company_id", entry->company_id);
	json_add_string(content, "access_key", entry->access_key);
	json_add_optional_string(content, "user_id", entry->user_id);
	json_add_optional_string(content, "user_name", entry->user_name);
	json_add_optional_string(content, "company_name", entry->company_name);
	json_add_int(content, "refused_at", entry->refused_at);
	write_feeds(content, entry);
	write_arrivals(content, entry);
}

void cache_entry_compose(struct buf *bytes, struct str content,
			 const int64_t fetched_at[VAULT_FEEDS])
{
	memset(buf_reserve(bytes, FIRST_LINE_BYTES + content.len + 100), ' ',
	       FIRST_LINE_BYTES);
	bytes->len += FIRST_LINE_BYTES;
	buf_add_str(bytes, content);
	json_key(bytes, "fetched_at");
	buf_putc(bytes, '{');
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		if (fetched_at[i])
			json_add_int(bytes, feed_names[i], fetched_at[i]);
	buf_puts(bytes, "}}\n");
}

/* FNV-1a: no change of a single byte goes unseen, since every step is a
 * bijection. */
static uint64_t checksum(struct str text)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < text.len; i++) {
		sum ^= (unsigned char)text.ptr[i];
		sum *= UINT64_C(0x100000001b3);
	}
	return sum;
}

/* As it must be above @rest; a length of eleven digits is no length of ours. */
static void make_first_line(char line[FIRST_LINE_BYTES + 1], struct str rest)
{
	int len = snprintf(line, FIRST_LINE_BYTES + 1, FIRST_LINE,
			   (unsigned long long)checksum(rest), rest.len);

	assert(len == (int)FIRST_LINE_BYTES);
}

void cache_entry_seal(struct buf *bytes)
{
	char line[FIRST_LINE_BYTES + 1];
	struct str rest = str_from_offset((struct str){bytes->data, bytes->len},
					  FIRST_LINE_BYTES);

	make_first_line(line, rest);
	memcpy(bytes->data, line, FIRST_LINE_BYTES);
}

/* --- bytes -> entry --- */

/* Once something is wrong the rest is unwinding: the diag keeps the first
 * complaint. */
struct parse {
	struct cache_entry *entry;
	const char *name; /* of the file, for people */
	struct diag *diag;
	bool failed;
};

static void wrong_type(struct parse *parse, const char *key)
{
	parse->failed = true;
	(void)diag_set(parse->diag, parse->name,
		       "is damaged: its \"%s\" is missing or of a wrong type",
		       key);
}

static const char *text_or_null(struct parse *parse, const struct value *object,
				const char *key)
{
	const struct value *value = value_get(object, str_from(key));

	if (!value)
		return NULL;
	if (value_is(value, VALUE_STRING) && !str_has_nul(value_text(value)))
		return arena_str(&parse->entry->arena, value_text(value)).ptr;
	wrong_type(parse, key);
	return NULL;
}

static const char *text(struct parse *parse, const struct value *object,
			const char *key)
{
	const char *found = text_or_null(parse, object, key);

	if (!found)
		wrong_type(parse, key);
	return found;
}

static int64_t seconds(struct parse *parse, const struct value *object,
		       const char *key)
{
	int64_t number;

	if (value_to_int64(value_get(object, str_from(key)), &number) &&
	    number >= 0)
		return number;
	wrong_type(parse, key);
	return 0;
}

static struct str data_of(struct parse *parse, const struct value *object)
{
	const struct value *value = value_get(object, STR("data"));

	if (value && !value_is(value, VALUE_STRING))
		wrong_type(parse, "data");
	if (!value_is(value, VALUE_STRING))
		return (struct str){0};
	return arena_str(&parse->entry->arena, value_text(value));
}

static struct vault vault_of(struct parse *parse, const struct value *object)
{
	return (struct vault){
		.id = text(parse, object, "id"),
		.description = text(parse, object, "description"),
		.format = text_or_null(parse, object, "format"),
		.type = text_or_null(parse, object, "type"),
		.scope = text_or_null(parse, object, "scope"),
		.owner = text_or_null(parse, object, "owner"),
		.last_update = text_or_null(parse, object, "last_update"),
		.data = data_of(parse, object),
	};
}

static void read_vaults(struct parse *parse, const struct value *list,
			struct cache_vaults *feed)
{
	struct vault *vaults = arena_alloc(&parse->entry->arena,
					   list->list.count * sizeof(*vaults));

	for (size_t i = 0; i < list->list.count; i++)
		vaults[i] = vault_of(parse, list->list.items[i]);
	feed->vaults = vaults;
	feed->count = list->list.count;
}

static void read_revision(struct parse *parse, const struct value *object,
			  const char *key, char revision[REVISION_SIZE])
{
	const char *found = text_or_null(parse, object, key);

	if (found && strlen(found) == REVISION_SIZE - 1)
		memcpy(revision, found, REVISION_SIZE);
	else if (found)
		wrong_type(parse, key);
}

static void read_arrival(struct parse *parse, const struct value *object,
			 struct cache_arrival *arrival)
{
	const struct value *skipped = value_get(object, STR("skipped"));

	read_revision(parse, object, "in_force", arrival->in_force);
	read_revision(parse, object, "next", arrival->next);
	if (!arrival->next[0])
		return;
	arrival->seen_at = seconds(parse, object, "seen_at");
	if (value_is(skipped, VALUE_BOOL))
		arrival->skipped = skipped->boolean;
	else
		wrong_type(parse, "skipped");
}

/* A feed has both, its list and its time, or neither. */
static void read_feed(struct parse *parse, const struct value *root,
		      enum vault_feed number)
{
	const char *name = feed_names[number];
	struct cache_vaults *feed = &parse->entry->feeds[number];
	const struct value *times = value_get(root, STR("fetched_at"));
	const struct value *list =
		value_get(value_get(root, STR("vaults")), str_from(name));
	const struct value *arrival =
		value_get(value_get(root, STR("arrivals")), str_from(name));

	if (!list && !value_get(times, str_from(name)))
		return;
	feed->fetched_at = seconds(parse, times, name);
	if (value_is(list, VALUE_LIST) && feed->fetched_at)
		read_vaults(parse, list, feed);
	else
		wrong_type(parse, name);
	if (arrival)
		read_arrival(parse, arrival, &feed->arrival);
}

static void read_object(struct parse *parse, const struct value *root)
{
	static const char *const objects[] = {"vaults", "fetched_at"};
	struct cache_entry *entry = parse->entry;

	entry->workspace = text(parse, root, "workspace");
	entry->api_server = text(parse, root, "api_server");
	entry->company_id = text(parse, root, "company_id");
	entry->access_key = text(parse, root, "access_key");
	entry->user_id = text_or_null(parse, root, "user_id");
	entry->user_name = text_or_null(parse, root, "user_name");
	entry->company_name = text_or_null(parse, root, "company_name");
	entry->refused_at = seconds(parse, root, "refused_at");
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (!value_is(value_get(root, str_from(objects[i])),
			      VALUE_OBJECT))
			wrong_type(parse, objects[i]);
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		read_feed(parse, root, (enum vault_feed)i);
}

/* The reader's complaint without its excerpt, which may show a secret, and with
 * the line of the file. */
static bool parse_content(struct parse *parse, struct str content)
{
	const struct read_options options = {
		.format = READ_JSON,
		.limits = {.bytes = CACHE_BYTES_MAX, .depth = DEPTH},
	};
	_cleanup_(diag_deinit) struct diag why = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;

	if (read_text(&doc, parse->name, content, &options, &why) != 0)
		return diag_set(parse->diag, parse->name,
				"is damaged at line %u, column %u: %s",
				why.pos.line + 1, why.pos.column, why.text);
	read_object(parse, doc->root);
	return !parse->failed;
}

/* The version that a first line names; empty when it is none of ours. */
static struct str version_of(struct str bytes)
{
	struct str version = str_from_offset(bytes, strlen(MAGIC));
	size_t len = 0;

	while (len < version.len && version.ptr[len] >= '0' &&
	       version.ptr[len] <= '9')
		len++;
	return (struct str){version.ptr, len < 10 ? len : 0};
}

static bool complain_of_first_line(const char *name, struct str bytes,
				   const char *expected, struct diag *diag)
{
	const size_t length_at = FIRST_LINE_BYTES - sizeof("0123456789");
	struct str version;

	if (!str_starts(bytes, STR(MAGIC)))
		return diag_set(diag, name,
				"does not begin as a cache of clearconf does");
	version = version_of(bytes);
	if (version.len && !str_is(version, VERSION))
		return diag_set(diag, name,
				"has format %.*s, and this clearconf reads "
				"format " VERSION " alone",
				STR_PRINT(version));
	if (bytes.len < FIRST_LINE_BYTES ||
	    memcmp(bytes.ptr + length_at, expected + length_at,
		   FIRST_LINE_BYTES - length_at) != 0)
		return diag_set(diag, name,
				"is damaged: it is not as long as its first "
				"line says");
	return diag_set(diag, name,
			"is damaged: it is not what its checksum was made of");
}

static bool check_first_line(const char *name, struct str bytes,
			     struct diag *diag)
{
	char line[FIRST_LINE_BYTES + 1];

	make_first_line(line, str_from_offset(bytes, FIRST_LINE_BYTES));
	return str_starts(bytes, (struct str){line, FIRST_LINE_BYTES}) ||
	       complain_of_first_line(name, bytes, line, diag);
}

bool cache_entry_read(struct cache_entry *entry, const char *name,
		      struct str bytes, struct diag *diag)
{
	struct parse parse = {.entry = entry, .name = name, .diag = diag};

	*entry = (struct cache_entry){0};
	if (check_first_line(name, bytes, diag) &&
	    parse_content(&parse, str_from_offset(bytes, FIRST_LINE_BYTES)))
		return true;
	cache_entry_deinit(entry);
	return false;
}
