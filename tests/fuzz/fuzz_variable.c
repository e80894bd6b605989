/* Values of CLEARML_AGENT__ variables: whatever they hold is a value. */

#include "fuzz_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	_cleanup_(env_unrefp) struct env *env = fuzz_env();
	struct str text = {(const char *)data, size};
	struct read_options options = fuzz_options(READ_VALUE, env);

	options.under = STR("agent.a.b");
	if (read_text(&doc, "CLEARML_AGENT__A", text, &options, &diag) == 0)
		fuzz_check_tree(doc);
	else
		assert(str_utf8_invalid(text) < size || size > 1 << 20);
	return 0;
}
