#!/bin/sh
# Run every benchmark that there is; B is the build folder. ClearML's sample
# file is taken from beside the checkout; without it T8 is left out.
cd "$(dirname "$0")/../.." || exit 2
B=${B:-build}
"$B/tests/bench/bench_read" \
    "${CLEARCONF_SHARED:-../shared}/official/agent-docs-clearml.conf"
"$B/tests/bench/fleet"
