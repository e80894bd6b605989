#ifndef SERVE_REPLY_H
#define SERVE_REPLY_H

/*
 * Replies: the envelope around an answer, and the errors.
 *
 *	fields = reply_open(out);
 *	json_add_int(fields, "generation", 42);
 *	reply_close(out, false);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct buf;
struct diag;
struct out;
struct path_error;
struct pending_fault;
struct secrets;

/* Each carries one string: the name it speaks of. */
enum reply_error {
	REPLY_INTERFACE_NOT_FOUND,
	REPLY_METHOD_NOT_FOUND,
	REPLY_INVALID_PARAMETER,
	REPLY_PATH_NOT_FOUND,
	REPLY_UNKNOWN_WORKSPACE,
	REPLY_ACCESS_DENIED,
	REPLY_NOT_READY,
	REPLY_NO_STORAGE_MATCH,
};

/* Where the fields of the answer are written. */
struct buf *reply_open(struct out *out);

/* Where they go on, of a reply that begins with @head. */
struct buf *reply_reopen(struct out *out, struct str head);

/* A whole reply, whose parameters are the JSON object @object. */
void reply_object(struct out *out, struct str object);

/* @continues: further replies to the same call follow. */
void reply_close(struct out *out, bool continues);

void reply_error(struct out *out, enum reply_error error, struct str name);
void reply_invalid_path(struct out *out, struct str path,
			const struct path_error *error);
/* What holds a secret that @secrets know is masked. */
void reply_broken(struct out *out, const struct diag *diag,
		  const struct secrets *secrets);
void reply_server_error(struct out *out, const struct pending_fault *fault);
/* There is no @generation, or no longer: the history begins with @oldest. */
void reply_unknown_generation(struct out *out, uint64_t generation,
			      uint64_t oldest);
void reply_quota_exceeded(struct out *out, const char *quota, size_t limit);

#endif
