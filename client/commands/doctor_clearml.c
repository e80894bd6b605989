/* The part of `doctor` about what ClearML itself has on this host. */

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "commands/doctor.h"
#include "text/answer.h"
#include "value/value.h"

/* Below where Python's packages are: the defaults of the agent and of the SDK.
 */
static const char agent_defaults[] = "clearml_agent/backend_api/config/default";
static const char sdk_defaults[] = "clearml/config/default";

/* Where an interpreter that somebody may use has its packages; what is behind
 * a variable's value, or a path of its own. */
static const struct {
	const char *variable; /* a list, as PATH is; NULL: none */
	const char *pattern;
} places[] = {
	{"PYTHONPATH", ""},
	{"VIRTUAL_ENV", "/lib/python3*/site-packages"},
	{"CONDA_PREFIX", "/lib/python3*/site-packages"},
	{"PATH", "/../lib/python3*/site-packages"},
	{"PATH", "/../lib/python3*/dist-packages"},
	{"HOME", "/.local/lib/python3*/site-packages"},
	{"HOME", "/.local/share/pipx/venvs/*/lib/python3*/site-packages"},
	{NULL, "/opt/pipx/venvs/*/lib/python3*/site-packages"},
};

/* The first of them, resolved; NULL: there is none. The caller frees it. */
static char *find_one(const char *folder, const char *pattern,
		      const char *below)
{
	_cleanup_(mem_freep) char *whole =
		mem_printf("%s%s/%s/sdk.conf", folder, pattern, below);
	glob_t found = {0};
	char *path = NULL, *file;

	if (glob(whole, GLOB_NOSORT, NULL, &found) == 0) {
		file = found.gl_pathv[0];
		*strrchr(file, '/') = '\0';
		path = realpath(file, NULL);
	}
	globfree(&found);
	return path;
}

static char *find_in(size_t place, const char *below)
{
	const char *variable = places[place].variable;
	const char *value = variable ? getenv(variable) : "";
	_cleanup_(mem_freep) char *list = mem_strdup(value ? value : "");
	char *rest = NULL, *found = NULL;

	if (!variable)
		return find_one("", places[place].pattern, below);
	for (char *folder = strtok_r(list, ":", &rest); folder && !found;
	     folder = strtok_r(NULL, ":", &rest))
		if (folder[0] == '/')
			found = find_one(folder, places[place].pattern, below);
	return found;
}

static char *find(const char *below)
{
	char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !found; i++)
		found = find_in(i, below);
	return found;
}

/* By the mode, which says whose rules count. */
static char *find_defaults(const struct doctor *doctor)
{
	bool sdk = str_is(answer_text(doctor->status, "mode"), "sdk");
	char *found = find(sdk ? sdk_defaults : agent_defaults);

	return found ? found : find(sdk ? agent_defaults : sdk_defaults);
}

static bool has_defaults(const struct value *workspace)
{
	const struct value *layers = value_get(workspace, STR("layers"));

	for (uint32_t i = 0;
	     value_is(layers, VALUE_LIST) && i < layers->list.count; i++)
		if (str_is(answer_text(layers->list.items[i], "layer"),
			   "defaults"))
			return true;
	return false;
}

void doctor_look_at_defaults(struct doctor *doctor)
{
	const struct value *list = value_get(doctor->status, STR("workspaces"));
	_cleanup_(mem_freep) char *folder = NULL;

	if (!value_is(list, VALUE_LIST) || !list->list.count ||
	    has_defaults(list->list.items[0]))
		return;
	folder = find_defaults(doctor);
	if (folder)
		doctor_say(
			doctor, DOCTOR_ADVICE,
			"defaults: ClearML is installed, and what it takes "
			"where nobody says anything is not shown: 'defaults "
			"= %s' under [local] of clearconfd.conf makes it the "
			"weakest layer",
			folder);
}
