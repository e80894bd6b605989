#ifndef SERVE_INTROSPECT_H
#define SERVE_INTROSPECT_H

/*
 * Introspection: org.varlink.service, by which any Varlink client learns what
 * is served here.
 */

struct request;

extern const char introspect_service_text[];
extern const char introspect_clearconf_text[];

void introspect_get_info(struct request *request);
void introspect_get_description(struct request *request);

#endif
