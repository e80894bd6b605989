#include "engine/login.h"

#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/env.h"
#include "base/fields.h"
#include "base/mem.h"
#include "base/source.h"
#include "base/str.h"
#include "config/layer.h"
#include "settings/places.h"
#include "settings/settings.h"
#include "state/pair_file.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

#define SECRET_BYTES ((size_t)64 * 1024)

/* Where each field of the implicit workspace is looked for: the variables win,
 * then the paths in their order (server.md, "Where host and keys come from").
 */
struct lookup {
	const char *variables[3];
	const char *paths[3];
};

static const struct lookup api_server = {
	{"CLEARML_API_HOST", "TRAINS_API_HOST", NULL},
	{"api.api_server", "api.host", NULL},
};
static const struct lookup web_server = {
	{"CLEARML_WEB_HOST", "TRAINS_WEB_HOST", NULL},
	{"api.web_server", NULL},
};
static const struct lookup files_server = {
	{"CLEARML_FILES_HOST", "TRAINS_FILES_HOST", NULL},
	{"api.files_server", NULL},
};
static const struct lookup access_key = {
	{"CLEARML_API_ACCESS_KEY", "TRAINS_API_ACCESS_KEY", NULL},
	{"api.credentials.access_key", NULL},
};
static const struct lookup secret_key = {
	{"CLEARML_API_SECRET_KEY", "TRAINS_API_SECRET_KEY", NULL},
	{"api.credentials.secret_key", NULL},
};
static const struct lookup token = {{"CLEARML_AUTH_TOKEN", NULL}, {NULL}};
static const struct lookup verify = {
	{"CLEARML_API_HOST_VERIFY_CERT", "TRAINS_API_HOST_VERIFY_CERT", NULL},
	{NULL},
};
static const struct lookup method = {
	{"CLEARML_API_DEFAULT_REQ_METHOD", NULL},
	{"api.http.default_method", NULL},
};
static const struct lookup renew_ahead = {
	{NULL},
	{"api.auth.token_expiration_threshold_sec", NULL},
};
static const struct lookup token_life = {
	{NULL},
	{"api.auth.request_token_expiration_sec",
	 "api.auth.req_token_expiration_sec", NULL},
};

static char *copy(struct str text)
{
	return text.len ? mem_strndup(text.ptr, text.len) : NULL;
}

static const struct value *value_at(const struct value *root, const char *text)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct path_error error;
	struct path path;

	if (!root || !path_parse(&path, &arena, str_from(text), &error))
		return NULL;
	return path_find(root, &path);
}

/* A key of digits alone is an integer when it stands without quotes. */
static bool is_text(const struct value *value)
{
	return value_is(value, VALUE_STRING) || value_is(value, VALUE_INT);
}

static char *from_tree(const struct value *root, const char *const *paths)
{
	const struct value *value;

	for (; *paths; paths++) {
		value = value_at(root, *paths);
		if (is_text(value) && str_trim(value_text(value)).len)
			return copy(str_trim(value_text(value)));
	}
	return NULL;
}

static char *find(const struct lookup *lookup, const struct value *root,
		  const struct env *env)
{
	struct str value = env_first(env, lookup->variables);

	return value.len ? copy(value) : from_tree(root, lookup->paths);
}

/* A copy without '/' at the end; NULL when nothing is left. */
static char *copy_host(const char *text)
{
	struct str host = str_trim(str_from(text));

	while (str_ends(host, STR("/")))
		host.len--;
	return copy(host);
}

static char *find_host(const struct lookup *lookup, const struct value *root,
		       const struct env *env)
{
	_cleanup_(mem_freep) char *host = find(lookup, root, env);

	return copy_host(host);
}

/* The seconds of a setting; 0 when it is not there, or no whole number above 0.
 */
static int64_t find_seconds(const struct lookup *lookup,
			    const struct value *root)
{
	_cleanup_(mem_freep) char *text = from_tree(root, lookup->paths);
	char *end = text;
	long long seconds = text ? strtoll(text, &end, 10) : 0;

	return seconds > 0 && !*end ? seconds : 0;
}

