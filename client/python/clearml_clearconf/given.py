"""What a program is given: the environment, and the file that it names.

Beside the file lies its tree, for the fast way and for who is started by the
program; but not where ClearML reads in the file what the tree does not say: then
the file is the only way.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import TYPE_CHECKING, Any, Dict, NamedTuple, Optional, Tuple

from .hocon import write_hocon
from .questions import Environment

if TYPE_CHECKING:
    from .private import PrivateFolder

_TREE = "tree.json"

Tree = Dict[str, Any]
Wish = Tuple[Optional[str], Optional[str], str, bool]  # socket, workspace, vaults, required?
NO_WISH: Wish = (None, None, "merged", False)


class Given(NamedTuple):
    """folder is to be left when it is no longer needed."""
    environ: Dict[str, str]
    folder: PrivateFolder

    def tree(self) -> Optional[Tree]:
        """None: there is the file alone."""
        tree: Optional[Tree] = _read(self.folder).get("tree")
        return tree


def give(tree: Tree, variables: Environment, caller: Environment, wish: Wish) -> Given:
    from . import private

    text, complaints = write_hocon(tree)
    for complaint in complaints:
        warnings.warn(complaint, stacklevel=3)
    files = {_TREE: json.dumps({"wish": wish, "tree": None if complaints else tree}),
             private.FILE: text}
    folder = private.make(caller, files)
    return Given({**variables, "CLEARML_CONFIG_FILE": folder.path}, folder)


def inherit(environ: Environment, wish: Wish) -> Optional[Given]:
    """What this process has been given by whom it was started by, unless it
    wishes for something else in particular."""
    if sys.platform != "linux":
        return None
    from . import private

    folder = private.adopt(environ)
    if not folder:
        return None
    if wish == NO_WISH or list(wish) == _read(folder).get("wish"):
        return Given(dict(environ), folder)
    folder.leave()
    return None


def _read(folder: PrivateFolder) -> Tree:
    text = folder.read(_TREE)
    kept: Tree = json.loads(text) if text else {}
    return kept
