"""Objects that many threads use, one at a time."""

import functools


def locked(method):
    """A method that holds its object's lock."""
    @functools.wraps(method)
    def wrapper(self, *args, **options):
        with self.lock:
            return method(self, *args, **options)
    return wrapper
