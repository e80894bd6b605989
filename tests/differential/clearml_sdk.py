"""What ClearML itself makes of a text: its parser, out of the checkout of its
SDK that CLEARML_SDK_SRC names."""
import importlib
import json
import os
import signal
import sys
import types

from clearml_environment import ENVIRONMENT

SECONDS = 0.2      # of CPU: a text that takes longer comes to no end


class TooLong(Exception):
    pass


def on_alarm(_signal, _frame):
    raise TooLong


def load():
    """The parser alone, without what else the package imports."""
    root = os.environ['CLEARML_SDK_SRC']
    for name in ('clearml', 'clearml.utilities'):
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(root, *name.split('.'))]
        sys.modules[name] = package
    import logging
    logging.disable(logging.CRITICAL)
    pyhocon = importlib.import_module('clearml.utilities.pyhocon')
    signal.signal(signal.SIGVTALRM, on_alarm)
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    return pyhocon.ConfigFactory


FACTORY = None


def read(text):
    """(True, value), or (False, the name of what was raised)."""
    global FACTORY
    FACTORY = FACTORY or load()
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        tree = FACTORY.parse_string(text)
        value = tree.as_plain_ordered_dict()
        return True, json.loads(json.dumps(value, default=internal))
    except TooLong:
        return False, 'no end'
    except Exception as error:  # whatever it is, ClearML refuses the text
        return False, type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def internal(thing):
    """Objects of its own that JSON cannot hold: a null in a nested list."""
    if type(thing).__name__ == 'NoneValue':
        return None
    return '<%s>' % type(thing).__name__
