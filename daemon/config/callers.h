#ifndef CONFIG_CALLERS_H
#define CONFIG_CALLERS_H

/*
 * Callers: which workspace is whose, by `for` of clearconfd.conf(5).
 *
 * A list of words for each workspace: user:NAME, group:NAME, unit:NAME,
 * cgroup:/PATH. The first that matches a caller, in the order of the file,
 * gives it its own workspace. Names of users and groups are resolved once; an
 * unknown one matches nobody and is a warning. Nothing depends on it but what a
 * caller is given who names no workspace: rights are config/access's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct access_user;
struct buf;
struct caller_pattern;

/* Why a workspace is somebody's own. */
struct caller_rule {
	char *workspace;
	char *word; /* as the settings have it */
};

struct callers {
	uint64_t serial;
	size_t count;     /* words; 0: nobody has a workspace of its own */
	bool need_cgroup; /* some ask for a unit or a cgroup */
	struct caller_pattern *patterns;
};

/* @serial: another one for each, for who remembers what it found. */
struct callers *callers_new(uint64_t serial);
void callers_free(struct callers *callers);

/* Are @words what callers_add takes? */
bool callers_accept(const char *words);
void callers_add(struct callers *callers, const char *workspace,
		 const char *words);

bool callers_equal(const struct callers *a, const struct callers *b);

/* The callers'; NULL: @user, in the cgroup of this path (empty: not known), has
 * no workspace of its own. */
const struct caller_rule *callers_find(const struct callers *callers,
				       const struct access_user *user,
				       struct str cgroup);

/* The member `own` of io.clearconf, if there is one: NULL is allowed. */
void caller_rule_write(const struct caller_rule *rule, struct buf *json);

#endif
