#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <string.h>

#include "../support/official.h"
#include "../support/outcome.h"
#include "../support/scratch.h"
#include "../support/skipping.h"

#include "base/env.h"
#include "config/merge.h"
#include "config/secret_rules.h"

/*
 * The project's vectors (semantics.md, "Test vectors") as far as they are about
 * texts alone: files read each by itself and merged, vaults over them; and
 * ClearML's own files with the values its code reads from them.
 */

#define VECTORS  "tests/corpus/vectors"
#define OFFICIAL "tests/corpus/official"

#define VECTOR_BYTES ((size_t)256 * 1024)

static char root[PATH_MAX]; /* of the repository */

/* One vector at work, in a home of its own. */
struct vector {
	struct doc *file; /* it was read from */
	const char *name;
	struct env *env;
	struct arena arena; /* of merged trees */
	struct value *tree; /* NULL: a file is broken */
	struct doc *docs[16];
	size_t doc_count;
};

static const struct value *get(const struct vector *vector, const char *key)
{
	return value_get(vector->file->root, str_from(key));
}

/* @text with this home's name in place of @HOME@. */
static char *at_home(struct str text)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const struct str mark = STR("@HOME@");

	for (; text.len; text = str_from_offset(text, 1)) {
		if (!str_starts(text, mark)) {
			buf_putc(&out, text.ptr[0]);
			continue;
		}
		buf_puts(&out, scratch_root);
		text = str_from_offset(text, mark.len - 1);
	}
	(void)buf_str(&out);
	return buf_take(&out);
}

static void write_bytes(const char *path, struct str bytes)
{
	_cleanup_(mem_freep) char *folders = mem_strdup(path);
	FILE *file;

	for (char *slash = folders; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(folders, 0755);
		*slash = '/';
	}
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
	assert_int_equal(fclose(file), 0);
}

/* A file's text: its bytes in hex, or as it stands. */
static void write_file(const char *path, struct str text)
{
	_cleanup_(mem_freep) char *home = NULL;
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	char digits[3] = "";

	if (!str_starts(text, STR("hex:"))) {
		if (memchr(text.ptr, '\0', text.len)) {
			write_bytes(path, text);
			return;
		}
		home = at_home(text);
		write_bytes(path, str_from(home));
		return;
	}
	for (size_t i = 4; i + 1 < text.len; i += 2) {
		memcpy(digits, text.ptr + i, 2);
		buf_putc(&bytes, (char)strtoul(digits, NULL, 16));
	}
	write_bytes(path, buf_str(&bytes));
}

static void write_files(const struct vector *vector)
{
	struct member *member;
	char *path;

	assert_int_equal(mkdir("cwd", 0755), 0);
	for (value_each (get(vector, "files"), member)) {
		path = mem_strndup(member->key, member->key_len);
		write_file(path, value_text(member->value));
		mem_free(path);
	}
	assert_int_equal(chdir("cwd"), 0);
}

static void make_env(struct vector *vector)
{
	struct env_variable variables[32] = {
		{STR("HOME"), str_from(scratch_root)}};
	char *values[32];
	size_t count = 1;
	struct member *member;

	for (value_each (get(vector, "env"), member)) {
		assert_true(count < 32);
		values[count] = at_home(value_text(member->value));
		variables[count] = (struct env_variable){
			member_key(member), str_from(values[count])};
		count++;
	}
	vector->env = env_new(variables, count);
	while (--count)
		mem_free(values[count]);
}

static struct read_options options_of(const struct vector *vector)
{
	struct read_options options = outcome_options(READ_HOCON);

	options.env = vector->env;
	options.lower = vector->tree;
	options.secrecy = secret_below;
	return options;
}

static void add(struct vector *vector, struct doc *doc)
{
	assert_true(vector->doc_count < 16);
	vector->docs[vector->doc_count++] = doc;
	vector->tree = merge(&vector->arena, vector->tree, doc->root);
}

/* False when the file is broken. */
static bool add_file(struct vector *vector, const char *name)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct read_options options = options_of(vector);
	struct doc *doc;
	int error;

	options.may_include = true;
	error = read_file(&doc, scratch_at(name), &options, &diag);
	if (error == 0)
		add(vector, doc);
	return error != READ_E_BROKEN;
}

