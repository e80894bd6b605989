#include "fetch/etcd/etcd_node.h"

#include <string.h>

#include "base/diag.h"
#include "base/fields.h"
#include "base/mem.h"
#include "base/source.h"

#define PASSWORD_BYTES ((size_t)4096)

const struct etcd_words etcd_site_words = {
	.peer =
		{
			.service = "etcd",
			.address = "etcd in [site] of clearconfd.conf",
			.ca = "`ca` in [site] of clearconfd.conf",
			.new_ca = "`ca` in [site] of clearconfd.conf",
			.client_cert = "`cert` and `key` in [site] of "
				       "clearconfd.conf",
		},
	.login = "user and password_file in [site] of clearconfd.conf",
	.password = "password_file in [site] of clearconfd.conf",
};

static const struct etcd_words *words_of(const struct etcd_nodes *nodes)
{
	return nodes->words ? nodes->words : &etcd_site_words;
}

const char **etcd_split_urls(char *urls, size_t *count)
{
	const char **list = NULL;
	char *rest = NULL;

	*count = 0;
	for (char *url = strtok_r(urls, " \t", &rest); url;
	     url = strtok_r(NULL, " \t", &rest)) {
		size_t len = strlen(url);

		if (url[len - 1] == '/')
			url[len - 1] = '\0';
		list = mem_grow(list, (*count + 1) * sizeof(list[0]));
		list[(*count)++] = url;
	}
	return list;
}

static const struct field nodes_fields[] = {
	FIELD(struct etcd_nodes, first),
	FIELD(struct etcd_nodes, user),
	FIELD(struct etcd_nodes, password_file),
	FIELD(struct etcd_nodes, tls.verify),
	FIELD(struct etcd_nodes, tls.ca),
	FIELD(struct etcd_nodes, tls.cert),
	FIELD(struct etcd_nodes, tls.key),
	FIELD(struct etcd_nodes, timeout_ms),
	FIELD(struct etcd_nodes, endpoint_count),
};

bool etcd_nodes_equal(const struct etcd_nodes *a, const struct etcd_nodes *b)
{
	const struct fields fields = {nodes_fields, ARRAY_SIZE(nodes_fields)};
	bool equal = fields_equal(&fields, a, b);

	for (size_t i = 0; equal && i < a->endpoint_count; i++)
		equal = str_same(a->endpoints[i], b->endpoints[i]);
	return equal;
}

/* --- a question --- */

static void *read_answer(struct str body)
{
	struct etcd_reply *reply = mem_alloc(sizeof(*reply));

	etcd_reply_read(reply, body);
	return reply;
}

static void drop_answer(void *reply)
{
	etcd_reply_deinit(reply);
	mem_free(reply);
}

struct http_call *etcd_node_post(struct http *http,
				 const struct etcd_nodes *nodes,
				 const struct etcd_post *post)
{
	static const struct http_reader reader = {read_answer, drop_answer};
	_cleanup_(mem_freep) char *url =
		mem_printf("%s/v3/%s", post->endpoint, post->method);
	const struct http_request request = {
		.url = url,
		.body = post->body.ptr,
		.authorization = post->token,
		.header = "Grpc-Metadata-hasleader: true",
		.peer = &words_of(nodes)->peer,
		.tls = nodes->tls,
		.timeout_ms = nodes->timeout_ms,
		.limit = ETCD_ANSWER_BYTES,
		.keep = post->keep,
		.on_lines = post->on_lines,
		.reader = post->on_lines ? NULL : &reader,
	};

	return http_send(http, &request, post->done, post->data);
}

char *etcd_node_write_login(const struct etcd_nodes *nodes, struct buf *body)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(mem_freep) char *why = NULL;
	const char *path = nodes->password_file;
	struct source source;
	int r = source_from_file(&source, &arena, path, PASSWORD_BYTES, &diag);

	if (r == SOURCE_E_MISSING)
		(void)diag_set(&diag, path, "is not there, or is no file");
	if (r != 0) {
		why = diag_line(&diag);
		return mem_printf("%s: %s", words_of(nodes)->password, why);
	}
	etcd_write_login(body, nodes->user, str_trim(source.text));
	return NULL;
}

/* --- its answer --- */

enum etcd_health etcd_node_health(const struct etcd_reply *reply)
{
	switch (reply->kind) {
	case ETCD_REFUSED:
	case ETCD_TOKEN_OVER: return ETCD_REJECTED;
	case ETCD_TROUBLE: return ETCD_AWAY;
	case ETCD_FOREIGN:
	case ETCD_DONE:
	case ETCD_CREATED:
	case ETCD_EVENTS:
	case ETCD_COMPACTED:
	case ETCD_NO_AUTH:
	case ETCD_MISSING: break;
	}
	return ETCD_AILING;
}

static char *advice_for(const struct etcd_nodes *nodes, const char *message)
{
	const struct etcd_words *words = words_of(nodes);

	if (strstr(message, "user name is empty"))
		return mem_printf(": set %s", words->login);
	if (strstr(message, "authentication failed"))
		return mem_printf(": correct %s", words->login);
	if (strstr(message, "database space exceeded"))
		return mem_strdup(": compact and defragment it, then 'etcdctl "
				  "alarm disarm'");
	if (!strstr(message, "permission denied"))
		return mem_strdup("");
	if (!nodes->user)
		return mem_printf(": set %s", words->login);
	return mem_printf(": grant %s",
			  nodes->right ? nodes->right
				       : "the role of `user` in [site] of "
					 "clearconfd.conf to read the prefix");
}

char *etcd_node_describe(const struct etcd_nodes *nodes, const char *endpoint,
			 const struct etcd_reply *reply,
			 const struct http_reply *http)
{
	_cleanup_(mem_freep) char *advice = NULL;

	if (!reply->message)
		return mem_printf("HTTP %ld from %s is no answer of etcd's "
				  "(v3): is it the URL that its clients use?",
				  http ? http->status : 200, endpoint);
	advice = advice_for(nodes, reply->message);
	return mem_printf("%s says: %s%s", endpoint, reply->message, advice);
}
