#include "engine/credential.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include "fetch/api.h"
#include "value/value.h"

/* The callback that each credential is handed to. */
struct taker {
	credential_fn take;
	void *data;
};

static void take_one(const struct taker *taker, const struct value *credential,
		     const struct value *company)
{
	if (value_is(value_get(credential, STR("access_key")), VALUE_STRING))
		taker->take(taker->data, credential, company);
}

static void take_some(const struct taker *taker, const struct value *some,
		      const struct value *company)
{
	if (!value_is(some, VALUE_LIST)) {
		take_one(taker, some, company);
		return;
	}
	for (size_t i = 0; i < some->list.count; i++)
		take_one(taker, some->list.items[i], company);
}

void credential_each_own(const struct value *answer, credential_fn take,
			 void *data)
{
	const struct taker taker = {take, data};

	take_some(&taker, value_get(answer, STR("credentials")), NULL);
}

void credential_each_other(const struct value *answer, credential_fn take,
			   void *data)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct taker taker = {take, data};
	const struct value *map =
		value_get(answer, STR("additional_credentials"));
	struct member *m;

	if (!value_is(map, VALUE_OBJECT))
		return;
	for (value_each (map, m))
		take_some(&taker, m->value,
			  value_new_string(&arena, member_key(m)));
}

struct wanted {
	struct str member;
	const char *text;
	const struct value *found;
};

static void look(void *data, const struct value *credential,
		 const struct value *company)
{
	struct wanted *wanted = data;
	const struct value *value = value_get(credential, wanted->member);

	(void)company;
	if (!wanted->found && value_is(value, VALUE_STRING) &&
	    str_is(value_text(value), wanted->text))
		wanted->found = credential;
}

const struct value *credential_find(const struct value *answer,
				    const char *member, const char *text)
{
	struct wanted wanted = {str_from(member), text, NULL};

	credential_each_own(answer, look, &wanted);
	credential_each_other(answer, look, &wanted);
	return wanted.found;
}

int64_t credential_time(const struct value *credential, const char *member)
{
	const struct value *value = value_get(credential, str_from(member));

	return value_is(value, VALUE_STRING) ? api_time(value_text(value)) : -1;
}
