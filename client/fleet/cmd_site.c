#include <stdio.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/source.h"
#include "call/arguments.h"
#include "call/command.h"
#include "commands/elsewhere.h"
#include "commands/subcommand.h"
#include "read/doc.h"
#include "read/reader.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "value/json.h"

struct site {
	bool json;
};

static const struct option_spec options[] = {
	{"json", 'j', OPTION_FLAG, offsetof(struct site, json), NULL,
	 "print what is wrong as JSON"},
};

/* A request to etcd has at most 1.5 MiB, key and all. */
#define ETCD_BYTES ((size_t)1536 * 1024 - 4096)

/* What every host shows to documents from elsewhere (clearconfd.conf, [local]
 * vault_environment). */
static struct env *environment_of_hosts(void)
{
	static const char *const names[] = {"HOME", "USER", "LOGNAME",
					    "HOSTNAME", "LANG"};
	_cleanup_(env_unrefp) struct env *all = env_from_process();
	struct env_variable seen[ARRAY_SIZE(names)];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		seen[count].name = str_from(names[i]);
		if (env_get(all, seen[count].name, &seen[count].value))
			count++;
	}
	return env_new(seen, count);
}

/* The document in the file; NULL, with @diag set, when it is none. */
static struct doc *read_document(const char *path, struct diag *diag)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(env_unrefp) struct env *env = environment_of_hosts();
	const struct read_options how = {
		.format = read_format_of_path(path),
		.limits = READ_LIMITS_DEFAULT,
		.env = env,
	};
	struct source source;
	struct doc *doc = NULL;
	int r = source_from_file(&source, &arena, path, ETCD_BYTES, diag);

	if (r == SOURCE_E_MISSING)
		(void)diag_set(diag, path, "is not there, or is no file");
	if (r != 0 || read_text(&doc, path, source.text, &how, diag) != 0)
		return NULL;
	return doc;
}

static void add_diag(struct buf *out, const struct diag *diag)
{
	buf_putc(out, '{');
	json_add_int(out, "line", diag->pos.line);
	json_add_int(out, "column", diag->pos.column);
	json_add_string(out, "message", diag->text);
	buf_putc(out, '}');
}

/* @doc NULL: @diag says why. */
static int print_json(const struct doc *doc, const struct diag *diag)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	int status;

	buf_putc(&out, '{');
	json_add_bool(&out, "ok", doc != NULL);
	json_key(&out, "error");
	if (doc)
		buf_puts(&out, "null");
	else
		add_diag(&out, diag);
	json_key(&out, "warnings");
	buf_putc(&out, '[');
	for (size_t i = 0; doc && i < doc->warnings.count; i++) {
		buf_puts(&out, i ? "," : "");
		add_diag(&out, &doc->warnings.items[i]);
	}
	buf_puts(&out, "]}\n");
	status = output_show(buf_str(&out));
	return doc ? status : EXIT_FAILED;
}

static int check(const struct client *client, const void *fields,
		 const char *path)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = read_document(path, &diag);
	const struct site *o = fields;

	(void)client;
	if (o->json)
		return print_json(doc, &diag);
	if (!doc) {
		diag_print_excerpt(&diag, "", stdout);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < doc->warnings.count; i++)
		diag_print_excerpt(&doc->warnings.items[i],
				   "warning: ", stdout);
	return EXIT_DONE;
}

static const struct subcommand subcommands[] = {
	{"check", "the file of a document", check},
};

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct subcommand_call call = {"site", subcommands,
				       ARRAY_SIZE(subcommands), argv};

	(void)argc;
	return subcommand_run(&call, client, fields);
}

const struct command cmd_site = {
	.name = "site",
	.synopsis = "check FILE [--json]",
	.summary = SITE_SUMMARY,
	.details =
		"Reads FILE as every clearconfd reads a document of the layer "
		"'site' that etcd gives it:\n"
		"the suffix says the format (.json, .yaml, .yml, else HOCON), "
		"nothing can be included,\n"
		"of variables there are HOME, USER, LOGNAME, HOSTNAME and "
		"LANG, and etcd takes no more\n"
		"than 1.5 MiB. What is wrong is printed with its line and a "
		"caret. It needs no daemon.\n"
		"\n"
		"    clearconf site check 20-gpu.yaml &&\n"
		"        etcdctl put /clearconf/site/20-gpu.yaml "
		"<20-gpu.yaml\n"
		"\n"
		"Exit status: 0 every daemon takes it, 1 no daemon does and "
		"each keeps what it had.\n"
		"Warnings, where ClearML's own parser would differ, are no "
		"reason to keep it back.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct site),
	.subcommands = subcommands,
	.verb_count = ARRAY_SIZE(subcommands),
	.arguments_max = 2,
	.secret = true,
	.run = run,
};
