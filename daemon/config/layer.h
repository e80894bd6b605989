#ifndef CONFIG_LAYER_H
#define CONFIG_LAYER_H

/*
 * Layer: one source of configuration with a rank, and its last good document.
 *
 * A layer is told what the newest text gave: a document, nothing, or a
 * problem. A problem keeps the old document: nothing already served is lost.
 *
 *            document          problem
 *   MISSING ----------> OK <------------> BROKEN (serves the old document)
 *      ^                 |   document
 *      +---- nothing ----+
 *
 *   STALE: OK, but the server that gave it has not confirmed it lately; set by
 *   the workspace for vaults.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/list.h"

struct doc;
struct env;
struct read_options;

/* Weakest first; the names and order of INTERFACE.md. */
enum layer_kind {
	LAYER_DEFAULTS,
	LAYER_SITE,
	LAYER_FILE,
	LAYER_WORKSPACE,
	LAYER_ENV_GENERIC,
	LAYER_VAULT,
	LAYER_PROTECTED,
	LAYER_ENV_NAMED,
	LAYER_MONITORING,
	LAYER_KINDS
};

enum layer_state { LAYER_OK, LAYER_MISSING, LAYER_STALE, LAYER_BROKEN };

struct layer {
	struct list link; /* in its stack */
	enum layer_kind kind;
	char *source;      /* path, vault id or workspace: its identity */
	char *description; /* NULL: none; a vault's name */
	enum layer_state state;
	struct doc *doc;     /* last good; NULL: contributes nothing */
	struct diag problem; /* of the newest text, when BROKEN */
	int64_t since;       /* seconds since 1970 of the last good text */
};

const char *layer_kind_name(enum layer_kind kind);
const char *layer_state_name(enum layer_state state);

struct layer *layer_new(enum layer_kind kind, const char *source);
void layer_free(struct layer *layer);

void layer_set_description(struct layer *layer, const char *description);

/* Each returns whether anything that a reader of the configuration or of
 * `status` can see has changed. The document's reference is taken over; a
 * problem's content is taken over. */
bool layer_set_doc(struct layer *layer, struct doc *doc);
bool layer_set_missing(struct layer *layer);
bool layer_set_problem(struct layer *layer, struct diag *problem);

#endif
