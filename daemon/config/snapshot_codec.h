#ifndef CONFIG_SNAPSHOT_CODEC_H
#define CONFIG_SNAPSHOT_CODEC_H

/*
 * Snapshots <-> packed bytes, for files that outlive the process: of each
 * document its layer, what it is called, its texts, and its values with their
 * places; and a digest of the tree that they come to.
 *
 * What is read comes to the very bytes that were served, or is refused: then a
 * release has come to merge otherwise, or the file is somebody else's work. It
 * explains itself as before, and its texts can be read again for another
 * environment. Only what a workspace has published is written: none that was
 * made for a caller's environment.
 *
 * Pure; another thread may do it, also while the snapshot is served.
 */

#include "base/buf.h"
#include "base/pack.h"
#include "base/sha256.h"

struct doc;
struct snapshot;

/* Where documents are that are written once for many snapshots. A name is
 * SHA256_BYTES long. */
struct doc_shelf {
	void *data;
	/* Keep @doc, and say under which name it will be found. */
	void (*put)(void *data, struct doc *doc, unsigned char *name);
	/* A reference of the caller's; NULL: there is none of that name. */
	struct doc *(*get)(void *data, const unsigned char *name);
};

/* Append @snapshot; @shelf NULL: with its documents. */
void snapshot_pack(struct buf *out, const struct snapshot *snapshot,
		   const struct doc_shelf *shelf);

/* The next snapshot, the caller's, with the generation, time and cause it had;
 * its `locks` are for the caller to set. NULL, with *@why set to what is wrong
 * with it, for people. */
struct snapshot *snapshot_unpack(struct unpack *in,
				 const struct doc_shelf *shelf,
				 const char **why);

#endif
