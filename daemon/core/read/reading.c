#include "read/reading.h"

bool reading_departs(struct reading *reading, struct source *source,
		     size_t offset, const char *what)
{
	reading->departed = true;
	if (reading->options->dialect == READ_STRICT)
		return diag_at(reading->diag, source, offset,
			       "ClearML refuses this: %s", what);
	(void)diag_at(diag_list_next(&reading->doc->warnings), source, offset,
		      "ClearML itself refuses this: %s", what);
	return true;
}

void reading_warn(struct reading *reading, struct source *source, size_t offset,
		  const char *what)
{
	(void)diag_at(diag_list_next(&reading->doc->warnings), source, offset,
		      "%s", what);
}

bool reading_enter(struct reading *reading, struct source *source,
		   size_t offset)
{
	size_t depth = reading->options->limits.depth;
	size_t levels = reading_levels_max(reading);

	reading->depth++;
	reading->levels++;
	if (reading->depth <= depth && reading->levels <= levels)
		return true;
	return diag_at(reading->diag, source, offset,
		       "nested deeper than the limit of %zu levels",
		       reading->depth > depth ? depth : levels);
}

bool reading_is_full(struct reading *reading, struct source *source,
		     size_t offset)
{
	return diag_at(reading->diag, source, offset,
		       "has more than the limit of %zu values",
		       reading->options->limits.values);
}

void reading_leave(struct reading *reading)
{
	reading->depth--;
	reading->levels--;
}

bool reading_charge(struct reading *reading, const struct value *place,
		    size_t nodes)
{
	size_t limit = reading->options->limits.nodes;

	reading->nodes += nodes;
	if (reading->nodes <= limit)
		return true;
	return diag_at(
		reading->diag, reading_source(reading, place), place->offset,
		"substitutions make more values than the limit of %zu", limit);
}
