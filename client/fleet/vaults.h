#ifndef FLEET_VAULTS_H
#define FLEET_VAULTS_H

/*
 * Vaults: the revisions of them that come to a share of the hosts first
 * ([change] stage), and are called bad for the others (fetch/verdicts.h): by
 * people, or by what the first ones report.
 */

#include "fetch/verdicts.h"
#include "fleet/plan.h"

struct buf;
struct fleet;
struct store;

/* Exit statuses, complained about; what was done is printed. @reason NULL: none
 * is given. */
int vaults_call_bad(struct store *store, const char *revision,
		    const char *reason);
int vaults_call_good(struct store *store, const char *revision);

/* Who looks at the fleet, and calls bad what passes a limit. */
struct vaults_guard {
	struct store *store;
	struct plan plan; /* its limits; none: it does nothing */

	/* What has been called bad while it looked: who calls that good again
	 * is not contradicted. */
	struct verdicts seen;
};

/* NULL, or what is wrong with @limits, static. */
const char *vaults_guard_set(struct vaults_guard *guard, const char *limits);
void vaults_guard_deinit(struct vaults_guard *guard);

/* Call bad what hosts of @fleet find bad and others wait for. An exit status,
 * complained about. */
int vaults_guard_look(struct vaults_guard *guard, const struct fleet *fleet);

/* --- as they are shown ---------------------------------------------------- */

/* Of each that is called bad a line; the list. */
void vaults_add_text(struct buf *out, const struct fleet *fleet);
void vaults_add_json(struct buf *out, const struct fleet *fleet);

/* What becomes of @revision, for which a host waits. */
void vaults_add_wait(struct buf *out, const struct fleet *fleet,
		     struct str revision);

#endif
