#include <errno.h>

#include "base/mem.h"
#include "fetch/http_call.h"

/* Text around the server's name, and whether curl's own words add to it. */
struct fault {
	CURLcode code;
	bool detail;
	const char *before, *after;
};

#define FAULT(code, before, after)                                             \
	{                                                                      \
		(code), false, (before), (after)                               \
	}
#define FAULT_DETAIL(code, before, after)                                      \
	{                                                                      \
		(code), true, (before), (after)                                \
	}

static const struct fault faults[] = {
	FAULT(CURLE_COULDNT_RESOLVE_HOST, "the name of ",
	      " cannot be resolved: check api_server and DNS"),
	FAULT(CURLE_COULDNT_RESOLVE_PROXY, "the name of the proxy for ",
	      " cannot be resolved: check http_proxy and https_proxy"),
	FAULT(CURLE_GOT_NOTHING, "", " closed the connection unanswered"),
	FAULT(CURLE_PARTIAL_FILE, "", " sent only a part of its answer"),
	FAULT(CURLE_BAD_CONTENT_ENCODING, "the answer of ",
	      " cannot be decompressed"),
	FAULT(CURLE_WRITE_ERROR, "the answer of ", " cannot be decompressed"),
	FAULT(CURLE_UNSUPPORTED_PROTOCOL, "", " does not speak HTTP"),
	FAULT(CURLE_WEIRD_SERVER_REPLY, "", " does not speak HTTP"),
	FAULT_DETAIL(CURLE_SEND_ERROR, "the connection to ", " was lost"),
	FAULT_DETAIL(CURLE_RECV_ERROR, "the connection to ", " was lost"),
	FAULT_DETAIL(CURLE_PEER_FAILED_VERIFICATION, "the TLS certificate of ",
		     " is not trusted: renew it, or name its CA in "
		     "api.verify_certificate"),
	FAULT_DETAIL(CURLE_SSL_CONNECT_ERROR, "no TLS with ",
		     ": is api_server an https address?"),
	FAULT_DETAIL(CURLE_SSL_CACERT_BADFILE, "no TLS with ",
		     ": the file or folder in api.verify_certificate cannot "
		     "be used"),
};

static const struct fault unknown_fault =
	FAULT_DETAIL(CURLE_OK, "no answer from ", "");

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
