#include "serve/reply.h"

#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "config/mask.h"
#include "serve/out.h"
#include "serve/pending.h"
#include "value/json.h"
#include "value/path.h"

struct buf *reply_open(struct out *out)
{
	buf_puts(&out->bytes, "{\"parameters\":{");
	return &out->bytes;
}

struct buf *reply_reopen(struct out *out, struct str head)
{
	buf_add_str(&out->bytes, head);
	return &out->bytes;
}

void reply_close(struct out *out, bool continues)
{
	buf_puts(&out->bytes, continues ? "},\"continues\":true}" : "}}");
	buf_putc(&out->bytes, '\0');
}

void reply_object(struct out *out, struct str object)
{
	buf_puts(&out->bytes, "{\"parameters\":");
	buf_add_str(&out->bytes, object);
	buf_puts(&out->bytes, "}");
	buf_putc(&out->bytes, '\0');
}

static struct buf *error_open(struct out *out, const char *name)
{
	buf_puts(&out->bytes, "{\"error\":\"");
	buf_puts(&out->bytes, name);
	buf_puts(&out->bytes, "\",\"parameters\":{");
	return &out->bytes;
}

void reply_error(struct out *out, enum reply_error error, struct str name)
{
	static const struct {
		const char *name, *field;
	} errors[] = {
		[REPLY_INTERFACE_NOT_FOUND] =
			{"org.varlink.service.InterfaceNotFound", "interface"},
		[REPLY_METHOD_NOT_FOUND] =
			{"org.varlink.service.MethodNotFound", "method"},
		[REPLY_INVALID_PARAMETER] =
			{"org.varlink.service.InvalidParameter", "parameter"},
		[REPLY_PATH_NOT_FOUND] = {"io.clearconf.PathNotFound", "path"},
		[REPLY_UNKNOWN_WORKSPACE] = {"io.clearconf.UnknownWorkspace",
					     "name"},
		[REPLY_ACCESS_DENIED] = {"io.clearconf.AccessDenied", "right"},
		[REPLY_NOT_READY] = {"io.clearconf.NotReady", "reason"},
		[REPLY_NO_STORAGE_MATCH] = {"io.clearconf.NoStorageMatch",
					    "uri"},
	};

	out->refusals += error == REPLY_ACCESS_DENIED;
	json_add_str(error_open(out, errors[error].name), errors[error].field,
		     name);
	reply_close(out, false);
}

void reply_invalid_path(struct out *out, struct str path,
			const struct path_error *error)
{
	struct buf *fields = error_open(out, "io.clearconf.InvalidPath");

	json_add_str(fields, "path", path);
	json_add_int(fields, "offset", (long long)error->offset);
	json_add_string(fields, "reason", error->reason);
	reply_close(out, false);
}

static void add_masked(struct buf *fields, const char *key, const char *text,
		       const struct secrets *secrets)
{
	_cleanup_(mem_freep) char *masked = mask_text(secrets, text);

	json_add_string(fields, key, masked);
}

void reply_broken(struct out *out, const struct diag *diag,
		  const struct secrets *secrets)
{
	struct buf *fields =
		error_open(out, "io.clearconf.BrokenConfiguration");

	add_masked(fields, "source", diag->source, secrets);
	json_add_pos(fields, &diag->pos);
	add_masked(fields, "reason", diag->text, secrets);
	reply_close(out, false);
}

void reply_server_error(struct out *out, const struct pending_fault *fault)
{
	struct buf *fields = error_open(out, "io.clearconf.ServerError");

	json_add_string(fields, "endpoint", fault->endpoint);
	json_add_int(fields, "status", fault->status);
	if (fault->code) {
		json_add_int(fields, "code", fault->code);
		json_add_int(fields, "subcode", fault->subcode);
	}
	json_add_string(fields, "message", fault->message);
	reply_close(out, false);
}

void reply_unknown_generation(struct out *out, uint64_t generation,
			      uint64_t oldest)
{
	struct buf *fields = error_open(out, "io.clearconf.UnknownGeneration");

	json_add_int(fields, "generation", (long long)generation);
	json_add_int(fields, "oldest", (long long)oldest);
	reply_close(out, false);
}

void reply_quota_exceeded(struct out *out, const char *quota, size_t limit)
{
	struct buf *fields = error_open(out, "io.clearconf.QuotaExceeded");

	out->refusals++;
	json_add_string(fields, "quota", quota);
	json_add_int(fields, "limit", (long long)limit);
	reply_close(out, false);
}
