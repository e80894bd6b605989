#include "fetch/api.h"

#include <limits.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/iso_time.h"
#include "base/mem.h"
#include "fetch/base64.h"
#include "read/reader.h"
#include "value/json.h"
#include "value/value.h"

/* Of the server's own words as many as fit a line of status. */
#define MESSAGE_MAX 200
#define WORD_MAX    100
#define HIDDEN      4 /* asterisks */

/* ClearML's SDK supposes these of a server whose token does not say. */
#define VERSION_DEFAULT        "2.9"
#define VERSION_DEFAULT_HOSTED "2.2"
#define FEATURE_SET_DEFAULT    "basic"

/* Far off, and nobody who counts from here overflows. */
#define TIME_LAST INT64_C(1000000000000000)

/* The texts of vaults are single values, and so are the fields of a credential:
 * far more than any server has to say, and read in a few milliseconds. */
#define VALUES_MAX 100000

/* Bodies are bounded by whoever asked for them. */
static struct doc *read_json(struct str text)
{
	struct read_options options = {
		.format = READ_JSON,
		.limits = READ_LIMITS_DEFAULT,
	};
	struct diag diag = DIAG_INIT;
	struct doc *doc = NULL;

	options.limits.bytes = SIZE_MAX;
	options.limits.values = VALUES_MAX;
	if (read_text(&doc, "answer", text, &options, &diag))
		doc = NULL;
	diag_deinit(&diag);
	return doc;
}

static void *read_body(struct str body)
{
	return read_json(body);
}

static void drop_body(void *doc)
{
	doc_unref(doc);
}

const struct http_reader api_reader = {read_body, drop_body};

/* --- foreign answers --- */

/* Begun as an envelope, and not ended as one. */
static bool is_cut(const struct api_reply *reply, struct str body)
{
	body = str_trim(body);
	return !reply->doc && body.len && body.ptr[0] == '{';
}

static const char *kind_of_body(const struct api_reply *reply, struct str body)
{
	if (is_cut(reply, body))
		return "broken JSON";
	body = str_trim(body);
	if (!body.len)
		return "an empty body";
	if (body.ptr[0] == '<')
		return "HTML";
	if (body.ptr[0] == '{' || body.ptr[0] == '[')
		return "other JSON";
	return "text";
}

