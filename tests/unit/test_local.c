#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/envs.h"
#include "../support/scratch.h"
#include "base/buf.h"
#include "engine/local.h"
#include "settings/places.h"
#include "settings/settings.h"

struct given {
	bool system;
	enum settings_mode mode;
	const char *files, *defaults, *site; /* NULL: no such key */
	const char *path; /* of the settings file; NULL: none */
	const char *variables;
};

typedef void (*find_fn)(struct local_files *files,
			const struct local_rule *rule);

/* A file as PATH, PATH@ when it is no HOCON, KEY:PATH when it goes under one;
 * separated by blanks. Those in the scratch folder are relative to it. */
static void add_item(struct buf *text, const struct local_file *file)
{
	size_t root = strlen(scratch_root);
	const char *path = file->path;

	if (root && !strncmp(path, scratch_root, root))
		path += root + 1;
	buf_printf(text, "%s%s%s%s%s", text->len ? " " : "",
		   file->under ? file->under : "", file->under ? ":" : "", path,
		   file->format == READ_HOCON ? "" : "@");
}

static void assert_found(find_fn find, struct given given, const char *expected)
{
	_cleanup_(env_unrefp) struct env *env =
		envs_of(given.variables ? given.variables : "HOME=/h");
	_cleanup_(settings_freep) struct settings *settings = settings_new();
	_cleanup_(places_deinit) struct places places;
	_cleanup_(local_files_deinit) struct local_files files;
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	const struct local_rule rule = {settings, &places, env};

	settings->files = given.files ? mem_strdup(given.files) : NULL;
	settings->defaults = given.defaults ? mem_strdup(given.defaults) : NULL;
	settings->site = given.site ? mem_strdup(given.site) : NULL;
	settings->path = given.path ? mem_strdup(given.path) : NULL;
	settings->mode = given.mode;
	places_init(&places, given.system ? INSTANCE_SYSTEM : INSTANCE_USER,
		    env);
	find(&files, &rule);
	for (size_t i = 0; i < files.count; i++)
		add_item(&text, &files.items[i]);
	assert_string_equal(buf_str(&text).ptr, expected);
}

static void assert_files(struct given given, const char *expected)
{
	assert_found(local_find_files, given, expected);
}

static void a_user_has_the_two_files_of_the_home(void **state)
{
	(void)state;
	assert_files((struct given){0}, "/h/trains.conf /h/clearml.conf");
	assert_files((struct given){.files = ""},
		     "/h/trains.conf /h/clearml.conf");
}

static void the_system_has_one_file_and_no_home(void **state)
{
	(void)state;
	assert_files((struct given){.system = true},
		     "/etc/clearconf/clearml.conf");
}

static void a_named_file_replaces_both(void **state)
{
	(void)state;
	assert_files((struct given){.variables = "HOME=/h|"
						 "CLEARML_CONFIG_FILE=/x.conf"},
		     "/x.conf");
	assert_files((struct given){.variables = "HOME=/h|"
						 "CLEARML_CONFIG_FILE=~/x|"
						 "TRAINS_CONFIG_FILE=/y"},
		     "/h/x");
	assert_files((struct given){.variables = "HOME=/h|"
						 "CLEARML_CONFIG_FILE= |"
						 "TRAINS_CONFIG_FILE=/y"},
		     "/y");
	assert_files((struct given){.variables = "HOME=/h|"
						 "CLEARML_CONFIG_FILE="},
		     "/h/trains.conf /h/clearml.conf");
	assert_files((struct given){.system = true,
				    .variables = "CLEARML_CONFIG_FILE=/x"},
		     "/x");
}

/* As in ClearML: whatever its suffix. */
static void a_file_of_the_environment_is_always_hocon(void **state)
{
	(void)state;
	assert_files((struct given){.variables = "HOME=/h|"
						 "CLEARML_CONFIG_FILE=/x.json"},
		     "/x.json");
}

static void a_relative_file_of_the_environment_is_in_the_working_folder(
	void **state)
{
	(void)state;
	assert_files((struct given){.variables = "HOME=/h|"
						 "CLEARML_CONFIG_FILE=x.conf",
				    .path = "/etc/s.conf"},
		     "x.conf");
}

static void the_settings_win_over_everything(void **state)
{
	(void)state;
	assert_files((struct given){.files = "/a /b.json \t/c.yaml /d.hocon",
				    .path = "/etc/s.conf",
				    .variables = "HOME=/h|"
						 "CLEARML_CONFIG_FILE=/x"},
		     "/a /b.json@ /c.yaml@ /d.hocon");
}

static void settings_name_files_relative_to_themselves(void **state)
{
	(void)state;
	assert_files((struct given){.files = "a ../b ~/c",
				    .path = "/etc/clearconf/s.conf"},
		     "/etc/clearconf/a /etc/clearconf/../b /h/c");
	assert_files((struct given){.system = true,
				    .files = "~/c",
				    .path = "/etc/clearconf/s.conf"},
		     "/etc/clearconf/~/c");
}

static int enter(void **state)
{
	(void)state;
	scratch_enter();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	scratch_leave();
	scratch_root[0] = '\0';
	return 0;
}

