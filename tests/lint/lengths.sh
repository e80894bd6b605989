#!/bin/sh
# Fail on functions longer than 60 lines, on files longer than 600, and when
# the median function is longer than 12. The lexer's one switch is excepted.
cd "$(dirname "$0")/../.." || exit 2
find daemon client include tests -name '*.[ch]' -exec wc -l {} + | awk '
	$2 != "total" && $1 > 600 { printf "%s: %d lines\n", $2, $1; bad = 1 }
	END { exit bad }' || exit 1
find daemon client -name '*.c' | ctags -x --_xformat='%n %e %F %N' \
	--fields=+ne --c-kinds=f --sort=no -L - -f - |
	awk '{ print $2 - $1 + 1, $3 ":" $1 ":", $4 }' | sort -n | awk '
	{ length_of[NR] = $1 }
	$1 > 60 && !($2 ~ /lexer\.c:/ && $3 == "lexer_next") {
		printf "%s %s is %d lines\n", $2, $3, $1
		bad = 1
	}
	END {
		median = length_of[int((NR + 1) / 2)]
		printf "%d functions, median %d lines, p90 %d\n", NR, median,
			length_of[int(NR * 0.9)]
		exit bad || median > 12
	}'
