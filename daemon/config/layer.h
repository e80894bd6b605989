#ifndef CONFIG_LAYER_H
#define CONFIG_LAYER_H

/*
 * Layer: one source of configuration with a rank, and its last good document.
 *
 * A layer is told that its text is new (layer_set_text, layer_touch), then read
 * (layer_read). A text that cannot be read keeps the old document: nothing
 * already served is lost. What has no good document yet may have a spare text
 * (layer_set_spare), which is read in its stead.
 *
 *              document           problem
 *   MISSING ------------> OK <--------------> BROKEN (serves the old document)
 *      ^                  |     document         |
 *      +------------------+------- nothing ------+
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/file_stamp.h"
#include "base/list.h"
#include "base/str.h"
#include "config/conform.h"
#include "config/layer_edit.h"
#include "read/reader.h"

struct doc;
struct env;
struct value;

/* Weakest first; the names and order of clearconfd(8), "Layers". */
enum layer_kind {
	LAYER_DEFAULTS,
	LAYER_SITE, /* files of its folder */
	LAYER_ETCD, /* and what etcd has for this host: of the same name */
	LAYER_FILE,
	LAYER_WORKSPACE,
	LAYER_ENV_GENERIC,
	LAYER_VAULT,
	LAYER_PROTECTED,
	LAYER_ENV_NAMED,
	LAYER_MONITORING,
	LAYER_KINDS
};

/* Where its texts come from. */
enum layer_provenance {
	LAYER_OF_FILE,
	LAYER_OF_ETCD,
	LAYER_OF_SETTINGS,
	LAYER_OF_VARIABLE,
	LAYER_OF_VAULT,
	LAYER_DERIVED, /* from other layers */
};

struct layer_traits {
	const char *name; /* as people are told */
	enum layer_provenance provenance;
	bool fetched;  /* written by others than who runs this host */
	bool required; /* ClearML does not go on without what is broken */
	bool lookup;   /* other layers find values in it */
	bool lines;    /* its texts have lines that are worth telling */
};

/* The table of kinds, indexed by enum layer_kind. */
extern const struct layer_traits layer_traits[];

enum layer_state { LAYER_OK, LAYER_MISSING, LAYER_BROKEN };

struct layer {
	struct list link; /* in its stack, or a ring of its own */
	enum layer_kind kind;
	char *source; /* path, vault id, etcd key or workspace: its identity */
	char *description;      /* a vault's name; NULL: none */
	struct layer_edit edit; /* owned */
	char *under; /* dotted key its contents go under; NULL: none */
	enum read_format format;
	struct str text;         /* the newest, of a layer that is no file */
	struct layer_text *held; /* what it lies in; copies share it */
	struct str spare; /* owned: in its stead at first; ptr NULL: none */
	struct file_stamp stamp; /* of a file, when it was last looked at */
	bool fresh;      /* the text has not been looked at since it was set */
	bool unread;     /* the newest text has not been looked at */
	bool odd_format; /* it is said to be in a format nobody knows */

	enum layer_state state;
	struct doc *doc;             /* last good; NULL: contributes nothing */
	enum read_format doc_format; /* in which it was written */
	struct diag problem;         /* of the newest text, when BROKEN */
	struct diag_list others;     /* and more of the same kind */
	int64_t since; /* boot clock's milliseconds of the last good text */
};

/* What reading depends on besides the text. */
struct layer_context {
	enum read_dialect dialect;
	enum conform_policy types;
	struct read_limits limits;
	const struct env *env;         /* for files and variables */
	const struct env *vault_env;   /* what vaults and etcd may see of it */
	const struct secrets *secrets; /* that no problem may tell; NULL */
	struct diag_list *others; /* as a reader's; layer_read has its own */
	bool is_trial;            /* nobody is served it: the log is not told */
};

const char *layer_state_name(enum layer_state state);

/* Of its last good document; NULL: it has none. */
const struct diag_list *layer_warnings(const struct layer *layer);

struct layer *layer_new(enum layer_kind kind, const char *source);
void layer_free(struct layer *layer);

/* Is it required and broken, with nothing good to stand for it? */
bool layer_is_lost(const struct layer *layer);

/* A layer with the same document, text and problem: what layer_doc_for needs of
 * it, and who tells what it lacks. */
struct layer *layer_copy(const struct layer *layer);

static inline bool layer_is_of(const struct layer *layer,
			       enum layer_provenance provenance)
{
	return layer_traits[layer->kind].provenance == provenance;
}

void layer_set_description(struct layer *layer, const char *description);

/* @edit is copied. */
void layer_set_edit(struct layer *layer, const struct layer_edit *edit);

/* The dotted key under which what the text holds belongs; empty: none. */
void layer_set_under(struct layer *layer, struct str under);

/* A new text, or the same again, which changes nothing. {NULL, 0} is the empty
 * one. */
void layer_set_text(struct layer *layer, enum read_format format,
		    struct str text);

/* Before there is a good document, a newest text that is broken has the one of
 * @spare stand for it, which is of the same format: ptr NULL: none. */
void layer_set_spare(struct layer *layer, struct str spare);

/* The text is said to be in a format that we do not know, and is read as
 * HOCON, as ClearML does: to be told before layer_set_text. */
void layer_set_odd_format(struct layer *layer, bool odd);

/* The layer is the file of its name, to be read if it, or what it includes, may
 * have changed. */
void layer_set_file(struct layer *layer, enum read_format format,
		    const char *under);

/* Read it again, whatever it holds. */
void layer_touch(struct layer *layer);

/* Read the newest text. @lower: merge of the layers below, in which required
 * substitutions are looked up that the text alone cannot resolve. True when
 * document, state or problem changed, or a broken text became another, which
 * may be good for somebody else. */
bool layer_read(struct layer *layer, const struct layer_context *context,
		const struct value *lower);

/* The layer's document as it is for another environment: its own again, when
 * that makes no difference, or the newest text, which may be broken for the
 * daemon's environment alone. A new reference of the caller's; NULL without
 * @diag set when the layer has none, NULL with it when
 *
 *   - the last good text is broken for that environment, or
 *   - the layer is lost, and its newest text is broken for that one as well.
 */
struct doc *layer_doc_for(const struct layer *layer,
			  const struct layer_context *context,
			  const struct value *lower, struct diag *diag);

#endif
