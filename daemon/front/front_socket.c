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

/* A place that the settings name, else the instance's own. */
static char *place_of(const struct daemon *daemon, const char *named,
		      const char *standard)
{
	return places_expand(named && *named ? named : standard,
			     daemon->places.home, NULL);
}

char *front_state_dir(const struct daemon *daemon)
{
	return place_of(daemon, daemon->settings->state_dir,
			daemon->places.state_dir);
}

/* --- its folder --- */

/* A user without a runtime folder has the socket in the state folder, which is
 * private. */
static int make_folder(const struct daemon *daemon, const char *folder)
{
	mode_t mode = strcmp(folder, daemon->state_dir) != 0 ? 0755 : 0700;
	mode_t mask = umask(~mode & 0777);
	int r = file_make_folder(folder, mode);

	(void)umask(mask);
	return r;
}

/* Who can write to the folder could put a socket of his own there. */
static int prepare_folder(const struct daemon *daemon, char **problem)
{
	_cleanup_(mem_freep) char *copy = mem_strdup(daemon->socket);
	const char *folder = dirname(copy);
	int r = make_folder(daemon, folder);

	return r < 0 ? r : folder_check(folder, problem);
}

/* --- the socket --- */

static const char *reason_of(int error, const char *problem)
{
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

/* By @listen, which is given the server. */
static int listen_by(struct daemon *daemon,
		     int (*listen)(struct daemon *daemon))
{
	_cleanup_(mem_freep) char *problem = NULL;
	int r = strlen(daemon->socket) > SOCKET_FILE_PATH_MAX
			? -ENAMETOOLONG
			: prepare_folder(daemon, &problem);

	if (r == 0)
		r = listen(daemon);
	if (r < 0)
		log_error("cannot-listen", LOG_TEXT("socket", daemon->socket),
			  LOG_TEXT("error", reason_of(r, problem)));
	return r;
}

static int listen_first(struct daemon *daemon)
{
	return server_listen(daemon->server, daemon->socket);
}

static int listen_again(struct daemon *daemon)
{
	return server_listen_again(daemon->server);
}

bool front_listen(struct daemon *daemon)
{
	int fd = systemd_take_socket();

	if (fd >= 0)
		return server_listen_fd(daemon->server, fd) == 0;
	daemon->socket = place_of(daemon, daemon->settings->socket,
				  daemon->places.socket);
	return listen_by(daemon, listen_first) == 0;
}

void front_listen_again(struct daemon *daemon)
{
	if (daemon->server && server_is_deaf(daemon->server) &&
	    listen_by(daemon, listen_again) == 0)
		log_warning("socket-made-again",
			    LOG_TEXT("socket", daemon->socket),
			    LOG_TEXT("reason", "it was removed"));
}
