#include "text/report_html.h"

#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"
#include "text/answer.h"
#include "text/key_text.h"
#include "text/place_text.h"
#include "value/json.h"
#include "value/value.h"

#define VALUE_MAX 400 /* bytes of a value; longer ones are cut */
#define FEW       100 /* values that are shown unfolded */

/* clang-format off */
static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" "
	"content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<title>clearconf report</title>\n<style>\n"
	":root{--page:#fbfbfa;--card:#fff;--ink:#1b1f24;--dim:#5b6470;--line:#dfe3e8;"
	"--good:#1a7f37;--warn:#8a5a00;--bad:#b3261e}\n"
	"@media(prefers-color-scheme:dark){:root{--page:#14171b;--card:#1c2126;--ink:#e4e8ec;"
	"--dim:#9aa5b1;--line:#323a43;--good:#57c878;--warn:#e0a84a;--bad:#ff8a80}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;padding:2rem 1rem 4rem;max-width:68rem;background:var(--page);"
	"color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
	"h1{margin:0;font-size:1.6rem}h2{margin:2.5rem 0 .75rem;font-size:1.2rem}"
	"h3{margin:0 0 .5rem;font-size:1rem}\n"
	".card{margin:0 0 1rem;padding:1rem;background:var(--card);border:1px solid var(--line);"
	"border-radius:8px;overflow-x:auto}\n"
	".dim{color:var(--dim)}.ok,.ready{color:var(--good)}"
	".warning,.starting,.stale,.degraded{color:var(--warn)}"
	".problem,.broken,.offline,.refused{color:var(--bad)}\n"
	"table{width:100%;border-collapse:collapse}"
	"th,td{padding:.3rem .75rem .3rem 0;text-align:left;vertical-align:top;"
	"border-bottom:1px solid var(--line)}"
	"tr:last-child>*{border-bottom:0}th{width:10rem;font-weight:600;color:var(--dim);white-space:nowrap}\n"
	"code{font:13px/1.5 ui-monospace,monospace;overflow-wrap:break-word}\n"
	"summary{cursor:pointer;font-weight:600}\n"
	"</style>\n</head>\n<body>\n";
/* clang-format on */

/* --- pieces ----------------------------------------------------------------
 */

static const char *entity_of(char c)
{
	static const char *const entities[256] = {
		['&'] = "&amp;",  ['<'] = "&lt;",   ['>'] = "&gt;",
		['"'] = "&quot;", ['\''] = "&#39;",
	};

	return entities[(unsigned char)c];
}

static void text(struct buf *out, struct str value)
{
	_cleanup_(buf_deinit) struct buf clean = BUF_INIT;

	printable_add(&clean, value);
	for (size_t i = 0; i < clean.len; i++) {
		const char *entity = entity_of(clean.data[i]);

		if (entity)
			buf_puts(out, entity);
		else
			buf_putc(out, clean.data[i]);
	}
}

/* <td class="@class">; "" is no class. */
static void cell(struct buf *out, const char *class, struct str value)
{
	buf_printf(out, "<td class=\"%s\">", class);
	text(out, value);
	buf_puts(out, "</td>");
}

static void code_cell(struct buf *out, struct str value)
{
	buf_puts(out, "<td><code>");
	text(out, value);
	buf_puts(out, "</code></td>");
}

/* A row of a name and what it is. */
static void fact(struct buf *out, const char *name, struct str value)
{
	if (!value.len)
		return;
	buf_printf(out, "<tr><th scope=\"row\">%s</th>", name);
	cell(out, "", value);
	buf_puts(out, "</tr>\n");
}

static void moment(struct buf *out, int64_t seconds)
{
	time_t at = (time_t)seconds;
	char shown[32] = "";
	struct tm local;

	if (localtime_r(&at, &local))
		(void)strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M:%S",
			       &local);
	buf_puts(out, shown);
}

static void last_answer(struct buf *out, int64_t seconds)
{
	_cleanup_(buf_deinit) struct buf shown = BUF_INIT;

	if (!seconds)
		return;
	moment(&shown, seconds);
	fact(out, "last answer", buf_str(&shown));
}

/* "vault team:3:12" */
static void place_cell(struct buf *out, const struct value *origin)
{
	_cleanup_(buf_deinit) struct buf place = BUF_INIT;

	buf_printf(&place, "%.*s ", STR_PRINT(answer_text(origin, "layer")));
	place_text_add(&place, origin);
	code_cell(out, str_trim(buf_str(&place)));
}

