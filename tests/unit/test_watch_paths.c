#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/stack.h"
#include "engine/watch_paths.h"

static void add_files(struct watch_paths *list, const char *const *names,
		      size_t count)
{
	struct layer *layers[4];
	struct stack stack;

	stack_init(&stack);
	(void)stack_set_sources(&stack, LAYER_FILE, names, count, layers);
	watch_paths_add_stack(list, &stack);
	stack_deinit(&stack);
}

/* Workspaces share files. */
static void each_path_is_listed_once(void **state)
{
	static const char *const one[] = {"/srv/b.conf", "/srv/a.conf"};
	static const char *const two[] = {"/srv/a.conf", "/srv/ab.conf",
					  "relative.conf", "/srv/b.conf"};
	struct watch_paths list = {0};

	(void)state;
	add_files(&list, one, 2);
	add_files(&list, two, 4);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.paths[0], "/srv/a.conf");
	assert_string_equal(list.paths[1], "/srv/ab.conf");
	assert_string_equal(list.paths[2], "/srv/b.conf");
	watch_paths_deinit(&list);
}

static void a_list_covers_what_it_names(void **state)
{
	static const char *const names[] = {"/srv/c.conf", "/srv/a.conf",
					    "/srv/b.conf"};
	struct watch_paths all = {0}, some = {0}, none = {0};

	(void)state;
	add_files(&all, names, 3);
	add_files(&some, names, 2);
	assert_true(watch_paths_cover(&all, &some));
	assert_true(watch_paths_cover(&all, &none));
	assert_false(watch_paths_cover(&some, &all));
	assert_false(watch_paths_cover(&none, &some));
	watch_paths_deinit(&all);
	watch_paths_deinit(&some);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_path_is_listed_once),
		cmocka_unit_test(a_list_covers_what_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
