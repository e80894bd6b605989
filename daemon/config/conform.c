#include "config/conform.h"

#include "base/diag.h"
#include "base/mem.h"
#include "read/doc.h"
#include "read/reader.h"
#include "read/schema_check.h"

struct conformance {
	struct doc *doc;
	struct diag *ill_typed; /* receives the first; NULL: nobody asks */
};

static void note(void *data, const struct schema_finding *finding)
{
	struct conformance *conformance = data;
	struct diag *warning = diag_list_next(&conformance->doc->warnings);
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	schema_finding_write(finding, &text);
	if (warning) {
		diag_at(warning, finding->source, finding->offset, "%s",
			buf_str(&text).ptr);
		conformance->doc->finding_count++;
	}
	if (conformance->ill_typed && finding->fault == SCHEMA_ILL_TYPED)
		diag_at(conformance->ill_typed, finding->source,
			finding->offset, "%s " CONFORM_REFUSED,
			buf_str(&text).ptr);
}

int conform_check(struct doc *doc, enum conform_policy policy,
		  struct diag *diag)
{
	struct conformance conformance = {doc, policy == CONFORM_REFUSE ? diag
									: NULL};

	doc->first_finding = doc->warnings.count;
	if (policy != CONFORM_OFF)
		schema_check(doc, doc->root, note, &conformance);
	return conformance.ill_typed && diag_failed(diag) ? READ_E_BROKEN : 0;
}
