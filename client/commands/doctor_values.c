/* The part of `doctor` about values that only look right. */

#include "base/mem.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/get_call.h"
#include "commands/doctor.h"
#include "text/answer.h"
#include "text/exit_status.h"
#include "value/value.h"

/* Of another workspace's keys nothing is known here. */
static bool ask_for_keys(struct doctor *doctor, struct get_answer *answer)
{
	struct get_question question = {.path = "api.credentials",
					.workspace = doctor->client->workspace,
					.environment = false};
	_cleanup_(channel_deinit) struct channel channel = {0};

	return channel_open(&channel, doctor->client) == EXIT_DONE &&
	       get_call(&channel, &question, answer) == EXIT_DONE &&
	       value_is(answer->value, VALUE_OBJECT);
}

static void look_at_key(struct doctor *doctor, const struct value *credentials,
			const char *name)
{
	struct str text = answer_text(credentials, name);

	if (text.len == str_trim(text).len)
		return;
	doctor_say(
		doctor, DOCTOR_PROBLEM,
		"key: api.credentials.%s has %s at its %s: clearconf logs in "
		"without it, but ClearML with it, and is refused; 'clearconf "
		"explain api.credentials.%s' says where it is written",
		name,
		memchr(text.ptr, '\n', text.len) ? "a line break" : "a blank",
		str_trim(text).ptr == text.ptr ? "end" : "beginning", name);
}

void doctor_look_at_keys(struct doctor *doctor)
{
	_cleanup_(get_answer_deinit) struct get_answer answer = {0};

	if (!doctor->status || !ask_for_keys(doctor, &answer))
		return;
	look_at_key(doctor, answer.value, "access_key");
	look_at_key(doctor, answer.value, "secret_key");
}
