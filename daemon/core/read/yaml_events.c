#include "read/yaml_events.h"

#include <string.h>

#include "base/diag.h"
#include "base/source.h"

/* libyaml compares every %TAG directive with every other, and every tag with
 * all of them; without a limit, that is hours for a text of megabytes. */
#define TAG_DIRECTIVE      STR("%TAG")
#define TAG_DIRECTIVES_MAX 16

static bool is_continuation(const struct yaml_events *events)
{
	const char *text = events->source->text.ptr;

	return ((unsigned char)text[events->bytes] & 0xC0) == 0x80;
}

/* The byte that @mark points to. Marks come nearly in order, so the way there
 * is short. */
static size_t offset_of(struct yaml_events *events, const yaml_mark_t *mark)
{
	while (events->characters < mark->index &&
	       events->bytes < events->source->text.len) {
		do
			events->bytes++;
		while (is_continuation(events));
		events->characters++;
	}
	while (events->characters > mark->index) {
		do
			events->bytes--;
		while (is_continuation(events));
		events->characters--;
	}
	return events->bytes;
}

/* libyaml's own complaint; its texts never quote the input. */
static bool fail(struct yaml_events *events)
{
	yaml_parser_t *parser = &events->parser;
	struct source *source = events->source;
	const char *problem = parser->problem;
	size_t context;

	if (!problem)
		return diag_set(events->diag, source->name,
				"there is not enough memory to read it");
	if (parser->error == YAML_READER_ERROR)
		return diag_at(events->diag, source, parser->problem_offset,
			       "%s", problem);
	if (!parser->context)
		return diag_at(events->diag, source,
			       offset_of(events, &parser->problem_mark), "%s",
			       problem);
	context = offset_of(events, &parser->context_mark);
	return diag_at(events->diag, source,
		       offset_of(events, &parser->problem_mark),
		       "%s (%s at line %u)", problem, parser->context,
		       source_pos(source, context).line);
}

/* A scalar may be a secret. */
static void drop_event(yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT)
		explicit_bzero(event->data.scalar.value,
			       event->data.scalar.length);
	yaml_event_delete(event);
}

/* The last byte of everything that YAML ends a line with. */
static bool ends_line(unsigned char c)
{
	return str_set_has("\n\r\x85\xA8\xA9", (char)c);
}

static bool has_few_directives(struct yaml_events *events)
{
	const char *text = events->source->text.ptr, *at = text;
	const char *end = text + events->source->text.len;
	size_t count = 0;

	while ((at = memmem(at, (size_t)(end - at), TAG_DIRECTIVE.ptr,
			    TAG_DIRECTIVE.len))) {
		count += at == text || ends_line((unsigned char)at[-1]);
		if (count > TAG_DIRECTIVES_MAX)
			return diag_at(events->diag, events->source,
				       (size_t)(at - text),
				       "more than %d %%TAG directives",
				       TAG_DIRECTIVES_MAX);
		at += TAG_DIRECTIVE.len;
	}
	return true;
}

bool yaml_events_init(struct yaml_events *events, struct source *source,
		      struct diag *diag)
{
	const unsigned char *text = (const unsigned char *)source->text.ptr;

	*events = (struct yaml_events){.source = source, .diag = diag};
	if (!yaml_parser_initialize(&events->parser))
		return fail(events);
	yaml_parser_set_encoding(&events->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&events->parser, text, source->text.len);
	return has_few_directives(events) && yaml_events_next(events);
}

void yaml_events_deinit(struct yaml_events *events)
{
	drop_event(&events->event);
	yaml_parser_delete(&events->parser);
}

bool yaml_events_next(struct yaml_events *events)
{
	drop_event(&events->event);
	return yaml_parser_parse(&events->parser, &events->event) ||
	       fail(events);
}

size_t yaml_events_offset(struct yaml_events *events)
{
	return offset_of(events, &events->event.start_mark);
}
