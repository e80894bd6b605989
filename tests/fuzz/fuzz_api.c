/* What a ClearML server may say: the first byte chooses the HTTP status, the
 * rest is the body of an answer, the token of a login, a time and a version. */

#include <assert.h>

#include "fetch/api.h"
#include "fetch/token.h"
#include "fuzz_cost.h"
#include "value/value.h"

static void check_reply(struct str body, long status)
{
	const struct http_reply http = {
		.status = status, .body = body, .retry_after = -1};
	struct api_reply reply;

	api_parse(&reply, &http);
	assert((reply.outcome == API_OK) == (reply.data != NULL));
	assert(reply.outcome != API_UNREACHABLE);
	assert(!reply.data || reply.data->type == VALUE_OBJECT);
	assert(reply.outcome == API_OK || reply.message);
	for (const char *c = reply.message; c && *c; c++)
		assert((unsigned char)*c >= ' ');
	assert(!(api_is_refusal(&reply) && api_is_token_over(&reply)));
	(void)api_is_key_unknown(&reply);
	api_reply_deinit(&reply);
}

static void check_token(struct str text)
{
	struct token token = {0};

	token_set(&token, text, 600);
	assert(token_is_usable(&token));
	assert(token.claims.api_version && token.claims.feature_set);
	token_set_foreign(&token, text, 600);
	token_reject(&token, token.serial);
	assert(!token_is_usable(&token));
	token_deinit(&token);
}

static void check_version(struct str input)
{
	_cleanup_(mem_freep) char *text = mem_strndup(input.ptr, input.len);

	assert(api_version_compare(text, text) == 0);
	assert((api_version_compare(text, "2.15") < 0) ==
	       (api_version_compare("2.15", text) > 0));
}

static void test(struct str input)
{
	static const long statuses[] = {200, 400, 401, 403, 404, 429, 500, 503};

	if (!input.len)
		return;
	check_reply(
		str_from_offset(input, 1),
		statuses[(unsigned char)input.ptr[0] % ARRAY_SIZE(statuses)]);
	input = str_from_offset(input, 1);
	check_token(input);
	check_version(input);
	assert(api_time(input) >= -1);
}

FUZZ_TARGET("api", test)
