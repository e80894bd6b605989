#!/bin/sh
# tidy.sh FILE... -- CFLAGS... - clang-tidy, one process a core; unchanged files
# that passed before are not looked at again (stamps under build/tidy).
cd "$(dirname "$0")/../.." || exit 2
files=
while [ "$1" != -- ]; do
    files="$files $1"
    shift
done
shift
# shellcheck disable=SC2016 # expanded by the inner shell
printf '%s\n' $files | xargs -P "$(nproc)" -I{} sh -c '
    file=$1
    shift
    stamp=build/tidy/$file.ok
    sum=$( (cat .clang-tidy; clang -E "$@" "$file" 2>/dev/null) | md5sum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && exit 0
    clang-tidy --quiet "$file" -- "$@" 2>/dev/null || exit 1
    mkdir -p "$(dirname "$stamp")" && echo "$sum" >"$stamp"
' sh {} "$@"
