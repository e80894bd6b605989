#include "serve/frame.h"

static void advance(struct str *input, size_t len)
{
	*input = str_from_offset(*input, len);
}

static const char *find_end(const char *bytes, size_t len)
{
	return len ? memchr(bytes, '\0', len) : NULL;
}

void frame_deinit(struct frame *frame)
{
	buf_deinit(&frame->kept);
	*frame = FRAME_INIT;
}

static void drop_used(struct frame *frame)
{
	if (!frame->start)
		return;
	if (!frame_held(frame)) {
		frame_deinit(frame);
	} else {
		buf_drop(&frame->kept, frame->start);
		frame->scanned -= frame->start;
		frame->start = 0;
	}
}

void frame_keep(struct frame *frame, struct str input)
{
	drop_used(frame);
	buf_add_str(&frame->kept, input);
}

/* Nothing is kept from earlier reads: the message lies where it was read. */
static int next_in_input(struct frame *frame, struct str *input, size_t limit,
			 struct str *message)
{
	const char *end = find_end(input->ptr, input->len);

	*message = (struct str){input->ptr,
				end ? (size_t)(end - input->ptr) : input->len};
	if (message->len > limit)
		return FRAME_E_TOO_LONG;
	if (!end) {
		frame_keep(frame, *input);
		frame->scanned = frame->kept.len;
		advance(input, input->len);
		return FRAME_E_NONE;
	}
	advance(input, message->len + 1);
	return 0;
}

/* Complete the kept beginning of a message. Returns where its NUL is, if it has
 * one now. */
static const char *complete(struct frame *frame, struct str *input)
{
	const char *end = find_end(input->ptr, input->len);
	size_t len = end ? (size_t)(end - input->ptr) + 1 : input->len;

	frame_keep(frame, (struct str){input->ptr, len});
	advance(input, len);
	return end ? frame->kept.data + frame->kept.len - 1 : NULL;
}

static int next_in_kept(struct frame *frame, struct str *input, size_t limit,
			struct str *message)
{
	const char *end = find_end(frame->kept.data + frame->scanned,
				   frame->kept.len - frame->scanned);
	const char *start;

	if (!end)
		end = complete(frame, input);
	start = frame->kept.data + frame->start;
	frame->scanned =
		end ? (size_t)(end - frame->kept.data) + 1 : frame->kept.len;
	*message = (struct str){start, end ? (size_t)(end - start)
					   : frame_held(frame)};
	if (message->len > limit)
		return FRAME_E_TOO_LONG;
	if (!end)
		return FRAME_E_NONE;
	frame->start = frame->scanned;
	return 0;
}

int frame_next(struct frame *frame, struct str *input, size_t limit,
	       struct str *message)
{
	if (frame->start && !frame_held(frame))
		frame_deinit(frame);
	if (!frame->kept.len)
		return next_in_input(frame, input, limit, message);
	return next_in_kept(frame, input, limit, message);
}
