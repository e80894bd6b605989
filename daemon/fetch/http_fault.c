#include <errno.h>

#include "base/mem.h"
#include "fetch/http_call.h"

/* Text around the server's name, and whether curl's own words add to it. */
struct fault {
	CURLcode code;
	bool detail;
	const char *before, *after;
};

static const struct fault faults[] = {
	{CURLE_COULDNT_RESOLVE_HOST, false, "the name of ",
	 " cannot be resolved: check api_server and DNS"},
	{CURLE_COULDNT_RESOLVE_PROXY, false, "the name of the proxy for ",
	 " cannot be resolved: check http_proxy and https_proxy"},
	{CURLE_GOT_NOTHING, false, "", " closed the connection unanswered"},
	{CURLE_PARTIAL_FILE, false, "", " sent only a part of its answer"},
	{CURLE_BAD_CONTENT_ENCODING, false, "the answer of ",
	 " cannot be decompressed"},
	{CURLE_WRITE_ERROR, false, "the answer of ", " cannot be decompressed"},
	{CURLE_UNSUPPORTED_PROTOCOL, false, "", " does not speak HTTP"},
	{CURLE_WEIRD_SERVER_REPLY, false, "", " does not speak HTTP"},
	{CURLE_SEND_ERROR, true, "the connection to ", " was lost"},
	{CURLE_RECV_ERROR, true, "the connection to ", " was lost"},
	{CURLE_PEER_FAILED_VERIFICATION, true, "the TLS certificate of ",
	 " is not trusted: renew it, or name its CA in "
	 "api.verify_certificate"},
	{CURLE_SSL_CONNECT_ERROR, true, "no TLS with ",
	 ": is api_server an https address?"},
	{CURLE_SSL_CACERT_BADFILE, true, "no TLS with ",
	 ": the file or folder in api.verify_certificate cannot "
	 "be used"},
};

static const struct fault unknown_fault = {CURLE_OK, true, "no answer from ",
					   ""};

static const struct fault *fault_of(CURLcode code)
{
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		if (faults[i].code == code)
			return &faults[i];
	return &unknown_fault;
}

static char *describe_connect(const struct http_call *call)
{
	const char *proxy = call->may_use_proxy ? " or its proxy" : "";
	long error = 0;

	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &error);
	if (error == ECONNREFUSED)
		return mem_printf("connection refused by %s%s: is the ClearML "
				  "API server running there?",
				  call->server, proxy);
	return mem_printf("cannot connect to %s%s: %s", call->server, proxy,
			  error ? strerror((int)error) : call->detail);
}

char *http_fault_describe(const struct http_call *call, CURLcode code)
{
	const struct fault *fault = fault_of(code);
	const char *detail =
		call->detail[0] ? call->detail : curl_easy_strerror(code);

	if (!call->server)
		return mem_strdup("api_server is not an http or https URL");
	if (call->too_large)
		return mem_printf("the answer of %s has more than %zu bytes",
				  call->server, call->limit);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return mem_printf("no whole answer from %s within %.3g s",
				  call->server,
				  (double)call->timeout_ms / 1000);
	if (code == CURLE_COULDNT_CONNECT)
		return describe_connect(call);
	return mem_printf("%s%s%s%s%s%s", fault->before, call->server,
			  fault->after, fault->detail ? " (" : "",
			  fault->detail ? detail : "",
			  fault->detail ? ")" : "");
}
