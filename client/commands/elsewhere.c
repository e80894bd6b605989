#include "commands/elsewhere.h"

#include "call/command.h"

const struct command elsewhere_site = {
	.name = "site",
	.summary = SITE_SUMMARY,
	.elsewhere = FLEET_PROGRAM,
};
