"""The stand-in ClearML server answers as the real one did: recordings are replayed (see
clearml_recordings) and compared byte for byte, but for what changes from run to run."""

import clearml_calls
import clearml_recordings
import pytest
from asking import call
from clearml_recordings import Recording, stable, stable_headers
from clearml_server import ClearMLServer

# Of these only the refusal of a user is recorded.
NOT_IMPLEMENTED = {"server.config", "server.endpoints"}

needs_recordings = pytest.mark.skipif(
    not clearml_recordings.NAMES, reason="no recordings: neither ../shared/api nor CLEARCONF_SHARED")


@pytest.fixture(scope="module")
def replaying():
    with ClearMLServer(edition="open") as running:
        yield running


@needs_recordings
@pytest.mark.parametrize("name", [
    name for name in clearml_recordings.NAMES if Recording(name).endpoint not in NOT_IMPLEMENTED] or ["none"])
def test_answers_as_recorded(replaying, name):
    recording = Recording(name)
    replaying.state = recording.state()
    reply = call(replaying, *recording.again(replaying.state.signing_key), auth=None)
    expected = recording.response
    traceback = expected["status"] == 500 and "Traceback" in expected["body_text"]
    packed = reply.header("Content-Encoding") == "gzip" or traceback
    assert stable(reply.text) == stable(expected["body_text"] or "")
    assert (reply.status, reply.reason) == (expected["status"], expected["reason"])
    assert stable_headers(reply.headers, packed) == stable_headers(expected["headers"], packed)


@needs_recordings
def test_recordings_are_compared_and_not_skipped():
    endpoints = {Recording(name).endpoint for name in clearml_recordings.NAMES}
    unknown = {"", "users.get_vaults", "users.nosuch", "nosuch.thing"}
    assert len(clearml_recordings.NAMES) > 150
    assert endpoints - unknown - NOT_IMPLEMENTED <= set(clearml_calls.CALLS)
    assert not NOT_IMPLEMENTED & set(clearml_calls.CALLS)
