#include "front/manager.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "front/systemd.h"

#define STATUS_MAX 256 /* bytes of a line, its end included */

static void on_life(uv_timer_t *timer)
{
	(void)timer;
	systemd_notify("WATCHDOG=1");
}

void manager_init(struct manager *manager, uv_loop_t *loop)
{
	*manager = (struct manager){0};
	(void)uv_timer_init(loop, &manager->life);
}

void manager_deinit(struct manager *manager)
{
	uv_close((uv_handle_t *)&manager->life, NULL);
	mem_free(TAKE(manager->status));
}

void manager_start(struct manager *manager)
{
	uint64_t limit = systemd_watchdog_ms(), pace = limit / 2;

	manager->listens = true;
	if (limit)
		(void)uv_timer_start(&manager->life, on_life, 0,
				     pace ? pace : 1);
}

/* A line break would begin another assignment, and what a server said may hold
 * one; of a line that is no UTF-8, as one that was cut, systemd takes nothing.
 */
static void make_one_line(char *text)
{
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = ' ';
	text[str_utf8_invalid(str_from(text))] = '\0';
}

void manager_tell_status(struct manager *manager, const char *format, ...)
{
	char text[STATUS_MAX];
	va_list ap;

	if (!manager->listens)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	make_one_line(text);
	if (str_same(manager->status, text))
		return;
	mem_free(manager->status);
	manager->status = mem_strdup(text);
	systemd_notify("STATUS=%s", text);
}

void manager_tell_ready(const struct manager *manager)
{
	if (manager->listens)
		systemd_notify("READY=1");
}

/* RELOADING comes with its moment, so that systemd tells the next READY from an
 * earlier one. */
void manager_tell_reloading(const struct manager *manager)
{
	struct timespec now;

	if (!manager->listens)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	systemd_notify("RELOADING=1\nMONOTONIC_USEC=%lld",
		       (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void manager_tell_stopping(struct manager *manager)
{
	if (manager->listens)
		systemd_notify("STOPPING=1");
	manager_tell_status(manager, "stopping");
}
