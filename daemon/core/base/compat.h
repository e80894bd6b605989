#ifndef BASE_COMPAT_H
#define BASE_COMPAT_H

/*
 * What the C library has not had for long enough. Each is named as there, and
 * dated by the release that brought it: whoever raises the minimum (glibc 2.28,
 * README) deletes what is older. libcurl's are in fetch/http_compat.h.
 */

#include <features.h>

/* glibc 2.32, August 2020: Debian 11 has 2.31, EL 8 2.28. */
#if !__GLIBC_PREREQ(2, 32)
const char *sigabbrev_np(int number);
#endif

#endif
