#ifndef FLEET_PLACE_H
#define FLEET_PLACE_H

/*
 * Place: where the fleet's etcd is, how to log in there, and below which prefix
 * the documents are: [site] of clearconfd.conf, or what the command line says
 * in its stead, setting by setting. With --etcd the file is not read.
 */

#include "fetch/etcd/etcd_node.h"

/* What the command line says; NULL: nothing. */
struct place_options {
	const char *etcd, *ca, *cert, *key, *user, *password_file, *prefix;
	const char *config;
};

/* Rows of a command's table: struct TYPE has a struct place_options MEMBER. */
#define PLACE_FIELD(type, member, name)                                        \
	offsetof(type, member) + offsetof(struct place_options, name)
#define PLACE_OPTIONS(type, member)                                             \
	{"etcd",                                                                \
	 'e',                                                                   \
	 OPTION_TEXT,                                                           \
	 PLACE_FIELD(type, member, etcd),                                       \
	 "URL",                                                                 \
	 "etcd's nodes, separated by blanks, in place of [site] etcd"},         \
		{"ca",        '\0',                                             \
		 OPTION_PATH, PLACE_FIELD(type, member, ca),                    \
		 "FILE",      "whom to trust as etcd"},                         \
		{"cert",      '\0',                                             \
		 OPTION_PATH, PLACE_FIELD(type, member, cert),                  \
		 "FILE",      "the certificate to show to etcd"},               \
		{"key",  '\0',     OPTION_PATH, PLACE_FIELD(type, member, key), \
		 "FILE", "its key"},                                            \
		{"user",      'u',                                              \
		 OPTION_TEXT, PLACE_FIELD(type, member, user),                  \
		 "NAME",      "log in to etcd as NAME"},                        \
		{"password-file", 'p',                                          \
		 OPTION_PATH,     PLACE_FIELD(type, member, password_file),     \
		 "FILE",          "which holds the password"},                  \
		{"prefix",    '\0',                                             \
		 OPTION_PATH, PLACE_FIELD(type, member, prefix),                \
		 "KEY",       "of the documents (/clearconf/site/)"},           \
	{                                                                       \
		"config", 'c', OPTION_PATH, PLACE_FIELD(type, member, config),  \
			"FILE",                                                 \
			"read FILE and not the daemon's clearconfd.conf"        \
	}

struct place {
	struct etcd_nodes nodes;
	char *prefix;  /* ends with '/' */
	int64_t types; /* enum conform_policy, of the settings */

	/* What they point to. */
	char *urls, *user, *password_file, *ca, *cert, *key;
	const char **endpoints;
};

/* An exit status, complained about. */
int place_find(struct place *place, const struct place_options *options);
void place_deinit(struct place *place);

#endif
