#include "engine/report.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/source.h"
#include "config/mask.h"
#include "engine/engine.h"
#include "engine/report_job.h"
#include "fetch/etcd/etcd_keep.h"
#include "settings/places.h"
#include "site/site.h"
#include "value/json.h"

/* What happens at one moment is told at once. */
#define SOON_MS 50

/* At most so often; and hosts that have taken the same document do not all tell
 * of it at the same moment. */
#define EVERY_MS  1000
#define SPREAD_MS 1000

#define FLEET_KEY_MAX 4096
#define FLEET_KEY_MIN 32

/* Marks are put into reports of a sane size only. */
#define MARKED_MAX 65536

struct report {
	struct engine *engine;
	struct report_facts facts;
	struct etcd_keep *keep; /* NULL: nothing can be written */
	char *key;              /* of the fleet; NULL: none */
	char *problem;          /* why there is none that is good; NULL */
	char *warning;          /* what is wrong with it all the same; NULL */
	char *name;             /* etcd's key */
	char rival[33];         /* who would report in our place; "" */
	uv_timer_t soon;
	struct report_job *job; /* NULL: none is under way */
	struct buf told;        /* what was handed on last, without its time */
};

/* --- what is told --- */

static void hand_on(struct report *report, struct buf *body)
{
	_cleanup_(buf_deinit) struct buf value = BUF_INIT;

	if (str_equal(buf_str(body), buf_str(&report->told)))
		return;
	buf_putc(&value, '{');
	buf_add_str(&value, buf_str(body));
	json_add_int(&value, "time", (long long)time(NULL));
	buf_putc(&value, '}');
	buf_deinit(&report->told);
	report->told = *body;
	*body = BUF_INIT;
	etcd_keep_set(report->keep, buf_str(&value));
}

static void tell(struct report *report)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	report->facts.clock_ahead = etcd_keep_clock_ahead(report->keep);
	report_write(&report->facts, &body);
	hand_on(report, &body);
}

static void make(struct report *report);

static void on_digests(void *data, struct report_digest *digests, size_t count)
{
	struct report *report = data;

	report->job = NULL;
	report_digests_free(report->facts.digests, report->facts.digest_count);
	report->facts.digests = digests;
	report->facts.digest_count = count;
	make(report);
}

/* Trees that are new are digested first: a report is of one moment. */
static void make(struct report *report)
{
	if (report->job)
		return;
	report->job =
		report_job_start(report->engine, &report->facts, report->key);
	if (report->job)
		report_job_then(report->job, on_digests, report);
	else
		tell(report);
}

static bool is_begun(const struct engine *engine)
{
	return engine->active && engine->active->snapshot;
}

static void on_soon(uv_timer_t *timer)
{
	struct report *report = timer->data;

	if (is_begun(report->engine) &&
	    report->engine->state != ENGINE_STARTING)
		make(report);
}

void report_look(struct report *report)
{
	if (report && report->keep &&
	    !uv_is_active((uv_handle_t *)&report->soon))
		(void)uv_timer_start(&report->soon, on_soon, SOON_MS, 0);
}

void report_set_consumers(struct report *report, size_t count, size_t behind)
{
	if (!report)
		return;
	report->facts.consumers = count;
	report->facts.consumers_behind = behind;
	report_look(report);
}

/* --- others of this name --- */

static enum etcd_keep_whose whose(void *data, struct str value)
{
	const struct report *report = data;
	struct report_sender sender;

	if (!report_read_sender(&sender, value))
		return ETCD_KEEP_OTHERS;
	if (!strcmp(sender.run, report->facts.run))
		return ETCD_KEEP_OURS;
	return strcmp(sender.machine, report->engine->machine.id)
		       ? ETCD_KEEP_OTHERS
		       : ETCD_KEEP_EARLIER;
}

static bool mark(void *data, struct str value, struct buf *marked)
{
	const struct report *report = data;
	struct report_sender sender;

	if (value.len > MARKED_MAX || !report_read_sender(&sender, value) ||
	    *sender.rival || !*sender.machine || value.ptr[0] != '{')
		return false;
	buf_putc(marked, '{');
	json_add_string(marked, "rival", report->engine->machine.id);
	buf_putc(marked, ',');
	buf_add_str(marked, str_from_offset(value, 1));
	return true;
}

static void on_mark(void *data, const struct str *marked)
{
	struct report *report = data;
	struct report_sender sender = {0};

	if (marked)
		(void)report_read_sender(&sender, *marked);
	if (!strcmp(sender.rival, report->rival))
		return;
	memcpy(report->rival, sender.rival, sizeof(report->rival));
	if (*report->rival)
		log_warning("report-has-rival",
			    LOG_TEXT("host", report->engine->site->docs.host),
			    LOG_TEXT("machine", report->rival));
	report->engine->events.on_state(report->engine->events.data);
}

static void on_state(void *data)
{
	struct report *report = data;

	report_look(report);
	report->engine->events.on_state(report->engine->events.data);
}

static const char *token(void *data)
{
	const struct report *report = data;

	return site_token(report->engine->site);
}

/* --- the status --- */

static const char *state_name(const struct report *report)
{
	static const char *const names[] = {
		[ETCD_KEEP_NEW] = "starting",
		[ETCD_KEEP_KEPT] = "kept",
		[ETCD_KEEP_RIVALED] = "taken",
		[ETCD_KEEP_FAILED] = "failed",
	};

	return report->keep ? names[etcd_keep_state(report->keep)] : "failed";
}

