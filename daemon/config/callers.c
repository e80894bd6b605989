#include "config/callers.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/access.h"
#include "config/cgroup.h"
#include "value/json.h"

/* A path may be written with what means "and all below", which it does anyway.
 */
#define BELOW STR("/...")

struct caller_pattern {
	struct caller_rule rule;
	const struct kind *kind;
	char *name; /* behind the kind */
	id_t id;    /* ACCESS_NOBODY: not known, or none */
};

struct kind {
	const char *prefix;
	bool of_cgroup;
	bool is_path;
	bool (*resolve)(const char *name, id_t *id); /* NULL: no id */
	bool (*matches)(const struct caller_pattern *pattern,
			const struct access_user *user, struct str cgroup);
};

/* --- the kinds of words --------------------------------------------------- */

static bool find_user(const char *name, id_t *id)
{
	return access_resolve(name, false, id);
}

static bool find_group(const char *name, id_t *id)
{
	return access_resolve(name, true, id);
}

static bool is_user(const struct caller_pattern *pattern,
		    const struct access_user *user, struct str cgroup)
{
	(void)cgroup;
	return pattern->id != ACCESS_NOBODY && user->uid == pattern->id;
}

static bool is_in_group(const struct caller_pattern *pattern,
			const struct access_user *user, struct str cgroup)
{
	(void)cgroup;
	return pattern->id != ACCESS_NOBODY &&
	       access_user_in_group(user, pattern->id);
}

static bool is_in_unit(const struct caller_pattern *pattern,
		       const struct access_user *user, struct str cgroup)
{
	(void)user;
	return cgroup_is_in_unit(cgroup, pattern->name);
}

static bool is_in_cgroup(const struct caller_pattern *pattern,
			 const struct access_user *user, struct str cgroup)
{
	(void)user;
	return cgroup_is_below(cgroup, pattern->name);
}

static const struct kind kinds[] = {
	{"user:", false, false, find_user, is_user},
	{"group:", false, false, find_group, is_in_group},
	{"unit:", true, false, NULL, is_in_unit},
	{"cgroup:", true, true, NULL, is_in_cgroup},
};

static bool is_of(const struct kind *kind, struct str word)
{
	size_t len = strlen(kind->prefix);

	return str_starts(word, str_from(kind->prefix)) && word.len > len &&
	       (!kind->is_path || word.ptr[len] == '/');
}

/* NULL: it is of none. */
static const struct kind *kind_of(struct str word)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (is_of(&kinds[i], word))
			return &kinds[i];
	return NULL;
}

bool callers_accept(const char *words)
{
	struct str rest = str_from(words), word;

	while (str_next_word(&rest, &word))
		if (!kind_of(word))
			return false;
	return true;
}

/* --- all of them ---------------------------------------------------------- */

struct callers *callers_new(uint64_t serial)
{
	struct callers *callers = mem_alloc(sizeof(*callers));

	callers->serial = serial;
	return callers;
}

void callers_free(struct callers *callers)
{
	if (!callers)
		return;
	for (size_t i = 0; i < callers->count; i++) {
		mem_free(callers->patterns[i].rule.workspace);
		mem_free(callers->patterns[i].rule.word);
		mem_free(callers->patterns[i].name);
	}
	mem_free(callers->patterns);
	mem_free(callers);
}

static struct caller_pattern *append(struct callers *callers)
{
	callers->patterns =
		mem_grow(callers->patterns,
			 (callers->count + 1) * sizeof(callers->patterns[0]));
	return &callers->patterns[callers->count++];
}

static void resolve(struct caller_pattern *pattern)
{
	const struct kind *kind = pattern->kind;

	if (kind->resolve && !kind->resolve(pattern->name, &pattern->id))
		log_warning("caller-unknown-name",
			    LOG_TEXT("workspace", pattern->rule.workspace),
			    LOG_TEXT("name", pattern->rule.word));
}

static void add_word(struct callers *callers, const char *workspace,
		     struct str word)
{
	const struct kind *kind = kind_of(word);
	struct str name = str_from_offset(word, strlen(kind->prefix));
	struct caller_pattern *pattern = append(callers);

	if (kind->is_path && str_ends(name, BELOW))
		name.len -= BELOW.len;
	while (kind->is_path && str_ends(name, STR("/")))
		name.len--;
	*pattern = (struct caller_pattern){
		.rule = {.workspace = mem_strdup(workspace),
			 .word = mem_strndup(word.ptr, word.len)},
		.kind = kind,
		.name = mem_strndup(name.ptr, name.len),
		.id = ACCESS_NOBODY,
	};
	callers->need_cgroup |= kind->of_cgroup;
	resolve(pattern);
}

void callers_add(struct callers *callers, const char *workspace,
		 const char *words)
{
	struct str rest = str_from(words ? words : ""), word;

	while (str_next_word(&rest, &word))
		add_word(callers, workspace, word);
}

static bool same(const struct caller_pattern *a, const struct caller_pattern *b)
{
	return !strcmp(a->rule.workspace, b->rule.workspace) &&
	       !strcmp(a->rule.word, b->rule.word) && a->id == b->id;
}

bool callers_equal(const struct callers *a, const struct callers *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same(&a->patterns[i], &b->patterns[i]))
			return false;
	return true;
}

const struct caller_rule *callers_find(const struct callers *callers,
				       const struct access_user *user,
				       struct str cgroup)
{
	for (size_t i = 0; i < callers->count; i++) {
		const struct caller_pattern *pattern = &callers->patterns[i];

		if (pattern->kind->matches(pattern, user, cgroup))
			return &pattern->rule;
	}
	return NULL;
}

void caller_rule_write(const struct caller_rule *rule, struct buf *json)
{
	if (!rule)
		return;
	json_key(json, "own");
	buf_putc(json, '{');
	json_add_string(json, "workspace", rule->workspace);
	json_add_string(json, "by", rule->word);
	buf_putc(json, '}');
}
