#ifndef GUESS_H
#define GUESS_H

/*
 * Paths with nothing at them: which was meant, by the keys that there are.
 */

struct channel;
struct client;

/* channel_complain of a call about @path (NULL: the root), with the guess. */
int guess_complain(const struct client *client, const struct channel *channel,
		   int status, const char *path);

/* Warn if there is nothing at @path. */
void guess_warn(const struct client *client, const char *path);

#endif