static void value_cell(struct buf *out, const struct value *value)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct str shown;

	if (value)
		json_write(&json, value);
	shown = buf_str(&json);
	if (shown.len > VALUE_MAX) {
		shown.len = VALUE_MAX;
		shown.len = str_utf8_invalid(shown);
	}
	buf_puts(out, "<td><code>");
	text(out, shown);
	buf_puts(out, shown.len < json.len ? "&hellip;</code></td>"
					   : "</code></td>");
}

/* An item of a list, or NULL behind the last. */
static const struct value *item(const struct value *list, uint32_t index)
{
	return value_is(list, VALUE_LIST) && index < list->list.count
		       ? list->list.items[index]
		       : NULL;
}

/* A word that is a class too, if we know it as one. */
static const char *class_of(struct str state)
{
	static const char *const classes[] = {
		"ok",       "ready",   "warning", "starting", "stale",
		"degraded", "problem", "broken",  "offline",  "refused"};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (str_is(state, classes[i]))
			return classes[i];
	return "dim";
}

/* --- sections --------------------------------------------------------------
 */

static void write_findings(struct buf *out, const struct report *report)
{
	buf_puts(out,
		 "<h2>What doctor finds</h2>\n<div class=\"card\"><table>\n");
	for (size_t i = 0; i < report->count; i++) {
		struct str verdict = str_from(report->findings[i].verdict);

		buf_puts(out, "<tr>");
		cell(out, class_of(verdict), verdict);
		cell(out, "", str_from(report->findings[i].text));
		buf_puts(out, "</tr>\n");
	}
	buf_puts(out, "</table></div>\n");
}

static void write_layer(struct buf *out, const struct value *layer)
{
	struct str state = answer_text(layer, "state");
	struct str description = answer_text(layer, "description");
	int64_t line = answer_int(layer, "line", 0);
	_cleanup_(buf_deinit) struct buf problem = BUF_INIT;

	if (line)
		buf_printf(&problem, "line %lld: ", (long long)line);
	buf_add_str(&problem, answer_text(layer, "error"));
	buf_puts(out, "<tr>");
	cell(out, "", answer_text(layer, "layer"));
	cell(out, class_of(state), state);
	code_cell(out,
		  description.len ? description : answer_text(layer, "source"));
	cell(out, "", buf_str(&problem));
	buf_puts(out, "</tr>\n");
}

static void write_layers(struct buf *out, const struct value *layers)
{
	const struct value *layer;

	buf_puts(out,
		 "<div class=\"card\"><h3>Layers, weakest first</h3><table>\n");
	for (uint32_t i = 0; (layer = item(layers, i)); i++)
		write_layer(out, layer);
	buf_puts(out, "</table></div>\n");
}

static void write_key(struct buf *out, const struct value *workspace)
{
	struct str key = answer_text(workspace, "access_key");
	_cleanup_(buf_deinit) struct buf shown = BUF_INIT;

	if (!key.len)
		return;
	key_text_add(&shown, key);
	buf_puts(&shown, " from ");
	place_text_add(&shown, value_get(workspace, STR("access_key_origin")));
	fact(out, "key", buf_str(&shown));
}

static void write_workspace(struct buf *out, const struct value *workspace)
{
	const struct value *server = value_get(workspace, STR("server"));
	struct str state = answer_text(workspace, "state");

	buf_puts(out, "<h2>Workspace ");
	text(out, answer_text(workspace, "name"));
	buf_printf(out, "%s: <span class=\"%s\">",
		   answer_bool(workspace, "active") ? " (active)" : "",
		   class_of(state));
	text(out, state);
	buf_puts(out, "</span></h2>\n<div class=\"card\"><table>\n");
	fact(out, "server", answer_text(server, "api_server"));
	fact(out, "no server", answer_text(workspace, "unasked"));
	fact(out, "version", answer_text(server, "server_version"));
	fact(out, "user", answer_text(workspace, "user_name"));
	fact(out, "company", answer_text(workspace, "company_name"));
	write_key(out, workspace);
	last_answer(out, answer_int(server, "last_success", 0));
	fact(out, "last error", answer_text(server, "last_error"));
	buf_puts(out, "</table></div>\n");
	write_layers(out, value_get(workspace, STR("layers")));
}

