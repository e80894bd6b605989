#include "whois.h"

#include "base/mem.h"
#include "base/str.h"
#include "value/value.h"

void whois_init(struct whois *whois, struct session *session)
{
	*whois = (struct whois){.session = session};
}

static void forget(struct whois *whois)
{
	mem_free(TAKE(whois->user_id));
	mem_free(TAKE(whois->user_name));
	mem_free(TAKE(whois->company_id));
	mem_free(TAKE(whois->company_name));
}

void whois_deinit(struct whois *whois)
{
	session_cancel(TAKE(whois->call));
	forget(whois);
}

static bool is_known(const struct whois *whois)
{
	return whois->user_name && (whois->company_name || !whois->company_id);
}

/* --- what the server says ------------------------------------------------- */

/* What is known stays. */
static void fill(char **field, const struct value *value)
{
	if (!*field && value_is(value, VALUE_STRING) && value->text.len)
		*field = mem_strndup(value->text.ptr, value->text.len);
}

static bool is_ours(const struct whois *whois, const struct value *company)
{
	const struct value *id = value_get(company, STR("id"));

	return whois->company_id && value_is(id, VALUE_STRING) &&
	       str_is(value_text(id), whois->company_id);
}

static void take_company(struct whois *whois, const struct value *company)
{
	if (is_ours(whois, company))
		fill(&whois->company_name, value_get(company, STR("name")));
}

static void take_companies(struct whois *whois, const struct value *list)
{
	if (!value_is(list, VALUE_LIST))
		return;
	for (size_t i = 0; i < list->list.count; i++)
		take_company(whois, list->list.items[i]);
}

static void on_companies(void *data, const struct api_reply *reply)
{
	struct whois *whois = data;

	whois->call = NULL;
	if (reply->outcome == API_OK)
		take_companies(whois, value_get(reply->data, STR("companies")));
}

static void take_user(struct whois *whois, const struct value *user)
{
	fill(&whois->user_id, value_get(user, STR("id")));
	fill(&whois->user_name, value_get(user, STR("name")));
	take_company(whois, value_get(user, STR("company")));
	take_companies(whois, value_get(user, STR("companies")));
	if (!is_known(whois))
		whois->call = session_send(whois->session,
					   "organization.get_user_companies",
					   NULL, on_companies, whois);
}

static void on_user(void *data, const struct api_reply *reply)
{
	struct whois *whois = data;

	whois->call = NULL;
	if (reply->outcome == API_OK)
		take_user(whois, value_get(reply->data, STR("user")));
}

/* --- what the token says -------------------------------------------------- */

static void take_text(char **field, const char *text)
{
	if (!text)
		return;
	mem_free(*field);
	*field = mem_strdup(text);
}

void whois_learn(struct whois *whois)
{
	const struct api_claims *claims = session_claims(whois->session);

	if (!claims)
		return;
	if (!str_same(whois->company_id, claims->company_id) ||
	    !str_same(whois->user_id, claims->user_id))
		forget(whois);
	take_text(&whois->user_id, claims->user_id);
	take_text(&whois->user_name, claims->user_name);
	take_text(&whois->company_id, claims->company_id);
	take_text(&whois->company_name, claims->company_name);
	if (!is_known(whois) && !whois->call)
		whois->call =
			session_send(whois->session, "users.get_current_user",
				     NULL, on_user, whois);
}
