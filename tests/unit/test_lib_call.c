/* Calls and replies over a socket pair whose other end follows a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clearconf.h"
#include "lib/handle.h"

struct pair {
	struct clearconf *handle;
	int peer;
};

static struct pair pair_open(void)
{
	struct pair pair;
	int fds[2];

	assert_return_code(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(clearconf_new(&pair.handle), 0);
	pair.handle->fd = fds[0];
	pair.peer = fds[1];
	handle_set_state(pair.handle, HANDLE_IDLE);
	return pair;
}

static void pair_close(struct pair *pair)
{
	clearconf_free(pair->handle);
	assert_return_code(close(pair->peer), 0);
}

static int setup(void **state)
{
	static struct pair pair;

	pair = pair_open();
	*state = &pair;
	return 0;
}

static int teardown(void **state)
{
	pair_close(*state);
	return 0;
}

static void peer_says(struct pair *pair, const char *bytes, size_t len)
{
	assert_int_equal(write(pair->peer, bytes, len), len);
}

/* A whole message, with its NUL. */
static void peer_replies(struct pair *pair, const char *text)
{
	peer_says(pair, text, strlen(text) + 1);
}

static void assert_request(struct pair *pair, const char *expected)
{
	char bytes[512];
	ssize_t n = read(pair->peer, bytes, sizeof(bytes));

	assert_int_equal(n, strlen(expected) + 1);
	assert_memory_equal(bytes, expected, (size_t)n);
}

static void a_request_is_one_message(void **state)
{
	struct pair *pair = *state;

	assert_int_equal(clearconf_send(pair->handle, "io.clearconf.Get",
					"{\"path\":\"a\"}", false),
			 0);
	assert_request(pair, "{\"method\":\"io.clearconf.Get\","
			     "\"parameters\":{\"path\":\"a\"}}");
}

static void a_request_may_ask_for_more(void **state)
{
	struct pair *pair = *state;

	assert_int_equal(
		clearconf_send(pair->handle, "io.clearconf.Watch", NULL, true),
		0);
	assert_request(pair,
		       "{\"method\":\"io.clearconf.Watch\",\"more\":true}");
}

static void parameters_are_handed_on_as_written(void **state)
{
	static const char text[] =
		"{\"n\": 123456789012345678901234567890, \"s\":\"\\u0041\"}";
	struct pair *pair = *state;
	struct clearconf_reply reply;

	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, false), 0);
	peer_replies(pair, "{\"parameters\":{\"n\": "
			   "123456789012345678901234567890, "
			   "\"s\":\"\\u0041\"} }");
	assert_int_equal(clearconf_wait(pair->handle, &reply), 0);
	assert_string_equal(reply.parameters, text);
	assert_int_equal(reply.parameters_len, sizeof(text) - 1);
	assert_null(reply.error);
	assert_false(reply.continues);
}

static void a_reply_without_parameters_has_empty_ones(void **state)
{
	struct pair *pair = *state;
	struct clearconf_reply reply;

	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, false), 0);
	peer_replies(pair, "{}");
	assert_int_equal(clearconf_wait(pair->handle, &reply), 0);
	assert_string_equal(reply.parameters, "{}");
}

static void a_message_may_come_in_two_at_any_byte(void **state)
{
	static const char text[] = "{\"parameters\":{\"a\":\"b\"}}";
	struct pair *pair = *state;
	struct clearconf_reply reply;

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		assert_int_equal(
			clearconf_send(pair->handle, "a.B", NULL, false), 0);
		peer_says(pair, text, cut);
		assert_int_equal(clearconf_process(pair->handle, &reply),
				 CLEARCONF_E_AGAIN);
		peer_says(pair, text + cut, sizeof(text) - cut);
		assert_int_equal(clearconf_process(pair->handle, &reply), 0);
		assert_string_equal(reply.parameters, "{\"a\":\"b\"}");
	}
}

