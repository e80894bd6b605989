/*
 * Reads many texts in one process: for each "LENGTH\n" and as many bytes on
 * stdin a line of JSON on stdout, {"value": ..., "warnings": N} or
 * {"error": "..."}.
 *
 *	read_texts clearml|strict
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/mem.h"
#include "read/reader.h"
#include "value/json.h"

/* What substitutions find in the environment; clearml_environment.py has
 * the same. */
static struct env *make_env(void)
{
	const struct env_variable variables[] = {
		{STR("HOME"), STR("/home/u")},
		{STR("EMPTY"), STR("")},
	};

	return env_new(variables, ARRAY_SIZE(variables));
}

static void print_text(struct str text, const struct read_options *options)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct doc *doc = NULL;

	if (read_text(&doc, "text", text, options, &diag) == 0) {
		buf_puts(&out, "{\"value\":");
		json_write(&out, doc->root);
		buf_printf(&out, ",\"warnings\":%zu}\n", doc->warnings.count);
	} else {
		buf_printf(&out, "{\"error\":\"%u:%u\"}\n", diag.pos.line,
			   diag.pos.column);
	}
	(void)fwrite(out.data, 1, out.len, stdout);
	(void)fflush(stdout);
	doc_unref(doc);
}

static bool next_text(struct buf *text)
{
	char line[32];
	size_t len;

	text->len = 0;
	if (!fgets(line, sizeof(line), stdin))
		return false;
	len = strtoul(line, NULL, 10);
	if (len && fread(buf_reserve(text, len), 1, len, stdin) != len)
		return false;
	text->len = len;
	return true;
}

int main(int argc, char **argv)
{
	struct read_options options = {
		.format = READ_HOCON,
		.limits = READ_LIMITS_DEFAULT,
	};
	_cleanup_(env_unrefp) struct env *env = make_env();
	struct buf text = BUF_INIT;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: read_texts clearml|strict\n");
		return 2;
	}
	options.dialect =
		strcmp(argv[1], "strict") == 0 ? READ_STRICT : READ_CLEARML;
	options.env = env;
	while (next_text(&text))
		print_text(buf_str(&text), &options);
	buf_deinit(&text);
	return 0;
}
