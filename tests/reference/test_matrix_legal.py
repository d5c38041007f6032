"""No rule fails for a legal variation, alone or with another.

By default a sample runs; `WHOLE_MATRIX=1` (`tox -e matrix`) runs all variations and 100 pairs.
"""

from __future__ import annotations

import os
import random
from itertools import combinations

import pytest
from matrix_runs import run_with_variations

from conformance.reference import VARIATIONS

WHOLE = bool(os.environ.get("WHOLE_MATRIX"))
_RANDOM = random.Random(11)
ALONE = tuple(VARIATIONS) if WHOLE else tuple(_RANDOM.sample(sorted(VARIATIONS), 5))
PAIRS = tuple(_RANDOM.sample(sorted(combinations(VARIATIONS, 2)), 100 if WHOLE else 5))


@pytest.mark.parametrize("variation", ALONE)
def test_no_rule_fails_for_a_variation(variation: str) -> None:
    assert run_with_variations(variation).messages == ()


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_no_rule_fails_for_two_variations_together(pair: tuple[str, str]) -> None:
    assert run_with_variations(*pair).messages == ()
