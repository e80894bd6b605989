/* Names that are looked up for longer than their call may take. Before curl
 * 7.87, a call that ends waits for its look-up, and the loop with it: half a
 * minute, while no name server answers. So there calls have their deadline from
 * us, and curl keeps the handle of one that ends too early, until the look-up
 * is over. */

#include "base/mem.h"
#include "fetch/http_call.h"

/* The resolver gives up before that. */
#define LOOK_UP_MS 300000

static bool looks_up(const struct http_call *call)
{
	curl_off_t took = 0;

	curl_easy_getinfo(call->easy, CURLINFO_NAMELOOKUP_TIME_T, &took);
	return took == 0;
}

/* Before the first answer of a stream; of others, as long as they run. */
static bool has_limit(const struct http_call *call)
{
	curl_off_t took = 0;

	if (call->on_lines)
		curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T,
				  &took);
	return took == 0;
}

long http_names_limit(long ms)
{
	return http_compat_waits_for_names() ? ms + LOOK_UP_MS : ms;
}

static uint64_t deadline_of(const struct http_call *call)
{
	return call->runs && http_compat_waits_for_names() && has_limit(call)
		       ? call->deadline_ms
		       : UINT64_MAX;
}

static struct http_call *first_of(struct list *calls)
{
	struct http_call *first = NULL, *call;
	struct list *i;

	for (list_each (calls, i)) {
		call = CONTAINER_OF(i, struct http_call, link);
		if (!first || deadline_of(call) < deadline_of(first))
			first = call;
	}
	return first;
}

struct http_call *http_names_overdue(struct list *calls, uint64_t now_ms)
{
	struct http_call *first = first_of(calls);

	return first && deadline_of(first) <= now_ms ? first : NULL;
}

uint64_t http_names_wait(struct list *calls, uint64_t now_ms)
{
	struct http_call *first = first_of(calls);
	uint64_t deadline = first ? deadline_of(first) : UINT64_MAX;

	if (deadline == UINT64_MAX)
		return UINT64_MAX;
	return deadline > now_ms ? deadline - now_ms : 0;
}

static curl_socket_t on_socket(void *data, curlsocktype purpose,
			       struct curl_sockaddr *address)
{
	(void)data;
	(void)purpose;
	(void)address;
	return CURL_SOCKET_BAD;
}

/* Without a name there is no connection, so that all that curl still touches of
 * the call is what it tells about its end. */
CURL *http_names_park(struct http_call *call)
{
	CURL *easy = call->easy;

	if (!http_compat_waits_for_names() || !looks_up(call))
		return NULL;
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
	return TAKE(call->easy);
}
