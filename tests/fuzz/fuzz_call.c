/* A connection without a socket: what a peer sends is cut into frames, parsed
 * as calls and answered by the methods. The first byte says which rights it
 * has, the second into how large pieces the rest comes. Each answer must be one
 * whole message of JSON, and tell no secret to who may have none. */

#include <jansson.h>
#include <string.h>

#include "fuzz_stage.h"
#include "serve/frame.h"

#define MESSAGE_MAX ((size_t)16 * 1024)

/* Parts of the secrets of the texts below. */
#define TELLTALE "swordfi"

static const char *const texts[] = {
	"agent { git_pass: swordfish-1, worker_id: w, list: [1, {a: null}] }\n"
	"sdk.aws.s3 { key: swordfish-2, credentials: [{bucket: b,\n"
	"  key: swordfish-3, secret: swordfish-4}] }",
	"agent { git_pass: swordfish-5, note: swordfish-1, environment {A: "
	"swordfish-6} }\n\"a.b\" { \"c d\": \"x swordfish-2 y\" }\n"
	"url: \"http://me:swordfish-7@host/\"",
};

/* The input itself may hold a secret. */
static bool knows;

/* The first @count of the texts. */
static void publish(struct stage *stage, size_t count)
{
	struct stack_docs docs = {0};

	for (size_t i = 0; i < count; i++)
		stage_add_text(stage, &docs, i ? LAYER_VAULT : LAYER_FILE,
			       str_from(texts[i]));
	stage_publish(stage, &docs, count);
}

/* --- calls
 * --------------------------------------------------------------------
 */

static void check_reply(unsigned int rights, struct str reply)
{
	json_t *json;

	assert(reply.len && reply.ptr[reply.len - 1] == '\0');
	assert(!memchr(reply.ptr, '\0', reply.len - 1));
	json = stage_parse(reply);
	assert(!json || json_is_object(json));
	json_decref(json);
	if (!(rights & ACCESS_SECRETS) && !knows)
		assert(!memmem(reply.ptr, reply.len, TELLTALE,
			       sizeof(TELLTALE) - 1));
}

/* At most one reply is in the outbox. */
static void take_reply(struct stage *stage, unsigned int rights)
{
	_cleanup_(buf_deinit) struct buf reply = BUF_INIT;

	stage_take_reply(stage, &reply);
	if (reply.len)
		check_reply(rights, buf_str(&reply));
}

static void call(struct stage *stage, unsigned int rights, struct str message)
{
	stage_ask(stage, rights, message);
	take_reply(stage, rights);
}

/* Whoever watches is told of the first text alone again. */
static void tell(struct stage *stage, unsigned int rights)
{
	const struct peer peer = {.user.uid = UID_FIRST + rights};

	publish(stage, 1);
	stage->snapshot->generation = 3;
	watchers_mark(&stage->watchers, WATCHER_CONFIG);
	watchers_mark(&stage->watchers, WATCHER_STATUS);
	while (watchers_next(&stage->watchers))
		;
	for (size_t i = 0; i < stage->kept_count; i++) {
		(void)watcher_answer(stage->kept[i], &peer, &stage->out);
		take_reply(stage, rights);
	}
}

static void receive(struct stage *stage, unsigned int rights, struct str input,
		    size_t piece)
{
	struct frame frame = FRAME_INIT;
	struct str part, message;
	int r = 0;

	while (input.len && r != FRAME_E_TOO_LONG) {
		part = (struct str){input.ptr,
				    piece < input.len ? piece : input.len};
		input = str_from_offset(input, part.len);
		while (!(r = frame_next(&frame, &part, MESSAGE_MAX, &message)))
			call(stage, rights, message);
	}
	frame_deinit(&frame);
}

static bool may_hold_secret(struct str input)
{
	return memmem(input.ptr, input.len, TELLTALE, sizeof(TELLTALE) - 1) ||
	       memmem(input.ptr, input.len, "\\u", 2);
}

static void test(struct str input)
{
	unsigned int rights;
	struct stage stage;
	size_t piece;

	if (input.len < 3)
		return;
	rights = (unsigned char)input.ptr[0] % 8;
	piece = (unsigned char)input.ptr[1];
	stage_init(&stage);
	publish(&stage, 1);
	publish(&stage, 2);
	input = str_from_offset(input, 2);
	knows = may_hold_secret(input);
	receive(&stage, rights, input, piece ? piece : input.len);
	tell(&stage, rights);
	stage_deinit(&stage);
}

FUZZ_TARGET("call", test)