/* What to do about it, by HTTP status. */
static const char *advice_for(long status, bool cut)
{
	static const struct {
		long first, last;
		const char *text;
	} advice[] = {
		{401, 403, "does a proxy in front of it want a login?"},
		{429, 429, "something in front of it limits requests"},
		{500, 599,
		 "the server or what is in front of it is in trouble"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(advice); i++)
		if (status >= advice[i].first && status <= advice[i].last)
			return advice[i].text;
	if (cut)
		return "was it cut short on its way?";
	return "is api_server perhaps the web server's address? "
	       "The API's port is usually 8008";
}

static void set_foreign(struct api_reply *reply, const struct http_reply *http)
{
	reply->outcome = API_FOREIGN;
	reply->message = mem_printf(
		"HTTP %ld with %s%s%s instead of an answer of a ClearML API "
		"server: %s",
		reply->status, kind_of_body(reply, http->body),
		http->proxy ? " by way of the proxy " : "",
		http->proxy ? http->proxy : "",
		advice_for(reply->status, is_cut(reply, http->body)));
}

/* --- envelopes --- */

/* So many of these in a row are no words: a token, say, that the server quotes.
 */
static void hide_tokens(char *line)
{
	static const char of_tokens[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"abcdefghijklmnopqrstuvwxyz"
					"0123456789-._~+/=";
	size_t span;

	for (; *line; line += span ? span : 1) {
		span = strspn(line, of_tokens);
		if (span <= WORD_MAX)
			continue;
		memset(line, '*', HIDDEN);
		memmove(line + HIDDEN, line + span, strlen(line + span) + 1);
		span = HIDDEN;
	}
}

/* No half word at the end, which could be half of a secret that nobody
 * recognises any more, and no half character. */
static void cut(char *line)
{
	size_t end = MESSAGE_MAX;

	if (strlen(line) <= end)
		return;
	while (end > MESSAGE_MAX - WORD_MAX && line[end] != ' ')
		end--;
	if (line[end] != ' ')
		end = MESSAGE_MAX;
	while (((unsigned char)line[end] & 0xC0) == 0x80)
		end--;
	line[end] = '\0';
}

/* Without control characters. */
static char *one_line(struct str text)
{
	char *line = mem_strndup(text.ptr, text.len);

	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = ' ';
	hide_tokens(line);
	cut(line);
	return line;
}

static bool get_int(const struct value *object, struct str key, int *number)
{
	int64_t wide;

	if (!value_to_int64(value_get(object, key), &wide) || wide < 0 ||
	    wide > INT_MAX)
		return false;
	*number = (int)wide;
	return true;
}

static bool is_success(const struct api_reply *reply)
{
	return reply->status >= 200 && reply->status < 300 &&
	       reply->code >= 200 && reply->code < 300;
}

static void set_error(struct api_reply *reply, const struct value *message)
{
	reply->outcome = API_ERROR;
	if (value_is(message, VALUE_STRING) && message->text.len)
		reply->message = one_line(value_text(message));
	else
		reply->message = mem_strdup("the server gives no reason");
}

/* False when the document is no envelope. HTTP status and result_code agree on
 * a real server; if they do not, the worse one counts. */
static bool read_envelope(struct api_reply *reply)
{
	const struct value *meta = value_get(reply->doc->root, STR("meta"));
	const struct value *data = value_get(reply->doc->root, STR("data"));

	if (!get_int(meta, STR("result_code"), &reply->code))
		return false;
	if (!get_int(meta, STR("result_subcode"), &reply->subcode))
		reply->subcode = 0;
	if (!is_success(reply)) {
		set_error(reply, value_get(meta, STR("result_msg")));
		return true;
	}
	if (!value_is(data, VALUE_OBJECT))
		return false;
	reply->data = data;
	return true;
}

void api_parse(struct api_reply *reply, const struct http_reply *http)
{
	*reply = (struct api_reply){
		.status = http->status,
		.retry_after = http->retry_after,
	};
	if (http->error) {
		reply->outcome = API_UNREACHABLE;
		reply->message = mem_strdup(http->error);
		return;
	}
	reply->doc = http->content ? doc_ref(http->content) : NULL;
	if (!reply->doc || !read_envelope(reply))
		set_foreign(reply, http);
}

void api_reply_deinit(struct api_reply *reply)
{
	doc_unref(reply->doc);
	mem_free(reply->message);
	*reply = (struct api_reply){0};
}

/* Subcodes of 401 (server.md, "Errors"): 1 and 2 forbid, 10 to 22 are about the
 * credentials, 30 and above about the token. One that is not known may be
 * anything: a new token is worth a try. */
static bool is_unauthorized(const struct api_reply *reply)
{
	return reply->outcome == API_ERROR && reply->status == 401;
}

bool api_is_key_unknown(const struct api_reply *reply)
{
	return is_unauthorized(reply) && reply->subcode / 10 == 2;
}

bool api_is_refusal(const struct api_reply *reply)
{
	return api_is_key_unknown(reply) ||
	       (reply->outcome == API_ERROR && reply->status == 403);
}

bool api_is_token_over(const struct api_reply *reply)
{
	static const int others[] = {1, 2, 10, 20, 21, 22};

	if (!is_unauthorized(reply))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (reply->subcode == others[i])
			return false;
	return true;
}

/* --- tokens --- */

/* The middle one of three parts. */
static struct str payload_of(const char *token)
{
	const char *first = strchr(token, '.'), *second;

	if (!first)
		return (struct str){0};
	second = strchr(first + 1, '.');
	if (!second)
		return (struct str){0};
	return (struct str){first + 1, (size_t)(second - first - 1)};
}

static struct doc *read_payload(const char *token)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct str payload = payload_of(token);

	if (!payload.len || !base64url_read(&json, payload))
		return NULL;
	return read_json(buf_str(&json));
}

/* NULL when it is missing, empty or of another type. */
static const char *get_text(const struct value *object, struct str key,
			    struct arena *arena)
{
	const struct value *value = value_get(object, key);

	if (!value_is(value, VALUE_STRING) || !value->text.len)
		return NULL;
	return arena_str(arena, value_text(value)).ptr;
}

/* Versions are strings, but some servers write numbers. */
static const char *get_version(const struct value *object, struct str key,
			       struct arena *arena)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	const struct value *value = value_get(object, key);

	if (!value_is(value, VALUE_INT) && !value_is(value, VALUE_REAL))
		return get_text(object, key, arena);
	json_write(&text, value);
	return arena_str(arena, buf_str(&text)).ptr;
}

