#ifndef READ_YAML_H
#define READ_YAML_H

/*
 * YAML 1.1 -> document, with the values PyYAML's safe loader gives
 * (semantics.md, "YAML", has the differences; the types of scalars are
 * yaml_scalar.c's).
 *
 * libyaml turns the text into events; one function for each production of the
 * YAML tree turns these into values. What an alias stands for, and what is
 * merged by <<, is not copied: the tree holds the anchor's value once more, and
 * its position is the anchor's. Nobody changes a value after it is read. What
 * the aliases would come to when written out is counted against the limits.
 */

#include <stdbool.h>

struct reading;

bool yaml_read(struct reading *reading);

#endif
