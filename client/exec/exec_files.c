#include "exec/exec_files.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "exec/exec_env.h"
#include "exec/section.h"
#include "render/render.h"
#include "text/answer.h"
#include "text/complain.h"
#include "text/target.h"
#include "value/json.h"
#include "value/value.h"

#define MODE_DEFAULT 0600

/* --- paths ---------------------------------------------------------------- */

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

/* At a '$': the variable's name; *used: bytes of $NAME or ${NAME}, 0 when it
 * is neither. */
static struct str variable_at(const char *at, size_t *used)
{
	bool braces = at[1] == '{';
	struct str name = {at + 1 + braces, 0};

	while (is_name_byte(name.ptr[name.len]))
		name.len++;
	*used = name.len ? 1 + braces + name.len : 0;
	if (*used && braces)
		*used = name.ptr[name.len] == '}' ? *used + 1 : 0;
	return name;
}

/* A variable that is not set stays as it is written. */
static void expand_variables(struct buf *out, const char *path,
			     char *const *env)
{
	const char *value;
	struct str name;
	size_t used;

	while (*path) {
		value = NULL;
		if (*path == '$') {
			name = variable_at(path, &used);
			value = used ? exec_env_get(env, name) : NULL;
		}
		if (!value) {
			buf_putc(out, *path++);
			continue;
		}
		buf_puts(out, value);
		path += used;
	}
}

/* The home of "~" or "~user", @len bytes long; NULL: unknown. */
static const char *home_of(const char *tilde, size_t len, char *const *env)
{
	_cleanup_(mem_freep) char *user = mem_strndup(tilde + 1, len - 1);
	const char *home = *user ? NULL : exec_env_get(env, STR("HOME"));
	struct passwd *entry;

	if (home)
		return home;
	entry = *user ? getpwnam(user) : getpwuid(geteuid());
	return entry ? entry->pw_dir : NULL;
}

static char *expand(struct str path, char *const *env)
{
	_cleanup_(buf_deinit) struct buf expanded = BUF_INIT;
	_cleanup_(mem_freep) char *text = mem_strndup(path.ptr, path.len);
	const char *start, *home;
	size_t len;

	expand_variables(&expanded, text, env);
	start = buf_str(&expanded).ptr;
	if (start[0] != '~')
		return mem_strdup(start);
	len = strcspn(start, "/");
	home = home_of(start, len, env);
	return home ? mem_printf("%s%s", home, start + len) : mem_strdup(start);
}

/* --- contents ------------------------------------------------------------- */

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
		"qrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* What is no digit is passed over, as Python does; false when digits are left
 * over. */
static bool decode_base64(struct buf *out, struct str text)
{
	uint32_t bits = 0;
	size_t count = 0;
	int digit;

	for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
		digit = base64_digit(text.ptr[i]);
		if (digit < 0)
			continue;
		bits = bits << 6 | (uint32_t)digit;
		if (count++ % 4)
			buf_putc(out,
				 (char)(bits >> (6 - 2 * ((count - 1) % 4))));
	}
	return count % 4 != 1;
}

static void write_json_text(struct buf *out, const struct value *value)
{
	json_write_pretty(out, value);
}

/* A string as it is, anything else as JSON. */
static void write_bare(struct buf *out, const struct value *value)
{
	if (value->type == VALUE_STRING)
		buf_add_str(out, value_text(value));
	else
		json_write_pretty(out, value);
}

static const struct {
	const char *name;
	void (*write)(struct buf *out, const struct value *value);
	bool text;
} targets[] = {
	{"string", write_bare, true},    {"bytes", write_bare, false},
	{"json", write_json_text, true}, {"yaml", render_yaml_bare, true},
	{"yml", render_yaml_bare, true},
};

/* What is wrong with it, or NULL. @contents: after decoding. */
static const char *write_contents(struct buf *out, const struct value *contents,
				  struct str format)
{
	size_t i = 0;

	if (!format.len)
		format = STR("string");
	while (i < ARRAY_SIZE(targets) && !str_is(format, targets[i].name))
		i++;
	if (i == ARRAY_SIZE(targets))
		i = 0; /* as the agent does */
	if (targets[i].text && contents->type == VALUE_STRING &&
	    str_utf8_invalid(value_text(contents)) < contents->text.len)
		return "its contents are not UTF-8: say target_format = bytes";
	targets[i].write(out, contents);
	return NULL;
}

