#ifndef ELSEWHERE_H
#define ELSEWHERE_H

/*
 * Commands that clearconf lists and clearconf-fleet runs, and what the lists of
 * both say of them.
 */

#define FLEET_PROGRAM "clearconf-fleet"

#define SITE_SUMMARY "list, put and take back what etcd has for all hosts"

#define FLEET_SUMMARY   "show what the daemons of all hosts say of themselves"
#define ROLLOUT_SUMMARY "go on with documents on their way to all hosts"

extern const struct command elsewhere_fleet, elsewhere_rollout, elsewhere_site;

#endif
