#ifndef KEY_TEXT_H
#define KEY_TEXT_H

/* Enough of an access key to tell which one it is: "ABCD****". */

#include "base/str.h"

struct buf;

#define KEY_TEXT_SHOWN 4 /* characters */

void key_text_add(struct buf *out, struct str key);

#endif
