#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clearconf.h"
#include "handle.h"
#include "json_scan.h"

int handle_fail(struct clearconf *handle, int result, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(handle->error, sizeof(handle->error), format, ap);
	va_end(ap);
	for (char *c = handle->error; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = '?';
	return result;
}

/* {member} stands for that parameter of the error, {:member} for a colon and
 * the parameter, where there is one. */
static const struct error_text {
	const char *name, *text;
	/* It is for this JSON of a parameter only; NULL: for any other. */
	const char *member, *value;
} texts[] = {
	{"io.clearconf.PathNotFound", "there is nothing at the path '{path}'"},
	{"io.clearconf.InvalidPath",
	 "the path '{path}' is wrong at offset {offset}: {reason}"},
	{"io.clearconf.UnknownWorkspace", "there is no workspace '{name}'"},
	{"io.clearconf.UnknownGeneration",
	 "there is no generation {generation} in the history, which begins "
	 "with {oldest}"},
	{"io.clearconf.AccessDenied",
	 "access denied: this needs the right '{right}'"},
	{"io.clearconf.NotReady", "not ready: {reason}"},
	{"io.clearconf.ServerError",
	 "the ClearML server was not reached for {endpoint}: {message}",
	 "status", "0"},
	{"io.clearconf.ServerError",
	 "the ClearML server refused {endpoint} (status {status}): {message}"},
	{"io.clearconf.QuotaExceeded", "over the limit '{quota}' of {limit}"},
	{"io.clearconf.NoStorageMatch",
	 "no credentials are configured for '{uri}'"},
	{"io.clearconf.BrokenConfiguration",
	 "broken configuration in {source}{:line}{:column}: {reason}"},
	{"org.varlink.service.InterfaceNotFound",
	 "the daemon does not know the interface {interface}"},
	{"org.varlink.service.MethodNotFound",
	 "the daemon does not know the method {method}"},
	{"org.varlink.service.MethodNotImplemented",
	 "the daemon does not offer the method {method}"},
	{"org.varlink.service.InvalidParameter",
	 "the daemon does not take the parameter '{parameter}'"},
};

/* A fixed buffer that keeps room for its NUL. */
struct line {
	char *at, *end;
};

static void put(struct line *line, char c)
{
	if (line->at < line->end)
		*line->at++ = c;
}

static bool is_printable_escape(char c)
{
	return c == '"' || c == '\\' || c == '/';
}

/* A string without quotes and without the escapes of printable characters;
 * anything else as it is written. So control characters stay escaped, which
 * keeps the text on one line. */
static void put_value(struct line *line, struct json_slice value)
{
	if (!value.ptr)
		value = (struct json_slice){"?", 1};
	if (value.ptr[0] == '"')
		value = (struct json_slice){value.ptr + 1, value.len - 2};
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '\\' &&
		    is_printable_escape(value.ptr[i + 1]))
			i++;
		put(line, value.ptr[i]);
	}
}

/* One "{member}" of a text; the rest of the text after it. */
static const char *put_member(struct line *line, const char *text,
			      struct json_slice parameters)
{
	const char *close = strchr(text, '}');
	bool optional = text[1] == ':';
	char name[24];
	struct json_member member = {name, {0}};

	text += optional ? 2 : 1;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(close - text), text);
	(void)json_scan_object(parameters, &member, 1);
	if (optional && !member.value.ptr)
		return close + 1;
	if (optional)
		put(line, ':');
	put_value(line, member.value);
	return close + 1;
}

static bool is_for(const struct error_text *text,
		   const struct clearconf_reply *reply)
{
	struct json_member member = {text->member, {0}};
	struct json_slice parameters = {reply->parameters,
					reply->parameters_len};

	if (strcmp(text->name, reply->error) != 0)
		return false;
	if (!text->member)
		return true;
	(void)json_scan_object(parameters, &member, 1);
	return member.value.len == strlen(text->value) &&
	       !memcmp(member.value.ptr, text->value, member.value.len);
}

static const char *text_of(const struct clearconf_reply *reply)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (is_for(&texts[i], reply))
			return texts[i].text;
	return NULL;
}

void handle_explain(struct clearconf *handle,
		    const struct clearconf_reply *reply)
{
	struct json_slice parameters = {reply->parameters,
					reply->parameters_len};
	struct line line = {handle->error,
			    handle->error + sizeof(handle->error) - 1};
	const char *text = text_of(reply);

	if (!text) {
		(void)handle_fail(handle, 0, "the daemon answered with %s",
				  reply->error);
		return;
	}
	while (*text) {
		if (*text == '{')
			text = put_member(&line, text, parameters);
		else
			put(&line, *text++);
	}
	*line.at = '\0';
}
