#ifndef BASE_ISO_TIME_H
#define BASE_ISO_TIME_H

/*
 * Moments as ClearML's server writes them (ISO 8601):
 * "2026-11-24T02:31:14.887000+00:00", where the fraction and the zone may be
 * missing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Seconds since 1970; the fraction is left out, and without a zone it is UTC.
 * False when it is no such text. */
bool iso_time_read(struct str text, int64_t *seconds);

#endif
