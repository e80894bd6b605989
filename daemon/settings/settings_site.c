#include "settings/settings_site.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "settings/places.h"

static bool is_set(const char *text)
{
	return text && *text;
}

static char *check_endpoints(const char *text, const char *settings)
{
	struct str rest = str_from(text), url, host;

	(void)settings;
	while (str_next_word(&rest, &url)) {
		host = str_after_http(url);
		if (str_ends(host, STR("/")))
			host.len--;
		if (!host.len)
			return mem_strdup("expected http:// or https:// URLs "
					  "of etcd's nodes");
		if (memchr(host.ptr, '@', host.len))
			return mem_strdup("user and password belong into "
					  "`user` and `password_file`");
		if (strcspn(host.ptr, "/?#") < host.len)
			return mem_strdup("a URL of etcd ends with its port");
	}
	return NULL;
}

static char *check_prefix(const char *text, const char *settings)
{
	(void)settings;
	return is_set(text) ? NULL
			    : mem_strdup("an empty prefix would take all that "
					 "etcd holds for documents");
}

static char *check_groups(const char *text, const char *settings)
{
	(void)settings;
	return strchr(text, '/') ? mem_strdup("a group's name has no '/'")
				 : NULL;
}

static char *check_file(const char *text, const char *settings)
{
	_cleanup_(mem_freep) char *path = NULL;

	if (!is_set(text))
		return NULL;
	if (places_is_pasted_secret(text, settings))
		return mem_strdup("the name of a file is expected, and this "
				  "looks like a secret: write that to a file "
				  "of its own, mode 0600");
	path = places_file(text, settings);
	return access(path, R_OK) == 0
		       ? NULL
		       : mem_printf("%s: %s", path, strerror(errno));
}

char *settings_site_problem(const struct settings *settings, const char *name)
{
	const struct site_settings *site = &settings->etcd;
	const struct {
		const char *name, *text;
		char *(*check)(const char *text, const char *settings);
	} checks[] = {
		{"etcd", site->etcd, check_endpoints},
		{"prefix", site->prefix, check_prefix},
		{"groups", site->groups, check_groups},
		{"ca", site->ca, check_file},
		{"cert", site->cert, check_file},
		{"key", site->key, check_file},
		{"password_file", site->password_file, check_file},
		{"report_key", site->report_key, check_file},
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (!strcmp(checks[i].name, name))
			return checks[i].check(checks[i].text, settings->path);
	return NULL;
}

const char *settings_site_gap(const struct site_settings *site)
{
	if (is_set(site->cert) != is_set(site->key))
		return "a `cert` needs a `key`, and the other way round";
	if (is_set(site->user) != is_set(site->password_file))
		return "a `user` needs a `password_file`, and the other way "
		       "round";
	return NULL;
}

char *settings_site_prefix(const char *prefix)
{
	bool ended = str_ends(str_from(prefix), STR("/"));

	return mem_printf("%s%s", prefix, ended ? "" : "/");
}