/* A text that reads as a boolean is one, any other is the path of a CA. */
static void set_verify(struct login *login, struct str text)
{
	text = str_trim(text);
	if (!str_to_bool(text, &login->verify)) {
		login->verify = true;
		login->ca = copy(text);
	}
}

static void find_verify(struct login *login, const struct value *root,
			const struct env *env)
{
	const struct value *value = value_at(root, "api.verify_certificate");
	struct str variable = env_first(env, verify.variables);

	login->verify = true;
	if (variable.len)
		set_verify(login, variable);
	else if (value_is(value, VALUE_BOOL))
		login->verify = value->boolean;
	else if (is_text(value))
		set_verify(login, value_text(value));
}

static void set_key_origin(struct login *login, const struct env *env)
{
	struct str value;

	if (!login->access_key)
		return;
	login->key_layer = layer_traits[LAYER_FILE].name;
	for (size_t i = 0; access_key.variables[i]; i++) {
		if (!env_get(env, str_from(access_key.variables[i]), &value) ||
		    !str_trim(value).len)
			continue;
		login->key_layer = layer_traits[LAYER_ENV_NAMED].name;
		login->key_source = mem_strdup(access_key.variables[i]);
		return;
	}
}

void login_from_tree(struct login *login, const struct value *root,
		     const struct env *env)
{
	*login = (struct login){
		.api_server = find_host(&api_server, root, env),
		.web_server = find_host(&web_server, root, env),
		.files_server = find_host(&files_server, root, env),
		.access_key = find(&access_key, root, env),
		.secret_key = find(&secret_key, root, env),
		.token = find(&token, NULL, env),
		.renew_ahead = find_seconds(&renew_ahead, root),
		.token_life = find_seconds(&token_life, root),
		.method = find(&method, root, env),
	};
	find_verify(login, root, env);
	set_key_origin(login, env);
}

bool login_has_key(const struct value *root)
{
	_cleanup_(mem_freep) char *key = from_tree(root, access_key.paths);

	return key != NULL;
}

char *login_secret_path(const struct settings *settings,
			const struct workspace_settings *declared)
{
	const char *name = declared->credentials_file
				   ? declared->credentials_file
				   : declared->secret_key_file;

	return name && *name ? places_file(name, settings->path) : NULL;
}

static bool is_handed_over(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	return folder && str_starts(str_from(path), str_from(folder));
}

char *login_secret_warning(const struct settings *settings,
			   const struct workspace_settings *declared)
{
	_cleanup_(mem_freep) char *path = login_secret_path(settings, declared);
	struct stat st;

	if (!path || is_handed_over(path) || stat(path, &st) < 0 ||
	    !(st.st_mode & 0077))
		return NULL;
	return mem_printf("%s: the secret key is open to other users: make its "
			  "mode 0600 (it is %04o)",
			  path, (unsigned int)st.st_mode & 07777);
}

static bool read_secret(struct login *login, const char *path,
			struct diag *diag)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct source source;
	int r = source_from_file(&source, &arena, path, SECRET_BYTES, diag);

	if (r == SOURCE_E_MISSING)
		return diag_set(diag, path,
				"the file of the secret key is not there");
	login->secret_key = r == 0 ? copy(str_trim(source.text)) : NULL;
	if (r == 0 && !login->secret_key)
		return diag_set(diag, path,
				"the file of the secret key is empty");
	return r == 0;
}

static bool read_pair(struct login *login, const char *path, struct diag *diag)
{
	struct pair pair;

	if (!pair_file_read(&pair, path, diag))
		return false;
	mem_free(login->key_source);
	login->access_key = pair.access_key;
	login->secret_key = pair.secret_key;
	login->key_source = mem_strdup(path);
	return true;
}

/* The path of a CA is relative to the settings file, like every path in it. */
static void set_verify_declared(struct login *login, const char *text,
				const char *settings_path)
{
	_cleanup_(mem_freep) char *file = mem_strdup(settings_path);
	char *ca;

	set_verify(login, str_from(text));
	ca = TAKE(login->ca);
	if (ca)
		login->ca = places_expand(ca, getenv("HOME"), dirname(file));
	mem_free(ca);
}