static const char *problem_of(const struct report *report)
{
	if (report->problem)
		return report->problem;
	if (!report->keep)
		return NULL;
	if (etcd_keep_state(report->keep) == ETCD_KEEP_RIVALED)
		return "another host reports under this name: give each a name "
		       "of its own";
	return etcd_keep_problem(report->keep) ? etcd_keep_problem(report->keep)
					       : report->warning;
}

void report_write_status(const struct report *report, struct buf *json)
{
	const char *problem = problem_of(report);
	_cleanup_(mem_freep) char *shown =
		problem ? mask_text(report->engine->host.secrets, problem)
			: NULL;
	int64_t ahead = report->keep ? etcd_keep_clock_ahead(report->keep) : 0;

	buf_putc(json, '{');
	json_add_string(json, "key", report->name);
	json_add_string(json, "state", state_name(report));
	json_add_optional_string(json, "last_error", shown);
	if (*report->rival)
		json_add_string(json, "rival", report->rival);
	if (report_clock_is_off(ahead))
		json_add_int(json, "clock", ahead);
	buf_putc(json, '}');
}

/* --- beginning and end --- */

/* A short key can be guessed, and then what it hides. */
static char *read_key(const char *path, struct diag *diag)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct source source;
	struct str text;
	int r = source_from_file(&source, &arena, path, FLEET_KEY_MAX, diag);

	if (r == SOURCE_E_MISSING)
		(void)diag_set(diag, path, "the key of the fleet is not there");
	if (r)
		return NULL;
	text = str_trim(source.text);
	if (text.len >= FLEET_KEY_MIN)
		return mem_strndup(text.ptr, text.len);
	(void)diag_set(diag, path,
		       "the key of the fleet has less than %d characters: "
		       "make one with openssl rand -hex 32",
		       FLEET_KEY_MIN);
	return NULL;
}

static char *warning_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || !(st.st_mode & 0077))
		return NULL;
	return mem_printf("%s: the key of the fleet is open to other users: "
			  "make its mode 0600 (it is %04o)",
			  path, (unsigned int)st.st_mode & 07777);
}

/* Without its key a report says nothing of trees that must be hidden. */
static void find_key(struct report *report, const struct settings *settings)
{
	const char *name = settings->etcd.report_key;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(mem_freep) char *path = NULL, *why = NULL;

	if (!name || !*name)
		return;
	path = places_file(name, settings->path);
	report->key = read_key(path, &diag);
	report->facts.keyed = report->key != NULL;
	report->warning = warning_of(path);
	if (report->key)
		return;
	why = diag_line(&diag);
	report->problem =
		mem_printf("report_key in [site] of clearconfd.conf: %s", why);
}

/* PREFIX without its end, ".state/", the host. */
static char *key_name(const struct site_docs *docs)
{
	return mem_printf("%.*s.state/%s", (int)strlen(docs->prefix) - 1,
			  docs->prefix, docs->host);
}

static void open_keep(struct report *report)
{
	struct engine *engine = report->engine;
	struct etcd_keep_config config = {
		.nodes = engine->site->feed.config.nodes,
		.key = str_from(report->name),
		.ttl_ms = (uint64_t)engine->settings->etcd.report_lease,
		.every_ms = EVERY_MS,
		.spread_ms = SPREAD_MS,
		.data = report,
		.whose = whose,
		.mark = mark,
		.on_mark = on_mark,
		.on_state = on_state,
		.token = token,
	};

	config.nodes.right = "the role of `user` in [site] of clearconfd.conf "
			     "to read and write this host's report, a key "
			     "beside the prefix";
	report->keep = etcd_keep_new(&engine->loop, engine->http, &config);
}

static void draw_run(char run[REPORT_RUN_HEX])
{
	uint64_t drawn = 0;

	if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
		drawn = (uint64_t)clock_boot_ms();
	(void)snprintf(run, REPORT_RUN_HEX, "%016llx",
		       (unsigned long long)drawn);
}

struct report *report_new(struct engine *engine)
{
	struct report *report;

	if (!engine->site || !engine->site->etcd ||
	    !engine->settings->etcd.report)
		return NULL;
	report = mem_alloc(sizeof(*report));
	report->engine = engine;
	report->facts.engine = engine;
	report->facts.started = clock_wall_of(engine->started_at);
	draw_run(report->facts.run);
	report->name = key_name(&engine->site->docs);
	find_key(report, engine->settings);
	(void)uv_timer_init(&engine->loop, &report->soon);
	report->soon.data = report;
	if (!report->problem)
		open_keep(report);
	report_look(report);
	return report;
}

static void on_closed(uv_handle_t *handle)
{
	struct report *report = handle->data;

	report_digests_free(report->facts.digests, report->facts.digest_count);
	mem_free(report->facts.problem);
	mem_free(report->key);
	mem_free(report->problem);
	mem_free(report->warning);
	mem_free(report->name);
	buf_deinit(&report->told);
	mem_free(report);
}

void report_close(struct report *report)
{
	if (!report)
		return;
	report_job_leave(report->job);
	etcd_keep_close(report->keep);
	uv_close((uv_handle_t *)&report->soon, on_closed);
}
