#include "patience.h"

#include <time.h>

#include "complain.h"

#define FIRST_MS 100
#define MAX_MS   5000

void patience_reset(struct patience *patience)
{
	patience->pause_ms = 0;
}

void patience_sleep(int milliseconds)
{
	struct timespec pause = {milliseconds / 1000,
				 milliseconds % 1000 * 1000000L};

	(void)nanosleep(&pause, NULL);
}

void patience_wait(struct patience *patience, const char *meanwhile)
{
	if (patience->pause_ms == 0) {
		complain_warning("the daemon is gone: %s", meanwhile);
		patience->pause_ms = FIRST_MS;
	}
	patience_sleep(patience->pause_ms);
	patience->pause_ms *= 2;
	if (patience->pause_ms > MAX_MS)
		patience->pause_ms = MAX_MS;
}
