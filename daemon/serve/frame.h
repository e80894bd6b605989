#ifndef SERVE_FRAME_H
#define SERVE_FRAME_H

/*
 * Framing: a stream of bytes -> messages, each ended by a NUL.
 *
 * A message that lies whole in the input is handed out where it is; only what
 * cannot be handed out yet is copied and kept. So a connection at rest holds no
 * memory, and one that is in the middle of a message holds that message.
 * Knows nothing of sockets.
 */

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct frame {
	struct buf kept; /* input that waits */
	size_t start;    /* bytes of it already handed out */
	size_t scanned;  /* bytes of it known to hold no further NUL */
};

#define FRAME_INIT ((struct frame){0})

enum {
	FRAME_E_NONE = 1, /* no whole message yet; all input is kept */
	FRAME_E_TOO_LONG, /* longer than the limit: framing is lost */
};

/* The next message, of at most @limit bytes without its NUL, from what is kept
 * and then from *input, which moves forward. 0, FRAME_E_NONE or
 * FRAME_E_TOO_LONG. *message is valid until the next call, and as long as the
 * input is. */
int frame_next(struct frame *frame, struct str *input, size_t limit,
	       struct str *message);

/* Keep @input for later, without a look at it. */
void frame_keep(struct frame *frame, struct str input);

/* Bytes that wait. */
static inline size_t frame_held(const struct frame *frame)
{
	return frame->kept.len - frame->start;
}

void frame_deinit(struct frame *frame);

#endif
