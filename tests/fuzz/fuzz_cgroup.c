/* What /proc/PID/cgroup may tell: the path is a part of it, begins at the root
 * and names no unit that is not in it. */

#include "config/cgroup.h"
#include "fuzz_text.h"

static bool lies_in(struct str part, struct str whole)
{
	return part.ptr >= whole.ptr &&
	       part.ptr + part.len <= whole.ptr + whole.len;
}

static void test(struct str input)
{
	struct str path = cgroup_path(input);

	if (!path.len) {
		assert(!cgroup_is_below(path, "") &&
		       !cgroup_is_in_unit(path, "*"));
		return;
	}
	assert(lies_in(path, input) && path.ptr[0] == '/');
	assert(!memchr(path.ptr, '\n', path.len));
	assert(cgroup_is_below(path, ""));
	if (cgroup_is_in_unit(path, "x.service"))
		assert(memmem(path.ptr, path.len, "x.service", 9) &&
		       cgroup_is_in_unit(path, "*.service"));
}

FUZZ_TARGET("cgroup", test)
