"""The clauses and the rules agree: each clause names the rules that carry it, or why none can."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from conformance.contract import schemas
from conformance.contract.drift import statements

CLAUSES = schemas.read("clauses")["clauses"]


def carriers() -> dict[str, list[str]]:
    """The ids of the rules by the clause that they carry."""
    carried: dict[str, list[str]] = {}
    for name in schemas.names("rules"):
        for clause in schemas.read(name)["x-clauses"]:
            carried.setdefault(clause, []).append(name.removeprefix("rules/"))
    return carried


def fill(text: str, carried: Mapping[str, Iterable[str]]) -> str:
    """The text of clauses.json with the rules of each clause that has no silence taken from `carried`."""

    def filled(clause: re.Match[str]) -> str:
        return f'{clause[1]}"rules": {json.dumps(sorted(carried.get(clause[2], ())))}'

    return re.sub(r'("id": "([^"]+)",(?:(?!"id": |"silence": )[\s\S])*?)"rules": \[[^\]]*\]', filled, text)


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [string for child in children for string in strings(child)]


def test_every_rule_names_clauses_that_there_are() -> None:
    ids = {clause["id"] for clause in CLAUSES}
    assert {clause: rules for clause, rules in carriers().items() if clause not in ids} == {}, (
        "rules name these clauses, which clauses.json has not: correct their x-clauses"
    )


def test_a_clause_has_rules_or_a_silence() -> None:
    carried = carriers()
    neither = [f"{c['id']} ({c['about']})" for c in CLAUSES if "silence" not in c and c["id"] not in carried]
    both = [f"{c['id']}: {carried[c['id']]}" for c in CLAUSES if "silence" in c and c["id"] in carried]
    assert not neither, "\n".join(["name each of these under some rule's x-clauses, or give it a silence:", *neither])
    assert not both, "\n".join(['these have rules: put "rules": [] in the place of their silence:', *both])
    assert [c["id"] for c in CLAUSES if ("silence" in c) == ("rules" in c)] == [], "these need exactly one of the two"


def test_clauses_and_rules_agree_on_who_carries_what() -> None:
    path = schemas.folder() / "clauses.json"
    text = path.read_text(encoding="utf-8")
    carried = carriers()
    stale = [c["id"] for c in CLAUSES if "rules" in c and c["rules"] != sorted(carried.get(c["id"], []))]
    assert stale == [], (
        "clauses.json has other rules for these than x-clauses say; from tests/contract, bring it up to date:\n"
        "  PYTHONPATH=../.. python -c 'from test_contract_clauses_are_carried import *; "
        'p = schemas.folder() / "clauses.json"; p.write_text(fill(p.read_text(), carriers()))\''
    )
    assert fill(text, carried) == text


def test_filling_changes_the_rules_of_clauses_without_a_silence_only() -> None:
    text = '[{"id": "T1", "rules": ["old"]}, {"id": "T2", "silence": "x"}, {"id": "T3", "rules": []}]'
    assert json.loads(fill(text, {"T1": ["b", "a"], "T2": ["c"]})) == [
        {"id": "T1", "rules": ["a", "b"]},
        {"id": "T2", "silence": "x"},
        {"id": "T3", "rules": []},
    ]


def test_a_clause_says_whom_it_binds_how_strongly_and_where_it_is_from() -> None:
    ids = [clause["id"] for clause in CLAUSES]
    assert len(set(ids)) == len(ids)
    for clause in CLAUSES:
        assert clause["applies_to"] in ("client", "server", "admin", "both"), clause["id"]
        assert clause["strength"] in ("must", "should", "may", "info"), clause["id"]
        assert clause["section"], clause["id"]
        assert clause["about"], clause["id"]
        assert clause.get("silence", "said"), clause["id"]
        keys = set(clause) - {"id", "section", "applies_to", "strength", "about", "rules", "silence"}
        if re.match(r"2\.\d\.[a-z]\Z", clause["id"]):
            assert keys == {"source"}, clause["id"]
            assert clause["source"].startswith("https://docs.cronofy.com/"), clause["id"]
        else:
            assert re.match(r"[A-Z]\d+\Z", clause["id"]), clause["id"]
            assert keys <= {"digest"}, clause["id"]
            assert all(re.match(r"[0-9a-f]{64}\Z", digest) for digest in clause.get("digest", [])), clause["id"]


def test_only_the_statement_that_is_an_absence_has_no_digest() -> None:
    page = [clause for clause in CLAUSES if "source" not in clause]
    assert [clause["id"] for clause in page if not clause.get("digest")] == ["X4"]


def test_no_sentence_of_the_page_is_carried() -> None:
    said = {digest for clause in CLAUSES for digest in clause.get("digest", [])}
    root = schemas.folder()
    texts = [string for name in schemas.names() for string in strings(schemas.read(name))]
    texts += [path.read_text(encoding="utf-8") for path in root.parent.glob("*.md")]
    found = {s.text for text in texts for s in statements(text) if s.digest in said and len(s.text.split()) >= 5}
    assert found == set()
