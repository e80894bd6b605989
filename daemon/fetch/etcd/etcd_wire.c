#include "fetch/etcd/etcd_wire.h"

#include <stdlib.h>

#include "base/diag.h"
#include "base/mem.h"
#include "fetch/base64.h"
#include "read/reader.h"
#include "value/json.h"
#include "value/value.h"

/* Of etcd's own words as many as fit a line of status. */
#define MESSAGE_MAX 200

/* Of one answer: pages have 512 keys, of which each is some seven values. */
#define VALUES_MAX 100000

/* Result, header, event, key; nothing of etcd's goes deeper. */
#define DEPTH 16

/* --- questions --- */

static void add_bytes(struct buf *out, const char *name, struct str bytes)
{
	json_key(out, name);
	buf_putc(out, '"');
	base64_write(out, bytes);
	buf_putc(out, '"');
}

static void add_span(struct buf *out, const struct etcd_span *span)
{
	add_bytes(out, "key", span->key);
	if (span->end.len)
		add_bytes(out, "range_end", span->end);
}

/* 64-bit numbers travel as strings; etcd reads both. */
static void add_id(struct buf *out, const char *name, int64_t id)
{
	json_key(out, name);
	buf_printf(out, "\"%lld\"", (long long)id);
}

void etcd_write_get(struct buf *out, const struct etcd_get *get)
{
	buf_putc(out, '{');
	add_span(out, &get->span);
	if (get->limit)
		json_add_int(out, "limit", get->limit);
	if (get->revision)
		json_add_int(out, "revision", get->revision);
	if (get->keys_only)
		json_add_bool(out, "keys_only", true);
	if (get->local)
		json_add_bool(out, "serializable", true);
	if (get->last_first) {
		json_add_string(out, "sort_order", "DESCEND");
		json_add_string(out, "sort_target", "KEY");
	}
	buf_putc(out, '}');
}

void etcd_write_range(struct buf *out, const struct etcd_span *span,
		      int64_t limit, int64_t revision)
{
	const struct etcd_get get = {
		.span = *span, .limit = limit, .revision = revision};

	etcd_write_get(out, &get);
}

static void write_put(struct buf *out, const struct etcd_op *op)
{
	buf_putc(out, '{');
	add_bytes(out, "key", op->span.key);
	add_bytes(out, "value", op->value);
	if (op->lease)
		add_id(out, "lease", op->lease);
	if (op->keep_lease)
		json_add_bool(out, "ignore_lease", true);
	buf_putc(out, '}');
}

static void write_span(struct buf *out, const struct etcd_op *op)
{
	buf_putc(out, '{');
	add_span(out, &op->span);
	buf_putc(out, '}');
}

static const struct {
	const char *name; /* in a transaction */
	void (*write)(struct buf *out, const struct etcd_op *op);
} op_kinds[] = {
	[ETCD_OP_PUT] = {"request_put", write_put},
	[ETCD_OP_DELETE] = {"request_delete_range", write_span},
	[ETCD_OP_GET] = {"request_range", write_span},
};

static void add_ops(struct buf *out, const char *name,
		    const struct etcd_op *ops, size_t count)
{
	json_key(out, name);
	buf_putc(out, '[');
	for (size_t i = 0; i < count; i++) {
		buf_puts(out, i ? ",{" : "{");
		json_key(out, op_kinds[ops[i].kind].name);
		op_kinds[ops[i].kind].write(out, &ops[i]);
		buf_putc(out, '}');
	}
	buf_putc(out, ']');
}

static void write_compare(struct buf *out, const struct etcd_compare *compare)
{
	static const struct {
		const char *target, *name;
	} targets[] = {
		[ETCD_COMPARE_REVISION] = {"MOD", "mod_revision"},
		[ETCD_COMPARE_CREATED] = {"CREATE", "create_revision"},
		[ETCD_COMPARE_LEASE] = {"LEASE", "lease"},
	};

	buf_putc(out, '{');
	add_bytes(out, "key", compare->key);
	json_add_string(out, "result", "EQUAL");
	json_add_string(out, "target", targets[compare->target].target);
	add_id(out, targets[compare->target].name, compare->is);
	buf_putc(out, '}');
}

