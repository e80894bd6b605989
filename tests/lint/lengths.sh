#!/bin/sh
# Fail on functions longer than 60 lines, on files longer than 600, and when
# the median function is longer than 12. The lexer's one switch is excepted.
cd "$(dirname "$0")/../.." || exit 2
find daemon client include tests -name '*.[ch]' -exec wc -l {} + | awk '
	$2 != "total" && $1 > 600 { printf "%s: %d lines\n", $2, $1; bad = 1 }
	END { exit bad }' || exit 1
find daemon client -name '*.c' | sort | ctags -x --_xformat='%n %e %F %N' \
	--fields=+ne --c-kinds=f --sort=no -L - -f - | awk '
	{
		lines = $2 - $1 + 1
		print lines
	}
	lines > 60 && !($3 ~ /lexer\.c$/ && $4 == "lexer_next") {
		printf "%s:%d: %s is %d lines\n", $3, $1, $4, lines > "/dev/stderr"
		bad = 1
	}
	END { exit bad }' >"${TMPDIR:-/tmp}/clearconf-lengths.$$"
bad=$?
sort -n "${TMPDIR:-/tmp}/clearconf-lengths.$$" | awk '
	{ length_of[NR] = $1 }
	END {
		median = length_of[int((NR + 1) / 2)]
		printf "%d functions, median %d lines, p90 %d\n", NR, median,
			length_of[int(NR * 0.9)]
		exit median > 12
	}' || bad=1
rm -f "${TMPDIR:-/tmp}/clearconf-lengths.$$"
exit $bad
