"""python_smoke.py FOLDER SOCKET: clearml_clearconf of that folder, on whatever Python runs this."""

import pathlib
import sys

sys.path.insert(0, sys.argv[1])
import clearml_clearconf as clearconf  # noqa: E402

client = clearconf.Client(sys.argv[2])
updates = client.watch("a", values=True)
assert next(updates).value == {"a": {"int": 1}}
updates.close()
assert client.get("a.int") == 1 and client.explain("a.int")[0].value == 1
assert client.status()["state"] == "ready"
try:
    client.get("none")
except clearconf.PathNotFound as error:
    assert error.path == "none"
with client.configured() as path:
    assert "int = 1" in pathlib.Path(path).read_text()
print("ok", *sys.version_info[:2])
