#ifndef READ_DOC_CODEC_H
#define READ_DOC_CODEC_H

/*
 * Documents <-> packed bytes: texts, values with their places, warnings, and
 * what the result depends on. What is read is as the reader of its format has
 * returned it, but for the excerpts of warnings, which nobody is shown of a
 * document that is served.
 *
 * A document whose values are others' (config/agent.h) is no matter of this: it
 * is written with those.
 */

#include "base/buf.h"
#include "base/pack.h"

struct doc;

/* @doc has a source. It may be served meanwhile, by another thread. */
void doc_pack(struct buf *out, const struct doc *doc);

/* The next document, the caller's; NULL, and @in has failed: it is damaged. */
struct doc *doc_unpack(struct unpack *in);

#endif
