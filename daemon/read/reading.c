#include "read/reading.h"

bool reading_departs(struct reading *reading, struct source *source,
		     size_t offset, const char *what)
{
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
	size_t limit = reading->options->limits.depth;

	reading->depth++;
	reading->levels++;
	if (reading->depth > limit ||
	    reading->levels > reading_levels_max(reading))
		return diag_at(reading->diag, source, offset,
			       "nested deeper than the limit of %zu levels",
			       limit);
	return true;
}

void reading_leave(struct reading *reading)
{
	reading->depth--;
	reading->levels--;
}

bool reading_charge(struct reading *reading, size_t nodes)
{
	size_t limit = reading->options->limits.nodes;

	reading->nodes += nodes;
	if (reading->nodes <= limit)
		return true;
	return diag_set(reading->diag, reading->doc->sources[0]->name,
			"substitutions make more than %zu values", limit);
}
