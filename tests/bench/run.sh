#!/bin/sh
# Run every benchmark that there is; B is the build folder.
cd "$(dirname "$0")/../.." || exit 2
B=${B:-build}
"$B/tests/bench/bench_read" tests/corpus/official/agent-docs-clearml.conf
