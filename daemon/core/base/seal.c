#include "base/seal.h"

#include <stdio.h>

#include "base/diag.h"
#include "base/sha256.h"

#define DIGEST_TEXT (2 * SHA256_BYTES)
#define LENGTH_TEXT 12
#define LINE_MAX    (64 + DIGEST_TEXT + LENGTH_TEXT)

struct line {
	char text[LINE_MAX];
	size_t len;
};

/* As it must be above @content. */
static void make_line(struct line *line, const struct seal *seal,
		      struct str content)
{
	unsigned char digest[SHA256_BYTES];
	char text[DIGEST_TEXT + 1];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, content);
	sha256_end(&hash, digest);
	sha256_write_hex(digest, sizeof(digest), text);
	line->len = (size_t)snprintf(
		line->text, sizeof(line->text), "%.20s %u %s %0*zu\n",
		seal->what, seal->version, text, LENGTH_TEXT, content.len);
}

void seal_write(struct buf *out, const struct seal *seal, struct str content)
{
	struct line line;

	make_line(&line, seal, content);
	buf_add(out, line.text, line.len);
	buf_add_str(out, content);
}

/* The version that a first line names; empty when it is none of ours. */
static struct str version_of(struct str rest)
{
	size_t len = 0;

	while (len < rest.len && rest.ptr[len] >= '0' && rest.ptr[len] <= '9')
		len++;
	return (struct str){rest.ptr, len < 10 ? len : 0};
}

static bool complain(const struct seal *seal, const char *name,
		     struct str bytes, struct diag *diag)
{
	struct str what = str_from(seal->what), version;
	char ours[16];

	if (!str_starts(bytes, what))
		return diag_set(diag, name, "does not begin as a %s file does",
				seal->what);
	version = version_of(str_from_offset(bytes, what.len + 1));
	(void)snprintf(ours, sizeof(ours), "%u", seal->version);
	if (version.len && !str_is(version, ours))
		return diag_set(diag, name,
				"has format %.*s, and this clearconf reads "
				"format %s alone",
				STR_PRINT(version), ours);
	return diag_set(diag, name,
			"is damaged: it is not what its first line was made "
			"of");
}

bool seal_open(const struct seal *seal, const char *name, struct str bytes,
	       struct str *content, struct diag *diag)
{
	const char *end = bytes.len ? memchr(bytes.ptr, '\n', bytes.len) : NULL;
	struct line line;

	*content = end ? str_from_offset(bytes, (size_t)(end - bytes.ptr) + 1)
		       : STR("");
	make_line(&line, seal, *content);
	return (str_starts(bytes, (struct str){line.text, line.len}) &&
		end == bytes.ptr + line.len - 1) ||
	       complain(seal, name, bytes, diag);
}
