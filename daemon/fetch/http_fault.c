#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "fetch/http_call.h"

/* Text around the server's name, and whether curl's own words add to it. With
 * @rest the name of the setting that names the server comes before that. */
struct fault {
	CURLcode code;
	bool detail;
	const char *before, *after, *rest;
};

static const struct fault faults[] = {
	{CURLE_COULDNT_RESOLVE_HOST, false, "the name of ",
	 " cannot be resolved: check ", " and DNS"},
	{CURLE_GOT_NOTHING, false, "", " closed the connection unanswered"},
	{CURLE_PARTIAL_FILE, false, "", " sent only a part of its answer"},
	{CURLE_BAD_CONTENT_ENCODING, false, "the answer of ",
	 " cannot be decompressed"},
	{CURLE_WRITE_ERROR, false, "the answer of ", " cannot be decompressed"},
	{CURLE_UNSUPPORTED_PROTOCOL, false, "", " does not speak HTTP"},
	{CURLE_WEIRD_SERVER_REPLY, false, "", " does not speak HTTP"},
	{CURLE_SEND_ERROR, true, "the connection to ", " was lost"},
	{CURLE_RECV_ERROR, true, "the connection to ", " was lost"},
	{CURLE_SSL_CONNECT_ERROR, true, "no TLS with ", ": is ",
	 " an https address?"},
};

static const struct fault unknown_fault = {CURLE_OK, true, "no answer from ",
					   ""};

/* A server that wants to see another certificate ends the connection by an
 * alert, in the middle of the handshake or after it. */
static char *describe_refused_certificate(const struct http_call *call)
{
	return mem_printf("%s %s: correct %s (%s)", call->server,
			  call->certified ? "refuses this host's certificate"
					  : "wants this host to show a "
					    "certificate",
			  call->peer->client_cert ? call->peer->client_cert
						  : call->peer->address,
			  call->detail);
}

static const char *detail_of(const struct http_call *call, CURLcode code)
{
	return call->detail[0] ? call->detail : curl_easy_strerror(code);
}

static char *describe_as(const struct http_call *call,
			 const struct fault *fault, CURLcode code)
{
	return mem_printf("%s%s%s%s%s%s%s%s", fault->before, call->server,
			  fault->after, fault->rest ? call->peer->address : "",
			  fault->rest ? fault->rest : "",
			  fault->detail ? " (" : "",
			  fault->detail ? detail_of(call, code) : "",
			  fault->detail ? ")" : "");
}

/* TLS alerts about certificates name them; curl has no code of its own. */
static bool is_about_our_certificate(const struct http_call *call)
{
	return strstr(call->detail, "alert") &&
	       (strstr(call->detail, "certificate") ||
		strstr(call->detail, "unknown ca"));
}

/* The alert may be lost with the connection: who refuses a certificate closes
 * it while the request is on its way. */
static bool may_be_about_our_certificate(const struct http_call *call,
					 CURLcode code)
{
	return call->peer->client_cert && call->origin.https &&
	       !call->heard_ms &&
	       (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
		code == CURLE_GOT_NOTHING);
}

static char *describe_silent_end(const struct http_call *call, CURLcode code)
{
	return mem_printf("%s closed the connection without a word (%s): if it "
			  "wants another certificate of this host, correct %s",
			  call->server, detail_of(call, code),
			  call->peer->client_cert);
}

static char *describe_other(const struct http_call *call, CURLcode code)
{
	const struct fault *fault = &unknown_fault;

	if (is_about_our_certificate(call))
		return describe_refused_certificate(call);
	if (may_be_about_our_certificate(call, code))
		return describe_silent_end(call, code);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		if (faults[i].code == code)
			fault = &faults[i];
	return describe_as(call, fault, code);
}

/* --- connections and proxies --- */

static char *describe_connect(const struct http_call *call)
{
	const char * or = call->proxy ? " or its proxy " : "";
	const char *proxy = call->proxy ? call->proxy : "";
	long error = 0;

	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &error);
	if (error == ECONNREFUSED)
		return mem_printf("connection refused by %s%s%s: is the "
				  "%s server running there?",
				  call->server, or, proxy, call->peer->service);
	return mem_printf("cannot connect to %s%s%s: %s", call->server, or,
			  proxy, error ? strerror((int)error) : call->detail);
}

static char *describe_login_of_proxy(const struct http_call *call)
{
	return mem_printf("the proxy %s wants a login (HTTP 407): correct "
			  "user and password in %s",
			  call->proxy,
			  call->origin.https ? "https_proxy" : "http_proxy");
}

/* Of a tunnel that is there the server's own errors are told. */
static char *describe_tunnel(const struct http_call *call)
{
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (!call->proxy || !status || status / 100 == 2)
		return NULL;
	if (status == 407)
		return describe_login_of_proxy(call);
	return mem_printf("the proxy %s makes no connection to %s (HTTP %ld): "
			  "check https_proxy and no_proxy",
			  call->proxy, call->server, status);
}

