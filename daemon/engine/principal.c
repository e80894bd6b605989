#include "engine/principal.h"

#include "base/mem.h"
#include "base/str.h"
#include "value/value.h"

void principal_init(struct principal *principal, struct session *session)
{
	*principal = (struct principal){.session = session};
}

void principal_names_deinit(struct principal_names *names)
{
	mem_free(names->user_id);
	mem_free(names->user_name);
	mem_free(names->company_id);
	mem_free(names->company_name);
	*names = (struct principal_names){0};
}

void principal_deinit(struct principal *principal)
{
	session_cancel(TAKE(principal->call));
	principal_names_deinit(&principal->names);
}

static bool is_known(const struct principal_names *names)
{
	return names->user_name && (names->company_name || !names->company_id);
}

/* --- what the server says ------------------------------------------------- */

/* Set a name, unless it is known already. */
static void fill(char **field, const struct value *value)
{
	if (!*field && value_is(value, VALUE_STRING) && value->text.len)
		*field = mem_strndup(value->text.ptr, value->text.len);
}

static bool is_ours(const struct principal_names *names,
		    const struct value *company)
{
	const struct value *id = value_get(company, STR("id"));

	return names->company_id && value_is(id, VALUE_STRING) &&
	       str_is(value_text(id), names->company_id);
}

static void take_company(struct principal_names *names,
			 const struct value *company)
{
	if (is_ours(names, company))
		fill(&names->company_name, value_get(company, STR("name")));
}

static void take_companies(struct principal_names *names,
			   const struct value *list)
{
	if (!value_is(list, VALUE_LIST))
		return;
	for (size_t i = 0; i < list->list.count; i++)
		take_company(names, list->list.items[i]);
}

/* Not every server has these calls, or lets everybody make them. */
static bool is_answer(const struct api_reply *reply)
{
	return reply->outcome == API_OK ||
	       (reply->outcome == API_ERROR && reply->status < 500);
}

static void on_companies(void *data, const struct api_reply *reply)
{
	struct principal *principal = data;

	principal->call = NULL;
	principal->asked = is_answer(reply);
	take_companies(&principal->names,
		       value_get(reply->data, STR("companies")));
}

static void take_user(struct principal_names *names, const struct value *user)
{
	fill(&names->user_id, value_get(user, STR("id")));
	fill(&names->user_name, value_get(user, STR("name")));
	take_company(names, value_get(user, STR("company")));
	take_companies(names, value_get(user, STR("companies")));
}

static void on_user(void *data, const struct api_reply *reply)
{
	struct principal *principal = data;

	principal->call = NULL;
	take_user(&principal->names, value_get(reply->data, STR("user")));
	if (is_answer(reply) && !is_known(&principal->names))
		principal->call = session_send(
			principal->session, "organization.get_user_companies",
			NULL, on_companies, principal);
}

/* --- what the token says -------------------------------------------------- */

static void take_text(char **field, const char *text)
{
	if (!text)
		return;
	mem_free(*field);
	*field = mem_strdup(text);
}

/* Is the id another than the token claims, if it claims one? */
static bool is_other(const char *known, const char *claimed)
{
	return claimed && !str_same(known, claimed);
}

void principal_learn(struct principal *principal)
{
	const struct api_claims *claims = session_claims(principal->session);
	struct principal_names *names = &principal->names;

	if (!claims)
		return;
	if (is_other(names->company_id, claims->company_id) ||
	    is_other(names->user_id, claims->user_id)) {
		principal_names_deinit(names);
		principal->asked = false;
	}
	take_text(&names->user_id, claims->user_id);
	take_text(&names->user_name, claims->user_name);
	take_text(&names->company_id, claims->company_id);
	take_text(&names->company_name, claims->company_name);
	if (!is_known(names) && !principal->asked && !principal->call)
		principal->call = session_send(principal->session,
					       "users.get_current_user", NULL,
					       on_user, principal);
}
