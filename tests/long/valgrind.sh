#!/bin/sh
# valgrind.sh PROGRAM... - unit tests under valgrind's memcheck, two at a time.
# Any error, or memory that nothing points to any more, fails. Children that a
# test kills are not followed.
out=${B:-build}/valgrind
mkdir -p "$out"
printf '%s\n' "$@" | xargs -P 2 -I{} sh -c '
    log=$1/$(basename "$2").log
    if valgrind -q --error-exitcode=99 --leak-check=full \
        --errors-for-leak-kinds=definite --child-silent-after-fork=yes \
        "$2" >"$log" 2>&1; then
        echo "  $(basename "$2"): clean"
    else
        echo "  $(basename "$2"): FAILED, see $log"
        exit 1
    fi' sh "$out" {}
