"""clearml_clearconf, by the name that it had here before: on the Python index
`clearconf` is another project, so programs are better off with the new one."""

from clearml_clearconf import *  # noqa: F401,F403
from clearml_clearconf import __version__  # noqa: F401
