#include "fetch/writers.h"

#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

void writers_init(struct writers *writers)
{
	*writers = (struct writers){.queue = -1};
}

void writers_deinit(struct writers *writers)
{
	if (writers->queue >= 0)
		close(writers->queue);
	writers->queue = -1;
}

/* It may be had later, when it could not be at first. */
static bool open_queue(struct writers *writers)
{
	if (writers->queue < 0)
		writers->queue = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return writers->queue >= 0;
}

int writers_add(struct writers *writers, const char *path)
{
	int watch;

	if (!open_queue(writers))
		return WRITERS_NONE;
	watch = inotify_add_watch(writers->queue, path,
				  IN_MODIFY | IN_CLOSE_WRITE);
	return watch < 0 ? WRITERS_NONE : watch;
}

void writers_remove(struct writers *writers, int watch)
{
	if (watch != WRITERS_NONE)
		(void)inotify_rm_watch(writers->queue, watch);
}

static bool read_more(struct writers *writers)
{
	ssize_t got =
		read(writers->queue, writers->events, sizeof(writers->events));

	writers->at = 0;
	writers->len = got > 0 ? (size_t)got : 0;
	return writers->len;
}

bool writers_next(struct writers *writers, struct writers_news *news)
{
	struct inotify_event event;

	if (writers->queue < 0 ||
	    (writers->at == writers->len && !read_more(writers)))
		return false;
	memcpy(&event, writers->events + writers->at, sizeof(event));
	writers->at += sizeof(event) + event.len;
	*news = (struct writers_news){
		.watch = event.mask & IN_Q_OVERFLOW ? WRITERS_NONE : event.wd,
		.writing = event.mask & IN_MODIFY,
		.is_ended = event.mask & IN_IGNORED,
	};
	return true;
}
