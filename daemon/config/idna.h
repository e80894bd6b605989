#ifndef CONFIG_IDNA_H
#define CONFIG_IDNA_H

/*
 * IDNA: the name of a host in ASCII, as it stands in a URL.
 *
 * RFC 3490 ToASCII with the Punycode of RFC 3492. Letters become small ones;
 * that is all of Nameprep that is done here: no composition, no folding of one
 * character to several.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* Append @host, which is UTF-8, in small letters and ASCII alone. False when a
 * label comes to more than the 63 bytes that it may have. */
bool idna_add_host(struct buf *out, struct str host);

#endif
