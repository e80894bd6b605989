#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"

#include "config/secrets.h"
#include "config/snapshot.h"
#include "serve/get.h"
#include "value/path.h"

/* A key holds what is secret elsewhere. */
static const char text[] =
	"{\"token\":\"hunter2hunter2\",\"open\":{\"a\":1,\"b\":[1,\"two\"]},"
	"\"by\":{\"of-hunter2hunter2\":{\"x\":1,\"y\":{}},\"plain\":\"p\"},"
	"\"list\":[{\"password\":\"p\",\"name\":\"n\"}],"
	"\"said\":\"it is hunter2hunter2\"}";

static void assert_shown_as_in_the_whole(struct snapshot *snapshot,
					 const struct secrets *secrets,
					 const char *at)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(buf_deinit) struct buf part = BUF_INIT, whole = BUF_INIT;
	struct path_error error;
	struct path path;

	assert_true(path_parse(&path, &arena, str_from(at), &error));
	assert_non_null(path_find(snapshot->root, &path));
	get_write_visible(&part, get_visible(snapshot, &path, secrets, &arena));
	get_write_visible(
		&whole,
		path_find(snapshot_rendition(snapshot, secrets)->root, &path));
	assert_string_equal(buf_str(&part).ptr, buf_str(&whole).ptr);
}

static void a_part_is_shown_as_in_the_whole(void **state)
{
	static const char *const paths[] = {
		"",
		"token",
		"open",
		"open.b.1",
		"by",
		"by.plain",
		"by.of-hunter2hunter2",
		"by.of-hunter2hunter2.x",
		"by.of-hunter2hunter2.y",
		"list",
		"list.0",
		"list.0.password",
		"list.0.name",
		"said",
	};
	struct secrets *secrets = secrets_new(NULL);
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = NULL;
	struct stack_docs docs = {0};
	struct doc *doc = docs_read(text);

	(void)state;
	secrets_learn(secrets, doc->root);
	(void)stack_docs_insert(&docs, LAYER_FILE, doc);
	snapshot = snapshot_new(&docs);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_shown_as_in_the_whole(snapshot, secrets, paths[i]);
		assert_shown_as_in_the_whole(snapshot, NULL, paths[i]);
	}
	secrets_free(secrets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_is_shown_as_in_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