/* Seconds since 1970; a JWT may have them with a fraction. 0: none, or one
 * that nobody will live to see. */
static int64_t get_time(const struct value *object, struct str key)
{
	const struct value *value = value_get(object, key);
	int64_t seconds;

	if (value_is(value, VALUE_REAL) && value->real > 0 &&
	    value->real < (double)TIME_LAST)
		return (int64_t)value->real;
	if (!value_to_int64(value, &seconds) || seconds < 0 ||
	    seconds > TIME_LAST)
		return 0;
	return seconds;
}

/* The company that the token acts in, if it says one, is not always that of
 * its identity, which has a name. */
static void read_company(struct api_claims *claims, struct arena *arena,
			 const struct value *root)
{
	const struct value *identity = value_get(root, STR("identity"));
	const char *tenant = get_text(root, STR("tenant"), arena);

	claims->company_id = get_text(identity, STR("company"), arena);
	if (!tenant || str_same(tenant, claims->company_id))
		claims->company_name =
			get_text(identity, STR("company_name"), arena);
	if (tenant)
		claims->company_id = tenant;
}

static void read_claims(struct api_claims *claims, struct arena *arena,
			const struct value *root)
{
	const struct value *identity = value_get(root, STR("identity"));
	const struct value *env = value_get(root, STR("env"));
	const char *version = get_version(root, STR("api_version"), arena);
	const char *features = get_text(root, STR("feature_set"), arena);

	if (version)
		claims->api_version = version;
	else if (value_is(env, VALUE_STRING) && str_is(value_text(env), "prod"))
		claims->api_version = VERSION_DEFAULT_HOSTED;
	if (features)
		claims->feature_set = features;
	claims->server_version =
		get_version(root, STR("server_version"), arena);
	claims->user_id = get_text(identity, STR("user"), arena);
	claims->user_name = get_text(identity, STR("user_name"), arena);
	read_company(claims, arena, root);
	claims->issued_at = get_time(root, STR("iat"));
	claims->expires_at = get_time(root, STR("exp"));
}

bool api_parse_claims(struct api_claims *claims, struct arena *arena,
		      const char *token)
{
	_cleanup_(doc_unrefp) struct doc *doc = read_payload(token);

	*claims = (struct api_claims){
		.api_version = VERSION_DEFAULT,
		.feature_set = FEATURE_SET_DEFAULT,
	};
	if (!doc)
		return false;
	read_claims(claims, arena, doc->root);
	return true;
}

int64_t api_time(struct str text)
{
	int64_t seconds;

	return iso_time_read(text, &seconds) && seconds >= 0 ? seconds : -1;
}

/* The next number of a version; what is no number counts as 0. */
static long next_part(const char **version)
{
	char *end;
	long part = strtol(*version, &end, 10);

	while (*end && *end != '.')
		end++;
	*version = *end ? end + 1 : end;
	return part;
}

int api_version_compare(const char *a, const char *b)
{
	while (*a || *b) {
		long x = next_part(&a), y = next_part(&b);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}
