"""No reader ever sees a torn or lax dump. A thousand changes: `make test-long`."""

from dump_reader import run


def test_a_reader_sees_whole_private_files_whatever_happens_to_the_writer(home, daemon):
    reader, leftovers = run(home, daemon, changes=40, kills=8)
    assert reader.wrong == [] and len(reader.seen) >= 40
    assert leftovers <= 2
