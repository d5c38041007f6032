"""No legal choice is ever accused, alone or beside another; `WHOLE_MATRIX=1` tries all, and 100 pairs."""

from __future__ import annotations

import os
import random
from itertools import combinations

import pytest
from matrix_runs import varied

from conformance.reference import VARIATIONS

WHOLE = bool(os.environ.get("WHOLE_MATRIX"))
_RANDOM = random.Random(11)
ALONE = tuple(VARIATIONS) if WHOLE else tuple(_RANDOM.sample(sorted(VARIATIONS), 5))
PAIRS = tuple(_RANDOM.sample(sorted(combinations(VARIATIONS, 2)), 100 if WHOLE else 5))


@pytest.mark.parametrize("variation", ALONE)
def test_a_legal_choice_is_not_accused(variation: str) -> None:
    assert varied(variation).messages == ()


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_two_legal_choices_together_are_not_accused(pair: tuple[str, str]) -> None:
    assert varied(*pair).messages == ()