static bool holds_secret(const struct settings *settings,
			 const struct workspace_settings *declared)
{
	const char *name = declared->credentials_file
				   ? declared->credentials_file
				   : declared->secret_key_file;

	return places_is_pasted_secret(name, settings->path);
}

bool login_from_settings(struct login *login, const struct settings *settings,
			 const struct workspace_settings *declared,
			 struct diag *diag)
{
	_cleanup_(mem_freep) char *path = NULL;

	*login = (struct login){
		.api_server = copy_host(declared->api_server),
		.web_server = copy_host(declared->web_server),
		.files_server = copy_host(declared->files_server),
		.access_key = copy(str_from(declared->access_key)),
		.verify = true,
		.key_layer = layer_traits[LAYER_WORKSPACE].name,
		.key_source = mem_strdup(settings->path),
	};
	if (declared->verify_certificate)
		set_verify_declared(login, declared->verify_certificate,
				    settings->path);
	path = login_secret_path(settings, declared);
	if (!path)
		return true;
	if (holds_secret(settings, declared))
		return diag_set(
			diag, settings->path,
			"secret_key_file or credentials_file is to name "
			"a file, and looks like the secret itself: "
			"write that to a file of its own, mode 0600");
	return declared->credentials_file ? read_pair(login, path, diag)
					  : read_secret(login, path, diag);
}

const char *login_lack(const struct login *login, bool declared)
{
	if (!login->api_server)
		return "no server is named: set api.api_server in "
		       "clearml.conf, or CLEARML_API_HOST";
	if (!str_after_http(str_from(login->api_server)).len)
		return "api.api_server is no URL, for ClearML neither: it "
		       "begins with http:// or https://";
	if (login->token || (login->access_key && login->secret_key))
		return NULL;
	if (declared)
		return "its section in the settings has no credentials_file, "
		       "nor access_key and secret_key_file: add them";
	if (login->access_key)
		return "there is an access key, but no secret key: set "
		       "api.credentials.secret_key in clearml.conf, or "
		       "CLEARML_API_SECRET_KEY";
	if (login->secret_key)
		return "there is a secret key, but no access key: set "
		       "api.credentials.access_key in clearml.conf, or "
		       "CLEARML_API_ACCESS_KEY";
	return "there is no key pair: set api.credentials.access_key and "
	       "secret_key in clearml.conf, or CLEARML_API_ACCESS_KEY and "
	       "CLEARML_API_SECRET_KEY";
}

/* All but where the key came from. */
static const struct field items[] = {
	FIELD(struct login, api_server),   FIELD(struct login, web_server),
	FIELD(struct login, files_server), FIELD(struct login, access_key),
	FIELD(struct login, secret_key),   FIELD(struct login, token),
	FIELD(struct login, verify),       FIELD(struct login, ca),
	FIELD(struct login, renew_ahead),  FIELD(struct login, token_life),
	FIELD(struct login, method),
};
static const struct fields fields = {items, ARRAY_SIZE(items)};

bool login_equal(const struct login *a, const struct login *b)
{
	return fields_equal(&fields, a, b);
}

void login_deinit(struct login *login)
{
	fields_free(&fields, login);
	mem_free(login->key_source);
	*login = (struct login){0};
}

void login_write_layer(const struct login *login, struct buf *json)
{
	buf_puts(json, "{\"api\":{");
	json_add_optional_string(json, "api_server", login->api_server);
	json_add_optional_string(json, "web_server", login->web_server);
	json_add_optional_string(json, "files_server", login->files_server);
	if (login->access_key || login->secret_key) {
		json_key(json, "credentials");
		buf_putc(json, '{');
		json_add_optional_string(json, "access_key", login->access_key);
		json_add_optional_string(json, "secret_key", login->secret_key);
		buf_putc(json, '}');
	}
	buf_puts(json, "}}");
}
