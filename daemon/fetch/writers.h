#ifndef FETCH_WRITERS_H
#define FETCH_WRITERS_H

/*
 * Writers: which files somebody is changing in place right now, that is, has
 * written to and not closed yet.
 *
 * A queue of inotify's own, beside that of the loop, which does not tell of
 * closing. It is asked, not waited for: whoever knows that a file has changed
 * empties it. Without inotify it is always empty, and no file can be watched.
 */

#include <stdbool.h>
#include <stddef.h>

#define WRITERS_NONE (-1) /* instead of the number of a watch */

struct writers {
	int queue;
	size_t at, len; /* of what has been read of it */
	_Alignas(8) char events[4096];
};

struct writers_news {
	int watch;     /* WRITERS_NONE: events were lost, of any file */
	bool writing;  /* else it is closed, or gone */
	bool is_ended; /* the watch: the file is gone */
};

void writers_init(struct writers *writers);
void writers_deinit(struct writers *writers);

/* Watch the file at @path; the number of the watch, which paths to the same
 * file share, or WRITERS_NONE when that is not possible. */
int writers_add(struct writers *writers, const char *path);
void writers_remove(struct writers *writers, int watch);

/* The next event of a writer; false when there is none. */
bool writers_next(struct writers *writers, struct writers_news *news);

#endif
