"""Everything at once, roughly, for a moment: see tests/support/storm.py. Longer, and under sanitizers:
`make storm`, `make test-long`."""

from storm import weather

SECONDS = 20


def test_a_storm_leaves_everybody_with_what_is_there_last(server, short_folder):
    weather(short_folder, server, seed=1, seconds=SECONDS)
