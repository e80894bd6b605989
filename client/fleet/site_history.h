#ifndef FLEET_SITE_HISTORY_H
#define FLEET_SITE_HISTORY_H

/*
 * What a document said: the copies that etcd has of it.
 */

#include <stdbool.h>

struct revision;
struct store;

/* The copy @number (digits) of the document @name. An exit status, complained
 * about. */
int site_history_find(struct revision *copy, struct store *store,
		      const char *name, const char *number);

/* Print them all, the newest first. An exit status, complained about. */
int site_history_print(struct store *store, const char *name, bool json);

#endif
