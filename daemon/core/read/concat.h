#ifndef READ_CONCAT_H
#define READ_CONCAT_H

/*
 * Concatenation: the parts of one value -> the value (semantics.md,
 * "Concatenation").
 *
 * The parts are all objects, all lists, or all scalars, which join as text.
 */

#include <stdbool.h>
#include <stddef.h>

struct concat_part;
struct reading;
struct value;

/* What @parts, at least one and no substitution among them, mean together;
 * the result stands where @place does. NULL when they do not fit. Objects and
 * lists among the parts are used up. */
struct value *concat(struct reading *reading, struct concat_part *parts,
		     size_t count, const struct value *place);

/* Are @parts all objects, all lists, or all scalars? All objects? */
bool concat_fits(const struct concat_part *parts, size_t count);
bool concat_objects(const struct concat_part *parts, size_t count);

/* Parts of the delayed value @place that came with other fields than its
 * own and do not fit it: ClearML refuses them, to the specification the later
 * hold. False when the diag is set. */
bool concat_mend(struct reading *reading, struct value *place,
		 struct concat_part **parts, size_t *count);

/* A scalar as ClearML puts it into text. */
struct str concat_text(struct reading *reading, const struct value *scalar);

/* Is @number, where it is written, written otherwise than it is put into text?
 */
bool concat_prints_anew(struct reading *reading, const struct value *number);

/* Tell of a scalar, not written there, that the specification would put into
 * text as it was written. */
void concat_warn_anew(struct reading *reading, const struct value *scalar,
		      const struct concat_part *part,
		      const struct value *place);

/* Tell of a null that becomes text. */
void concat_warn_null(struct reading *reading, const struct concat_part *part,
		      const struct value *place);

#endif
