#include "call/globals.h"

#include "base/mem.h"

#define FIELD(name) offsetof(struct globals, name)

const struct option_spec global_options[] = {
	{"socket", 's', OPTION_PATH, FIELD(socket), "PATH",
	 "the daemon's socket"},
	{"workspace", 'w', OPTION_TEXT, FIELD(workspace), "NAME",
	 "this workspace, in place of the active one"},
	{"timeout", 't', OPTION_SECONDS, FIELD(timeout), "S",
	 "wait at most S seconds for an answer (30)"},
	{"any-server", '\0', OPTION_FLAG, FIELD(any_server), NULL,
	 "trust the daemon whoever runs it"},
	{"no-pager", '\0', OPTION_FLAG, FIELD(no_pager), NULL,
	 "print what is long without a pager"},
	{"help", 'h', OPTION_FLAG, FIELD(help), NULL, "print this help"},
	{"version", 'V', OPTION_FLAG, FIELD(version), NULL,
	 "print the version"},
};

const size_t global_option_count = ARRAY_SIZE(global_options);
