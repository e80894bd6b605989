#include "settings/places.h"

#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/mem.h"

#define PROGRAM "clearconf"

#define SECRET_FROM 24 /* characters of a key; ClearML makes 50 of them */

static char *copy(struct str text)
{
	return mem_strndup(text.ptr, text.len);
}

/* $@name if it is an absolute path, as the XDG specification demands; NULL. */
static char *folder_of(const struct env *env, const char *name)
{
	struct str value;

	if (!env_get(env, str_from(name), &value) ||
	    !str_starts(value, STR("/")))
		return NULL;
	return copy(value);
}

/* NULL: a uid that nobody has been given, as containers have them. */
static char *home_of(const struct env *env)
{
	char *home = folder_of(env, "HOME");
	const struct passwd *user = home ? NULL : getpwuid(getuid());

	if (!home && user && user->pw_dir)
		home = mem_strdup(user->pw_dir);
	return home;
}

/* $@name/clearconf, or the fallback below the home. */
static char *xdg(const struct places *places, const struct env *env,
		 const char *name, const char *below_home)
{
	_cleanup_(mem_freep) char *folder = folder_of(env, name);
	const char *home = places->home ? places->home : "";

	if (folder)
		return mem_printf("%s/" PROGRAM, folder);
	if (!strcmp(home, "/"))
		home++;
	return mem_printf("%s/%s/" PROGRAM, home, below_home);
}

static bool is_system(const struct env *env)
{
	struct str state;

	return geteuid() == 0 ||
	       (env_get(env, STR("STATE_DIRECTORY"), &state) &&
		str_starts(state, STR("/var/lib/")));
}

static void init_system(struct places *places)
{
	places->socket = mem_strdup("/run/" PROGRAM "/" PROGRAM ".sock");
	places->settings = mem_strdup("/etc/" PROGRAM "/clearconfd.conf");
	places->state_dir = mem_strdup("/var/lib/" PROGRAM);
}

static void init_user(struct places *places, const struct env *env)
{
	_cleanup_(mem_freep) char *runtime = folder_of(env, "XDG_RUNTIME_DIR");
	_cleanup_(mem_freep) char *state = folder_of(env, "XDG_STATE_HOME");
	_cleanup_(mem_freep) char *config = NULL;

	places->home = home_of(env);
	config = xdg(places, env, "XDG_CONFIG_HOME", ".config");
	places->settings = mem_printf("%s/clearconfd.conf", config);
	places->state_dir = xdg(places, env, "XDG_STATE_HOME", ".local/state");
	places->no_state_dir = !places->home && !state;
	places->no_socket = places->no_state_dir && !runtime;
	places->socket =
		runtime ? mem_printf("%s/" PROGRAM "/" PROGRAM ".sock", runtime)
			: mem_printf("%s/" PROGRAM ".sock", places->state_dir);
}

void places_init(struct places *places, enum places_instance instance,
		 const struct env *env)
{
	*places = (struct places){
		.system = instance == INSTANCE_SYSTEM ||
			  (instance == INSTANCE_AUTO && is_system(env)),
	};
	if (places->system)
		init_system(places);
	else
		init_user(places, env);
}

void places_deinit(struct places *places)
{
	mem_free(places->home);
	mem_free(places->socket);
	mem_free(places->settings);
	mem_free(places->state_dir);
	*places = (struct places){0};
}

char *places_expand(const char *path, const char *home, const char *folder)
{
	_cleanup_(mem_freep) char *here = NULL;

	if (home && path[0] == '~' && (path[1] == '/' || !path[1]))
		return mem_printf("%s%s", home, path + 1);
	if (path[0] == '/')
		return mem_strdup(path);
	if (folder)
		return mem_printf("%s/%s", folder, path);
	here = realpath(".", NULL);
	return mem_printf("%s/%s", here ? here : ".", path);
}

char *places_choose(const struct places *places, const char *named,
		    const char *standard)
{
	return places_expand(named && *named ? named : standard, places->home,
			     NULL);
}

static char *in_credentials(const char *prefix, const char *name)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	_cleanup_(mem_freep) char *path = NULL;

	if (!folder || strchr(name, '/'))
		return NULL;
	path = mem_printf("%s/%s%s", folder, prefix, name);
	return access(path, F_OK) == 0 ? TAKE(path) : NULL;
}

char *places_file(const char *name, const char *settings)
{
	_cleanup_(mem_freep) char *file = mem_strdup(settings);
	char *path = in_credentials("secret_", name);

	if (!path)
		path = in_credentials("", name);
	return path ? path : places_expand(name, getenv("HOME"), dirname(file));
}

bool places_is_pasted_secret(const char *name, const char *settings)
{
	_cleanup_(mem_freep) char *path = places_file(name, settings);

	return strlen(name) >= SECRET_FROM && !strpbrk(name, "/.") &&
	       access(path, F_OK) < 0;
}
