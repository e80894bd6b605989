#include "text/key_text.h"

#include "base/buf.h"
#include "wire.h"

void key_text_add(struct buf *out, struct str key)
{
	/* Of a short one half would be told. */
	if (key.len > (size_t)2 * KEY_TEXT_SHOWN)
		buf_add(out, key.ptr, KEY_TEXT_SHOWN);
	buf_puts(out, WIRE_MASK);
}