static void write_leaf(struct buf *out, const struct value *leaf)
{
	const struct value *losers = value_get(leaf, STR("overridden"));
	const struct value *loser;
	struct str note = answer_text(leaf, "note");

	buf_puts(out, "<tr>");
	code_cell(out, answer_text(leaf, "path"));
	value_cell(out, value_get(leaf, STR("value")));
	place_cell(out, value_get(leaf, STR("origin")));
	buf_puts(out, "</tr>\n");
	for (uint32_t i = 0; (loser = item(losers, i)); i++) {
		buf_puts(out, "<tr class=\"dim\"><td>&emsp;overrides</td>");
		value_cell(out, value_get(loser, STR("value")));
		place_cell(out, value_get(loser, STR("origin")));
		buf_puts(out, "</tr>\n");
	}
	if (!note.len)
		return;
	buf_puts(out,
		 "<tr class=\"warning\"><td>&emsp;note</td><td colspan=\"2\">");
	text(out, note);
	buf_puts(out, "</td></tr>\n");
}

static void write_explanation(struct buf *out, const struct value *explain)
{
	const struct value *leaves = value_get(explain, STR("leaves")), *leaf;

	buf_puts(out, "<h2>Values, and where they come from</h2>\n"
		      "<div class=\"card\">");
	if (!value_is(leaves, VALUE_LIST)) {
		buf_puts(out, "Not told: <code>clearconf explain PATH</code> "
			      "tells a part.</div>\n");
		return;
	}
	buf_printf(out, "<details%s><summary>%u values</summary><table>\n",
		   leaves->list.count <= FEW ? " open" : "",
		   leaves->list.count);
	for (uint32_t i = 0; (leaf = item(leaves, i)); i++)
		write_leaf(out, leaf);
	buf_puts(out, "</table></details></div>\n");
}

static void write_change(struct buf *out, const struct value *generation,
			 const struct value *change)
{
	buf_printf(out, "<tr><td>%lld</td><td>",
		   (long long)answer_int(generation, "generation", 0));
	moment(out, answer_int(generation, "time", 0));
	buf_puts(out, "</td>");
	cell(out, "", answer_text(generation, "cause"));
	cell(out, "dim", answer_text(change, "kind"));
	code_cell(out, answer_text(change, "path"));
	place_cell(out, value_get(change, STR("origin")));
	buf_puts(out, "</tr>\n");
}

static void write_history(struct buf *out, const struct value *history)
{
	const struct value *list = value_get(history, STR("generations"));
	const struct value *generation, *change;

	buf_puts(out, "<h2>What changed, newest first</h2>\n"
		      "<div class=\"card\"><table>\n");
	for (uint32_t i = 0; (generation = item(list, i)); i++) {
		const struct value *changes =
			value_get(generation, STR("changes"));
		uint32_t j = 0;

		while ((change = item(changes, j++)))
			write_change(out, generation, change);
		if (j == 1)
			write_change(out, generation, NULL);
	}
	buf_puts(out, "</table></div>\n");
}

static void write_title(struct buf *out, const struct report *report)
{
	struct str state = answer_text(report->status, "state");

	buf_puts(out, "<h1>clearconf report</h1>\n<p>");
	if (report->status) {
		buf_puts(out, "clearconfd ");
		text(out, answer_text(report->status, "version"));
		buf_printf(out, " is <strong class=\"%s\">", class_of(state));
		text(out, state);
		buf_puts(out, "</strong>, mode ");
		text(out, answer_text(report->status, "mode"));
	} else {
		buf_puts(out, "<strong class=\"problem\">No daemon "
			      "answers</strong>");
	}
	buf_puts(out, ". <span class=\"dim\">Made ");
	moment(out, report->now);
	buf_puts(out, "; secrets are masked.</span></p>\n");
}

void report_html_write(struct buf *out, const struct report *report)
{
	const struct value *workspaces =
		value_get(report->status, STR("workspaces"));
	const struct value *workspace;

	buf_puts(out, head);
	write_title(out, report);
	write_findings(out, report);
	for (uint32_t i = 0; (workspace = item(workspaces, i)); i++)
		write_workspace(out, workspace);
	if (report->status) {
		write_history(out, report->history);
		write_explanation(out, report->explain);
	}
	buf_puts(out, "</body>\n</html>\n");
}
