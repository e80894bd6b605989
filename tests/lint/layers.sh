#!/bin/sh
# Fail when a file includes a layer it may not know about: the house has one
# direction (README, "How the pieces fit").
cd "$(dirname "$0")/../.." || exit 2
awk '
BEGIN {
	may["base"]   = " base "
	may["value"]  = " base value "
	may["read"]   = " base value read "
	may["config"] = " base value read config "
	may["fetch"]  = " base value read fetch "
	may["serve"]  = " base value config serve "
	may["daemon"] = " base value read config fetch serve "
	may["client"] = " base value read lib "
	may["lib"]    = " "
}
# daemon/base/x.c -> base, daemon/x.c -> daemon, client/lib/x.c -> lib
function layer(file,   part, n) {
	n = split(file, part, "/")
	return n > 2 ? part[2] : part[1]
}
match($0, /^#[ \t]*include "[a-z_]+\//) {
	to = substr($0, RSTART, RLENGTH - 1)
	sub(/.*"/, "", to)
	from = layer(FILENAME)
	if (!(from in may) || !index(may[from], " " to " ")) {
		printf "%s:%d: %s may not include %s/\n", FILENAME, FNR, from, to
		bad = 1
	}
}
# Only one module may know each library.
match($0, /^#[ \t]*include <(curl|yaml|ini)/) {
	what = substr($0, RSTART, RLENGTH)
	if (FILENAME !~ /fetch\/http[a-z_]*\.[ch]|read\/yaml[a-z_]*\.[ch]|daemon\/settings[a-z_]*\.c/) {
		printf "%s:%d: %s belongs to one module only\n", FILENAME, FNR, what
		bad = 1
	}
}
match($0, /^#[ \t]*include <uv\.h>/) && FILENAME ~ /daemon\/(base|value|read|config)\// {
	printf "%s:%d: libuv has no place in this layer\n", FILENAME, FNR
	bad = 1
}
END { exit bad }' $(find daemon client -name '*.[ch]')
