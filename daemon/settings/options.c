#include "settings/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"
#include "base/suggest.h"
#include "settings/settings.h"

enum {
	STATUS_USAGE = 2,
	OPT_CHECK = 256,
	OPT_PRINT,
	OPT_OFFLINE,
	OPT_SYSTEM,
	OPT_USER,
	OPT_REQUIRE_VAULTS,
	OPT_SCHEMA,
	OPT_TEXT, /* from here on: one for each of texts[] */
};

static const char usage[] =
	"Usage: clearconfd [OPTION...]\n"
	"       clearconfd --check [FILE...]\n"
	"       clearconfd --print [--format F]\n"
	"       clearconfd --schema\n"
	"\n"
	"Resolves the ClearML configuration of this host, and serves it on a\n"
	"Unix socket (see clearconf --help for the client).\n"
	"\n"
	"  --config FILE      settings, instead of the instance's own file\n"
	"  --socket PATH      where to serve\n"
	"  --state DIR        where to keep what must survive a restart\n"
	"  --workspace NAME   the workspace that is active at first\n"
	"  --mode agent|sdk   whose rules decide about layers\n"
	"  --offline          never ask a server\n"
	"  --system, --user   which instance this is\n"
	"  --log-level error|warning|info|debug\n"
	"                     how much is logged\n"
	"  --check [FILE...]  say what is wrong with settings and layers, or\n"
	"                     with these files; exit 1 if anything is\n"
	"  --print            resolve once, print, exit\n"
	"  --format json|hocon|yaml|env|properties|raw\n"
	"                     of --print\n"
	"  --require-vaults   of --print: exit 6 when there are no vaults\n"
	"  --schema           print the keys that ClearML knows and their "
	"types,\n"
	"                     as JSON Schema\n"
	"  --version, --help\n";

/* Options that take a text, where it goes, and the key of [daemon] that it is
 * to be in the place of (NULL: it may be any text). */
static const struct {
	const char *name;
	size_t offset;
	const char *key;
} texts[] = {
	{"config", offsetof(struct options, config)},
	{"socket", offsetof(struct options, socket)},
	{"state", offsetof(struct options, state_dir)},
	{"workspace", offsetof(struct options, workspace)},
	{"mode", offsetof(struct options, mode), "mode"},
	{"log-level", offsetof(struct options, log_level), "log_level"},
	{"format", offsetof(struct options, format)},
};

static const struct option flags[] = {
	{"check", no_argument, NULL, OPT_CHECK},
	{"print", no_argument, NULL, OPT_PRINT},
	{"schema", no_argument, NULL, OPT_SCHEMA},
	{"offline", no_argument, NULL, OPT_OFFLINE},
	{"system", no_argument, NULL, OPT_SYSTEM},
	{"user", no_argument, NULL, OPT_USER},
	{"require-vaults", no_argument, NULL, OPT_REQUIRE_VAULTS},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
};

#define OPTIONS_MAX (ARRAY_SIZE(texts) + ARRAY_SIZE(flags) + 1)

static void fill_long_options(struct option *all)
{
	memcpy(all, flags, sizeof(flags));
	all += ARRAY_SIZE(flags);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		all[i] = (struct option){texts[i].name, required_argument, NULL,
					 OPT_TEXT + (int)i};
	all[ARRAY_SIZE(texts)] = (struct option){0};
}

static bool __attribute__((format(printf, 2, 3)))
wrong(int *status, const char *format, ...)
{
	_cleanup_(buf_deinit) struct buf message = BUF_INIT;
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&message, format, ap);
	va_end(ap);
	printable_line(stderr, "clearconfd: %s (see clearconfd --help)",
		       buf_str(&message).ptr);
	*status = STATUS_USAGE;
	return false;
}

/* What getopt_long does not take; @typed has been a word of its own, unless it
 * is a letter. */
static bool wrong_option(int *status, const struct option *all, int option,
			 const char *typed)
{
	struct str name = {typed + strspn(typed, "-"), 0};
	_cleanup_(mem_freep) char *guess = NULL;
	struct suggest near;

	if (option == ':')
		return wrong(status, "%s needs an argument", typed);
	if (optopt >= OPT_CHECK)
		return wrong(status, "'%s': this option takes no argument",
			     typed);
	name.len = strcspn(name.ptr, "=");
	near = SUGGEST_FOR(name);
	for (; all->name; all++)
		suggest_offer(&near, all->name);
	guess = suggest_text(&near, "--");
	return wrong(status, "unknown or ambiguous option '%s'%s", typed,
		     guess);
}

static bool say(int *status, const char *text)
{
	(void)fputs(text, stdout);
	*status = 0;
	return false;
}

static bool take_action(struct options *options, enum options_action action,
			int *status)
{
	if (options->action != ACTION_SERVE && options->action != action)
		return wrong(status, "--check, --print or --schema: one of "
				     "them");
	options->action = action;
	return true;
}

static bool take_text(struct options *options, size_t i, int *status)
{
	_cleanup_(mem_freep) char *refusal = NULL;

	if (texts[i].key)
		refusal = settings_refusal("daemon", texts[i].key, optarg);
	if (refusal)
		return wrong(status, "--%s: %s", texts[i].name, refusal);
	memcpy((char *)options + texts[i].offset, &optarg, sizeof(optarg));
	return true;
}

static bool take(struct options *options, int option, int *status)
{
	switch (option) {
	case OPT_CHECK: return take_action(options, ACTION_CHECK, status);
	case OPT_PRINT: return take_action(options, ACTION_PRINT, status);
	case OPT_SCHEMA: return take_action(options, ACTION_SCHEMA, status);
	case OPT_OFFLINE: options->offline = true; return true;
	case OPT_SYSTEM: options->instance = INSTANCE_SYSTEM; return true;
	case OPT_USER: options->instance = INSTANCE_USER; return true;
	case OPT_REQUIRE_VAULTS: options->require_vaults = true; return true;
	case 'h': return say(status, usage);
	case 'V': return say(status, "clearconfd " CLEARCONF_VERSION "\n");
	default: return take_text(options, (size_t)(option - OPT_TEXT), status);
	}
}

bool options_parse(struct options *options, int argc, char **argv, int *status)
{
	struct option all[OPTIONS_MAX];
	int option;

	*options = (struct options){.instance = INSTANCE_AUTO};
	fill_long_options(all);
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", all, NULL)) != -1) {
		if (option == '?' || option == ':')
			return wrong_option(status, all, option,
					    argv[optind - 1]);
		if (!take(options, option, status))
			return false;
	}
	options->files = argv + optind;
	if (argv[optind] && options->action != ACTION_CHECK)
		return wrong(status, "only --check takes files");
	if (options->format && options->action != ACTION_PRINT)
		return wrong(status, "--format belongs to --print");
	if (options->require_vaults && options->action != ACTION_PRINT)
		return wrong(status, "--require-vaults belongs to --print");
	return true;
}