/* One that is empty or broken counts for nothing. */
static void add_vault(struct vector *vector, const struct value *vault)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	const struct value *data = value_get(vault, STR("data"));
	const struct value *format = value_get(vault, STR("format"));
	struct read_options options = options_of(vector);
	_cleanup_(mem_freep) char *text =
		value_is(data, VALUE_STRING) ? at_home(value_text(data)) : NULL;
	struct doc *doc;

	if (!text)
		return;
	if (value_is(format, VALUE_STRING))
		(void)read_format_from_name(value_text(format),
					    &options.format);
	if (read_text(&doc, "vault", str_from(text), &options, &diag) == 0)
		add(vector, doc);
}

static void resolve_vector(struct vector *vector)
{
	const struct value *vaults = get(vector, "vaults");

	vector->tree = value_new(&vector->arena, VALUE_OBJECT);
	if (!add_file(vector, "trains.conf") ||
	    !add_file(vector, "clearml.conf")) {
		vector->tree = NULL;
		return;
	}
	for (uint32_t i = 0; vaults && i < vaults->list.count; i++)
		add_vault(vector, vaults->list.items[i]);
}

/* The tree without `env` at the top, with @HOME@ for the home. */
static char *comparable(const struct value *tree)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct value *copy = value_new(&arena, VALUE_OBJECT);
	struct member *member;

	for (value_each (tree, member))
		if (!str_is(member_key(member), "env"))
			*value_object_slot(copy, &arena, member_key(member)) =
				member->value;
	json_write(&out, copy);
	return at_home(buf_str(&out));
}

static bool same(const char *a, const char *b)
{
	_cleanup_(doc_unrefp) struct doc *one = docs_read(a);
	_cleanup_(doc_unrefp) struct doc *other = docs_read(b);

	return value_equal(one->root, other->root);
}

static void compare(const struct vector *vector)
{
	const struct value *expect =
		docs_find(vector->file->root, "expect.clearconf.sdk");
	_cleanup_(mem_freep) char *got = NULL, *wanted = NULL;
	bool error = value_get(expect, STR("error"));

	if (error || !vector->tree) {
		if (error != !vector->tree)
			fail_msg("%s is %s", vector->name,
				 error ? "no error" : "broken");
		return;
	}
	got = comparable(vector->tree);
	wanted = comparable(expect);
	if (!same(got, wanted))
		fail_msg("%s is read as %s", vector->name, got);
}

/* Is it one text, whose fate in ClearML the vector tells? */
static bool is_one_text(const struct vector *vector)
{
	const struct value *files = get(vector, "files");
	const struct value *vaults = get(vector, "vaults");

	return files && value_get(files, STR("clearml.conf")) &&
	       !value_get(files, STR("trains.conf")) &&
	       !(vaults && vaults->list.count);
}

/* Where the strict dialect takes, or refuses, another text than ClearML. */
static const struct {
	const char *name;
	bool refused; /* by the strict dialect */
	const char *why;
} exceptions[] = {
	{"include-in-list.json", true, "makes nonsense of it: refused"},
	{"root-deep.json", false, "as deep as its stack allows: a limit"},
};

static bool is_exception(const char *name, bool refused)
{
	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
		if (!strcmp(exceptions[i].name, name))
			return exceptions[i].refused == refused;
	return false;
}

/* The strict dialect refuses what ClearML refuses, and nothing else. */
static void compare_strict(const struct vector *vector)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	struct read_options options = options_of(vector);
	bool clearml = value_get(docs_find(vector->file->root, "expect.sdk"),
				 STR("error"));
	bool refused;

	options.may_include = true;
	options.lower = NULL;
	options.dialect = READ_STRICT;
	refused = read_file(&doc, scratch_at("clearml.conf"), &options,
			    &diag) == READ_E_BROKEN;
	if (refused != clearml && !is_exception(vector->name, refused))
		fail_msg("%s is %s in the strict dialect, other than in "
			 "ClearML: %s",
			 vector->name, refused ? "refused" : "accepted",
			 refused ? diag.text : "");
}

