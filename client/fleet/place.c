#include "fleet/place.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/env.h"
#include "base/mem.h"
#include "settings/places.h"
#include "settings/settings.h"
#include "settings/settings_site.h"
#include "text/complain.h"
#include "text/exit_status.h"

static const struct etcd_words words = {
	.peer =
		{
			.service = "etcd",
			.address = "--etcd, or etcd in [site] of "
				   "clearconfd.conf",
			.ca = "--ca, or `ca` in [site] of clearconfd.conf",
			.new_ca = "--ca, or `ca` in [site] of clearconfd.conf",
			.client_cert = "--cert and --key, or `cert` and `key` "
				       "in [site] of clearconfd.conf",
		},
	.login = "--user and --password-file",
	.password = "--password-file",
};

static char *copy(const char *text)
{
	return text && *text ? mem_strdup(text) : NULL;
}

/* --- the settings file ---------------------------------------------------- */

static char *settings_of(enum places_instance instance)
{
	_cleanup_(env_unrefp) struct env *env = env_from_process();
	struct places places;
	char *path;

	places_init(&places, instance, env);
	path = copy(places.settings);
	places_deinit(&places);
	return path;
}

/* The user's own if there is one, else the system's; NULL: neither. */
static char *settings_here(void)
{
	static const enum places_instance instances[] = {INSTANCE_USER,
							 INSTANCE_SYSTEM};

	for (size_t i = 0; i < ARRAY_SIZE(instances); i++) {
		char *path = settings_of(instances[i]);

		if (path && access(path, F_OK) == 0)
			return path;
		mem_free(path);
	}
	return NULL;
}

/* @typed, a file as seen from here; else what the settings name. */
static char *file_of(const char *typed, const char *named,
		     const struct settings *settings)
{
	if (typed)
		return copy(typed);
	return named && *named ? places_file(named, settings->path) : NULL;
}

static const char *first_of(const char *typed, const char *named)
{
	return typed ? typed : named;
}

static void merge(struct place *place, const struct place_options *options,
		  const struct settings *settings)
{
	const struct site_settings *site = &settings->etcd;

	place->types = settings->types;
	place->urls = copy(first_of(options->etcd, site->etcd));
	place->ca = file_of(options->ca, site->ca, settings);
	place->cert = file_of(options->cert, site->cert, settings);
	place->key = file_of(options->key, site->key, settings);
	place->user = copy(first_of(options->user, site->user));
	place->password_file =
		file_of(options->password_file, site->password_file, settings);
	place->prefix =
		settings_site_prefix(first_of(options->prefix, site->prefix));
}

/* NULL, complained about, when the file cannot be used. */
static struct settings *load(const struct place_options *options)
{
	_cleanup_(mem_freep) char *path =
		options->config ? copy(options->config) : settings_here();
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(mem_freep) char *line = NULL;
	struct settings *settings;

	if (options->etcd || !path)
		return settings_new();
	settings = settings_load(path, &diag);
	if (settings)
		return settings;
	line = diag_line(&diag);
	complain(EXIT_USAGE,
		 "%s: say by --etcd and the like where etcd is, and the file "
		 "is not read",
		 line);
	return NULL;
}

/* --- what is wrong -------------------------------------------------------- */

static int check_files(const struct place *place)
{
	const struct {
		const char *option, *path;
	} files[] = {
		{"--ca", place->ca},
		{"--cert", place->cert},
		{"--key", place->key},
		{"--password-file", place->password_file},
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i].path && access(files[i].path, R_OK) < 0)
			return complain(EXIT_USAGE, "%s: %s: %s",
					files[i].option, files[i].path,
					strerror(errno));
	return EXIT_DONE;
}

static int check(const struct place *place, const struct place_options *options)
{
	struct settings typed = {.etcd = {.etcd = place->urls}};
	_cleanup_(mem_freep) char *problem = NULL;

	if (!place->urls)
		return complain(EXIT_USAGE,
				"where is etcd? Neither --etcd nor [site] of "
				"%s says it",
				options->config ? options->config
						: "clearconfd.conf");
	problem = settings_site_problem(&typed, "etcd");
	if (problem)
		return complain(EXIT_USAGE, "--etcd: %s", problem);
	if (!place->cert != !place->key)
		return complain(EXIT_USAGE, "--cert needs --key, and the other "
					    "way round");
	if (!place->user != !place->password_file)
		return complain(EXIT_USAGE, "--user needs --password-file, and "
					    "the other way round");
	return check_files(place);
}

int place_find(struct place *place, const struct place_options *options)
{
	_cleanup_(settings_freep) struct settings *settings = load(options);
	int status;

	*place = (struct place){0};
	if (!settings)
		return EXIT_USAGE;
	merge(place, options, settings);
	status = check(place, options);
	if (status != EXIT_DONE)
		return status;
	place->endpoints =
		etcd_split_urls(place->urls, &place->nodes.endpoint_count);
	place->nodes.endpoints = place->endpoints;
	place->nodes.user = place->user;
	place->nodes.password_file = place->password_file;
	place->nodes.tls =
		(struct http_tls){true, place->ca, place->cert, place->key};
	place->nodes.words = &words;
	place->nodes.right = "this to the role of that user, or name another "
			     "user by --user and --password-file";
	return EXIT_DONE;
}

void place_deinit(struct place *place)
{
	mem_free(place->prefix);
	mem_free(place->urls);
	mem_free(place->user);
	mem_free(place->password_file);
	mem_free(place->ca);
	mem_free(place->cert);
	mem_free(place->key);
	mem_free(place->endpoints);
	*place = (struct place){0};
}
