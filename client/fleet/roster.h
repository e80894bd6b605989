#ifndef FLEET_ROSTER_H
#define FLEET_ROSTER_H

/*
 * Roster: the hosts that have been seen. A report goes with its lease, so that
 * a host is offline is known only to who remembers it: whoever looks at the
 * fleet and may write keeps BASE.roster/HOST for it, without a lease, and
 * writes only when a host comes, goes, or is another machine.
 */

#include "fleet/store.h"

struct fleet;

/* Where keys come from: in their order, all that begin with @prefix. An exit
 * status, complained about. */
struct roster_source {
	int (*read)(void *data, const char *prefix, store_kv_fn each,
		    void *each_data);
	void *data;
};

/* The fleet: reports, roster and documents, judged. @source NULL: etcd. An exit
 * status, complained about. */
int roster_load(struct fleet *fleet, struct store *store,
		const struct roster_source *source);

/* Forget the host @name, which is to have no report. An exit status, complained
 * about. */
int roster_forget(struct store *store, const char *name);

#endif
