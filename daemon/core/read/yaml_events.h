#ifndef READ_YAML_EVENTS_H
#define READ_YAML_EVENTS_H

/*
 * A text as libyaml's events, one at hand at a time, with places in bytes and
 * failures in a diag.
 *
 * The caller owns the struct, here the event at hand with all it points to:
 * the next event or the end takes that away.
 */

#include <stdbool.h>
#include <stddef.h>

#include <yaml.h>

struct diag;
struct source;

struct yaml_events {
	struct source *source;
	struct diag *diag;
	yaml_parser_t parser;
	yaml_event_t event; /* at hand */

	/* libyaml counts characters: where its count last was, in bytes. */
	size_t characters, bytes;
};

/* The start of the stream is at hand after; false: the diag says why. Wants
 * yaml_events_deinit in any case. */
bool yaml_events_init(struct yaml_events *events, struct source *source,
		      struct diag *diag);
void yaml_events_deinit(struct yaml_events *events);

/* The event at hand is done with: the next one. */
bool yaml_events_next(struct yaml_events *events);

/* The byte of the source where the event at hand begins. */
size_t yaml_events_offset(struct yaml_events *events);

#endif
