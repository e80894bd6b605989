#include "base/buf.h"
#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "commands/elsewhere.h"
#include "commands/subcommand.h"
#include "fleet/fleet.h"
#include "fleet/fleet_diff.h"
#include "fleet/fleet_follow.h"
#include "fleet/fleet_text.h"
#include "fleet/roster.h"
#include "fleet/store.h"
#include "fleet/vaults.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/terminal.h"

/* What etcd does not let us do is tried again. */
#define RETRY_MS 10000

struct fleet_options {
	struct place_options place;
	const char *reason, *stop_when;
	bool json, openmetrics, watch;
};

#define FIELD(name) offsetof(struct fleet_options, name)

static const struct option_spec options[] = {
	{"watch", '\0', OPTION_FLAG, FIELD(watch), NULL,
	 "print it again whenever something changes", "list"},
	{"openmetrics", '\0', OPTION_FLAG, FIELD(openmetrics), NULL,
	 "print it for Prometheus", "list"},
	{"stop-when", '\0', OPTION_TEXT, FIELD(stop_when), "LIMIT",
	 "call vaults bad that are so on more hosts, such as broken>0", "list"},
	{"reason", 'm', OPTION_TEXT, FIELD(reason), "TEXT", "why", "bad"},
	{"json", 'j', OPTION_FLAG, FIELD(json), NULL, "print it as JSON"},
	PLACE_OPTIONS(struct fleet_options, place),
};

static int open_fleet(struct fleet *fleet, struct store *store,
		      const struct client *client, const void *fields)
{
	const struct fleet_options *o = fields;
	int status = store_open(store, &o->place, client->timeout_ms);

	return status == EXIT_DONE ? roster_load(fleet, store, NULL) : status;
}

static void write_fleet(struct buf *out, const struct fleet *fleet,
			const void *fields)
{
	const struct fleet_options *o = fields;

	if (o->openmetrics)
		fleet_text_add_metrics(out, fleet);
	else if (o->json)
		fleet_text_add_json(out, fleet);
	else
		fleet_text_add(out, fleet);
}

/* --- list ----------------------------------------------------------------- */

struct watch {
	const struct fleet_options *options;
	struct vaults_guard *guard;
	struct buf shown; /* last */
};

static void show_again(struct fleet_follower *follower,
		       const struct fleet *fleet)
{
	struct watch *watch = follower->data;
	struct buf out = BUF_INIT;
	bool same;

	/* What is complained of is tried again, if etcd lets us some day. */
	if (vaults_guard_look(watch->guard, fleet) != EXIT_DONE)
		follower->within_ms = RETRY_MS;
	write_fleet(&out, fleet, watch->options);
	same = str_equal(buf_str(&out), buf_str(&watch->shown));
	buf_deinit(&watch->shown);
	watch->shown = out;
	if (same)
		return;
	follower->status = terminal_is_there()
				   ? output_redraw(buf_str(&watch->shown))
				   : output_write(buf_str(&watch->shown));
	follower->over = follower->status != EXIT_DONE;
}

static int watch(struct vaults_guard *guard, const struct fleet_options *o)
{
	struct watch watch = {.options = o, .guard = guard};
	struct fleet_follower follower = {.take = show_again, .data = &watch};
	int status = fleet_follow(guard->store, &follower);

	buf_deinit(&watch.shown);
	return status;
}

static int print(struct vaults_guard *guard, const struct fleet_options *o)
{
	_cleanup_(fleet_deinit) struct fleet fleet = {0};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	int status = roster_load(&fleet, guard->store, NULL);

	if (status == EXIT_DONE)
		status = vaults_guard_look(guard, &fleet);
	if (status != EXIT_DONE)
		return status;
	write_fleet(&out, &fleet, o);
	return output_show(buf_str(&out));
}

static int list(const struct client *client, const void *fields,
		const char *argument)
{
	_cleanup_(store_close) struct store store = {0};
	_cleanup_(vaults_guard_deinit) struct vaults_guard guard = {
		.store = &store};
	const struct fleet_options *o = fields;
	const char *problem =
		o->stop_when ? vaults_guard_set(&guard, o->stop_when) : NULL;
	int status;

	(void)argument;
	if (o->json && o->openmetrics)
		return complain(EXIT_USAGE,
				"--json or --openmetrics, not both");
	if (problem)
		return complain(EXIT_USAGE, "--stop-when: %s", problem);
	status = store_open(&store, &o->place, client->timeout_ms);
	if (status != EXIT_DONE)
		return status;
	return o->watch ? watch(&guard, o) : print(&guard, o);
}

/* --- one host, or two ----------------------------------------------------- */

