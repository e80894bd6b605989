#!/bin/sh
# Run every benchmark that there is; B is the build folder. ClearML's sample
# file is taken from beside the checkout; without it T8 is left out.
cd "$(dirname "$0")/../.." || exit 2
B=${B:-build}
export B
printf '%-4s %-54s %-18s %-44s %s\n' row work target figure 'ok?'
"$B/tests/bench/bench_read" \
    "${CLEARCONF_SHARED:-../shared}/official/agent-docs-clearml.conf" \
    >"$B/bench.txt" || exit 1
cat "$B/bench.txt"
/usr/bin/python3 tests/bench/serve.py
/usr/bin/python3 tests/bench/users.py
"$B/tests/bench/fleet"
/usr/bin/python3 tests/bench/hostile.py
/usr/bin/python3 tests/bench/floods.py
/usr/bin/python3 tests/bench/site.py --streams 2000 --reporters 2000 --lease 20 --rest 20
/usr/bin/python3 tests/bench/fleet_look.py
/usr/bin/python3 tests/bench/python.py
