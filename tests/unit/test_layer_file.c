#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"
#include "../support/scratch.h"
#include "config/layer.h"

/* When a layer that is a file is read again. */
struct fixture {
	struct layer *layer;
	struct layer_context context;
};

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	scratch_enter();
	f->context = (struct layer_context){.limits = READ_LIMITS_DEFAULT};
	f->layer = layer_new(LAYER_FILE, scratch_at("x.conf"));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	layer_free(f->layer);
	mem_free(f);
	scratch_leave();
	return 0;
}

static bool read_layer(struct fixture *f)
{
	return layer_read(f->layer, &f->context, NULL);
}

static bool save_and_read(struct fixture *f, const char *text)
{
	scratch_write("x.conf", text);
	layer_touch(f->layer);
	return read_layer(f);
}

/* As if all of its files had been there for long when they were read. */
static void settle_files(const struct layer *layer)
{
	for (size_t i = 0; i < layer->doc->source_count; i++)
		file_stamp_of(&layer->doc->sources[i]->stamp,
			      layer->doc->sources[i]->name);
}

static bool is_to_be_read(struct fixture *f)
{
	layer_set_file(f->layer, f->layer->format, NULL);
	return f->layer->unread;
}

static void a_file_that_has_not_changed_is_not_read_again(void **state)
{
	struct fixture *f = *state;

	scratch_write("other.conf", "b = 1");
	assert_true(save_and_read(f, "a = 1\ninclude \"other.conf\"\n"));
	assert_true(is_to_be_read(f)); /* it is too young to tell */
	assert_false(read_layer(f));
	settle_files(f->layer);
	assert_false(is_to_be_read(f));
	scratch_write("other.conf", "b = 23");
	assert_true(is_to_be_read(f));
	assert_true(read_layer(f));
	docs_assert_json(f->layer->doc->root, "{\"a\":1,\"b\":23}");
	settle_files(f->layer);
	layer_touch(f->layer);
	assert_true(is_to_be_read(f));
}

static void a_file_is_read_again_in_another_format_or_place(void **state)
{
	struct fixture *f = *state;

	assert_true(save_and_read(f, "{\"a\": 1}"));
	settle_files(f->layer);
	assert_false(is_to_be_read(f));
	layer_set_file(f->layer, READ_JSON, NULL);
	assert_true(f->layer->unread);
	assert_false(read_layer(f));
	settle_files(f->layer);
	layer_set_file(f->layer, READ_JSON, "under");
	assert_true(f->layer->unread);
}

/* What is not there, or was refused, may be good by now. */
static void what_was_missing_or_broken_is_read_again(void **state)
{
	struct fixture *f = *state;

	assert_true(is_to_be_read(f));
	(void)read_layer(f);
	assert_true(is_to_be_read(f));
	assert_true(save_and_read(f, "include \"missing.conf\"\n"));
	settle_files(f->layer);
	assert_true(is_to_be_read(f));
	assert_true(save_and_read(f, "a = {"));
	settle_files(f->layer);
	assert_true(is_to_be_read(f));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_has_not_changed_is_not_read_again),
		TEST(a_file_is_read_again_in_another_format_or_place),
		TEST(what_was_missing_or_broken_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