static void several_messages_may_come_at_once(void **state)
{
	static const char texts[] =
		"{\"parameters\":{\"n\":1},\"continues\":true}\0"
		"{\"parameters\":{\"n\":2},\"continues\":true}\0"
		"{\"parameters\":{\"n\":3}}";
	struct pair *pair = *state;
	struct clearconf_reply reply;

	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, true), 0);
	peer_says(pair, texts, sizeof(texts));
	assert_int_equal(clearconf_process(pair->handle, &reply), 0);
	assert_string_equal(reply.parameters, "{\"n\":1}");
	assert_true(reply.continues);
	assert_int_equal(clearconf_process(pair->handle, &reply), 0);
	assert_string_equal(reply.parameters, "{\"n\":2}");
	assert_int_equal(clearconf_process(pair->handle, &reply), 0);
	assert_string_equal(reply.parameters, "{\"n\":3}");
	assert_false(reply.continues);
	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, false), 0);
}

static void assert_error(struct pair *pair, const char *reply_text,
			 const char *expected)
{
	struct clearconf_reply reply;

	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, false), 0);
	peer_replies(pair, reply_text);
	assert_int_equal(clearconf_wait(pair->handle, &reply),
			 CLEARCONF_E_ERROR);
	assert_string_equal(clearconf_strerror(pair->handle), expected);
}

static void an_error_reads_as_a_sentence(void **state)
{
	struct pair *pair = *state;

	assert_error(pair,
		     "{\"error\":\"io.clearconf.PathNotFound\","
		     "\"parameters\":{\"path\":\"a.\\\"b c\\\"\"}}",
		     "there is nothing at the path 'a.\"b c\"'");
	assert_error(
		pair,
		"{\"parameters\":{\"path\":\"a\\n\",\"offset\":7,"
		"\"reason\":\"x\"},\"error\":\"io.clearconf.InvalidPath\"}",
		"the path 'a\\n' is wrong at offset 7: x");
	assert_error(pair,
		     "{\"error\":\"io.clearconf.BrokenConfiguration\","
		     "\"parameters\":{\"source\":\"/a.conf\",\"line\":3,"
		     "\"column\":7,\"reason\":\"x\"}}",
		     "broken configuration in /a.conf:3:7: x");
	assert_error(pair,
		     "{\"error\":\"io.clearconf.BrokenConfiguration\","
		     "\"parameters\":{\"source\":\"/a.conf\",\"reason\":"
		     "\"x\"}}",
		     "broken configuration in /a.conf: x");
	assert_error(pair, "{\"error\":\"io.clearconf.AccessDenied\"}",
		     "access denied: this needs the right '?'");
	assert_error(pair, "{\"error\":\"other.Failure\"}",
		     "the daemon answered with other.Failure");
}

static void an_error_has_its_name_and_parameters(void **state)
{
	struct pair *pair = *state;
	struct clearconf_reply reply;

	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, true), 0);
	peer_replies(pair, "{\"error\":\"a.Bad\",\"parameters\":{\"x\":1}}");
	assert_int_equal(clearconf_wait(pair->handle, &reply),
			 CLEARCONF_E_ERROR);
	assert_string_equal(reply.error, "a.Bad");
	assert_string_equal(reply.parameters, "{\"x\":1}");
}

/* The text is cut to its buffer, whatever the peer says. */
static void a_long_error_is_cut(void **state)
{
	struct pair *pair = *state;
	struct clearconf_reply reply;
	char text[4096] = "{\"error\":\"io.clearconf.NotReady\","
			  "\"parameters\":{\"reason\":\"";
	size_t len = strlen(text);

	memset(text + len, 'x', 3000);
	memcpy(text + len + 3000, "\"}}", 4);
	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, false), 0);
	peer_replies(pair, text);
	assert_int_equal(clearconf_wait(pair->handle, &reply),
			 CLEARCONF_E_ERROR);
	assert_int_equal(strlen(clearconf_strerror(pair->handle)),
			 sizeof(pair->handle->error) - 1);
}

