#!/usr/bin/python3
"""keep.py TARGET... - keep of what the fuzz targets have found what no shorter input shows.

The runs of tests/fuzz/run.sh leave their inputs in build/fuzz/found. Of these and the seeds, merged
to the fewest that reach the same code, a zip for each target goes to tests/corpus/fuzz, the shortest
first, up to KEPT bytes; seed.py takes them from there.
"""

import pathlib
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/fuzz"
CORPUS = ROOT / "tests/corpus/fuzz"
LONGEST = 4096
KEPT = 150_000


def merged(target, folder):
    """Each counter of how often code ran would be reason enough to keep an input: edges alone are."""
    subprocess.run([BUILD / target, "-merge=1", "-use_counters=0", f"-max_len={LONGEST}", folder,
                    BUILD / "found" / target, BUILD / "seeds" / target],
                   check=True, capture_output=True)
    return sorted((path.read_bytes() for path in pathlib.Path(folder).iterdir()),
                  key=lambda data: (len(data), data))


def pack(target, inputs):
    CORPUS.mkdir(parents=True, exist_ok=True)
    left = KEPT
    with zipfile.ZipFile(CORPUS / f"{target.removeprefix('fuzz_')}.zip", "w",
                         zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(inputs):
            left -= len(data)
            if left < 0:
                break
            archive.writestr(zipfile.ZipInfo(str(number)), data, zipfile.ZIP_DEFLATED)


for name in sys.argv[1:]:
    with tempfile.TemporaryDirectory() as place:
        pack(name, merged(name, place))
