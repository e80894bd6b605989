"""A configuration as a clearml.conf that ClearML's own parser reads back."""

from __future__ import annotations

import json
import re
import warnings
from typing import Any, List, Mapping, Optional, Tuple

from .questions import join_path

DUMP_COMMENT = "# written by clearconf"
_DEPTH = 30  # ClearML's parser may give up below this


class Number(float):
    """A number that is no integer, with the text it was written as."""

    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


def decode_exactly(text: str) -> Any:
    return json.loads(text, parse_float=Number)


def render_hocon(tree: Mapping[str, Any]) -> str:
    """A configuration as a clearml.conf that ClearML's own parser reads back to
    the same tree, with a warning for what it has no way to write."""
    text, complaints = write_hocon(tree)
    for complaint in complaints:
        warnings.warn(complaint, stacklevel=2)
    return text


def write_hocon(tree: Mapping[str, Any]) -> Tuple[str, List[str]]:
    """The text, and what of it ClearML will read otherwise."""
    writer = _Writer()
    lines = [DUMP_COMMENT]
    for key, value in tree.items():
        lines += writer.member([key], value)
    return "\n".join(lines) + "\n", writer.complaints


# The escapes that ClearML decodes. Other control characters stand for
# themselves; a tab must be escaped, because it is expanded even inside quotes.
_ESCAPES = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"})


def written_key(key: str) -> Optional[str]:
    """The key as ClearML reads it, or None. Between quotes it takes backslashes
    in pairs with what follows, keeps both, and knows no escapes; an empty key
    makes it crash, and a bare `include` is none."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key) and key.lower() != "include":
        return key
    if re.fullmatch(r'(?:[^"\n\r\t\\]|\\[^"\n\r\t])+', key, flags=re.S):
        return f'"{key}"'
    return None


class _Writer:
    def __init__(self) -> None:
        self.complaints: List[str] = []

    def complain(self, path: List[str], text: str) -> None:
        self.complaints.append(f"{join_path(*path)}: {text}")

    def member(self, path: List[str], value: Any) -> List[str]:
        key = written_key(path[-1])
        if key is None:
            self.complain(path, "left out: there is no way to write this key")
            return []
        written = self.value(path, value, 0)
        # `key {` rather than `key = {`: ClearML reads it half as deep again.
        written[0] = key + (" " if isinstance(value, dict) else " = ") + written[0]
        return ["  " * (len(path) - 1) + written[0], *written[1:]]

    def value(self, path: List[str], value: Any, lists: int) -> List[str]:
        """Its lines, the first without indentation; lists: how many are around
        it without an object between."""
        indent = "  " * len(path)
        if isinstance(value, (dict, list)) and len(path) == _DEPTH + 1:
            self.complain(path, "nested so deep that ClearML may fail to read it")
        if isinstance(value, dict):
            inner = [line for key, member in value.items()
                     for line in self.member([*path, key], member)]
            return _block("{", inner, "}", indent[2:], bool(value))
        if isinstance(value, list):
            inner = []
            for index, item in enumerate(value):
                at = [*path, str(index)]
                self.look_at_item(at, item, lists + 1)
                lines = self.value(at, item, lists + 1)
                lines[-1] += "," if index + 1 < len(value) else ""
                inner += [indent + lines[0], *lines[1:]]
            return _block("[", inner, "]", indent[2:], bool(value))
        return [_scalar(value)]

    def look_at_item(self, path: List[str], item: Any, lists: int) -> None:
        if item == "" and isinstance(item, str):
            self.complain(path, "ClearML drops an empty string from a list")
        if item is None and lists > 1:
            self.complain(path, "ClearML cannot read null in a list in a list")


def _block(begin: str, inner: List[str], end: str, indent: str, filled: bool) -> List[str]:
    return [begin, *inner, indent + end] if filled else [begin + end]


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value.translate(_ESCAPES)}"'
    if isinstance(value, Number):
        return value.text
    return json.dumps(value)
