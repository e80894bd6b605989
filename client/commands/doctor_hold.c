/* The part of `doctor` about what outlasts the daemon: holds, which are for a
 * while and get forgotten, and the history. */

#include <time.h>

#include "base/mem.h"
#include "commands/doctor.h"
#include "text/answer.h"
#include "text/time_text.h"
#include "value/value.h"

#define OLD_S (7 * INT64_C(86400))

static void say_revoked(struct doctor *doctor, const struct value *workspace,
			const struct value *hold)
{
	const struct value *vaults = value_get(hold, STR("revoked_vaults"));
	int64_t secrets = answer_int(hold, "revoked", 0);

	if (secrets || vaults)
		doctor_say(doctor, DOCTOR_WARNING,
			   "hold: workspace %.*s serves %lld secrets and %u "
			   "vaults that have been revoked: 'clearconf hold' "
			   "names them, 'clearconf release' ends it",
			   STR_PRINT(answer_text(workspace, "name")),
			   (long long)secrets,
			   value_is(vaults, VALUE_LIST) ? vaults->list.count
							: 0);
}

static void look_at_hold(struct doctor *doctor, const struct value *workspace)
{
	_cleanup_(buf_deinit) struct buf age = BUF_INIT;
	const struct value *hold = value_get(workspace, STR("hold"));
	int64_t now = time(NULL), since = answer_int(hold, "since", now);
	bool old = now - since >= OLD_S;

	if (!value_is(hold, VALUE_OBJECT))
		return;
	time_text_add_span(&age, now - since);
	doctor_say(doctor, old ? DOCTOR_WARNING : DOCTOR_OK,
		   "hold: workspace %.*s holds generation %lld for %s (uid "
		   "%lld: %.*s)%s",
		   STR_PRINT(answer_text(workspace, "name")),
		   (long long)answer_int(hold, "generation", 0),
		   buf_str(&age).ptr, (long long)answer_int(hold, "uid", 0),
		   STR_PRINT(answer_text(hold, "reason")),
		   old ? ": has it been forgotten? 'clearconf diff' shows what "
			 "it keeps back"
		       : "");
	say_revoked(doctor, workspace, hold);
}

static void look_at_history(struct doctor *doctor,
			    const struct value *workspace)
{
	struct str problem = answer_text(workspace, "history_problem");

	if (problem.len)
		doctor_say(doctor, DOCTOR_WARNING,
			   "history: workspace %.*s: not all of it is on the "
			   "disk (%.*s): mend the daemon's state folder, or a "
			   "restart serves without the server what is there",
			   STR_PRINT(answer_text(workspace, "name")),
			   STR_PRINT(problem));
}

void doctor_look_at_histories(struct doctor *doctor)
{
	doctor_each_workspace(doctor, look_at_history);
}

void doctor_look_at_holds(struct doctor *doctor)
{
	doctor_each_workspace(doctor, look_at_hold);
}
