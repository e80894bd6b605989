#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clearconf.h"
#include "handle.h"
#include "json_scan.h"
#include "json_text.h"
#include "wire.h"

/* --- the question --------------------------------------------------------- */

static int add_text(struct bytes *out, const char *text)
{
	return bytes_add(out, text, strlen(text));
}

int clearconf_set_workspace(struct clearconf *handle, const char *name)
{
	struct bytes workspace = {0};

	if (name && (add_text(&workspace, ",\"workspace\":") < 0 ||
		     json_text_add(&workspace, name) < 0)) {
		bytes_deinit(&workspace);
		return handle_fail(handle, -ENOMEM, "out of memory");
	}
	bytes_deinit(&handle->workspace);
	handle->workspace = workspace;
	return 0;
}

/* The one that the program names; else the one that its environment names. */
static int add_workspace(struct bytes *out, const struct clearconf *handle)
{
	const struct bytes *named = &handle->workspace;
	const char *name = handle_variable(WIRE_WORKSPACE_VARIABLE);

	if (named->len || !name)
		return bytes_add(out, named->data, named->len);
	return add_text(out, ",\"workspace\":") < 0 ? -ENOMEM
						    : json_text_add(out, name);
}

static int write_question(struct bytes *out, const struct clearconf *handle,
			  const char *path)
{
	if (add_text(out, "{\"path\":") < 0 ||
	    json_text_add(out, path ? path : "") < 0 ||
	    add_workspace(out, handle) < 0)
		return -ENOMEM;
	return bytes_add(out, "}", 2);
}

static int call_get(struct clearconf *handle, const char *path,
		    struct clearconf_reply *reply)
{
	struct bytes question = {0};
	int r = write_question(&question, handle, path);

	if (r < 0)
		r = handle_fail(handle, r, "out of memory");
	else
		r = clearconf_call(handle, WIRE_INTERFACE ".Get", question.data,
				   reply);
	bytes_deinit(&question);
	return r;
}

/* --- the answer ----------------------------------------------------------- */

static int outcome_of(const char *error)
{
	if (!strcmp(error, WIRE_INTERFACE ".PathNotFound"))
		return CLEARCONF_E_ABSENT;
	if (!strcmp(error, WIRE_INTERFACE ".AccessDenied"))
		return CLEARCONF_E_DENIED;
	return CLEARCONF_E_ERROR;
}

static bool is_word(struct json_slice value, const char *word)
{
	return value.len == strlen(word) && !memcmp(value.ptr, word, value.len);
}

static const char *kind_of(struct json_slice value)
{
	switch (value.ptr[0]) {
	case '{': return "an object";
	case '[': return "a list";
	case '"': return "a string";
	case 't':
	case 'f': return "a boolean";
	case 'n': return "null";
	default: break;
	}
	for (size_t i = 0; i < value.len; i++)
		if (strchr(".eE", value.ptr[i]))
			return "a number with a fraction or an exponent";
	return "an integer";
}

static bool is_integer(struct json_slice value)
{
	return !strcmp(kind_of(value), "an integer");
}

static bool is_number(struct json_slice value)
{
	return strchr("-0123456789", value.ptr[0]) != NULL;
}

static const char *shown(const char *path)
{
	return path && *path ? path : "the root";
}

static int wrong_type(struct clearconf *handle, const char *path,
		      struct json_slice value, const char *wanted)
{
	return handle_fail(handle, CLEARCONF_E_TYPE,
			   "the value at '%s' is %s, not %s", shown(path),
			   kind_of(value), wanted);
}

/* A mask is no value: who asked for one must not take it for one. */
static bool has_mask(struct json_slice value)
{
	return memmem(value.ptr, value.len, WIRE_MASK, strlen(WIRE_MASK));
}

/* The JSON text of the value at @path, in the buffer of the handle, with a NUL
 * after it. */
static int get(struct clearconf *handle, const char *path,
	       struct json_slice *value)
{
	enum { VALUE, MASKED, COUNT };
	struct json_member members[COUNT] = {{"value", {0}}, {"masked", {0}}};
	struct clearconf_reply reply = {0};
	int r = call_get(handle, path, &reply);

