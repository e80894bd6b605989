"""A thousand changes and a hundred kill -9 of the writer: CHANGES, KILLS."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from dump_reader import run  # noqa: E402

CHANGES, KILLS = (int(os.environ.get(name, value)) for name, value in
                  (("CHANGES", "1000"), ("KILLS", "100")))


def test_a_reader_sees_whole_private_files(home, daemon):
    reader, leftovers = run(home, daemon, changes=CHANGES, kills=KILLS)
    print(f"{reader.reads} reads of {len(reader.seen)} states, {leftovers} files left")
    assert reader.wrong == [] and len(reader.seen) >= CHANGES
    assert leftovers <= KILLS / 10
