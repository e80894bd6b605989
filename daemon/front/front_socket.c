/* The socket half of front.h: where it is, and what keeps it from being there.
 */

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "front/front.h"
#include "front/systemd.h"
#include "serve/server.h"
#include "serve/socket_file.h"

/* --- its folder --- */

/* A user without a runtime folder has the socket in the state folder, which is
 * private. */
static int make_folder(const struct front *front, const char *folder)
{
	mode_t mode =
		strcmp(folder, front->engine->state_dir) != 0 ? 0755 : 0700;
	mode_t mask = umask(~mode & 0777);
	int r = file_make_folder(folder, mode);

	(void)umask(mask);
	return r;
}

/* Who can write to the folder could put a socket of his own there. */
static int prepare_folder(const struct front *front, char **problem)
{
	_cleanup_(mem_freep) char *copy = mem_strdup(front->socket);
	const char *folder = dirname(copy);
	int r = make_folder(front, folder);

	return r < 0 ? r : folder_check(folder, problem);
}

/* --- the socket --- */

static const char *reason_of(int error, const char *problem, bool named)
{
	if (!named && !problem && (error == -EACCES || error == -EROFS))
		return "this user may not write there: name another place with "
		       "--socket";
	if (problem)
		return problem;
	if (error == -EADDRINUSE)
		return "another clearconfd answers there";
	if (error == -EEXIST)
		return "what is there is no socket: remove it, or set [daemon] "
		       "socket to another path";
	if (error == -ENAMETOOLONG)
		return "a Unix socket's path has 107 bytes at most: set "
		       "[daemon] socket, or XDG_RUNTIME_DIR, to a shorter one";
	return strerror(-error);
}

/* Try to listen by @listen, which is given the server. */
static int listen_by(struct front *front, int (*listen)(struct front *front))
{
	_cleanup_(mem_freep) char *problem = NULL;
	int r = strlen(front->socket) > SOCKET_FILE_PATH_MAX
			? -ENAMETOOLONG
			: prepare_folder(front, &problem);

	if (r == 0)
		r = listen(front);
	if (r < 0)
		log_error("cannot-listen", LOG_TEXT("socket", front->socket),
			  LOG_TEXT("error",
				   reason_of(r, problem,
					     front->engine->settings->socket)));
	return r;
}

static int listen_first(struct front *front)
{
	return server_listen(front->server, front->socket);
}

static int listen_again(struct front *front)
{
	return server_listen_again(front->server);
}

bool front_listen(struct front *front)
{
	const struct engine *engine = front->engine;
	int fd = systemd_take_socket();

	if (fd >= 0)
		return server_listen_fd(front->server, fd) == 0;
	front->socket = places_choose(&engine->places, engine->settings->socket,
				      engine->places.socket);
	return listen_by(front, listen_first) == 0;
}

void front_listen_again(struct front *front)
{
	if (server_is_unreachable(front->server) &&
	    listen_by(front, listen_again) == 0)
		log_warning("socket-made-again",
			    LOG_TEXT("socket", front->socket),
			    LOG_TEXT("reason", "it was removed"));
}
