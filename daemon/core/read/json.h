#ifndef READ_JSON_H
#define READ_JSON_H

/*
 * Strict JSON (RFC 8259) -> document.
 *
 * Integers keep all their digits; a number that a double cannot hold stays its
 * text; of a key given twice the last holds, with a warning. Also for bodies
 * of the ClearML API and for Varlink replies, whose numbers jansson refuses.
 */

#include <stdbool.h>

struct reading;

bool json_read(struct reading *reading);

#endif
