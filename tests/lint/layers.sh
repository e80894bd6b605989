#!/bin/sh
# Fail when a file includes a layer it may not know about: the house has one
# direction (daemon/doc/architecture.md, "The house").
cd "$(dirname "$0")/../.." || exit 2
awk '
# A folder may include itself and those of @below, which stand before it in this
# table: so no circle of files crosses a folder.
function folder(name, below,   part, n, i) {
	n = split(below, part)
	for (i = 1; i <= n; i++)
		if (!(part[i] in may)) {
			printf "%s: %s stands above %s\n", FILE, part[i], name
			bad = 1
		}
	may[name] = " " below " " name " "
}
# What only main.c composes: daemon/check.h is nobody else\047s.
function note_top(file,   part) {
	if (split(file, part, "/") != 2)
		return
	top[part[1], part[2]] = 1
	sub(/\.[ch]$/, "", part[2])
	if (part[1] == "daemon" && !stems[part[2]]++ && ++stem_count > 4) {
		printf "%s: more than 4 modules at the top of daemon/\n", file
		bad = 1
	}
}
BEGIN {
	FILE = "tests/lint/layers.sh"
	folder("base", "")
	folder("value", "base")
	folder("read", "base value")
	folder("render", "base value read")
	folder("config", "base value read")
	folder("settings", "base value render config")
	folder("fetch", "base value read")
	folder("etcd", "base value read fetch")
	folder("serve", "base value config")
	folder("state", "base value read settings config fetch")
	folder("site", "base value read settings config fetch etcd state")
	folder("engine", "base value read settings config fetch etcd state site")
	folder("front", "base value read config fetch serve state site engine")
	folder("daemon", "base value read render settings config serve site engine front")
	folder("lib", "")
	folder("text", "base value render")
	folder("call", "base value read render lib text")
	folder("exec", "base value read render lib text call")
	folder("commands", "base value read render lib text call exec")
	folder("fleet", "base value read settings config fetch etcd text call commands")
	folder("client", "base value lib text call commands")
	for (i = 1; i < ARGC; i++)
		note_top(ARGV[i])
}
# The folder that holds the file: daemon/core/base/x.c -> base, client/x.c -> client
function layer(file,   part, n) {
	n = split(file, part, "/")
	return part[n - 1]
}
match($0, /^#[ \t]*include "([a-z_]+\/)+/) {
	to = substr($0, RSTART, RLENGTH - 1)
	sub(/.*["\/]/, "", to)
	from = layer(FILENAME)
	if (!(from in may) || !index(may[from], " " to " ")) {
		printf "%s:%d: %s may not include %s/\n", FILENAME, FNR, from, to
		bad = 1
	}
}
match($0, /^#[ \t]*include "[a-z_]+\.h"/) {
	to = substr($0, RSTART, RLENGTH - 1)
	sub(/.*"/, "", to)
	from = layer(FILENAME)
	if (from != "daemon" && ("daemon", to) in top ||
	    from != "client" && ("client", to) in top) {
		printf "%s:%d: %s is at the top\n", FILENAME, FNR, to
		bad = 1
	}
}
# Only one module may know each library.
match($0, /^#[ \t]*include <(curl|yaml|ini)/) {
	what = substr($0, RSTART, RLENGTH)
	if (FILENAME !~ /fetch\/http[a-z_]*\.[ch]|read\/yaml[a-z_]*\.[ch]|settings\/settings[a-z_]*\.c/) {
		printf "%s:%d: %s belongs to one module only\n", FILENAME, FNR, what
		bad = 1
	}
}
match($0, /^#[ \t]*include <uv\.h>/) && FILENAME ~ /\/(base|value|read|render|config)\// {
	printf "%s:%d: libuv has no place in this layer\n", FILENAME, FNR
	bad = 1
}
END { exit bad }' $(find daemon client -name '*.[ch]')
