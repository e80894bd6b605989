"""A machine's place in the queue for something that comes to hosts in turns."""

import hashlib


def share_of(machine, subject):
    """Of 10,000: daemon/core/base/share.h."""
    digest = hashlib.sha256(machine.encode() + b"\0" + subject.encode()).digest()
    return int.from_bytes(digest[:8], "big") * 10000 >> 64
