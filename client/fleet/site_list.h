#ifndef FLEET_SITE_LIST_H
#define FLEET_SITE_LIST_H

/*
 * The documents that there are, for people and as JSON.
 */

#include <stdbool.h>

struct store;

/* An exit status, complained about. */
int site_list_print(struct store *store, bool json);

#endif