static const char *make_contents(struct buf *out, const struct value *file)
{
	_cleanup_(buf_deinit) struct buf decoded = BUF_INIT;
	const struct value *contents = value_get(file, STR("contents"));
	struct value text = {.type = VALUE_STRING};

	if (!contents || contents->type == VALUE_NULL)
		return "it has no contents";
	if (contents->type == VALUE_STRING &&
	    str_is(answer_text(file, "format"), "base64")) {
		if (!decode_base64(&decoded, value_text(contents)))
			return "its contents are not base64";
		text.text.ptr = buf_str(&decoded).ptr;
		text.text.len = (uint32_t)decoded.len;
		contents = &text;
	}
	return write_contents(out, contents,
			      answer_text(file, "target_format"));
}

/* --- files ---------------------------------------------------------------- */

/* "0640", and 640, which is what HOCON makes of 0640. False: no mode. */
static bool read_mode(const struct value *value, mode_t *mode)
{
	struct str digits;

	*mode = MODE_DEFAULT;
	if (!value || value->type == VALUE_NULL)
		return true;
	if (value->type != VALUE_INT && value->type != VALUE_STRING)
		return false;
	digits = value_text(value);
	if (!digits.len || digits.len > 4)
		return false;
	*mode = 0;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '7')
			return false;
		*mode = *mode << 3 | (mode_t)(digits.ptr[i] - '0');
	}
	return *mode <= 0777;
}

static bool may_overwrite(const struct value *file)
{
	const struct value *overwrite = value_get(file, STR("overwrite"));

	return !value_is(overwrite, VALUE_BOOL) || overwrite->boolean;
}

/* What is wrong with it, the caller's, or NULL; the same of the next two. */
static char *replace(const char *path, mode_t mode, struct str text)
{
	struct target_wish wish = {
		.path = path,
		.mode = mode,
		.uid = TARGET_NOBODY,
		.gid = (gid_t)-1,
		.make_folders = true,
	};
	_cleanup_(target_deinit) struct target target;
	int r = target_open(&target, &wish);

	if (r == 0)
		r = target_write(&target, text);
	if (r >= 0)
		return NULL;
	return mem_strdup(target.problem ? target.problem : strerror(-r));
}

static char *write_to(const char *path, const struct value *file)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	const char *problem;
	struct stat st;
	mode_t mode;

	if (!read_mode(value_get(file, STR("mode")), &mode))
		return mem_strdup("its mode is no file mode such as \"0640\"");
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return mem_strdup("its path is a folder");
	if (!may_overwrite(file) && lstat(path, &st) == 0)
		return NULL;
	problem = make_contents(&text, file);
	return problem ? mem_strdup(problem)
		       : replace(path, mode, buf_str(&text));
}

static char *write_file(const struct value *file, char *const *env)
{
	struct str text = answer_text(file, "path");
	_cleanup_(mem_freep) char *path = NULL;

	if (!value_is(file, VALUE_OBJECT) || !text.len)
		return mem_strdup("it has no path");
	if (memchr(text.ptr, '\0', text.len))
		return mem_strdup("its path holds the character NUL");
	path = expand(text, env);
	return write_to(path, file);
}

static const struct section_switch apply_files = {
	"apply_files",
	"CLEARML_ENABLE_FILES_CONFIG_SECTION",
	"CLEARML_AGENT_ENABLE_FILES_CONFIG_SECTION",
};

void exec_files_write(const struct value *tree, char *const *env)
{
	const struct value *files = value_get(tree, STR("files"));
	struct member *member;

	if (!value_is(files, VALUE_OBJECT))
		return;
	if (section_wish(tree, &apply_files) == SECTION_UNWANTED) {
		complain_warning("the section 'files' is left alone: "
				 "apply_files says no");
		return;
	}
	for (value_each (files, member)) {
		_cleanup_(mem_freep) char *problem =
			write_file(member->value, env);

		if (problem)
			complain_warning("files.%.*s is not written: %s",
					 STR_PRINT(member_key(member)),
					 problem);
	}
}
