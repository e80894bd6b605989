#ifndef FETCH_HTTP_COMPAT_H
#define FETCH_HTTP_COMPAT_H

/*
 * What libcurl has not had for long enough, dated by the release that brought
 * it: whoever raises the minimum (7.61, README) deletes what is older.
 *
 * Not here, since the older way will do for all: URLs are taken apart by
 * http_origin (curl_url, 7.62), headers kept by http_easy (curl_easy_header,
 * 7.83).
 */

#include <curl/curl.h>
#include <stdbool.h>

/* As curl would say it today. 7.62, October 2018: two codes for a certificate
 * that is not trusted became one. 7.66, September 2019: bytes without a head
 * are no answer (they were taken for HTTP/0.9); behind a 100 they still are,
 * with a status of 0. EL 8 has 7.61. @headed: there was a head, with a status.
 */
CURLcode http_compat_code(CURLcode code, bool headed);

/* Set the options of 7.85 (August 2022) or what they replaced, and those
 * of 7.87 (December 2022) where they are. Debian 11 has 7.74,
 * Ubuntu 22.04 7.81. */
CURLcode http_compat_set(CURL *easy);

/* 7.87: whether a look-up that was given up is waited for. */
bool http_compat_waits_for_names(void);

#endif
