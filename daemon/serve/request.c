#include "serve/request.h"

#include "serve/peer.h"
#include "serve/reply.h"

bool request_charge(struct request *request, struct charge *charge,
		    enum quota_kind kind, uint32_t amount)
{
	struct quota *quota = request->quota;

	if (charge_take(charge, quota, request->peer->user.uid, kind, amount))
		return true;
	reply_quota_exceeded(request->out, quota_name(kind),
			     quota->limits[kind]);
	return false;
}

bool request_count(struct request *request, enum quota_rate rate,
		   const char *name)
{
	struct quota *quota = request->quota;

	if (quota_count_call(quota, request->peer->user.uid, rate,
			     request->now))
		return true;
	reply_quota_exceeded(request->out, name, quota->rates[rate]);
	return false;
}

bool request_may_reveal(struct request *request, bool *reveal)
{
	*reveal = call_bool(request->call, "reveal", false);
	if (!*reveal || request->rights & ACCESS_SECRETS)
		return true;
	reply_error(request->out, REPLY_ACCESS_DENIED, STR("secrets"));
	return false;
}