static void assert_protocol_error(const char *text)
{
	struct pair pair = pair_open();
	struct clearconf_reply reply;

	assert_int_equal(clearconf_send(pair.handle, "a.B", NULL, false), 0);
	peer_replies(&pair, text);
	assert_int_equal(clearconf_wait(pair.handle, &reply), -EPROTO);
	assert_int_equal(clearconf_get_fd(pair.handle), -1);
	assert_int_equal(clearconf_wait(pair.handle, &reply), -ENOTCONN);
	pair_close(&pair);
}

static void nonsense_ends_the_connection(void **state)
{
	(void)state;
	assert_protocol_error("");
	assert_protocol_error("HTTP/1.1 400 Bad Request");
	assert_protocol_error("[]");
	assert_protocol_error("{\"parameters\":[]}");
	assert_protocol_error("{\"parameters\":{}");
	assert_protocol_error("{\"error\":1}");
	assert_protocol_error("{\"error\":\"\"}");
	assert_protocol_error("{\"continues\":true}");
}

static void an_answer_nobody_asked_for_ends_the_connection(void **state)
{
	struct pair *pair = *state;
	struct clearconf_reply reply;

	peer_replies(pair, "{}");
	assert_int_equal(clearconf_process(pair->handle, &reply), -EPROTO);
}

static void a_peer_that_dies_in_a_message_is_an_error(void **state)
{
	struct pair *pair = *state;
	struct clearconf_reply reply;

	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, false), 0);
	peer_says(pair, "{\"para", 6);
	assert_int_equal(shutdown(pair->peer, SHUT_RDWR), 0);
	assert_int_equal(clearconf_wait(pair->handle, &reply), -ECONNRESET);
	assert_string_not_equal(clearconf_strerror(pair->handle), "");
}

static void a_reply_over_the_limit_is_refused(void **state)
{
	struct pair *pair = *state;
	struct clearconf_reply reply;

	clearconf_set_limit(pair->handle, 20);
	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, false), 0);
	peer_replies(pair, "{\"parameters\":{\"aa\":1}}");
	assert_int_equal(clearconf_wait(pair->handle, &reply), -EMSGSIZE);
}

static void a_reply_at_the_limit_is_taken(void **state)
{
	static const char text[] = "{\"parameters\":{\"aa\":1}}";
	struct pair *pair = *state;
	struct clearconf_reply reply;

	clearconf_set_limit(pair->handle, sizeof(text) - 1);
	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, false), 0);
	peer_replies(pair, text);
	assert_int_equal(clearconf_wait(pair->handle, &reply), 0);
}

static void waiting_ends_and_may_go_on(void **state)
{
	struct pair *pair = *state;
	struct clearconf_reply reply;

	clearconf_set_timeout(pair->handle, 1);
	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, false), 0);
	assert_int_equal(clearconf_wait(pair->handle, &reply), -ETIMEDOUT);
	peer_replies(pair, "{}");
	assert_int_equal(clearconf_wait(pair->handle, &reply), 0);
}

static void a_call_that_times_out_disconnects(void **state)
{
	struct pair *pair = *state;
	struct clearconf_reply reply;

	clearconf_set_timeout(pair->handle, 0);
	assert_int_equal(clearconf_call(pair->handle, "a.B", NULL, &reply),
			 -ETIMEDOUT);
	assert_int_equal(clearconf_get_fd(pair->handle), -1);
}

static void mistakes_of_the_caller_are_told(void **state)
{
	struct pair *pair = *state;
	struct clearconf *handle = pair->handle;
	struct clearconf_reply reply;

	assert_int_equal(clearconf_wait(handle, &reply), -EINVAL);
	assert_int_equal(clearconf_send(handle, "a\"b", NULL, false), -EINVAL);
	assert_int_equal(clearconf_send(handle, "", NULL, false), -EINVAL);
	assert_int_equal(clearconf_send(handle, "a.B", "[]", false), -EINVAL);
	assert_int_equal(clearconf_send(handle, "a.B", NULL, false), 0);
	assert_int_equal(clearconf_send(handle, "a.B", NULL, false), -EBUSY);
	clearconf_disconnect(handle);
	assert_int_equal(clearconf_send(handle, "a.B", NULL, false), -ENOTCONN);
}

