#include "config/storage_uri.h"

#include <arpa/inet.h>

#include "base/arena.h"
#include "base/mem.h"
#include "config/idna.h"

#define PORT_MAX 65535

/* What may stand in a segment as it is, besides letters and digits. */
#define SEGMENT_SAFE "-._~:@!$&'()*+,;="
#define HOST_UNSAFE  "!@#$%^&'\"*()+=:;/"

static char lower(char c)
{
	if (c < 'A' || c > 'Z')
		return c;
	return (char)(c + ('a' - 'A'));
}

static bool is_alphanumeric(char c)
{
	char small = lower(c);

	return (c >= '0' && c <= '9') || (small >= 'a' && small <= 'z');
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

struct str storage_uri_lower(struct arena *arena, struct str text)
{
	char *copy = arena_alloc(arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		copy[i] = lower(text.ptr[i]);
	return (struct str){copy, text.len};
}

/* @text up to the first character of @ends, or all of it. */
static struct str up_to(struct str text, const char *ends)
{
	size_t len = 0;

	while (len < text.len && !is_one_of(text.ptr[len], ends))
		len++;
	return (struct str){text.ptr, len};
}

void storage_uri_split(struct storage_uri *uri, struct arena *arena,
		       struct str text)
{
	struct str scheme = up_to(text, ":/?#");
	struct str rest = str_from_offset(text, scheme.len);

	*uri = (struct storage_uri){.scheme = STR(""), .authority = STR("")};
	if (scheme.len && str_starts(rest, STR("://"))) {
		rest = str_from_offset(rest, 3);
		uri->scheme = storage_uri_lower(arena, scheme);
		uri->authority = up_to(rest, "/?#");
		text = str_from_offset(rest, uri->authority.len);
	}
	uri->path = up_to(text, "?#");
}

/* --- the network part ------------------------------------------------------
 */

/* Where the port's ':' is, past the brackets of an IPv6 address; the length of
 * @text when there is no port. */
static size_t find_port(struct str text)
{
	for (size_t i = text.len; i > 0; i--) {
		if (text.ptr[i - 1] == ']')
			break;
		if (text.ptr[i - 1] == ':')
			return i - 1;
	}
	return text.len;
}

/* 0 for none, as in "host:"; negative for what is no port. */
static int read_port(struct str digits)
{
	int port = 0;

	for (size_t i = 0; i < digits.len; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return -1;
		port = port * 10 + (digits.ptr[i] - '0');
		if (port > PORT_MAX)
			return -1;
	}
	return digits.len && !port ? -1 : port;
}

static bool is_ipv6(struct str host)
{
	struct in6_addr address;
	char text[INET6_ADDRSTRLEN];

	if (host.len < 2 || host.ptr[0] != '[' ||
	    host.ptr[host.len - 1] != ']' || host.len - 2 >= sizeof(text))
		return false;
	memcpy(text, host.ptr + 1, host.len - 2);
	text[host.len - 2] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

/* A dot at the end is the root's; no other label may be empty. */
static const char *check_host(struct str host)
{
	char before = '.';

	if (is_ipv6(host))
		return NULL;
	for (size_t i = 0; i < host.len; i++) {
		if (is_one_of(host.ptr[i], HOST_UNSAFE))
			return "a host name holds none of " HOST_UNSAFE;
		if (host.ptr[i] == '.' && before == '.')
			return "a part of the host name is empty";
		before = host.ptr[i];
	}
	return NULL;
}

const char *storage_authority_read(struct storage_authority *authority,
				   struct arena *arena, struct str text)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct str host = {text.ptr, find_port(text)};
	int port = read_port(str_from_offset(text, host.len + 1));
	const char *wrong = check_host(host);

	if (port < 0)
		return "after the ':' of a host comes a port, 1 to 65535";
	if (wrong)
		return wrong;
	if (!idna_add_host(&out, host))
		return "a part of the host name is longer than 63 characters";
	if (port)
		buf_printf(&out, ":%d", port);
	authority->text = arena_str(arena, buf_str(&out));
	authority->host = storage_uri_lower(arena, host);
	authority->has_port = port > 0;
	return NULL;
}

/* --- the path --------------------------------------------------------------
 */

static bool is_encoded_byte(struct str text)
{
	return text.len >= 3 && text.ptr[0] == '%' &&
	       str_hex_digit(text.ptr[1]) >= 0 &&
	       str_hex_digit(text.ptr[2]) >= 0;
}

/* Letters of all scripts count as valid, though encoding encodes them. */
static bool is_encoded_text(struct str segment)
{
	for (; segment.len; segment = str_from_offset(segment, 1)) {
		char c = segment.ptr[0];

		if (!is_encoded_byte(segment) && !is_alphanumeric(c) &&
		    !is_one_of(c, SEGMENT_SAFE) && (unsigned char)c < 0x80)
			return false;
	}
	return true;
}

/* Bytes that are not UTF-8 become U+FFFD. */
static void add_utf8(struct buf *out, struct str bytes)
{
	size_t valid;

	while (bytes.len) {
		valid = str_utf8_invalid(bytes);
		buf_add(out, bytes.ptr, valid);
		if (valid < bytes.len)
			buf_puts(out, "\xef\xbf\xbd");
		bytes = str_from_offset(bytes, valid + 1);
	}
}

static struct str decode(struct arena *arena, struct str segment)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT, text = BUF_INIT;

	while (segment.len) {
		if (is_encoded_byte(segment)) {
			buf_putc(&bytes,
				 (char)(str_hex_digit(segment.ptr[1]) * 16 +
					str_hex_digit(segment.ptr[2])));
			segment = str_from_offset(segment, 3);
		} else {
			buf_putc(&bytes, segment.ptr[0]);
			segment = str_from_offset(segment, 1);
		}
	}
	add_utf8(&text, buf_str(&bytes));
	return arena_str(arena, buf_str(&text));
}

struct str storage_path_next(struct arena *arena, struct str path, size_t *at)
{
	struct str segment = up_to(str_from_offset(path, *at), "/");

	*at += segment.len + 1;
	return is_encoded_text(segment) ? decode(arena, segment) : segment;
}

static void encode(struct buf *out, struct str segment)
{
	for (size_t i = 0; i < segment.len; i++) {
		char c = segment.ptr[i];

		if (is_alphanumeric(c) || is_one_of(c, SEGMENT_SAFE))
			buf_putc(out, c);
		else
			buf_printf(out, "%%%02X", (unsigned char)c);
	}
}

void storage_path_add(struct buf *out, struct arena *arena, struct str path)
{
	size_t at = 0;

	while (at <= path.len) {
		if (at)
			buf_putc(out, '/');
		encode(out, storage_path_next(arena, path, &at));
	}
}
