#include "serve/call.h"

#include "base/mem.h"
#include "config/projection.h"

#define MEMO_LIMIT 512

void call_deinit(struct call *call)
{
	json_decref(call->message);
	*call = CALL_INIT;
}

struct call call_ref(const struct call *call)
{
	json_incref(call->message);
	return *call;
}

struct str call_text(const json_t *string)
{
	return (struct str){json_string_value(string),
			    json_string_length(string)};
}

static json_t *present(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

/* An absent flag is false; false is returned for what is no boolean. */
static bool read_flag(const struct call *call, const char *name, bool *flag)
{
	json_t *value = present(call->message, name);

	*flag = json_is_true(value);
	return !value || json_is_boolean(value);
}

/* Fields that are not the protocol's are left to its later versions. */
static const char *read_fields(struct call *call)
{
	bool upgrade;

	if (!json_is_object(call->message))
		return "message";
	if (!json_is_string(json_object_get(call->message, "method")))
		return "method";
	call->method = call_text(json_object_get(call->message, "method"));
	call->parameters = present(call->message, "parameters");
	if (call->parameters && !json_is_object(call->parameters))
		return "parameters";
	if (!json_object_size(call->parameters))
		call->parameters = NULL;
	if (!read_flag(call, "more", &call->more))
		return "more";
	if (!read_flag(call, "oneway", &call->oneway))
		return "oneway";
	if (!read_flag(call, "upgrade", &upgrade) || upgrade)
		return "upgrade";
	return NULL;
}

/* The index behind the string that begins at @i. */
static size_t skip_string(struct str text, size_t i)
{
	for (i++; i < text.len && text.ptr[i] != '"'; i++)
		if (text.ptr[i] == '\\')
			i++;
	return i + 1;
}

static bool has_many_parts(struct str text)
{
	size_t parts = 0, i = 0;

	while (i < text.len && parts <= CALL_PARTS_MAX) {
		char c = text.ptr[i];

		parts += c == ',' || c == ':' || c == '[' || c == '{';
		i = c == '"' ? skip_string(text, i) : i + 1;
	}
	return parts > CALL_PARTS_MAX;
}

bool call_is_too_much(struct str text, const char **about)
{
	static const char name[] = "\"environment\""; /* in no text */

	*about = NULL;
	if (text.len <= CALL_PARTS_MAX) /* nearly all calls are that short */
		return false;
	text = str_trim(text);
	if (text.len <= CALL_BYTES_MAX && !has_many_parts(text))
		return false;
	if (memmem(text.ptr, text.len, name, sizeof(name) - 1))
		*about = "environment";
	return true;
}

void call_init(void)
{
	json_set_alloc_funcs(mem_alloc, mem_free);
}

const char *call_parse(struct call *call, struct str text)
{
	json_error_t error;

	*call = CALL_INIT;
	call->message =
		json_loadb(text.ptr, text.len,
			   JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	return read_fields(call);
}

/* An environment is the caller's own, so a call that has one is not kept. */
static bool may_be_kept(const struct call *call, struct str text)
{
	return text.len <= MEMO_LIMIT && !call_get(call, "environment");
}

const char *call_memo_read(struct call_memo *memo, struct str text,
			   void (*look_up)(struct call *call))
{
	struct str last = {memo->text.data, memo->text.len};
	const char *wrong;

	if (last.len && str_equal(last, text))
		return NULL;
	memo->text.len = 0;
	call_deinit(&memo->call);
	wrong = call_parse(&memo->call, str_trim(text));
	if (wrong)
		return wrong;
	look_up(&memo->call);
	if (may_be_kept(&memo->call, text))
		buf_add_str(&memo->text, text);
	return NULL;
}

void call_memo_release(struct call_memo *memo)
{
	if (!memo->text.len)
		call_deinit(&memo->call);
}

void call_memo_deinit(struct call_memo *memo)
{
	buf_deinit(&memo->text);
	call_deinit(&memo->call);
}

static bool all_are_strings(json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach (value, i, item)
		if (!json_is_string(item))
			return false;
	json_object_foreach (value, key, item)
		if (!json_is_string(item))
			return false;
	return true;
}

static bool has_type(json_t *value, enum parameter_type type)
{
	enum projection any;

	switch (type) {
	case PARAMETER_STRING: return json_is_string(value);
	case PARAMETER_INT: return json_is_integer(value);
	case PARAMETER_BOOL: return json_is_boolean(value);
	case PARAMETER_STRINGS:
		return json_is_array(value) && all_are_strings(value);
	case PARAMETER_VARIABLES:
		return json_is_object(value) && all_are_strings(value);
	case PARAMETER_VIEW:
		return json_is_string(value) &&
		       projection_from_name(call_text(value), &any);
	}
	return false;
}

static const struct parameter *find(const struct parameter *table,
				    const char *name)
{
	for (; table && table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static bool is_in_range(const json_t *value, const struct parameter *parameter)
{
	if (!parameter->max || json_is_null(value))
		return true;
	return json_integer_value(value) >= parameter->min &&
	       json_integer_value(value) <= parameter->max;
}

const char *call_check(struct call *call, const struct parameter *table)
{
	const struct parameter *parameter;
	const char *name;
	json_t *value;

	json_object_foreach (call->parameters, name, value) {
		parameter = find(table, name);
		if (!parameter)
			return name;
		if (!json_is_null(value) && !has_type(value, parameter->type))
			return name;
		if (!is_in_range(value, parameter) &&
		    parameter >= call->out_of_range)
			call->out_of_range = parameter;
	}
	for (; table && table->name; table++)
		if (!table->optional && !call_get(call, table->name))
			return table->name;
	return NULL;
}

/* A call has few, so a look at each is cheaper than a hash of the name. */
json_t *call_look_for(const struct call *call, const char *name)
{
	const char *key;
	json_t *value;

	json_object_foreach (call->parameters, key, value)
		if (!strcmp(key, name))
			return json_is_null(value) ? NULL : value;
	return NULL;
}

struct str call_string(const struct call *call, const char *name)
{
	const json_t *value = call_get(call, name);

	return value ? call_text(value) : (struct str){0};
}

int64_t call_int(const struct call *call, const char *name, int64_t otherwise)
{
	json_t *value = call_get(call, name);

	return value ? json_integer_value(value) : otherwise;
}

bool call_bool(const struct call *call, const char *name, bool otherwise)
{
	json_t *value = call_get(call, name);

	return value ? json_is_true(value) : otherwise;
}
