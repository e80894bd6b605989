#include "commands/elsewhere.h"

#include "call/command.h"

const struct command elsewhere_fleet = {
	.name = "fleet",
	.summary = FLEET_SUMMARY,
	.elsewhere = FLEET_PROGRAM,
};

const struct command elsewhere_site = {
	.name = "site",
	.summary = SITE_SUMMARY,
	.elsewhere = FLEET_PROGRAM,
};

const struct command elsewhere_rollout = {
	.name = "rollout",
	.summary = ROLLOUT_SUMMARY,
	.elsewhere = FLEET_PROGRAM,
};
