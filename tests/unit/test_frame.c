#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "serve/frame.h"

#define LIMIT 16

/* All messages of @bytes, fed @chunk bytes at a time, joined by '|'; '!' where
 * framing is lost. */
static void frame_all(struct frame *frame, struct str bytes, size_t chunk,
		      struct buf *messages)
{
	struct str input, message;
	size_t len;
	int r = 0;

	while (bytes.len && r != FRAME_E_TOO_LONG) {
		len = chunk < bytes.len ? chunk : bytes.len;
		input = (struct str){bytes.ptr, len};
		bytes = str_from_offset(bytes, len);
		while (!(r = frame_next(frame, &input, LIMIT, &message))) {
			buf_add_str(messages, message);
			buf_putc(messages, '|');
		}
	}
	if (r == FRAME_E_TOO_LONG)
		buf_putc(messages, '!');
}

static void messages_are_the_same_however_they_are_cut(void **state)
{
	static const struct {
		struct str bytes;
		const char *messages;
		size_t held;
	} cases[] = {
		{STR(""), "", 0},
		{STR("a\0"), "a|", 0},
		{STR("a"), "", 1},
		{STR("\0"), "|", 0},
		{STR("\0\0\0"), "|||", 0},
		{STR("one\0two\0three\0"), "one|two|three|", 0},
		{STR("one\0two\0thr"), "one|two|", 3},
		{STR("0123456789abcdef\0x\0"), "0123456789abcdef|x|", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t chunk = 1; chunk <= 20; chunk++) {
			_cleanup_(buf_deinit) struct buf messages = BUF_INIT;
			_cleanup_(frame_deinit) struct frame frame = FRAME_INIT;

			frame_all(&frame, cases[i].bytes, chunk, &messages);
			assert_string_equal(buf_str(&messages).ptr,
					    cases[i].messages);
			assert_int_equal(frame_held(&frame), cases[i].held);
		}
}

static void a_message_over_the_limit_loses_framing(void **state)
{
	static const struct {
		struct str bytes;
		const char *messages;
	} cases[] = {
		{STR("0123456789abcdefg\0"), "!"},
		{STR("0123456789abcdefg"), "!"},
		{STR("ok\0"
		     "0123456789abcdefghij\0ok\0"),
		 "ok|!"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t chunk = 1; chunk <= 24; chunk++) {
			_cleanup_(buf_deinit) struct buf messages = BUF_INIT;
			_cleanup_(frame_deinit) struct frame frame = FRAME_INIT;

			frame_all(&frame, cases[i].bytes, chunk, &messages);
			assert_string_equal(buf_str(&messages).ptr,
					    cases[i].messages);
		}
}

static void a_whole_message_is_not_copied(void **state)
{
	_cleanup_(frame_deinit) struct frame frame = FRAME_INIT;
	struct str input = STR("one\0two\0"), message;
	const char *start = input.ptr;

	(void)state;
	assert_int_equal(frame_next(&frame, &input, LIMIT, &message), 0);
	assert_ptr_equal(message.ptr, start);
	assert_int_equal(frame_next(&frame, &input, LIMIT, &message), 0);
	assert_ptr_equal(message.ptr, start + 4);
	assert_null(frame.kept.data);
}

static void nothing_is_held_between_messages(void **state)
{
	_cleanup_(frame_deinit) struct frame frame = FRAME_INIT;
	struct str part = STR("on"), rest = STR("e\0"), message;

	(void)state;
	assert_int_equal(frame_next(&frame, &part, LIMIT, &message),
			 FRAME_E_NONE);
	assert_non_null(frame.kept.data);
	assert_int_equal(frame_next(&frame, &rest, LIMIT, &message), 0);
	assert_true(str_is(message, "one"));
	assert_int_equal(frame_next(&frame, &rest, LIMIT, &message),
			 FRAME_E_NONE);
	assert_null(frame.kept.data);
}

static void kept_input_comes_before_new(void **state)
{
	_cleanup_(frame_deinit) struct frame frame = FRAME_INIT;
	_cleanup_(buf_deinit) struct buf messages = BUF_INIT;

	(void)state;
	frame_keep(&frame, STR("one\0tw"));
	frame_keep(&frame, STR("o\0thr"));
	assert_int_equal(frame_held(&frame), 11);
	frame_all(&frame, STR("ee\0four\0"), 3, &messages);
	assert_string_equal(buf_str(&messages).ptr, "one|two|three|four|");
}

static void what_is_kept_can_be_taken_and_kept_by_turns(void **state)
{
	_cleanup_(frame_deinit) struct frame frame = FRAME_INIT;
	struct str none = STR(""), message;
	char digit[2] = "0";

	(void)state;
	for (int i = 0; i < 10; i++) {
		digit[0] = (char)('0' + i);
		frame_keep(&frame, (struct str){digit, 2});
	}
	for (int i = 0; i < 10; i++) {
		assert_int_equal(frame_next(&frame, &none, LIMIT, &message), 0);
		assert_int_equal(message.ptr[0], '0' + i);
		frame_keep(&frame, STR("x\0"));
	}
	assert_int_equal(frame_held(&frame), 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_the_same_however_they_are_cut),
		cmocka_unit_test(a_message_over_the_limit_loses_framing),
		cmocka_unit_test(a_whole_message_is_not_copied),
		cmocka_unit_test(nothing_is_held_between_messages),
		cmocka_unit_test(kept_input_comes_before_new),
		cmocka_unit_test(what_is_kept_can_be_taken_and_kept_by_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