	if (r == CLEARCONF_E_ERROR && reply.error)
		return outcome_of(reply.error);
	if (r != 0)
		return r;
	(void)json_scan_object(
		(struct json_slice){reply.parameters, reply.parameters_len},
		members, COUNT);
	*value = members[VALUE].value;
	if (!value->ptr || !value->len)
		return handle_fail(handle, -EPROTO,
				   "the daemon's answer holds no value");
	if (is_word(members[MASKED].value, "true") && has_mask(*value))
		return handle_fail(handle, CLEARCONF_E_DENIED,
				   "there is a secret at '%s': this needs the "
				   "right 'secrets'",
				   shown(path));
	((char *)value->ptr)[value->len] = '\0';
	return 0;
}

/* Get one scalar; null is none. */
static int get_scalar(struct clearconf *handle, const char *path,
		      struct json_slice *value)
{
	int r = get(handle, path, value);

	if (r == 0 && is_word(*value, "null"))
		return handle_fail(handle, CLEARCONF_E_ABSENT,
				   "the value at '%s' is null", shown(path));
	return r;
}

/* --- by type -------------------------------------------------------------- */

int clearconf_get_json(struct clearconf *handle, const char *path,
		       const char **value)
{
	struct json_slice found;
	int r = get(handle, path, &found);

	if (r == 0)
		*value = found.ptr;
	return r;
}

static int decode(struct clearconf *handle, const char *path,
		  struct json_slice value, const char **text)
{
	long len = json_text_decode((char *)value.ptr, value.len);

	if (len < 0)
		return handle_fail(handle, -EPROTO,
				   "the daemon's answer is no JSON");
	if (memchr(value.ptr, '\0', (size_t)len))
		return handle_fail(handle, CLEARCONF_E_RANGE,
				   "the string at '%s' holds a NUL, which no "
				   "C string can",
				   shown(path));
	*text = value.ptr;
	return 0;
}

int clearconf_get_string(struct clearconf *handle, const char *path,
			 const char **value)
{
	struct json_slice found;
	int r = get_scalar(handle, path, &found);

	if (r != 0)
		return r;
	if (found.ptr[0] != '"')
		return wrong_type(handle, path, found, "a string");
	return decode(handle, path, found, value);
}

int clearconf_get_text(struct clearconf *handle, const char *path,
		       const char **value)
{
	struct json_slice found;
	int r = get_scalar(handle, path, &found);

	if (r != 0)
		return r;
	if (strchr("{[", found.ptr[0]))
		return wrong_type(handle, path, found, "a single value");
	if (found.ptr[0] == '"')
		return decode(handle, path, found, value);
	*value = found.ptr;
	return 0;
}

int clearconf_get_bool(struct clearconf *handle, const char *path, bool *value)
{
	struct json_slice found;
	int r = get_scalar(handle, path, &found);

	if (r != 0)
		return r;
	if (!is_word(found, "true") && !is_word(found, "false"))
		return wrong_type(handle, path, found, "a boolean");
	*value = found.ptr[0] == 't';
	return 0;
}

int clearconf_get_int(struct clearconf *handle, const char *path,
		      int64_t *value)
{
	struct json_slice found;
	long long parsed;
	int r = get_scalar(handle, path, &found);

	if (r != 0)
		return r;
	if (!is_integer(found))
		return wrong_type(handle, path, found, "an integer");
	errno = 0;
	parsed = strtoll(found.ptr, NULL, 10);
	if (errno == ERANGE)
		return handle_fail(handle, CLEARCONF_E_RANGE,
				   "the integer at '%s' has more than 64 bits: "
				   "clearconf_get_text gives all its digits",
				   shown(path));
	*value = parsed;
	return 0;
}

/* A decimal point is a point, whatever the program's locale. */
static int parse_double(const char *text, double *number)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);

	if (!plain)
		return -ENOMEM;
	*number = strtod_l(text, NULL, plain);
	freelocale(plain);
	return 0;
}

int clearconf_get_double(struct clearconf *handle, const char *path,
			 double *value)
{
	struct json_slice found;
	double parsed = 0;
	int r = get_scalar(handle, path, &found);

	if (r != 0)
		return r;
	if (!is_number(found))
		return wrong_type(handle, path, found, "a number");
	r = parse_double(found.ptr, &parsed);
	if (r < 0)
		return handle_fail(handle, r, "out of memory");
	if (isinf(parsed))
		return handle_fail(
			handle, CLEARCONF_E_RANGE,
			"the number at '%s' is too large for a "
			"double: clearconf_get_text gives its digits",
			shown(path));
	*value = parsed;
	return 0;
}
