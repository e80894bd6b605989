#include "state/pair_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/mem.h"
#include "base/printable.h"
#include "base/str.h"
#include "read/doc.h"
#include "read/reader.h"
#include "value/json.h"
#include "value/value.h"

#define PAIR_BYTES ((size_t)64 * 1024)

void pair_deinit(struct pair *pair)
{
	mem_free(pair->access_key);
	mem_free(pair->secret_key);
	*pair = (struct pair){0};
}

/* The file is read by its suffix, without includes and variables. */
static struct doc *read_pair(const char *path, struct diag *diag)
{
	struct read_options options = {
		.format = read_format_of_path(path),
		.limits = READ_LIMITS_DEFAULT,
	};
	struct doc *doc = NULL;
	int r;

	options.limits.bytes = PAIR_BYTES;
	r = read_file(&doc, path, &options, diag);
	if (r == READ_E_MISSING)
		(void)diag_set(diag, path,
			       "the file of the key pair is not there");
	return r == 0 ? doc : NULL;
}

static const struct value *credentials_of(const struct doc *doc)
{
	return value_get(value_get(doc->root, STR("api")), STR("credentials"));
}

/* A key of digits alone is an integer when it stands without quotes; no login
 * can carry one with a control character in it. */
static char *half(const struct value *credentials, const char *key)
{
	const struct value *value = value_get(credentials, str_from(key));
	struct str text;

	if (!value_is(value, VALUE_STRING) && !value_is(value, VALUE_INT))
		return NULL;
	text = str_trim(value_text(value));
	return text.len && !printable_has_control(text)
		       ? mem_strndup(text.ptr, text.len)
		       : NULL;
}

bool pair_file_read(struct pair *pair, const char *path, struct diag *diag)
{
	_cleanup_(doc_unrefp) struct doc *doc = read_pair(path, diag);

	*pair = (struct pair){0};
	if (!doc)
		return false;
	pair->access_key = half(credentials_of(doc), "access_key");
	pair->secret_key = half(credentials_of(doc), "secret_key");
	if (pair->access_key && pair->secret_key)
		return true;
	pair_deinit(pair);
	return diag_set(diag, path,
			"there is no whole key pair in it: expected "
			"api.credentials.access_key and .secret_key");
}

static bool has_members(const struct value *object, size_t count)
{
	return value_is(object, VALUE_OBJECT) && object->object.count == count;
}

static bool holds_a_pair_alone(const char *path)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = read_pair(path, &diag);

	return doc && has_members(doc->root, 1) &&
	       has_members(value_get(doc->root, STR("api")), 1) &&
	       has_members(credentials_of(doc), 2);
}

static const char *problem_of_file(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "it is a symbolic link or no regular file: name the "
		       "file itself";
	if (st.st_nlink > 1)
		return "it has several names (hard links), of which only one "
		       "would get the new pair";
	if (st.st_uid != geteuid())
		return "it does not belong to the user that clearconfd runs "
		       "as, and would then";
	if (!holds_a_pair_alone(path))
		return "there is more in it than api.credentials.access_key "
		       "and .secret_key, which would be lost";
	return NULL;
}

char *pair_file_obstacle(const char *path)
{
	_cleanup_(mem_freep) char *copy = mem_strdup(path);
	const char *folder = dirname(copy);
	const char *problem = problem_of_file(path);

	if (problem)
		return mem_printf("%s: %s", path, problem);
	if (faccessat(AT_FDCWD, folder, R_OK | W_OK | X_OK, AT_EACCESS) < 0)
		return mem_printf("clearconfd cannot write into %s: %s", folder,
				  strerror(errno));
	return NULL;
}

void pair_file_write(struct buf *out, const struct pair *pair)
{
	buf_puts(out, "{\"api\":{\"credentials\":{");
	json_add_string(out, "access_key", pair->access_key);
	json_add_string(out, "secret_key", pair->secret_key);
	buf_puts(out, "}}}\n");
}
