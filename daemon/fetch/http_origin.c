#include <strings.h>

#include "base/mem.h"
#include "fetch/http_call.h"

#define REDIRECTS_MAX 5

/* That curl takes when none is said. */
#define PROXY_PORT 1080

static void url_freep(CURLU *const *url)
{
	curl_url_cleanup(*url);
}

static void text_freep(char *const *text)
{
	curl_free(*text);
}

void http_origin_deinit(struct http_origin *origin)
{
	curl_free(origin->host);
	curl_free(origin->port);
	*origin = (struct http_origin){0};
}

/* False when @url is no http or https URL. */
bool http_origin_parse(struct http_origin *origin, const char *url)
{
	_cleanup_(url_freep) CURLU *parts = curl_url();
	_cleanup_(text_freep) char *scheme = NULL;

	*origin = (struct http_origin){0};
	if (curl_url_set(parts, CURLUPART_URL, url, 0) ||
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) ||
	    curl_url_get(parts, CURLUPART_HOST, &origin->host, 0) ||
	    curl_url_get(parts, CURLUPART_PORT, &origin->port,
			 CURLU_DEFAULT_PORT))
		return false;
	origin->https = strcasecmp(scheme, "https") == 0;
	return origin->https || strcasecmp(scheme, "http") == 0;
}

/* A proxy may be named without a scheme. What has no host is curl's to refuse.
 */
char *http_origin_of_proxy(const char *url)
{
	_cleanup_(url_freep) CURLU *parts = curl_url();
	_cleanup_(text_freep) char *host = NULL, *port = NULL;

	if (curl_url_set(parts, CURLUPART_URL, url,
			 CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0))
		return mem_strdup("of an unknown name");
	if (curl_url_get(parts, CURLUPART_PORT, &port, 0))
		return mem_printf("%s:%d", host, PROXY_PORT);
	return mem_printf("%s:%s", host, port);
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
