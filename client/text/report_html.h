#ifndef REPORT_HTML_H
#define REPORT_HTML_H

/*
 * A report as one page of HTML: what status, explain, log and doctor say.
 *
 * It needs nothing from elsewhere and no script, and is light or dark as its
 * reader's system is. All that comes from configurations, servers and vaults is
 * text in it: nothing of that can be markup.
 */

#include <stddef.h>
#include <stdint.h>

struct buf;
struct value;

/* A finding of doctor's. */
struct report_finding {
	const char *verdict; /* as doctor says it */
	const char *text;
};

/* Values as the daemon answers them; NULL: there is no answer. */
struct report {
	int64_t now;                 /* seconds since 1970 */
	const struct value *status;  /* Status */
	const struct value *explain; /* Explain's parameters */
	const struct value *history; /* History's parameters */
	const struct report_finding *findings;
	size_t count;
};

void report_html_write(struct buf *out, const struct report *report);

#endif
