"""Recompute the digests of ``schemas/clauses.json`` from a copy of the documented page.

For when sentences are cut otherwise, or the page says the same in other words and the clauses still hold::

    PYTHONPATH=. python tests/contract/clause_digests.py PAGE
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from conformance.contract import schemas
from conformance.contract.drift import statements


def retaken(text: str, page: str) -> str:
    """The text of ``clauses.json`` with the digests of `page`, whose statements stand in the order of the outline.

    Raises ValueError where the outline has more or fewer places than the page has statements that are not set aside.
    """
    contract = json.loads(text)
    digests = [statement.digest for statement in statements(page) if statement.digest not in contract["page"]["aside"]]
    outline = contract["page"]["outline"]
    if len(digests) != len(outline):
        raise ValueError(
            f"the outline has {len(outline)} places and the page {len(digests)} statements: correct it first"
        )
    by_clause: dict[str, list[str]] = {}
    for ids, digest in zip(outline, digests, strict=True):
        for id_ in ids:
            by_clause.setdefault(id_, []).append(digest)

    def filled(clause: re.Match[str]) -> str:
        old, new = json.loads(clause[3]), by_clause.get(clause[2], [])
        if len(old) != len(new):
            raise ValueError(f"{clause[2]} has {len(old)} digests and {len(new)} places in the outline")
        left = iter(new)
        return clause[1] + re.sub(r"[0-9a-f]{64}", lambda _: next(left), clause[3])

    return re.sub(r'("id": "([^"]+)",(?:(?!"id": )[\s\S])*?"digest": )(\[[^\]]*\])', filled, text)


if __name__ == "__main__":
    file = schemas.folder() / "clauses.json"
    file.write_text(
        retaken(file.read_text(encoding="utf-8"), Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8"
    )
