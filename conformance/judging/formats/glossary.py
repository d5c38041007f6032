"""How to read a report: the words in it that its readers may not know, a sentence each."""

from __future__ import annotations

import re

__all__ = ["HEADING", "glossary"]

HEADING = "How to read this"

#: What shows that a report uses a word, the word, and what it means.
_WORDS = (
    (
        r"level must|\((?:must|should|inferred)\b",
        "level",
        "must is what the documented page demands, should a recommendation, inferred what no sentence states",
    ),
    (r"\bcauses?\b", "cause", "what the failures of one or several rules have in common, and no pass has"),
    (r"^ *(?:- )?clauses?\b|<dt>clauses", "clause", "one statement of the documentation, in our words"),
    (r"\bsettled\b", "settled", "no longer pending, and the same over several readings"),
    (r"\b[Cc]overage\b", "coverage", "the kinds of cases that rules were seen in; of a gap, nothing is proved"),
    (r"\binconclusive\b", "inconclusive", "the rule applied, but what was seen decides nothing"),
    (r"\bStrength\b", "strength", "how many known faults of a server a run like this one would find"),
)


def glossary(text: str) -> tuple[tuple[str, str], ...]:
    """The words that `text` uses and their meanings, in order."""
    return tuple((word, meaning) for pattern, word, meaning in _WORDS if re.search(pattern, text, re.MULTILINE))
