"""python_smoke.py FOLDER SOCKET: clearml_clearconf of that folder, on whatever Python runs this."""

import asyncio
import os
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


async def awaited():
    """The same, and what it leaves behind is nothing to warn of."""
    ours = clearconf.AsyncClient(sys.argv[2])
    async for update in ours.watch("a", values=True):
        assert update.value == {"a": {"int": 1}}
        break
    async with ours.exec_environment() as env:
        assert "int = 1" in pathlib.Path(env["CLEARML_CONFIG_FILE"]).read_text()
    return await asyncio.gather(ours.get("a.int"), ours.get("none", default=2))


assert asyncio.run(awaited()) == [1, 2]
assert clearconf.configure(socket=sys.argv[2]) == os.environ["CLEARML_CONFIG_FILE"]
print("ok", *sys.version_info[:2])
