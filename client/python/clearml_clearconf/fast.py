"""The fast way: an installed clearml of a version that was tried gets the tree
as it is, in place of reading the file by its own parser, which grows its import
by a sixth for 150 keys. Everything else stays ClearML's own: its defaults, merging,
overrides. With another version, or when anything is not as it was there, it
reads the file.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Dict, Optional, Sequence

from .errors import Error
from .hocon import written_key

TRIED = frozenset({"2.1.7"})
_CONFIG = "clearml.backend_config.config"

Tree = Dict[str, Any]
log = logging.getLogger("clearml_clearconf")


def refuse_when_late() -> None:
    """ClearML reads its configuration once."""
    config = sys.modules.get("clearml.config")
    wrapper = getattr(config, "ConfigWrapper", None)
    if getattr(wrapper, "_config", None) is not None:
        raise Error("ClearML has read its configuration already: call configure(), or import "
                    "clearml_clearconf.auto, before clearml is used")


def install(path: str, tree: Callable[[], Optional[Tree]]) -> None:
    """From now on ClearML gets the tree when it reads the file of this path."""
    def patch(module: ModuleType) -> None:
        problem = _patch(module, path, tree)
        log.debug("clearml reads %s: %s", "its file" if problem else "the tree",
                  problem or "version tried")

    if _CONFIG in sys.modules:
        patch(sys.modules[_CONFIG])
    else:
        sys.meta_path.insert(0, _Finder(patch))


def _patch(module: ModuleType, path: str, tree: Callable[[], Optional[Tree]]) -> Optional[str]:
    """Why not, or None."""
    version = getattr(sys.modules.get("clearml.version"), "__version__", None)
    if version not in TRIED:
        return f"version {version} was not tried"
    try:
        config, make = module.Config, module.ConfigTree
        file_reader = config._read_single_file
        given = tree()
        if given is None:
            return "the tree is not all that its parser would make of it"
        _build(given, make)
    except Exception as error:  # whatever it is, there is the file
        return f"not as in the version that was tried ({type(error).__name__})"

    def read(file_path: str, verbose: Any = True) -> Any:
        if file_path != path or verbose:
            return file_reader(file_path, verbose=verbose)
        return _build(given, make)

    config._read_single_file = staticmethod(read)
    return None


def _build(value: Any, make: Any) -> Any:
    """As ClearML's parser makes it: a tree for each object, keys as it writes
    them, numbers of no subclass. A new one each time: ClearML changes it."""
    if isinstance(value, dict):
        tree = make()
        for key, member in value.items():
            [name] = make.parse_key(written_key(key))
            tree[name] = _build(member, make)
        return tree
    if isinstance(value, list):
        return [_build(item, make) for item in value]
    return value


# --- when clearml is imported -------------------------------------------------

class _Finder:
    """Waits for one module. No importlib.abc is worth its import's time."""

    def __init__(self, patch: Callable[[ModuleType], None]) -> None:
        self.patch = patch
        self.is_looking = False

    def find_spec(self, name: str, path: Optional[Sequence[str]],
                  target: Optional[ModuleType] = None) -> Optional[ModuleSpec]:
        if name != _CONFIG or self.is_looking:
            return None
        self.is_looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.is_looking = False
        if spec:
            spec.loader = _Loader(spec.loader, self.patch)  # type: ignore[assignment]
        return spec


class _Loader:
    """Loads as the loader does, and patches then."""

    def __init__(self, loader: Any, patch: Callable[[ModuleType], None]) -> None:
        self.loader, self.patch = loader, patch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        self.patch(module)
