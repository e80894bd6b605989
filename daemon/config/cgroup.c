#include "config/cgroup.h"

#include <fnmatch.h>
#include <string.h>

#include "base/mem.h"

/* Names have backslashes (foo\x2dbar.service), which stand for themselves. */
#define MATCH FNM_NOESCAPE

/* What the kernel adds to the path of a cgroup that was removed. */
#define DELETED STR(" (deleted)")

/* --- /proc/PID/cgroup ----------------------------------------------------- */

/* ID:controllers:path */
struct line {
	struct str controllers, path;
};

static bool split(struct str *text, char by, struct str *before)
{
	const char *at = text->len ? memchr(text->ptr, by, text->len) : NULL;

	if (!at)
		return false;
	*before = (struct str){text->ptr, (size_t)(at - text->ptr)};
	*text = str_from_offset(*text, before->len + 1);
	return true;
}

static bool next_line(struct str *text, struct line *line)
{
	struct str rest, id;

	while (split(text, '\n', &rest)) {
		if (!split(&rest, ':', &id) ||
		    !split(&rest, ':', &line->controllers) ||
		    !str_starts(rest, STR("/")))
			continue;
		if (str_ends(rest, DELETED))
			rest.len -= DELETED.len;
		line->path = rest;
		return true;
	}
	return false;
}

/* How much a hierarchy is systemd's own. */
static int rank_of(const struct line *line)
{
	if (line->path.len == 1)
		return 0;
	if (str_is(line->controllers, "name=systemd"))
		return 3;
	return line->controllers.len ? 1 : 2;
}

struct str cgroup_path(struct str text)
{
	struct str best = {0};
	struct line line;
	int rank = -1;

	while (next_line(&text, &line)) {
		if (rank_of(&line) <= rank)
			continue;
		rank = rank_of(&line);
		best = line.path;
	}
	return best;
}

/* --- what the path names -------------------------------------------------- */

static bool next_component(struct str *path, struct str *component)
{
	while (str_starts(*path, STR("/")))
		*path = str_from_offset(*path, 1);
	if (!path->len)
		return false;
	if (!split(path, '/', component)) {
		*component = *path;
		path->len = 0;
	}
	return true;
}

/* systemd's escape of a name that the kernel has a use for. */
static struct str unescape(struct str component)
{
	return str_starts(component, STR("_")) ? str_from_offset(component, 1)
					       : component;
}

static bool is_unit(struct str name)
{
	static const char *const suffixes[] = {".service", ".scope", ".socket",
					       ".mount", ".swap"};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (str_ends(name, str_from(suffixes[i])) &&
		    name.len > strlen(suffixes[i]))
			return true;
	return false;
}

static bool is_users_manager(struct str name)
{
	return str_starts(name, STR("user@")) &&
	       str_ends(name, STR(".service"));
}

/* Slices only group units, and `..` leads to where units are. */
static bool leads_on(struct str component)
{
	return str_ends(component, STR(".slice")) || str_is(component, "..");
}

static bool matches(const char *pattern, struct str name, int flags)
{
	_cleanup_(mem_freep) char *text = mem_strndup(name.ptr, name.len);

	return fnmatch(pattern, text, flags) == 0;
}

bool cgroup_is_in_unit(struct str path, const char *pattern)
{
	struct str component, name;

	while (next_component(&path, &component)) {
		if (leads_on(component))
			continue;
		name = unescape(component);
		if (!is_unit(name))
			return false;
		if (matches(pattern, name, MATCH))
			return true;
		if (!is_users_manager(name))
			return false;
	}
	return false;
}

bool cgroup_is_below(struct str path, const char *pattern)
{
	return path.len &&
	       matches(pattern, path, MATCH | FNM_PATHNAME | FNM_LEADING_DIR);
}
