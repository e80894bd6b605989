#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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

/* The variables of Python's requests, which ClearML's clients heed. */
static void set_ca_bundle(struct http_defaults *defaults, const struct env *env)
{
	static const char *const names[] = {"REQUESTS_CA_BUNDLE",
					    "CURL_CA_BUNDLE"};
	struct str value;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !defaults->ca; i++) {
		if (!env_get(env, str_from(names[i]), &value) ||
		    !str_trim(value).len)
			continue;
		value = str_trim(value);
		defaults->ca = mem_strndup(value.ptr, value.len);
		defaults->ca_name = names[i];
	}
}

static char *host_name(void)
{
	char name[UV_MAXHOSTNAMESIZE];
	size_t size = sizeof(name);

	return mem_strdup(uv_os_gethostname(name, &size) ? "clearconf" : name);
}

void http_defaults_init(struct http_defaults *defaults)
{
	static const char *const http[] = {"http_proxy", "HTTP_PROXY",
					   "all_proxy", "ALL_PROXY", NULL};
	static const char *const https[] = {"https_proxy", "HTTPS_PROXY",
					    "all_proxy", "ALL_PROXY", NULL};
	static const char *const none[] = {"no_proxy", "NO_PROXY", NULL};
	_cleanup_(env_unrefp) struct env *env = env_from_process();

	defaults->proxy[0] = proxy_variable(env, http);
	defaults->proxy[1] = proxy_variable(env, https);
	defaults->no_proxy = proxy_variable(env, none);
	set_ca_bundle(defaults, env);
	defaults->worker = host_name();
}

void http_defaults_deinit(struct http_defaults *defaults)
{
	for (size_t i = 0; i < ARRAY_SIZE(defaults->proxy); i++)
		mem_free(defaults->proxy[i]);
	mem_free(defaults->no_proxy);
	mem_free(defaults->ca);
	mem_free(defaults->worker);
}

/* Curl takes a hundred such pieces of what a server sends before it lets
 * anybody else have a turn, and one of them, deflated, may become a thousand
 * times as much. */
#define PIECE 1024

/* Of a body, in one turn of the loop. Each line of a stream has to be
 * understood in that turn as well. */
#define SHARE        ((size_t)512 * 1024)
#define SHARE_STREAM ((size_t)32 * 1024)
#define EFFORT       ((size_t)128) /* of taking a piece, in bytes */

/* What holds for every call. No name is remembered: a server that has moved is
 * found at the next call. */
static const struct {
	CURLoption option;
	long value;
} fixed_options[] = {
	{CURLOPT_NOSIGNAL, 1},
	{CURLOPT_DNS_CACHE_TIMEOUT, 0},
	{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
	{CURLOPT_FOLLOWLOCATION, 0},
	{CURLOPT_NETRC, CURL_NETRC_IGNORED},
	{CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
	{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
	{CURLOPT_BUFFERSIZE, PIECE},
};

static void set_fixed(CURL *easy)
{
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < ARRAY_SIZE(fixed_options) && !code; i++)
		code = curl_easy_setopt(easy, fixed_options[i].option,
					fixed_options[i].value);
	if (!code)
		code = http_compat_set(easy);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	assert(code == CURLE_OK);
	curl_easy_setopt(easy, CURLOPT_USERAGENT,
			 "clearconf/" CLEARCONF_VERSION);
}

/* The environment names one only for those who ask for nothing special. */
static void choose_ca(struct http_call *call, const struct http_tls *tls,
		      const struct http_defaults *defaults)
{
	const char *ca = tls->ca ? tls->ca : defaults->ca;

	if (!tls->verify || !ca)
		return;
	call->ca = mem_strdup(ca);
	call->ca_name = tls->ca ? call->peer->ca : defaults->ca_name;
}

/* The password of a key would be asked for at a terminal. */
static void set_client_cert(struct http_call *call, const struct http_tls *tls)
{
	call->certified = tls->cert != NULL;
	if (!call->certified)
		return;
	curl_easy_setopt(call->easy, CURLOPT_SSLCERT, tls->cert);
	curl_easy_setopt(call->easy, CURLOPT_SSLKEY, tls->key);
	curl_easy_setopt(call->easy, CURLOPT_KEYPASSWD, "");
}

/* One connection a call: the server closes them anyway, and on a reused one
 * curl may silently send a request twice. */
static void set_connection(CURL *easy, const struct http_request *request)
{
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request->keep ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->keep ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE,
			 request->on_lines ? 1L : 0L);
}

/* Both are set, so that nothing but the CA is trusted when there is one. */
static void set_tls(struct http_call *call, const struct http_tls *tls)
{
	CURL *easy = call->easy;
	struct stat st;
	bool folder =
		call->ca && stat(call->ca, &st) == 0 && S_ISDIR(st.st_mode);

	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls->verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls->verify ? 2L : 0L);
	if (!call->ca)
		return;
	curl_easy_setopt(easy, CURLOPT_CAINFO, folder ? NULL : call->ca);
	curl_easy_setopt(easy, CURLOPT_CAPATH, folder ? call->ca : NULL);
}