static bool is_about_texts(const struct vector *vector)
{
	const struct value *monitoring = get(vector, "monitoring_vaults");
	struct member *member;

	if (monitoring && monitoring->list.count)
		return false;
	for (value_each (get(vector, "env"), member))
		if (str_starts(member_key(member), STR("CLEARML_")) ||
		    str_starts(member_key(member), STR("TRAINS_")))
			return false;
	return true;
}

static void vector_deinit(struct vector *vector)
{
	for (size_t i = 0; i < vector->doc_count; i++)
		doc_unref(vector->docs[i]);
	arena_free(&vector->arena);
	vector->env = env_unref(vector->env);
	doc_unref(vector->file);
}

/* Python writes an infinity that JSON does not have. */
static struct doc *read_vector(const char *path)
{
	_cleanup_(mem_freep) char *text = mem_alloc(VECTOR_BYTES);
	FILE *file = fopen(path, "re");
	char *infinity;

	assert_non_null(file);
	assert_true(fread(text, 1, VECTOR_BYTES - 1, file) > 0);
	assert_true(feof(file));
	assert_int_equal(fclose(file), 0);
	infinity = strstr(text, "Infinity");
	for (size_t i = 0; infinity && i < strlen("Infinity"); i++)
		infinity[i] = "null    "[i];
	return docs_read(text);
}

static bool check_vector(const char *name)
{
	_cleanup_(vector_deinit) struct vector vector = {.name = name};
	_cleanup_(mem_freep) char *path =
		mem_printf("%s/" VECTORS "/%s", root, name);

	vector.file = read_vector(path);
	if (!is_about_texts(&vector))
		return false;
	scratch_enter();
	write_files(&vector);
	make_env(&vector);
	resolve_vector(&vector);
	compare(&vector);
	if (is_one_text(&vector))
		compare_strict(&vector);
	scratch_leave();
	return true;
}

static void check_official(const char *folder, const char *name)
{
	_cleanup_(mem_freep) char *stem =
		mem_strndup(name, strlen(name) - strlen(".conf"));
	_cleanup_(mem_freep) char *path = mem_printf("%s/%s", folder, name);
	_cleanup_(mem_freep) char *json =
		mem_printf("%s/" OFFICIAL "/%s.expected.json", root, stem);
	_cleanup_(outcome_deinit) struct outcome got = {0}, wanted = {0};
	_cleanup_(mem_freep) char *one = NULL, *other = NULL;
	struct read_options options = outcome_options(READ_HOCON);

	if (read_file(&got.doc, path, &options, &got.diag) != 0) {
		fail_msg("%s: %s", name, got.diag.text);
		return;
	}
	options.format = READ_JSON;
	assert_int_equal(read_file(&wanted.doc, json, &options, &wanted.diag),
			 0);
	one = comparable(got.doc->root);
	other = comparable(wanted.doc->root);
	if (!same(one, other))
		fail_msg("%s is read as %s", name, one);
}

static bool ends(const char *name, const char *suffix)
{
	return str_ends(str_from(name), str_from(suffix));
}

static void vectors_hold(void **state)
{
	DIR *folder = opendir(VECTORS);
	struct dirent *entry;
	size_t checked = 0;

	(void)state;
	assert_non_null(folder);
	while ((entry = readdir(folder)))
		if (ends(entry->d_name, ".json"))
			checked += check_vector(entry->d_name);
	assert_int_equal(closedir(folder), 0);
	assert_int_equal(chdir(root), 0);
	assert_true(checked >= 235);
}

static void official_files_hold(void **state)
{
	char path[2 * PATH_MAX];
	struct dirent *entry;
	size_t checked = 0;
	DIR *folder;

	(void)state;
	if (!official_folder(root, path, sizeof(path)))
		skip_because("no files of ClearML's: CLEARCONF_SHARED names no "
			     "folder with them");
	folder = opendir(path);
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		if (!ends(entry->d_name, ".conf"))
			continue;
		check_official(path, entry->d_name);
		checked++;
	}
	assert_int_equal(closedir(folder), 0);
	assert_int_equal(checked, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_hold),
		cmocka_unit_test(official_files_hold),
	};

	if (!getcwd(root, sizeof(root)))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
