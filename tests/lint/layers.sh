#!/bin/sh
# Fail when a file includes a layer it may not know about: the house has one
# direction (README, "How the pieces fit").
cd "$(dirname "$0")/../.." || exit 2
awk '
BEGIN {
	may["base"]     = " base "
	may["value"]    = " base value "
	may["read"]     = " base value read "
	may["render"]   = " base value read render "
	may["settings"] = " base value config settings "
	may["config"]   = " base value read config "
	may["fetch"]    = " base value read fetch "
	may["etcd"]     = " base value read fetch etcd "
	may["serve"]    = " base value config serve "
	may["engine"]   = " base value read settings config fetch etcd engine serve front "
	may["front"]    = " base value read config fetch serve engine front "
	may["daemon"]   = " base value read render settings config serve engine front "
	may["lib"]      = " "
	may["text"]     = " base value render text "
	may["call"]     = " base value read render lib text call "
	may["exec"]     = " base value read render lib text call exec "
	may["commands"] = " base value read render lib text call exec commands "
	may["client"]   = " base value lib text call commands "
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
