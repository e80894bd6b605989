#include "engine/keep.h"

void keep_answered(struct keep *keep, int64_t now)
{
	*keep = (struct keep){.kept = true, .good_at = now};
}

void keep_refused(struct keep *keep, int64_t now)
{
	if (keep->refused)
		return;
	keep->refused = true;
	keep->refused_at = now;
}

/* A wall clock that was set back makes nothing younger than this process. */
static int64_t moment(int64_t now, int64_t wall_s, int64_t then_s)
{
	return wall_s > then_s ? now - (wall_s - then_s) * 1000 : now;
}

void keep_restore(struct keep *keep, int64_t now, int64_t wall_s,
		  int64_t good_s, int64_t refused_s)
{
	*keep = (struct keep){
		.kept = true,
		.good_at = moment(now, wall_s, good_s),
		.refused = refused_s != 0,
		.refused_at = refused_s ? moment(now, wall_s, refused_s) : 0,
	};
}

static int64_t left(int64_t since, int64_t limit_ms, int64_t now)
{
	int64_t age = now - since;

	return age < limit_ms ? limit_ms - age : 0;
}

enum keep_lapse keep_lapse(struct keep *keep, const struct keep_limits *limits,
			   int64_t now)
{
	enum keep_lapse lapse = KEEP_ON;

	if (!keep->kept)
		return KEEP_ON;
	if (keep->refused && !left(keep->refused_at, limits->grace_ms, now))
		lapse = KEEP_REVOKED;
	else if (limits->stale_ms &&
		 !left(keep->good_at, limits->stale_ms, now))
		lapse = KEEP_STALE;
	keep->kept = lapse == KEEP_ON;
	return lapse;
}

int64_t keep_left(const struct keep *keep, const struct keep_limits *limits,
		  int64_t now)
{
	int64_t stale, grace;

	if (!keep->kept)
		return -1;
	stale = limits->stale_ms ? left(keep->good_at, limits->stale_ms, now)
				 : INT64_MAX;
	grace = keep->refused ? left(keep->refused_at, limits->grace_ms, now)
			      : INT64_MAX;
	if (grace < stale)
		stale = grace;
	return stale == INT64_MAX ? -1 : stale;
}

int64_t keep_age(const struct keep *keep, int64_t now)
{
	return keep->kept ? now - keep->good_at : -1;
}
