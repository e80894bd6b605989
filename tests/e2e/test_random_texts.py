"""Random texts mean what the model of ClearML's rules says, in both dialects;
make fuzz-differential does the same for longer, or with ClearML itself."""
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(__file__), '..', '..')
COMPARE = os.path.join(ROOT, 'tests', 'differential', 'compare.py')
READ_TEXTS = os.path.join(ROOT, os.environ.get('B', 'build'), 'read_texts')


def test_random_texts_are_read_as_the_model_reads_them():
    environment = {name: value for name, value in os.environ.items()
                   if name != 'CLEARML_SDK_SRC'}
    done = subprocess.run(
        [sys.executable, COMPARE, READ_TEXTS, '--texts', '3000', '--seed', '7'],
        env=environment, stdout=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert 'same' in done.stdout
