#ifndef READ_FINISH_H
#define READ_FINISH_H

/*
 * The end of resolving: what still is a delayed value is taken as what it comes
 * to, what is missing goes, and nothing is too deep, or a secret of the host in
 * a place that does not keep one.
 */

#include <stdbool.h>

struct reading;

bool finish_all(struct reading *reading);

#endif
