#include "fleet/plan.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/share.h"

#define COUNT_MAX 1000000000

static const struct kind {
	const char *name;
	size_t of;
	bool at_the_end; /* of a stage; before, it says nothing */
} kinds[] = {
	{"broken", offsetof(struct plan_tally, broken), false},
	{"behind", offsetof(struct plan_tally, behind), true},
	{"offline", offsetof(struct plan_tally, offline), true},
};

/* What stands before the first @c; *rest goes on behind it. */
static struct str cut(struct str *rest, char c)
{
	const char *at = memchr(rest->ptr, c, rest->len);
	struct str part = {rest->ptr,
			   at ? (size_t)(at - rest->ptr) : rest->len};

	*rest = str_from_offset(*rest, part.len + (at ? 1 : 0));
	return part;
}

/* Add each of @list; false: one of them is none. */
static bool add_each(struct plan *plan, struct str list,
		     bool (*add)(struct plan *plan, struct str item))
{
	bool more;

	do {
		more = memchr(list.ptr, ',', list.len) != NULL;
		if (!add(plan, str_trim(cut(&list, ','))))
			return false;
	} while (more);
	return true;
}

bool plan_add_stage(struct plan *plan, int64_t share)
{
	int64_t last = plan->stages ? plan->shares[plan->stages - 1] : 0;

	if (share <= last || share > SHARE_WHOLE ||
	    plan->stages == PLAN_STAGES_MAX)
		return false;
	plan->shares[plan->stages++] = (unsigned int)share;
	return true;
}

static bool add_stage(struct plan *plan, struct str text)
{
	int64_t share;

	return str_ends(text, STR("%")) &&
	       share_read((struct str){text.ptr, text.len - 1}, &share) &&
	       plan_add_stage(plan, share);
}

const char *plan_set_stages(struct plan *plan, struct str text)
{
	plan->stages = 0;
	return add_each(plan, text, add_stage)
		       ? NULL
		       : "expected at most 32 rising percentages such as "
			 "1%,10%,100%";
}

static const struct kind *kind_named(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_is(name, kinds[i].name))
			return &kinds[i];
	return NULL;
}

static bool is_limited(const struct plan *plan, const struct kind *kind)
{
	for (size_t i = 0; i < plan->limit_count; i++)
		if (plan->limits[i].of == kind->of)
			return true;
	return false;
}

/* "broken>0" */
static bool add_limit(struct plan *plan, struct str text)
{
	const struct kind *kind = kind_named(str_trim(cut(&text, '>')));
	int64_t most;

	if (!kind || !str_to_number(str_trim(text), &most) ||
	    most > COUNT_MAX || is_limited(plan, kind))
		return false;
	plan->limits[plan->limit_count++] = (struct plan_limit){kind->of, most};
	return true;
}

const char *plan_set_limits(struct plan *plan, struct str text)
{
	plan->limit_count = 0;
	return !text.len || add_each(plan, text, add_limit)
		       ? NULL
		       : "expected limits such as broken>0,behind>5,offline>5, "
			 "one of a kind";
}

static const struct kind *kind_of(const struct plan_limit *limit)
{
	size_t i = 0;

	while (kinds[i].of != limit->of)
		i++;
	return &kinds[i];
}

bool plan_is_exceeded(const struct plan *plan, const struct plan_tally *tally,
		      bool over, struct buf *why)
{
	for (size_t i = 0; i < plan->limit_count; i++) {
		const struct plan_limit *limit = &plan->limits[i];
		const struct kind *kind = kind_of(limit);
		int64_t count;

		memcpy(&count, (const char *)tally + limit->of, sizeof(count));
		if (count <= limit->most || (kind->at_the_end && !over))
			continue;
		buf_printf(why, "%lld host%s %s, and the limit is %lld",
			   (long long)count, count == 1 ? " is" : "s are",
			   kind->name, (long long)limit->most);
		return true;
	}
	return false;
}

void plan_add_share(struct buf *out, unsigned int share)
{
	buf_printf(out, "%u", share / SHARE_PERCENT);
	if (share % SHARE_PERCENT)
		buf_printf(out, share % 10 ? ".%02u" : ".%u",
			   share % 10 ? share % SHARE_PERCENT
				      : share % SHARE_PERCENT / 10);
	buf_putc(out, '%');
}
