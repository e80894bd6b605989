"""Two readings of the storage rules, for a hundred thousand questions."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from test_storage_model import ENVIRONMENTS, compare  # noqa: E402


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_two_readings_of_the_rules_agree_for_many_seeds(home, name):
    compare(home, ENVIRONMENTS[name], range(1000, 1850), 20)
