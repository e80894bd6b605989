#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/env.h"
#include "base/mem.h"
#include "fetch/http_call.h"

/* A server may ask for a century; nobody adds to that without overflow. */
#define RETRY_AFTER_MAX INT64_C(1000000000)

static char *proxy_variable(const struct env *env, const char *const *names)
{
	struct str value = env_first(env, names);

	return value.ptr ? mem_strndup(value.ptr, value.len) : mem_strdup("");
}

static char *host_name(void)
{
	char name[UV_MAXHOSTNAMESIZE];
	size_t size = sizeof(name);

	return mem_strdup(uv_os_gethostname(name, &size) ? "clearconf" : name);
}

void http_habits_init(struct http_habits *habits)
{
	static const char *const http[] = {"http_proxy", "HTTP_PROXY",
					   "all_proxy", "ALL_PROXY", NULL};
	static const char *const https[] = {"https_proxy", "HTTPS_PROXY",
					    "all_proxy", "ALL_PROXY", NULL};
	static const char *const none[] = {"no_proxy", "NO_PROXY", NULL};
	_cleanup_(env_unrefp) struct env *env = env_from_process();

	habits->proxy[0] = proxy_variable(env, http);
	habits->proxy[1] = proxy_variable(env, https);
	habits->no_proxy = proxy_variable(env, none);
	habits->worker = host_name();
}

void http_habits_deinit(struct http_habits *habits)
{
	for (size_t i = 0; i < ARRAY_SIZE(habits->proxy); i++)
		mem_free(habits->proxy[i]);
	mem_free(habits->no_proxy);
	mem_free(habits->worker);
}

/* What holds for every call. A look-up that was given up is not waited for.
 * One connection a call: the server closes them anyway, and on a reused one
 * curl may silently send a request twice. */
static const struct {
	CURLoption option;
	long value;
} fixed_options[] = {
	{CURLOPT_NOSIGNAL, 1},
	{CURLOPT_QUICK_EXIT, 1},
	{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
	{CURLOPT_FORBID_REUSE, 1},
	{CURLOPT_FOLLOWLOCATION, 0},
	{CURLOPT_NETRC, CURL_NETRC_IGNORED},
	{CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
	{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
	{CURLOPT_CA_CACHE_TIMEOUT, 300},
};

static void set_fixed(CURL *easy)
{
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < ARRAY_SIZE(fixed_options) && !code; i++)
		code = curl_easy_setopt(easy, fixed_options[i].option,
					fixed_options[i].value);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
					"http,https");
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	assert(code == CURLE_OK);
	curl_easy_setopt(easy, CURLOPT_USERAGENT,
			 "clearconf/" CLEARCONF_VERSION);
}

/* Both are set, so that nothing but @tls->ca is trusted when there is one. */
static void set_tls(CURL *easy, const struct http_tls *tls)
{
	struct stat st;
	bool folder = tls->ca && stat(tls->ca, &st) == 0 && S_ISDIR(st.st_mode);

	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls->verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls->verify ? 2L : 0L);
	if (!tls->ca)
		return;
	curl_easy_setopt(easy, CURLOPT_CAINFO, folder ? NULL : tls->ca);
	curl_easy_setopt(easy, CURLOPT_CAPATH, folder ? tls->ca : NULL);
}

/* Set also when empty: else curl would look into the environment itself. */
static void set_proxy(struct http_call *call, const struct http_habits *habits)
{
	const char *proxy = habits->proxy[call->origin.https];

	call->may_use_proxy = *proxy != '\0';
	curl_easy_setopt(call->easy, CURLOPT_PROXY, proxy);
	curl_easy_setopt(call->easy, CURLOPT_NOPROXY, habits->no_proxy);
}

/* One line, whatever @value holds. */
static void add_header(struct http_call *call, const char *name,
		       const char *value)
{
	_cleanup_(mem_freep) char *line = mem_printf("%s: %s", name, value);
	struct curl_slist *longer;

	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	longer = curl_slist_append(call->headers, line);
	if (longer)
		call->headers = longer;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct http_call *call = data;

	call->too_large = size * count > call->limit - call->body.len;
	if (call->too_large)
		return 0;
	buf_add(&call->body, bytes, size * count);
	return size * count;
}

static void set_callbacks(struct http_call *call)
{
	curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->detail);
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
}

void http_easy_prepare(struct http_call *call,
		       const struct http_request *request,
		       const struct http_habits *habits)
{
	CURL *easy = call->easy;

	set_fixed(easy);
	add_header(call, "Accept", "application/json");
	add_header(call, "X-ClearML-Worker", habits->worker);
	if (request->authorization)
		add_header(call, "Authorization", request->authorization);
	if (request->body) {
		call->request_body = mem_strdup(request->body);
		add_header(call, "Content-Type", "application/json");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->request_body);
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	/* Curl would guess what a URL without a scheme might mean. */
	curl_easy_setopt(easy, CURLOPT_URL, call->server ? request->url : "");
	set_tls(easy, &request->tls);
	set_proxy(call, habits);
	set_callbacks(call);
}

static const char *header(CURL *easy, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &found))
		return NULL;
	return found->value;
}

/* A date counts from the server's own, so that a wrong clock here does not
 * matter. */
static int64_t seconds_until(CURL *easy, const char *text)
{
	const char *date = header(easy, "Date");
	time_t until = curl_getdate(text, NULL);
	time_t now = date ? curl_getdate(date, NULL) : -1;

	if (until < 0)
		return -1;
	if (now < 0)
		now = time(NULL);
	return until > now ? until - now : 0;
}

int64_t http_easy_retry_after(const struct http_call *call)
{
	const char *text = header(call->easy, "Retry-After");
	int64_t seconds;
	char *end;

	if (!text)
		return -1;
	seconds = strtoll(text, &end, 10);
	if (end == text || *end)
		seconds = seconds_until(call->easy, text);
	if (seconds < -1)
		return -1;
	return seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX;
}
