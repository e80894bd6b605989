#ifndef OWNER_H
#define OWNER_H

#include <stdbool.h>
#include <sys/types.h>

/* "user", "user:group" or ":group", names or numbers; a user alone brings the
 * primary group along. What is not said is -1. False when there is no such. */
bool owner_parse(const char *text, uid_t *uid, gid_t *gid);

#endif
