"""python3_varlink.py SOCKET: what python3-varlink, which knows nothing of us,
makes of the daemon; a line of JSON for each thing."""

import json
import sys

import varlink


def say(**what):
    print(json.dumps(what), flush=True)


with varlink.Client.new_with_address(f"unix:{sys.argv[1]}") as client:
    say(interfaces=sorted(client.get_interfaces()))
    with client.open("io.clearconf") as daemon:
        say(get=daemon.Get(path="sdk"))
        try:
            daemon.Get(path="sdk.none")
        except varlink.VarlinkError as error:
            say(error=error.error(), parameters=error.parameters())
        for reply in daemon.Watch(paths=["sdk"], values=True, _more=True):
            say(watch=reply)
            if reply["changes"]:
                break
