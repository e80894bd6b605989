"""Why tests may be skipped: tests/skips.txt."""

import fnmatch
import pathlib
import re

TABLE = pathlib.Path(__file__).resolve().parents[1] / "skips.txt"


def rows():
    """[(reason, job)]."""
    lines = (line for line in TABLE.read_text().splitlines() if line and line[0] != "#")
    return [tuple(line.rsplit(": ", 1)) for line in lines]


def is_of(reason, row):
    """Is this what a row of the table says? Its * alone is no letter."""
    pattern = re.sub(r"([\[\]?])", r"[\1]", row)
    return fnmatch.fnmatchcase(reason, pattern)


def job_of(reason):
    """The job that does run what is skipped for this reason; None: nobody knows it."""
    return next((job for row, job in rows() if is_of(reason, row)), None)