static void make_defaults(const char *folder)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s/one/two", folder);
	scratch_folder(name);
	(void)snprintf(name, sizeof(name), "%s/sdk.conf", folder);
	scratch_write(name, "");
	(void)snprintf(name, sizeof(name), "%s/a.b.conf", folder);
	scratch_write(name, "");
	(void)snprintf(name, sizeof(name), "%s/one/x.conf", folder);
	scratch_write(name, "");
	(void)snprintf(name, sizeof(name), "%s/one/two/y.conf", folder);
	scratch_write(name, "");
	(void)snprintf(name, sizeof(name), "%s/.hidden.conf", folder);
	scratch_write(name, "");
	(void)snprintf(name, sizeof(name), "%s/old.conf~", folder);
	scratch_write(name, "");
	(void)snprintf(name, sizeof(name), "%s/readme.txt", folder);
	scratch_write(name, "");
}

static void defaults_go_under_their_stems(void **state)
{
	(void)state;
	make_defaults("d");
	assert_found(local_find_defaults,
		     (struct given){.defaults = scratch_at("d")},
		     "a.b:d/a.b.conf one.two.y:d/one/two/y.conf "
		     "one.x:d/one/x.conf sdk:d/sdk.conf");
	assert_found(
		local_find_defaults,
		(struct given){.defaults = "d", .path = scratch_at("s.conf")},
		"a.b:d/a.b.conf one.two.y:d/one/two/y.conf "
		"one.x:d/one/x.conf sdk:d/sdk.conf");
	assert_found(local_find_defaults, (struct given){.defaults = "/none"},
		     "");
	assert_found(local_find_defaults, (struct given){0}, "");
}

static void a_folder_of_the_environment_has_default_and_its_own(void **state)
{
	(void)state;
	make_defaults("p");
	scratch_folder("p/default");
	scratch_folder("p/special");
	scratch_folder("p/local");
	scratch_write("p/default/sdk.conf", "");
	scratch_write("p/special/sdk.conf", "");
	scratch_write("p/local/sdk.conf", "");
	assert_found(local_find_defaults,
		     (struct given){.variables = "CLEARML_CONFIG_PATH=p"},
		     "sdk:p/default/sdk.conf");
	assert_found(local_find_defaults,
		     (struct given){.variables = "TRAINS_CONFIG_PATH=p|"
						 "CLEARML_ENV=local"},
		     "sdk:p/default/sdk.conf sdk:p/local/sdk.conf");
	assert_found(local_find_defaults,
		     (struct given){.variables = "CLEARML_CONFIG_PATH=p|"
						 "TRAINS_ENV=special"},
		     "sdk:p/default/sdk.conf sdk:p/special/sdk.conf");
	assert_found(local_find_defaults,
		     (struct given){.mode = MODE_SDK,
				    .variables = "CLEARML_CONFIG_PATH=p|"
						 "TRAINS_ENV=special"},
		     "sdk:p/default/sdk.conf");
	assert_found(local_find_defaults,
		     (struct given){.variables = "CLEARML_CONFIG_PATH=p|"
						 "CLEARML_ENV=default"},
		     "sdk:p/default/sdk.conf");
	assert_found(local_find_defaults,
		     (struct given){.variables = "CLEARML_CONFIG_PATH=p|"
						 "CLEARML_ENV=../p/local"},
		     "sdk:p/default/sdk.conf");
}

static void a_link_in_a_circle_ends(void **state)
{
	(void)state;
	scratch_folder("d/x");
	scratch_link("..", "d/x/up");
	scratch_write("d/x/a.conf", "");
	assert_found(local_find_defaults,
		     (struct given){.defaults = scratch_at("d/x/up/none")}, "");
	assert_found(local_find_site, (struct given){.site = scratch_at("d/x")},
		     "d/x/a.conf");
}

static void site_files_come_in_the_order_of_their_names(void **state)
{
	(void)state;
	scratch_folder("site/folder");
	scratch_write("site/20-b.conf", "");
	scratch_write("site/10-z.yaml", "");
	scratch_write("site/30-a.json", "");
	scratch_write("site/.hidden", "");
	scratch_write("site/20-b.conf~", "");
	assert_found(
		local_find_site,
		(struct given){.site = "site", .path = scratch_at("s.conf")},
		"site/10-z.yaml@ site/20-b.conf site/30-a.json@");
	assert_found(local_find_site, (struct given){.site = "/none"}, "");
	assert_found(local_find_site, (struct given){.site = ""}, "");
	assert_found(local_find_site, (struct given){0}, "");
}

static void more_files_than_there_is_room_for_are_ignored(void **state)
{
	_cleanup_(buf_deinit) struct buf list = BUF_INIT, expected = BUF_INIT;

	(void)state;
	for (int i = 0; i < 1003; i++)
		buf_printf(&list, "/%d ", i);
	for (int i = 0; i < 1000; i++)
		buf_printf(&expected, "%s/%d", i ? " " : "", i);
	assert_files((struct given){.files = buf_str(&list).ptr},
		     buf_str(&expected).ptr);
}

int main(void)
{
#define IN_SCRATCH(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_has_the_two_files_of_the_home),
		cmocka_unit_test(the_system_has_one_file_and_no_home),
		cmocka_unit_test(a_named_file_replaces_both),
		cmocka_unit_test(a_file_of_the_environment_is_always_hocon),
		IN_SCRATCH(
			a_relative_file_of_the_environment_is_in_the_working_folder),
		cmocka_unit_test(the_settings_win_over_everything),
		cmocka_unit_test(settings_name_files_relative_to_themselves),
		IN_SCRATCH(defaults_go_under_their_stems),
		IN_SCRATCH(a_folder_of_the_environment_has_default_and_its_own),
		IN_SCRATCH(a_link_in_a_circle_ends),
		IN_SCRATCH(site_files_come_in_the_order_of_their_names),
		cmocka_unit_test(more_files_than_there_is_room_for_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
