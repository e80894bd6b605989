#include "call/get_call.h"

#include "base/env.h"
#include "base/mem.h"
#include "call/channel.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "value/json.h"
#include "value/value.h"
#include "wire.h"

bool get_call_is_view(const char *name)
{
	return !name || !strcmp(name, GET_VIEW_MERGED) ||
	       !strcmp(name, GET_VIEW_LIVE);
}

/* JSON is UTF-8; a variable that is not cannot be sent. */
static bool is_sendable(const struct env_variable *variable)
{
	if (str_utf8_invalid(variable->name) < variable->name.len)
		return false;
	if (str_utf8_invalid(variable->value) == variable->value.len)
		return true;
	complain_warning("the variable %.*s is not UTF-8 and is left out",
			 STR_PRINT(variable->name));
	return false;
}

void get_call_add_environment(struct buf *out)
{
	_cleanup_(env_unrefp) struct env *env = env_from_process();
	const char *comma = "";

	json_key(out, "environment");
	buf_putc(out, '{');
	for (size_t i = 0; i < env->count; i++) {
		if (!is_sendable(&env->variables[i]))
			continue;
		buf_puts(out, comma);
		json_write_string(out, env->variables[i].name);
		buf_putc(out, ':');
		json_write_string(out, env->variables[i].value);
		comma = ",";
	}
	buf_putc(out, '}');
}

static void write_question(struct buf *out, const struct get_question *question)
{
	buf_putc(out, '{');
	json_add_optional_string(out, "path", question->path);
	json_add_optional_string(out, "workspace", question->workspace);
	json_add_optional_string(out, "view", question->view);
	if (question->secrets != GET_ALLOWED)
		json_add_bool(out, "mask", question->secrets == GET_MASKED);
	if (question->require_vaults)
		json_add_bool(out, "require_vaults", true);
	if (question->environment)
		get_call_add_environment(out);
	buf_putc(out, '}');
}

/* Varlink lets a member that is null be left out. */
static const struct value absent = {.type = VALUE_NULL};

int get_call(struct channel *channel, const struct get_question *question,
	     struct get_answer *answer)
{
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	struct doc *doc = NULL;
	int status;

	*answer = (struct get_answer){0};
	write_question(&parameters, question);
	status = channel_call(channel, "Get", &parameters, &doc);
	if (status == EXIT_DONE)
		get_answer_init(answer, doc);
	return status;
}

int get_call_send(struct channel *channel, const struct get_question *question)
{
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;

	write_question(&parameters, question);
	return channel_send(channel, "Get", &parameters);
}

void get_answer_init(struct get_answer *answer, struct doc *doc)
{
	*answer = (struct get_answer){
		.doc = doc,
		.value = value_get(doc->root, STR("value")),
		.state = answer_text(doc->root, "state"),
		.generation = answer_int(doc->root, "generation", 0),
		.masked = answer_bool(doc->root, "masked"),
	};
	if (!answer->value)
		answer->value = &absent;
}

void get_answer_deinit(struct get_answer *answer)
{
	if (answer->doc)
		answer->doc = doc_unref(answer->doc);
}

void get_answer_warn(const struct get_answer *answer)
{
	const struct value *list =
		value_get(answer->doc->root, STR("left_out"));
	struct str lack = answer_text(answer->doc->root, "without_vaults");

	if (lack.len && !get_answer_is_starting(answer))
		complain_warning("the vaults are not in: %.*s",
				 STR_PRINT(lack));
	for (uint32_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count;
	     i++) {
		struct str why = value_text(list->list.items[i]);

		complain_warning("%.*s", STR_PRINT(why));
	}
}

bool get_answer_is_starting(const struct get_answer *answer)
{
	return str_is(answer->state, "starting");
}

static bool holds_mask(const struct value *value)
{
	struct member *member;
	bool found = false;

	if (value->type == VALUE_STRING)
		return memmem(value->text.ptr, value->text.len, WIRE_MASK,
			      sizeof(WIRE_MASK) - 1) != NULL;
	if (value->type == VALUE_LIST)
		for (uint32_t i = 0; i < value->list.count && !found; i++)
			found = holds_mask(value->list.items[i]);
	if (value->type == VALUE_OBJECT)
		for (value_each (value, member))
			found = found || holds_mask(member->value);
	return found;
}

bool get_answer_hides_secret(const struct get_answer *answer)
{
	return answer->masked && holds_mask(answer->value);
}
