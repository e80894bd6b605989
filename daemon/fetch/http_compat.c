#include "fetch/http_compat.h"

#include "base/log.h"
#include "fetch/http.h"

CURLcode http_compat_code(CURLcode code, bool headed)
{
#if LIBCURL_VERSION_NUM < 0x073e00
	if (code == CURLE_SSL_CACERT)
		return CURLE_PEER_FAILED_VERIFICATION;
#endif
	return headed || (code != CURLE_OK && code != CURLE_WRITE_ERROR)
		       ? code
		       : CURLE_WEIRD_SERVER_REPLY;
}

static CURLcode allow_http_alone(CURL *easy)
{
#if LIBCURL_VERSION_NUM < 0x075500
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
				CURLPROTO_HTTP | CURLPROTO_HTTPS);
#else
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#endif
}

CURLcode http_compat_set(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A look-up that was given up is not waited for. The libcurl that runs
	 * may be older than that we were built with. */
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 300L);
#endif
	return allow_http_alone(easy);
}

/* What was built in is what counts, unless that which runs is older. */
static unsigned int version(void)
{
	unsigned int running = curl_version_info(CURLVERSION_NOW)->version_num;

	return running < LIBCURL_VERSION_NUM ? running : LIBCURL_VERSION_NUM;
}

bool http_compat_waits_for_names(void)
{
	return version() < 0x075700;
}

void http_log_lack(void)
{
	if (version() < 0x075700)
		log_info("libcurl-old",
			 LOG_TEXT("version",
				  curl_version_info(CURLVERSION_NOW)->version),
			 LOG_TEXT("without", "CA certificates are read again "
					     "for each connection"));
}
