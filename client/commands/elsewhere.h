#ifndef ELSEWHERE_H
#define ELSEWHERE_H

/*
 * Commands that clearconf lists and clearconf-fleet runs, and what the lists of
 * both say of them.
 */

#define FLEET_PROGRAM "clearconf-fleet"

#define SITE_SUMMARY "check a document before it is put into etcd"

extern const struct command elsewhere_site;

#endif
