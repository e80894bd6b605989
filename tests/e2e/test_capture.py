"""The README's picture of a terminal shows what the programs say today."""

import re

from capture import draw, session
from harness import ROOT


def told(svg):
    """What a reader sees, without what differs from one time to the next."""
    lines = re.findall(r"<text[^>]*>(.*?)</text>", svg)
    text = "\n".join(re.sub(r"<[^>]*>", "", line) for line in lines)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"[0-9a-f]{8,}", "ID", text)
    text = re.sub(r"\b\d+ (s|min)\b", "# s", text)
    return re.sub(r"(process|generation|connections|^)(,? )?\d+\b", r"\1 #", text, flags=re.M)


def test_the_picture_is_what_the_programs_say():
    assert told((ROOT / "client/doc/session.svg").read_text()) == told(draw(session()))