/* Set also when empty: else curl would look into the environment itself. */
static void set_proxy(struct http_call *call,
		      const struct http_defaults *defaults)
{
	const char *proxy = defaults->proxy[call->origin.https];

	mem_free(call->proxy);
	call->proxy = *proxy ? http_origin_of_proxy(proxy) : NULL;
	curl_easy_setopt(call->easy, CURLOPT_PROXY, proxy);
	curl_easy_setopt(call->easy, CURLOPT_NOPROXY, defaults->no_proxy);
}

void http_easy_aim(struct http_call *call, const char *url,
		   const struct http_defaults *defaults)
{
	call->head = 0;
	call->heard = (struct http_headers){0};
	curl_easy_setopt(call->easy, CURLOPT_URL, url);
	set_proxy(call, defaults);
}

static void add_line(struct http_call *call, const char *line)
{
	struct curl_slist *longer = curl_slist_append(call->headers, line);

	if (longer)
		call->headers = longer;
}

/* One line, whatever @value holds. */
static void add_header(struct http_call *call, const char *name,
		       const char *value)
{
	_cleanup_(mem_freep) char *line = mem_printf("%s: %s", name, value);

	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	add_line(call, line);
}

/* The first of that name counts; one that is too long says nothing. */
static void take_header(char *value, const char *name, struct str line)
{
	size_t length = strlen(name);
	struct str text;

	if (*value || line.len <= length || line.ptr[length] != ':' ||
	    strncasecmp(line.ptr, name, length) != 0)
		return;
	text = str_trim(str_from_offset(line, length + 1));
	if (text.len < HTTP_HEADER_MAX)
		memcpy(value, text.ptr, text.len);
}

/* There may be several heads: that of a proxy, of a 100. */
static void hear(struct http_headers *headers, struct str line)
{
	if (str_starts(line, STR("HTTP/")))
		*headers = (struct http_headers){.begun = true};
	if (headers->complete)
		return;
	headers->complete = !str_trim(line).len;
	take_header(headers->date, "Date", line);
	take_header(headers->retry_after, "Retry-After", line);
}

/* Curl itself keeps them all, however many. */
static size_t on_head(const char *bytes, size_t size, size_t count, void *data)
{
	struct http_call *call = data;

	hear(&call->heard, (struct str){bytes, size * count});
	call->head += size * count;
	return call->head <= HTTP_HEAD_MAX ? size * count : 0;
}

/* May more be taken in this turn? */
static bool has_share(const struct http_call *call)
{
	return call->taken < (call->on_lines ? SHARE_STREAM : SHARE);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct http_call *call = data;
	long status = 0;

	call->heard_ms = uv_hrtime() / 1000000;
	call->rests = !has_share(call);
	if (!call->heard.begun)
		return 0;
	if (call->rests)
		return CURL_WRITEFUNC_PAUSE;
	call->taken += size * count + EFFORT;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (call->on_lines && status == 200)
		return http_stream_take(call, (struct str){bytes, size * count})
			       ? size * count
			       : 0;
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
	curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
}

static void set_body(struct http_call *call, const struct http_request *request)
{
	call->request_body = mem_strdup(request->body);
	add_header(call, "Content-Type", "application/json");
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->request_body);
	if (request->put)
		curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, "PUT");
}

void http_easy_prepare(struct http_call *call,
		       const struct http_request *request,
		       const struct http_defaults *defaults)
{
	static const struct http_peer clearml = {
		.service = "ClearML API",
		.address = "api_server",
		.ca = "verify_certificate",
		.new_ca = "api.verify_certificate",
	};
	CURL *easy = call->easy;

	call->peer = request->peer ? request->peer : &clearml;
	call->on_lines = request->on_lines;
	set_fixed(easy);
	set_connection(easy, request);
	add_header(call, "Accept", "application/json");
	if (!request->peer)
		add_header(call, "X-ClearML-Worker", defaults->worker);
	if (request->header)
		add_line(call, request->header);
	/* A server in Go that would keep the connection drops what it has not
	 * yet read of the body when it begins to answer: of several watches
	 * asked for at once the last ones would be lost. */
	if (request->on_lines)
		add_line(call, "Connection: close");
	if (request->authorization)
		add_header(call, "Authorization", request->authorization);
	if (request->body)
		set_body(call, request);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	/* Curl would guess what a URL without a scheme might mean. */
	http_easy_aim(call, call->server ? request->url : "", defaults);
	choose_ca(call, &request->tls, defaults);
	set_tls(call, &request->tls);
	set_client_cert(call, &request->tls);
	set_callbacks(call);
}

int64_t http_easy_date(const struct http_call *call)
{
	time_t date =
		*call->heard.date ? curl_getdate(call->heard.date, NULL) : -1;

	return date > 0 ? date : 0;
}

/* A date counts from the server's own, so that a wrong clock here does not
 * matter. */
static int64_t seconds_until(const char *date, const char *text)
{
	time_t until = curl_getdate(text, NULL);
	time_t now = *date ? curl_getdate(date, NULL) : -1;

	if (until < 0)
		return -1;
	if (now < 0)
		now = time(NULL);
	return until > now ? until - now : 0;
}

int64_t http_easy_retry_after(const struct http_call *call)
{
	const char *text = call->heard.retry_after;
	int64_t seconds;
	char *end;

	if (!*text)
		return -1;
	seconds = strtoll(text, &end, 10);
	if (end == text || *end)
		seconds = seconds_until(call->heard.date, text);
	if (seconds < -1)
		return -1;
	return seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX;
}
