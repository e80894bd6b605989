#ifndef FLEET_OBJECT_H
#define FLEET_OBJECT_H

/*
 * What somebody else has put into etcd as JSON. It may be anything.
 */

#include "base/str.h"

struct doc;

/* The JSON object @text, bounded in all it may cost; NULL: it is none. */
struct doc *object_read(struct str text);

#endif
