#include "settings/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum {
	STATUS_USAGE = 2,
	OPT_CHECK = 256,
	OPT_PRINT,
	OPT_OFFLINE,
	OPT_SYSTEM,
	OPT_USER,
	OPT_REQUIRE_VAULTS,
	OPT_TEXT, /* from here on: one for each of texts[] */
};

static const char usage[] =
	"Usage: clearconfd [OPTION...]\n"
	"       clearconfd --check [FILE...]\n"
	"       clearconfd --print [--format F]\n"
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
	"  --log-level L      error, warning, info or debug\n"
	"  --check [FILE...]  say what is wrong with settings and layers, or\n"
	"                     with these files; exit 1 if anything is\n"
	"  --print            resolve once, print, exit\n"
	"  --format F         of --print: json, hocon, yaml, env, properties, "
	"raw\n"
	"  --require-vaults   of --print: exit 6 when there are no vaults\n"
	"  --version, --help\n";

/* Options that take a text, and where it goes. */
static const struct {
	const char *name;
	size_t offset;
} texts[] = {
	{"config", offsetof(struct options, config)},
	{"socket", offsetof(struct options, socket)},
	{"state", offsetof(struct options, state_dir)},
	{"workspace", offsetof(struct options, workspace)},
	{"mode", offsetof(struct options, mode)},
	{"log-level", offsetof(struct options, log_level)},
	{"format", offsetof(struct options, format)},
};

static const struct option flags[] = {
	{"check", no_argument, NULL, OPT_CHECK},
	{"print", no_argument, NULL, OPT_PRINT},
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

static bool wrong(int *status, const char *message)
{
	(void)fprintf(stderr, "clearconfd: %s (see clearconfd --help)\n",
		      message);
	*status = STATUS_USAGE;
	return false;
}

static bool say(int *status, const char *text)
{
	(void)fputs(text, stdout);
	*status = 0;
	return false;
}

static bool take(struct options *options, int option, int *status)
{
	switch (option) {
	case OPT_CHECK: options->action = ACTION_CHECK; return true;
	case OPT_PRINT: options->action = ACTION_PRINT; return true;
	case OPT_OFFLINE: options->offline = true; return true;
	case OPT_SYSTEM: options->instance = INSTANCE_SYSTEM; return true;
	case OPT_USER: options->instance = INSTANCE_USER; return true;
	case OPT_REQUIRE_VAULTS: options->require_vaults = true; return true;
	case 'h': return say(status, usage);
	case 'V': return say(status, "clearconfd " CLEARCONF_VERSION "\n");
	case '?': *status = STATUS_USAGE; return false; /* getopt has said it */
	default:
		memcpy((char *)options + texts[option - OPT_TEXT].offset,
		       &optarg, sizeof(optarg));
		return true;
	}
}

bool options_parse(struct options *options, int argc, char **argv, int *status)
{
	struct option all[OPTIONS_MAX];
	int option;

	*options = (struct options){.instance = INSTANCE_AUTO};
	fill_long_options(all);
	while ((option = getopt_long(argc, argv, "h", all, NULL)) != -1)
		if (!take(options, option, status))
			return false;
	options->files = argv + optind;
	if (argv[optind] && options->action != ACTION_CHECK)
		return wrong(status, "only --check takes files");
	if (options->format && options->action != ACTION_PRINT)
		return wrong(status, "--format belongs to --print");
	if (options->require_vaults && options->action != ACTION_PRINT)
		return wrong(status, "--require-vaults belongs to --print");
	return true;
}
