#ifndef READ_DURATION_H
#define READ_DURATION_H

/*
 * Durations: text to us wherever they stand, as to ClearML, but for one that is
 * the very last of a text, of which ClearML makes a Python object
 * (semantics.md, "Values of one part").
 */

struct reading;

/* Warn when the text that was read ends with a duration. */
void duration_warn(struct reading *reading);

#endif