void etcd_write_txn(struct buf *out, const struct etcd_txn *txn)
{
	buf_puts(out, "{\"compare\":[");
	for (size_t i = 0; i < txn->compare_count; i++) {
		if (i)
			buf_putc(out, ',');
		write_compare(out, &txn->compares[i]);
	}
	buf_putc(out, ']');
	add_ops(out, "success", txn->then, txn->then_count);
	add_ops(out, "failure", txn->otherwise, txn->otherwise_count);
	buf_putc(out, '}');
}

void etcd_write_lease(struct buf *out, int64_t ttl_s)
{
	buf_putc(out, '{');
	add_id(out, "TTL", ttl_s);
	buf_putc(out, '}');
}

void etcd_write_lease_id(struct buf *out, int64_t lease)
{
	buf_putc(out, '{');
	add_id(out, "ID", lease);
	buf_putc(out, '}');
}

void etcd_write_watch(struct buf *out, const struct etcd_span *span,
		      int64_t watch, int64_t revision)
{
	buf_puts(out, "{\"create_request\":{");
	add_span(out, span);
	json_add_int(out, "watch_id", watch);
	json_add_int(out, "start_revision", revision);
	json_add_bool(out, "progress_notify", true);
	buf_puts(out, "}}");
}

void etcd_write_login(struct buf *out, const char *user, struct str password)
{
	buf_putc(out, '{');
	json_add_string(out, "name", user);
	json_add_str(out, "password", password);
	buf_putc(out, '}');
}

/* --- answers --- */

static const struct value *get(const struct value *object, const char *name)
{
	return value_get(object, str_from(name));
}

/* A number, as one or as a string of its digits; 0: it is none. */
static int64_t any_number_at(const struct value *object, const char *name)
{
	const struct value *value = get(object, name);
	int64_t number = 0;
	char *end;

	if (value_to_int64(value, &number))
		return number;
	if (!value_is(value, VALUE_STRING) || !value->text.len)
		return 0;
	number = strtoll(value->text.ptr, &end, 10);
	return end == value->text.ptr + value->text.len ? number : 0;
}

/* A revision that has none after it is none: who watches goes on after it. */
static int64_t number_at(const struct value *object, const char *name)
{
	int64_t number = any_number_at(object, name);

	return number < INT64_MAX ? number : 0;
}

static bool is_true(const struct value *object, const char *name)
{
	const struct value *value = get(object, name);

	return value_is(value, VALUE_BOOL) && value->boolean;
}

static struct str text_at(const struct value *object, const char *name)
{
	const struct value *value = get(object, name);

	return value_is(value, VALUE_STRING) ? value_text(value)
					     : (struct str){0};
}

/* Absent is empty. */
static bool read_bytes(struct etcd_reply *reply, const struct value *object,
		       const char *name, struct str *bytes)
{
	_cleanup_(buf_deinit) struct buf decoded = BUF_INIT;
	const struct value *value = get(object, name);

	if (value && !value_is(value, VALUE_STRING))
		return false;
	if (value && !base64_read(&decoded, value_text(value)))
		return false;
	*bytes = arena_str(&reply->arena, buf_str(&decoded));
	return true;
}

static bool read_kv(struct etcd_reply *reply, const struct value *object)
{
	struct etcd_kv *kv = &reply->kvs[reply->count];

	kv->revision = number_at(object, "mod_revision");
	kv->lease = any_number_at(object, "lease");
	if (!read_bytes(reply, object, "key", &kv->key) ||
	    !read_bytes(reply, object, "value", &kv->value) || !kv->key.len ||
	    kv->revision <= 0)
		return false;
	reply->count++;
	return true;
}