char *http_fault_of_proxy(const struct http_call *call, long status)
{
	return status == 407 && call->proxy ? describe_login_of_proxy(call)
					    : NULL;
}

/* Curl does not say whether no_proxy applied; but it says which port it spoke
 * to. */
bool http_fault_is_by_proxy(const struct http_call *call)
{
	const char *port = call->proxy ? strrchr(call->proxy, ':') : NULL;
	long spoken_to = 0;

	curl_easy_getinfo(call->easy, CURLINFO_PRIMARY_PORT, &spoken_to);
	return port && strtol(port + 1, NULL, 10) == spoken_to;
}

/* --- TLS --- */

/* What OpenSSL's verification says (X509_V_ERR_*), where it can be told. */
static const struct {
	long result;
	const char *text;
} untrusted[] = {
	{9, "is not valid yet: compare the clocks of server and host"},
	{10, "has expired: renew it at the server, or correct this host's "
	     "clock"},
};

static char *describe_certificate(const struct http_call *call)
{
	long result = -1;

	curl_easy_getinfo(call->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	for (size_t i = 0; i < ARRAY_SIZE(untrusted); i++)
		if (untrusted[i].result == result)
			return mem_printf("the TLS certificate of %s %s",
					  call->server, untrusted[i].text);
	if (strstr(call->detail, "subject name"))
		return mem_printf("the TLS certificate of %s is for another "
				  "host: correct %s (%s)",
				  call->server, call->peer->address,
				  call->detail);
	if (call->ca)
		return mem_printf("the TLS certificate of %s is not trusted by "
				  "%s: correct %s, or renew the certificate "
				  "(%s)",
				  call->server, call->ca, call->ca_name,
				  call->detail);
	return mem_printf("the TLS certificate of %s is not trusted: name its "
			  "CA in %s (%s)",
			  call->server, call->peer->new_ca, call->detail);
}

static char *describe_ca(const struct http_call *call)
{
	const char *why = "there is no certificate in it";

	if (!call->ca)
		return mem_printf("no TLS with %s: this system's CA "
				  "certificates cannot be read",
				  call->server);
	if (access(call->ca, R_OK) != 0)
		why = strerror(errno);
	return mem_printf("no TLS with %s: the CA file %s cannot be used (%s): "
			  "correct %s",
			  call->server, call->ca, why, call->ca_name);
}

static char *describe_client_cert(const struct http_call *call)
{
	return mem_printf("no TLS with %s: this host's certificate or its key "
			  "cannot be used: correct %s (%s)",
			  call->server, call->peer->client_cert, call->detail);
}

/* --- all of them --- */

char *http_fault_held_back(const struct http_call *call)
{
	return mem_printf("too many calls for %s: they are held back, and this "
			  "one's turn did not come within %.3g s",
			  call->server, (double)call->timeout_ms / 1000);
}

static char *describe_timeout(const struct http_call *call)
{
	return mem_printf("no whole answer from %s within %.3g s", call->server,
			  (double)call->timeout_ms / 1000);
}

static char *describe_name_of_proxy(const struct http_call *call)
{
	return mem_printf("the name of the proxy %s cannot be resolved: check "
			  "http_proxy and https_proxy",
			  call->proxy ? call->proxy : "");
}

static const struct {
	CURLcode code;
	char *(*describe)(const struct http_call *call);
} describers[] = {
	{CURLE_OPERATION_TIMEDOUT, describe_timeout},
	{CURLE_COULDNT_CONNECT, describe_connect},
	{CURLE_COULDNT_RESOLVE_PROXY, describe_name_of_proxy},
	{CURLE_PEER_FAILED_VERIFICATION, describe_certificate},
	{CURLE_SSL_CACERT_BADFILE, describe_ca},
	{CURLE_SSL_CERTPROBLEM, describe_client_cert},
};

char *http_fault_describe(const struct http_call *call, CURLcode code)
{
	char *tunnel;

	if (!call->server)
		return mem_printf("%s is not an http or https URL",
				  call->peer->address);
	if (call->head > HTTP_HEAD_MAX)
		return mem_printf("head and trailers of an answer of %s are "
				  "larger than %zu bytes",
				  call->server, HTTP_HEAD_MAX);
	if (call->too_large)
		return mem_printf("the answer of %s has more than %zu bytes",
				  call->server, call->limit);
	tunnel = describe_tunnel(call);
	if (tunnel)
		return tunnel;
	for (size_t i = 0; i < ARRAY_SIZE(describers); i++)
		if (describers[i].code == code)
			return describers[i].describe(call);
	return describe_other(call, code);
}
