#include "read/variables.h"

#include "base/buf.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"

#define GENERIC_PREFIX STR("CLEARML_AGENT__")
#define NAMES_MAX      3

/* semantics.md, "Named variables": the first name that is set wins.
 * agent.cpu_only has no names, by a bug of ClearML, and Azure is no plain row:
 * see agent.c. */
struct row {
	const char *path;
	const char *names[NAMES_MAX + 1]; /* NULL-terminated */
	bool boolean;
	bool login; /* one of the host and its key pair */
};

static const struct row rows[] = {
	{"api.api_server",
	 {"CLEARML_API_HOST", "TRAINS_API_HOST"},
	 .login = true},
	{"api.files_server", {"CLEARML_FILES_HOST", "TRAINS_FILES_HOST"}},
	{"api.web_server", {"CLEARML_WEB_HOST", "TRAINS_WEB_HOST"}},
	{"api.credentials.access_key",
	 {"CLEARML_API_ACCESS_KEY", "TRAINS_API_ACCESS_KEY"},
	 .login = true},
	{"api.credentials.secret_key",
	 {"CLEARML_API_SECRET_KEY", "TRAINS_API_SECRET_KEY"},
	 .login = true},
	{"agent.worker_name", {"CLEARML_WORKER_NAME", "TRAINS_WORKER_NAME"}},
	{"agent.worker_id", {"CLEARML_WORKER_ID", "TRAINS_WORKER_ID"}},
	{"agent.cuda_version",
	 {"CLEARML_CUDA_VERSION", "TRAINS_CUDA_VERSION", "CUDA_VERSION"}},
	{"agent.cudnn_version",
	 {"CLEARML_CUDNN_VERSION", "TRAINS_CUDNN_VERSION", "CUDNN_VERSION"}},
	{"agent.crash_on_exception",
	 {"CLEARML_AGENT_CRASH_ON_EXCEPTION"},
	 .boolean = true},
	{"agent.snug.enabled", {"CLEARML_AGENT_SNUG_ENABLED"}, .boolean = true},
	{"agent.snug.report_usage_events",
	 {"CLEARML_AGENT_SNUG_REPORT_USAGE_EVENTS"},
	 .boolean = true},
	{"agent.snug.report_task_metrics",
	 {"CLEARML_AGENT_SNUG_REPORT_TASK_METRICS"},
	 .boolean = true},
	{"agent.snug.call_history", {"CLEARML_AGENT_SNUG_CALL_HISTORY"}},
	{"agent.snug.app_mode", {"CLEARML_AGENT_SNUG_APP_MODE"}},
	{"sdk.aws.s3.key", {"AWS_ACCESS_KEY_ID"}},
	{"sdk.aws.s3.secret", {"AWS_SECRET_ACCESS_KEY"}},
	{"sdk.aws.s3.region", {"AWS_DEFAULT_REGION"}},
	{"sdk.google.storage.credentials_json",
	 {"GOOGLE_APPLICATION_CREDENTIALS"}},
};

static void add(struct variables *variables, struct variable variable)
{
	size_t count = variables->count;

	variables->items = arena_grow(&variables->arena, variables->items,
				      count * sizeof(variable),
				      (count + 1) * sizeof(variable));
	variables->items[variables->count++] = variable;
}

static char lower(char c)
{
	if (c < 'A' || c > 'Z')
		return c;
	return (char)(c + ('a' - 'A'));
}

/* A__B -> a.b; empty parts vanish, as everywhere in keys. */
static struct str path_of(struct arena *arena, struct str name)
{
	char *path = arena_alloc(arena, name.len + 1);
	size_t len = 0;
	bool wide, dot;

	for (size_t i = 0; i < name.len; i += wide ? 2 : 1) {
		wide = str_starts(str_from_offset(name, i), STR("__"));
		dot = wide || name.ptr[i] == '.';
		if (!dot)
			path[len++] = lower(name.ptr[i]);
		else if (len && path[len - 1] != '.')
			path[len++] = '.';
	}
	return (struct str){path, len};
}

static void add_generic(struct variables *variables,
			const struct env_variable *variable)
{
	struct str path =
		path_of(&variables->arena,
			str_from_offset(variable->name, GENERIC_PREFIX.len));

	if (!path.len) {
		log_warning("variable-ignored",
			    LOG_TEXT("variable", variable->name.ptr),
			    LOG_TEXT("reason", "it names no key"));
		return;
	}
	add(variables, (struct variable){
			       .name = variable->name.ptr,
			       .under = path,
			       .text = variable->value,
			       .format = READ_VALUE,
		       });
}

void variables_generic(struct variables *variables, const struct env *env)
{
	*variables = (struct variables){0};
	for (size_t i = 0; i < env->count; i++)
		if (str_starts(env->variables[i].name, GENERIC_PREFIX))
			add_generic(variables, &env->variables[i]);
}

static bool find_row(const struct row *row, const struct env *env,
		     struct variable *variable)
{
	for (size_t i = 0; row->names[i]; i++) {
		variable->name = row->names[i];
		if (env_get(env, str_from(row->names[i]), &variable->text) &&
		    variable->text.len)
			return true;
	}
	return false;
}

/* A blank value is as good as none, but it hides the row's other names. */
static void add_named(struct variables *variables, const struct row *row,
		      struct variable variable)
{
	bool value = false;

	variable.text = str_trim(variable.text);
	if (!variable.text.len)
		return;
	variable.under = str_from(row->path);
	variable.names = row->names;
	variable.login = row->login;
	variable.format = row->boolean ? READ_VALUE : READ_LITERAL;
	if (row->boolean && !str_to_bool(variable.text, &value)) {
		log_warning("variable-ignored",
			    LOG_TEXT("variable", variable.name),
			    LOG_TEXT("reason", "it is neither true nor false"));
		return;
	}
	if (row->boolean)
		variable.text = value ? STR("true") : STR("false");
	add(variables, variable);
}

void variables_named(struct variables *variables, const struct env *env)
{
	struct variable variable;

	*variables = (struct variables){0};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (find_row(&rows[i], env, &variable))
			add_named(variables, &rows[i], variable);
}

void variables_deinit(struct variables *variables)
{
	arena_free(&variables->arena);
	*variables = (struct variables){0};
}

#define CLEARML_PREFIX STR("CLEARML_")

struct env *variables_agent_env(const struct env *env)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(mem_freep) struct env_variable *all =
		mem_alloc(2 * env->count * sizeof(*all));
	size_t count = 0;
	struct str unused;

	for (size_t i = 0; i < env->count; i++) {
		const struct env_variable *variable = &env->variables[i];
		struct buf name = BUF_INIT;
		struct str trains;

		all[count++] = *variable;
		if (!str_starts(variable->name, CLEARML_PREFIX))
			continue;
		buf_puts(&name, "TRAINS_");
		buf_add_str(&name, str_from_offset(variable->name,
						   CLEARML_PREFIX.len));
		trains = arena_str(&arena, buf_str(&name));
		buf_deinit(&name);
		if (!env_get(env, trains, &unused))
			all[count++] =
				(struct env_variable){trains, variable->value};
	}
	return env_new(all, count);
}