/* A request larger than the socket takes at once goes out as the peer reads. */
static void a_large_request_is_sent_as_the_peer_reads(void **state)
{
	static char parameters[1 << 20] = "{\"a\":\"";
	static char drain[1 << 16];
	struct pair *pair = *state;
	struct clearconf_reply reply;
	size_t got = 0;
	ssize_t n;

	memset(parameters + 6, 'x', sizeof(parameters) - 9);
	memcpy(parameters + sizeof(parameters) - 3, "\"}", 3);
	assert_int_equal(clearconf_send(pair->handle, "a.B", parameters, false),
			 0);
	while (clearconf_get_events(pair->handle) & POLLOUT) {
		while ((n = read(pair->peer, drain, sizeof(drain))) > 0)
			got += (size_t)n;
		assert_int_equal(clearconf_process(pair->handle, &reply),
				 CLEARCONF_E_AGAIN);
	}
	while ((n = read(pair->peer, drain, sizeof(drain))) > 0)
		got += (size_t)n;
	assert_int_equal(got, sizeof(parameters) + strlen("{\"method\":\"a.B\","
							  "\"parameters\":}"));
}

static void what_was_handed_out_is_wiped(void **state)
{
	static const char text[] = "{\"parameters\":{\"key\":\"secret\"}}";
	static const char zeros[sizeof(text)];
	struct pair *pair = *state;
	struct clearconf_reply reply;

	assert_int_equal(clearconf_send(pair->handle, "a.B", NULL, false), 0);
	peer_replies(pair, text);
	assert_int_equal(clearconf_wait(pair->handle, &reply), 0);
	assert_int_equal(clearconf_process(pair->handle, &reply),
			 CLEARCONF_E_AGAIN);
	assert_int_equal(pair->handle->in.len, 0);
	assert_memory_equal(pair->handle->in.data, zeros, sizeof(zeros));
}

static void memory_that_cannot_be_had_is_an_error(void **state)
{
	struct bytes bytes = {0};

	(void)state;
	assert_int_equal(bytes_add(&bytes, "abc", 3), 0);
	assert_int_equal(bytes_reserve(&bytes, SIZE_MAX), -ENOMEM);
	assert_memory_equal(bytes.data, "abc", 3);
	bytes_deinit(&bytes);
}

#define ON_A_PAIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_PAIR(a_request_is_one_message),
		ON_A_PAIR(a_request_may_ask_for_more),
		ON_A_PAIR(parameters_are_handed_on_as_written),
		ON_A_PAIR(a_reply_without_parameters_has_empty_ones),
		ON_A_PAIR(a_message_may_come_in_two_at_any_byte),
		ON_A_PAIR(several_messages_may_come_at_once),
		ON_A_PAIR(an_error_reads_as_a_sentence),
		ON_A_PAIR(an_error_has_its_name_and_parameters),
		ON_A_PAIR(a_long_error_is_cut),
		cmocka_unit_test(nonsense_ends_the_connection),
		ON_A_PAIR(an_answer_nobody_asked_for_ends_the_connection),
		ON_A_PAIR(a_peer_that_dies_in_a_message_is_an_error),
		ON_A_PAIR(a_reply_over_the_limit_is_refused),
		ON_A_PAIR(a_reply_at_the_limit_is_taken),
		ON_A_PAIR(waiting_ends_and_may_go_on),
		ON_A_PAIR(a_call_that_times_out_disconnects),
		ON_A_PAIR(mistakes_of_the_caller_are_told),
		ON_A_PAIR(a_large_request_is_sent_as_the_peer_reads),
		ON_A_PAIR(what_was_handed_out_is_wiped),
		cmocka_unit_test(memory_that_cannot_be_had_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
