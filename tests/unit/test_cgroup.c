#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/cgroup.h"

static void the_path_is_that_of_systemds_hierarchy(void **state)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{"", ""},
		{"0::/\n", "/"},
		{"0::/system.slice/x.service\n", "/system.slice/x.service"},
		{"0::/a:b/c\n", "/a:b/c"},
		{"0::/x.service (deleted)\n", "/x.service"},
		{"0::/../../x.service\n", "/../../x.service"},
		/* version 1 */
		{"4:memory:/user.slice\n1:name=systemd:/system.slice/"
		 "a.service\n",
		 "/system.slice/a.service"},
		{"1:name=systemd:/a.service\n4:memory:/user.slice\n",
		 "/a.service"},
		{"4:cpu,cpuacct:/docker/1\n1:name=systemd:/docker/1\n",
		 "/docker/1"},
		{"9:name=systemd:/\n4:memory:/process\n3:cpuset:/\n0::/\n",
		 "/process"},
		{"9:name=elogind:/1\n4:memory:/\n", "/1"},
		/* hybrid */
		{"1:name=systemd:/x.service\n0::/other.service\n",
		 "/x.service"},
		{"4:memory:/m\n1:name=systemd:/\n0::/x.service\n",
		 "/x.service"},
		/* nonsense, and what was cut */
		{"0::/whole.service\n1:name=systemd:/cut.servi",
		 "/whole.service"},
		{"0::/cut.servi", ""},
		{"\n:\n::\n0:\n0::\n0::x\n1:x\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str path = cgroup_path(str_from(cases[i].text));
		_cleanup_(mem_freep) char *text =
			mem_strndup(path.ptr ? path.ptr : "", path.len);

		assert_string_equal(text, cases[i].path);
	}
}

static void a_unit_is_the_first_below_slices(void **state)
{
	static const struct {
		const char *path, *unit;
		bool found;
	} cases[] = {
		{"/system.slice/x.service", "x.service", true},
		{"/system.slice/x.service", "y.service", false},
		{"/system.slice/system-clearml.slice/a@gpu0.service",
		 "a@gpu0.service", true},
		{"/system.slice/a@gpu0.service", "a@*.service", true},
		{"/system.slice/a@gpu0.service", "b@*.service", false},
		{"/system.slice/a@gpu0.service", "a@gpu?.service", true},
		/* escapes are part of the name, or systemd's against the kernel
		 */
		{"/a\\x2db.service", "a\\x2db.service", true},
		{"/a\\x2db.service", "ax2db.service", false},
		{"/system.slice/_cpu.service", "cpu.service", true},
		{"/system.slice/__x.service", "_x.service", true},
		/* a user's */
		{"/user.slice/user-1.slice/user@1.service/app.slice/x.service",
		 "x.service", true},
		{"/user.slice/user-1.slice/user@1.service/app.slice/x.service",
		 "user@1.service", true},
		{"/user.slice/user-1.slice/user@1.service/init.scope",
		 "init.scope", true},
		{"/user.slice/user-1.slice/session-3.scope", "session-3.scope",
		 true},
		{"/user.slice/user-1.slice/session-3.scope/x.service",
		 "x.service", false},
		/* what a unit makes below itself */
		{"/system.slice/x.service/y.service", "y.service", false},
		{"/system.slice/docker.service/z/x.service", "x.service",
		 false},
		{"/machine.slice/c.scope/payload/system.slice/x.service",
		 "x.service", false},
		{"/lxc.payload.c/system.slice/x.service", "x.service", false},
		/* from another cgroup namespace */
		{"/../x.service", "x.service", true},
		{"/../../system.slice/x.service", "x.service", true},
		{"/", "x.service", false},
		{"", "x.service", false},
		{"/kubepods/burstable/pod1/2", "*", false},
		{"/.service", ".service", false},
		{"//x.service/", "x.service", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(cgroup_is_in_unit(str_from(cases[i].path),
						   cases[i].unit),
				 cases[i].found);
}

static void a_cgroup_holds_what_is_below_it(void **state)
{
	static const struct {
		const char *path, *pattern;
		bool below;
	} cases[] = {
		{"/kubepods", "/kubepods", true},
		{"/kubepods/burstable/pod1/c", "/kubepods", true},
		{"/kubepods2/c", "/kubepods", false},
		{"/x/kubepods", "/kubepods", false},
		{"/kubepods/burstable/pod1/c", "/kubepods/*/pod1", true},
		{"/kubepods/pod1", "/kubepods/*/pod1", false},
		{"/kubepods/a/b/pod1", "/kubepods/*/pod1", false},
		{"/a\\x2db/c", "/a\\x2db", true},
		{"/../other", "/../other", true},
		{"/x", "", true},
		{"/", "", true},
		{"", "", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(cgroup_is_below(str_from(cases[i].path),
						 cases[i].pattern),
				 cases[i].below);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_path_is_that_of_systemds_hierarchy),
		cmocka_unit_test(a_unit_is_the_first_below_slices),
		cmocka_unit_test(a_cgroup_holds_what_is_below_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
