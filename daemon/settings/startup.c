#include "settings/startup.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "settings/options.h"
#include "settings/places.h"
#include "settings/settings.h"

/* options_parse has checked them. */
static void apply_options(struct settings *settings,
			  const struct options *options)
{
	const struct {
		const char *key, *value;
	} overrides[] = {
		{"socket", options->socket},
		{"state_dir", options->state_dir},
		{"mode", options->mode},
		{"log_level", options->log_level},
	};

	for (size_t i = 0; i < ARRAY_SIZE(overrides); i++)
		if (overrides[i].value)
			(void)settings_set(settings, "daemon", overrides[i].key,
					   overrides[i].value);
}

static void log_warnings(const struct settings *settings)
{
	for (size_t i = 0; i < settings->warnings.count; i++) {
		const struct diag *warning = &settings->warnings.items[i];

		log_warning("settings-warning",
			    LOG_TEXT("file", warning->source),
			    LOG_INT("line", warning->pos.line),
			    LOG_TEXT("reason", warning->text));
	}
}

/* A file that may not even be looked at must not pass for an absent one. */
static bool may_be_there(const char *path)
{
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* What serves needs both places. */
static bool has_places(const struct settings *settings,
		       const struct options *options,
		       const struct places *places, struct diag *diag)
{
	bool socket = settings->socket || !places->no_socket;
	bool state = settings->state_dir || !places->no_state_dir;
	_cleanup_(mem_freep) char *who = NULL;

	if ((socket && state) || options->action != ACTION_SERVE)
		return true;
	who = mem_printf("uid %lu has no home", (unsigned long)geteuid());
	return diag_set(diag, who,
			socket  ? "name where to keep what must survive a "
				  "restart, with --state"
			: state ? "name where to serve, with --socket"
				: "name where to serve and where to keep what "
				  "must survive a restart, with --socket and "
				  "--state; or set HOME");
}

struct settings *startup_settings(const struct options *options,
				  const struct places *places,
				  struct diag *diag)
{
	const char *named = options->config;
	const char *path = named ? named : places->settings;
	_cleanup_(settings_freep) struct settings *settings =
		named || may_be_there(path) ? settings_load(path, diag)
					    : settings_new();

	if (!settings)
		return NULL;
	apply_options(settings, options);
	if (!has_places(settings, options, places, diag))
		return NULL;
	log_warnings(settings);
	return TAKE(settings);
}
