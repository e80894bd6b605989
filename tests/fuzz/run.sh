#!/bin/sh
# run.sh SECONDS TARGET... - run the fuzz targets, two at a time, on what the
# corpora hold; the new inputs they find are kept under build/fuzz/found. The
# kept and the long ones come first, each once: see seed.py, and fuzz_cost.h for
# the budgets. With FUZZ_FOUND=tell what is found by chance after that is told of,
# and decides over nothing: no change is to wait for luck.
cd "$(dirname "$0")/../.." || exit 2
seconds=$1
shift
build=build/fuzz
mkdir -p $build/crashes

# The seeds: texts of the corpus, by their kind.
tests/fuzz/seed.py $build/seeds || exit 1

# shellcheck disable=SC2016 # expanded by the inner shell
printf '%s\n' "$@" | xargs -P 2 -I{} sh -c '
    name=$1 seconds=$2 build=$3
    mkdir -p "$build/found/$name"
    "$build/$name" -runs=0 -max_len=262144 -timeout=60 -rss_limit_mb=2048 \
        -artifact_prefix="$build/crashes/$name-" \
        "$build/seeds/long/$name" "$build/seeds/$name" \
        >"$build/$name.kept.log" 2>&1 || {
        echo "$name: fails on what is kept, see $build/$name.kept.log"
        exit 1
    }
    "$build/$name" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 \
        -max_len=262144 -len_control=0 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$name-" \
        "$build/found/$name" "$build/seeds/$name" >"$build/$name.log" 2>&1
    status=$?
    runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$build/$name.log")
    echo "$name: ${runs:-0} executions in ${seconds}s, exit $status"
    [ "$status" = 0 ] || tail -n 40 "$build/$name.log"
    [ "${FUZZ_FOUND:-}" = tell ] || exit $status
' sh {} "$seconds" $build
