#ifndef ANSWER_H
#define ANSWER_H

/* Members of a daemon's answer, when they are there and of the right type. */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct value;

/* {NULL, 0} when there is no such text. */
struct str answer_text(const struct value *object, const char *key);

int64_t answer_int(const struct value *object, const char *key,
		   int64_t otherwise);
bool answer_bool(const struct value *object, const char *key);

#endif