static int complain_unknown(const char *name)
{
	return complain(EXIT_NO_PATH,
			"no host %s reports, nor did one: see 'clearconf "
			"fleet'",
			name);
}

static int show(const struct client *client, const void *fields,
		const char *name)
{
	_cleanup_(store_close) struct store store = {0};
	_cleanup_(fleet_deinit) struct fleet fleet = {0};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const struct fleet_options *o = fields;
	const struct host *host;
	int status = open_fleet(&fleet, &store, client, fields);

	if (status != EXIT_DONE)
		return status;
	host = fleet_find(&fleet, str_from(name));
	if (!host)
		return complain_unknown(name);
	if (o->json)
		fleet_text_add_host_json(&out, host);
	else
		fleet_text_add_host(&out, &fleet, host);
	return output_show(buf_str(&out));
}

static int diff(const struct client *client, const void *fields,
		const char *one, const char *other)
{
	_cleanup_(store_close) struct store store = {0};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const struct fleet_options *o = fields;
	struct fleet_pair pair = {one, other, o->json};
	int status = store_open(&store, &o->place, client->timeout_ms);

	if (status == EXIT_DONE)
		status = fleet_diff(&out, &store, &pair);
	return status == EXIT_DONE ? output_show(buf_str(&out)) : status;
}

static int forget(const struct client *client, const void *fields,
		  const char *name)
{
	_cleanup_(store_close) struct store store = {0};
	_cleanup_(fleet_deinit) struct fleet fleet = {0};
	int status = open_fleet(&fleet, &store, client, fields);

	if (status != EXIT_DONE)
		return status;
	return fleet_find(&fleet, str_from(name)) ? roster_forget(&store, name)
						  : complain_unknown(name);
}

/* --- revisions of vaults -------------------------------------------------- */

static int bad(const struct client *client, const void *fields,
	       const char *revision)
{
	_cleanup_(store_close) struct store store = {0};
	const struct fleet_options *o = fields;
	int status = store_open(&store, &o->place, client->timeout_ms);

	return status == EXIT_DONE
		       ? vaults_call_bad(&store, revision, o->reason)
		       : status;
}

static int good(const struct client *client, const void *fields,
		const char *revision)
{
	_cleanup_(store_close) struct store store = {0};
	const struct fleet_options *o = fields;
	int status = store_open(&store, &o->place, client->timeout_ms);

	return status == EXIT_DONE ? vaults_call_good(&store, revision)
				   : status;
}

static const struct subcommand subcommands[] = {
	{"list", NULL, list},
	{"show", "the name of a host", show},
	{"diff", "the name of a host", .second = "the name of another",
	 .run_two = diff},
	{"forget", "the name of a host", forget},
	{"bad", "the name of a revision", bad},
	{"good", "the name of a revision", good},
};

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct subcommand_call call = {&cmd_fleet, argv};

	(void)argc;
	return subcommand_run(&call, client, fields);
}

const struct command cmd_fleet = {
	.name = "fleet",
	.synopsis = "[list | show HOST | diff HOST HOST | forget HOST | "
		    "bad REVISION |\n"
		    "                       good REVISION] [OPTION...]",
	.summary = FLEET_SUMMARY,
	.details =
		"What the daemons of all hosts say of themselves (report = yes "
		"in [site] of clearconfd.conf), a\n"
		"line for hosts that are alike; what needs somebody comes "
		"first:\n"
		"\n"
		"    offline     nothing is heard of it\n"
		"    unreadable  its report is damaged, or of a newer version\n"
		"    doubled     two machines report under its name\n"
		"    broken      it refuses a document, or finds a rollout "
		"bad\n"
		"    behind      it lacks what etcd holds for it\n"
		"    held        somebody holds its configuration\n"
		"    drifting    most others with the same documents have "
		"other values\n"
		"    ailing      it says so itself, as 'clearconf status' "
		"does there\n"
		"    waiting     the server has vaults that it does not serve "
		"yet\n"
		"    ready\n"
		"\n"
		"'show' tells all that one host says, 'diff' in what two of "
		"them differ, never a value. Hosts are\n"
		"remembered, if etcd lets this user write; 'forget' is for one "
		"that will not come again.\n"
		"\n"
		"Vaults come to a share of the hosts first ([change] stage "
		"there). 'bad' keeps a revision of them\n"
		"(clearconf change) from those who have not taken it, until it "
		"is called 'good'; --stop-when\n"
		"does so as soon as more hosts than that find one broken that "
		"others wait for.\n"
		"Where etcd is, [site] of clearconfd.conf says if it can be "
		"read, else the options.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct fleet_options),
	.subcommands = subcommands,
	.verb_count = ARRAY_SIZE(subcommands),
	.arguments_max = 3,
	.run = run,
};
