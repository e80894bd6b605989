#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * The log: one line an event on stderr, `event=name key=value ...`, with
 * journal priorities when systemd reads us.
 *
 * A field is never a configuration value: names, places, counts and reasons
 * only. The level is the one global of the daemon.
 *
 *	log_warning("vault-broken", LOG_TEXT("vault", id), LOG_INT("line", 3));
 */

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

struct log_field {
	const char *key;
	const char *text; /* quoted when it has to be; NULL: the number */
	int64_t number;
};

#define LOG_TEXT(key, text)  ((struct log_field){(key), (text), 0})
#define LOG_INT(key, number) ((struct log_field){(key), NULL, (number)})

#define log_error(...)   LOG_EVENT_(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) LOG_EVENT_(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    LOG_EVENT_(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   LOG_EVENT_(LOG_LEVEL_DEBUG, __VA_ARGS__)

#define LOG_EVENT_(level, event, ...)                                          \
	log_write((level),                                                     \
		  (const struct log_field[]){                                  \
			  LOG_TEXT("event", event), ##__VA_ARGS__, {0}})

void log_set_level(enum log_level level);

/* Would a line of @level be written? */
bool log_tells(enum log_level level);

/* @fields end with a NULL key. */
void log_write(enum log_level level, const struct log_field *fields);

#endif
