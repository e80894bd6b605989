"""import clearml_clearconf.auto: configure() with its defaults."""

from .process import configure

configure()