static bool read_event(struct etcd_reply *reply, const struct value *event)
{
	if (!read_kv(reply, get(event, "kv")))
		return false;
	if (str_is(text_at(event, "type"), "DELETE"))
		reply->kvs[reply->count - 1].value = (struct str){0};
	return true;
}

/* For @more keys after those that are there. */
static void make_room(struct etcd_reply *reply, size_t more)
{
	size_t room = reply->count + more;
	struct etcd_kv *kvs;

	if (room <= reply->room)
		return;
	reply->room = room < 2 * reply->room ? 2 * reply->room : room;
	kvs = arena_alloc(&reply->arena, reply->room * sizeof(*kvs));
	for (size_t i = 0; i < reply->count; i++)
		kvs[i] = reply->kvs[i];
	reply->kvs = kvs;
}

/* The list @name of @object, one by one; there may be none. */
static bool read_list(struct etcd_reply *reply, const struct value *object,
		      const char *name,
		      bool (*read)(struct etcd_reply *reply,
				   const struct value *item))
{
	const struct value *list = get(object, name);

	if (!list)
		return true;
	if (!value_is(list, VALUE_LIST))
		return false;
	make_room(reply, list->list.count);
	for (size_t i = 0; i < list->list.count; i++)
		if (!read(reply, list->list.items[i]))
			return false;
	return true;
}

static bool read_header(struct etcd_reply *reply, const struct value *object)
{
	const struct value *header = get(object, "header");

	reply->cluster =
		arena_str(&reply->arena, text_at(header, "cluster_id"));
	reply->revision = number_at(header, "revision");
	return value_is(header, VALUE_OBJECT);
}

/* --- errors --- */

/* gRPC's codes, by number in errors and by name in reasons; what they mean to
 * who reads. */
static const struct {
	int64_t code;
	const char *name;
	enum etcd_reply_kind kind;
} codes[] = {
	{3, "InvalidArgument", ETCD_REFUSED}, /* user or password is wrong */
	{5, "NotFound", ETCD_MISSING},
	{7, "PermissionDenied", ETCD_REFUSED},
	{11, "OutOfRange", ETCD_COMPACTED},
	{16, "Unauthenticated", ETCD_TOKEN_OVER},
};

/* Where the code alone does not say it. */
static const struct {
	const char *words;
	enum etcd_reply_kind kind;
} wordings[] = {
	{"authentication is not enabled", ETCD_NO_AUTH},
	{"revision of auth store is old", ETCD_TOKEN_OVER},
	{"invalid auth token", ETCD_TOKEN_OVER},
};

static enum etcd_reply_kind kind_of(int64_t code, const char *message)
{
	for (size_t i = 0; i < ARRAY_SIZE(wordings); i++)
		if (strstr(message, wordings[i].words))
			return wordings[i].kind;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].code == code)
			return codes[i].kind;
	return ETCD_TROUBLE;
}

/* As one line, without the name of the program that says it. */
static const char *one_line(struct etcd_reply *reply, struct str text)
{
	_cleanup_(mem_freep) char *line = NULL;

	if (str_starts(text, STR("etcdserver: ")))
		text = str_from_offset(text, strlen("etcdserver: "));
	if (text.len > MESSAGE_MAX)
		text.len = MESSAGE_MAX;
	text.len = str_utf8_invalid(text);
	line = mem_strndup(text.ptr, text.len);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
	return arena_strdup(&reply->arena, line);
}

static bool read_error(struct etcd_reply *reply, const struct value *error,
		       const char *code)
{
	struct str message = text_at(error, "message");

	reply->message = message.len ? one_line(reply, message)
				     : "an error without a reason";
	reply->code = number_at(error, code);
	reply->kind = kind_of(reply->code, reply->message);
	return true;
}

