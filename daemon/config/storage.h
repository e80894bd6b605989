#ifndef CONFIG_STORAGE_H
#define CONFIG_STORAGE_H

/*
 * Storage: which credentials ClearML's storage code would use for a URI.
 *
 * The rules are ClearML's own (storage.md), surprises included: plain
 * string prefixes, list order for Azure, nothing inherited by an entry that
 * matches. Pure: the resolved configuration and an environment in, the settings
 * out, with every entry that was looked at and why it lost. All of it lies in
 * the arena of the caller or in the configuration.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct env;
struct value;

enum storage_provider { STORAGE_S3, STORAGE_GS, STORAGE_AZURE };

struct storage_question {
	enum storage_provider provider;
	const struct value *root; /* the resolved configuration */
	const struct env *env;    /* variables of the provider */
	bool env_is_callers;      /* who knows them: hidden by key only */
	struct str uri;
};

/* One entry of the provider's list. */
struct storage_candidate {
	long index; /* in the list of the configuration; -1: not in it */
	const struct value *entry; /* as configured; NULL: of the environment */
	struct value *settings;    /* all fields, as ClearML reads them */
	struct str prefix;         /* of the URIs it is for; not Azure */
	const char *reason;        /* why it lost; NULL: it has won */
};

enum {
	STORAGE_E_NO_MATCH = 1,
	STORAGE_E_URI,    /* `problem` says why it cannot be one */
	STORAGE_E_BROKEN, /* `problem` says what, `wrong` where */
};

struct storage {
	struct value *settings; /* NULL: none */
	struct storage_candidate *candidates;
	size_t count;
	const struct storage_candidate *winner; /* NULL: the defaults */

	const char *problem;       /* for people, without a value */
	const struct value *wrong; /* in the configuration; NULL: not there */
};

/* The provider's name: "s3", "gs", "azure". */
const char *storage_provider_name(enum storage_provider provider);

/* The variables that an entry of the environment comes from. */
#define STORAGE_AZURE_ACCOUNT "AZURE_STORAGE_ACCOUNT"
#define STORAGE_AZURE_KEY     "AZURE_STORAGE_KEY"

/* Whose URI is @uri, by its scheme; false when it is nobody's. */
bool storage_provider_of(struct str uri, enum storage_provider *provider);

/* Find what ClearML would use. 0 or STORAGE_E_*. */
int storage_resolve(struct storage *storage, struct arena *arena,
		    const struct storage_question *question);

#endif
