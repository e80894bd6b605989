#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "fetch/http_call.h"

#define REDIRECTS_MAX 5

/* That curl takes when none is said. */
#define PROXY_PORT 1080

/* A URL as far as the path. What could be read in two ways, by us and by curl
 * or by an older curl, is no URL: who is told a secret hangs on it. */
struct url {
	struct str scheme, host, port; /* empty: not said */
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static size_t span(struct str text, const char *bytes)
{
	size_t length = 0;

	while (length < text.len && strchr(bytes, text.ptr[length]))
		length++;
	return length;
}

static struct str take(struct str *text, size_t length)
{
	struct str taken = {text->ptr, length};

	*text = str_from_offset(*text, length);
	return taken;
}

/* [scheme "://"] */
static void take_scheme(struct url *url, struct str *text)
{
	size_t length = span(*text, LETTERS DIGITS "+-.");

	if (!str_starts(str_from_offset(*text, length), STR("://")))
		return;
	url->scheme = take(text, length);
	(void)take(text, strlen("://"));
}

/* name | "[" address ["%" zone] "]"; names need not be ASCII */
static void take_host(struct url *url, struct str *text)
{
	size_t length = 0;

	if (str_starts(*text, STR("["))) {
		length = 1 + span(str_from_offset(*text, 1),
				  LETTERS DIGITS ":.%-_~");
		length = length < text->len && text->ptr[length] == ']'
				 ? length + 1
				 : 0;
	} else {
		while (length < text->len &&
		       ((text->ptr[length] & 0x80) ||
			strchr(LETTERS DIGITS "-._", text->ptr[length])))
			length++;
	}
	url->host = take(text, length);
}

/* [":" [digits]]; false: there is something else */
static bool take_port(struct url *url, struct str *text)
{
	if (str_starts(*text, STR(":"))) {
		(void)take(text, 1);
		url->port = take(text, span(*text, DIGITS));
	}
	return !text->len && url->port.len <= strlen("65535");
}

/* [login "@"] host [port] */
static bool split_authority(struct url *url, struct str text)
{
	const char *at = text.len ? memchr(text.ptr, '@', text.len) : NULL;

	if (at)
		(void)take(&text, (size_t)(at + 1 - text.ptr));
	take_host(url, &text);
	return url->host.len && take_port(url, &text);
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 127 ||
		    *text == '\\')
			return false;
	return true;
}

static bool split(struct url *url, const char *whole)
{
	struct str text = str_from(whole);

	*url = (struct url){0};
	take_scheme(url, &text);
	text.len = strcspn(text.ptr, "/?#");
	return is_printable(whole) && split_authority(url, text);
}

void http_origin_deinit(struct http_origin *origin)
{
	mem_free(origin->host);
	mem_free(origin->port);
	*origin = (struct http_origin){0};
}

/* False when @url is no http or https URL. */
bool http_origin_parse(struct http_origin *origin, const char *url)
{
	unsigned long port;
	struct url parts;

	*origin = (struct http_origin){0};
	if (!split(&parts, url))
		return false;
	origin->https = str_equal_nocase(parts.scheme, STR("https"));
	if (!origin->https && !str_equal_nocase(parts.scheme, STR("http")))
		return false;
	port = origin->https ? 443 : 80;
	if (parts.port.len)
		port = strtoul(parts.port.ptr, NULL, 10);
	if (port > 65535)
		return false;
	origin->host = mem_strndup(parts.host.ptr, parts.host.len);
	origin->port = mem_printf("%lu", port);
	return true;
}

/* A proxy may be named without a scheme. What has no host is curl's to refuse.
 */
char *http_origin_of_proxy(const char *url)
{
	struct url parts;

	if (!split(&parts, url))
		return mem_strdup("of an unknown name");
	if (!parts.port.len)
		return mem_printf("%.*s:%d", STR_PRINT(parts.host), PROXY_PORT);
	return mem_printf("%.*s:%.*s", STR_PRINT(parts.host),
			  STR_PRINT(parts.port));
}

/* A server may move to TLS at its default port; nothing else may change. */
static bool origin_may_become(const struct http_origin *old,
			      const struct http_origin *new)
{
	bool to_tls = !old->https && new->https;

	if (strcasecmp(old->host, new->host) != 0 ||
	    (old->https && !new->https))
		return false;
	return strcmp(old->port, new->port) == 0 ||
	       (to_tls && strcmp(old->port, "80") == 0 &&
		strcmp(new->port, "443") == 0);
}

/* Where the answer sends us; NULL when it is no redirect. */
const char *http_origin_redirect(const struct http_call *call, long status)
{
	char *url = NULL;

	if (status == 301 || status == 302 || status == 303 || status == 307 ||
	    status == 308)
		curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &url);
	return url;
}

/* NULL, or why the redirect to @url is not followed. */
char *http_origin_problem(const struct http_call *call, const char *url)
{
	struct http_origin target;
	char *problem = NULL;

	if (call->redirects == REDIRECTS_MAX)
		return mem_printf("%s redirects more than %d times",
				  call->server, REDIRECTS_MAX);
	if (!http_origin_parse(&target, url))
		problem = mem_printf("%s redirects to no http or https URL",
				     call->server);
	else if (call->request_body ||
		 !origin_may_become(&call->origin, &target))
		problem = mem_printf("%s redirects to %s:%s, which is not "
				     "followed: correct %s",
				     call->server, target.host, target.port,
				     call->peer->address);
	http_origin_deinit(&target);
	return problem;
}