/* "rpc error: code = NAME desc = MESSAGE" */
static void read_reason(struct etcd_reply *reply, struct str reason)
{
	const char *text = arena_str(&reply->arena, reason).ptr;
	const char *message = strstr(text, "desc = ");
	int64_t code = 0;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (strstr(text, codes[i].name))
			code = codes[i].code;
	reply->message =
		reason.len ? one_line(reply,
				      str_from(message ? message + 7 : text))
			   : "the watch was ended";
	reply->kind = kind_of(code, reply->message);
}

static bool read_end(struct etcd_reply *reply, const struct value *result)
{
	if (number_at(result, "compact_revision"))
		reply->kind = ETCD_COMPACTED;
	else
		read_reason(reply, text_at(result, "cancel_reason"));
	return true;
}

/* --- both kinds --- */

/* Of a range that a transaction has made; other answers bring nothing. */
static bool read_response(struct etcd_reply *reply,
			  const struct value *response)
{
	const struct value *range = get(response, "response_range");

	return !range || read_list(reply, range, "kvs", read_kv);
}

static bool read_responses(struct etcd_reply *reply, const struct value *root)
{
	const struct value *list = get(root, "responses");

	if (list && !value_is(list, VALUE_LIST))
		return false;
	for (size_t i = 0; list && i < list->list.count; i++)
		if (!read_response(reply, list->list.items[i]))
			return false;
	return true;
}

static bool read_done(struct etcd_reply *reply, const struct value *root)
{
	reply->kind = ETCD_DONE;
	reply->more = is_true(root, "more");
	reply->succeeded = is_true(root, "succeeded");
	reply->lease = any_number_at(root, "ID");
	reply->ttl = number_at(root, "TTL");
	reply->token = arena_str(&reply->arena, text_at(root, "token"));
	return read_header(reply, root) &&
	       read_list(reply, root, "kvs", read_kv) &&
	       read_responses(reply, root);
}

static bool read_call(struct etcd_reply *reply, const struct value *root)
{
	const struct value *error = get(root, "error");
	const struct value *line = get(root, "result");

	if (value_is(error, VALUE_OBJECT))
		return read_error(reply, error, "grpc_code");
	if (error)
		return read_error(reply, root, "code");
	return read_done(reply, line ? line : root);
}

static bool read_result(struct etcd_reply *reply, const struct value *result)
{
	reply->watch = number_at(result, "watch_id");
	if (!read_header(reply, result))
		return false;
	if (is_true(result, "canceled"))
		return read_end(reply, result);
	reply->kind = is_true(result, "created") ? ETCD_CREATED : ETCD_EVENTS;
	return read_list(reply, result, "events", read_event);
}

static bool read_line(struct etcd_reply *reply, const struct value *root)
{
	const struct value *error = get(root, "error");

	if (value_is(error, VALUE_OBJECT))
		return read_error(reply, error, "grpc_code");
	return read_result(reply, get(root, "result"));
}

static void read_json(struct etcd_reply *reply, struct str text,
		      bool (*read)(struct etcd_reply *reply,
				   const struct value *root))
{
	const struct read_options options = {
		.format = READ_JSON,
		.limits = {.bytes = SIZE_MAX,
			   .depth = DEPTH,
			   .values = VALUES_MAX},
	};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;

	*reply = (struct etcd_reply){.kind = ETCD_FOREIGN};
	if (read_text(&doc, "answer", text, &options, &diag) != 0)
		return;
	if (!read(reply, doc->root)) {
		reply->kind = ETCD_FOREIGN;
		reply->count = 0;
	}
}

void etcd_reply_read(struct etcd_reply *reply, struct str body)
{
	read_json(reply, body, read_call);
}

/* A stream that is refused altogether says so as a line does. */
void etcd_reply_read_line(struct etcd_reply *reply, struct str line)
{
	read_json(reply, line, read_line);
}

void etcd_reply_deinit(struct etcd_reply *reply)
{
	arena_free(&reply->arena);
	*reply = (struct etcd_reply){0};
}
