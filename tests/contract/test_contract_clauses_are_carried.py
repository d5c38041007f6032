"""The clauses and the rules agree: each clause is carried by rules, or says why none can."""

from __future__ import annotations

import re
from typing import Any

from conformance.contract import schemas
from conformance.contract.drift import statements
from conformance.contract.rules import load, load_clauses, load_uncarried

CLAUSES = schemas.read("clauses")["clauses"]


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [string for child in children for string in strings(child)]


def test_every_rule_names_existing_clauses() -> None:
    ids = {clause["id"] for clause in CLAUSES}
    assert {rule.id: set(rule.clauses) - ids for rule in load() if set(rule.clauses) - ids} == {}


def test_a_clause_has_rules_or_says_why_none_carries_it_and_only_one_with_rules_has_an_uncarried_part() -> None:
    clauses = load_clauses().values()
    neither = [f"{c['id']} ({c['about']})" for c in clauses if "silence" not in c and not c["rules"]]
    both = [f"{c['id']}: {c['rules']}" for c in clauses if "silence" in c and c["rules"]]
    part = [c["id"] for c in clauses if "uncarried" in c and not c["rules"]]
    assert not neither, "\n".join(["name each of these under some rule's x-clauses, or give it a silence:", *neither])
    assert not both, "\n".join(["these have rules: call what is left of their silence uncarried, or delete it:", *both])
    assert not part, "\n".join(["these have no rules: call what is uncarried their silence:", *part])


def test_what_no_rule_carries_is_told_of_whole_clauses_and_of_parts() -> None:
    clauses, uncarried = load_clauses(), load_uncarried()
    assert {"D4", "B3", "P2", "E1", "A2", "A3", "2.6.b"} <= {id_ for id_ in uncarried if clauses[id_]["rules"]}
    assert {id_ for id_ in uncarried if not clauses[id_]["rules"]} == {
        id_ for id_, clause in clauses.items() if not clause["rules"]
    }
    assert uncarried["A2"] == clauses["A2"]["uncarried"]
    assert uncarried["D1"] == clauses["D1"]["silence"]
    assert "B8" not in uncarried


def test_the_rules_of_a_clause_are_those_that_name_it() -> None:
    named = {(clause, rule.id) for rule in load() for clause in rule.clauses}
    carried = [(clause["id"], rule) for clause in load_clauses().values() for rule in clause["rules"]]
    assert sorted(named) == sorted(carried)
    assert [clause["id"] for clause in CLAUSES if "rules" in clause] == []


def test_a_clause_says_whom_it_applies_to_how_strongly_and_where_it_is_from() -> None:
    ids = [clause["id"] for clause in CLAUSES]
    assert len(set(ids)) == len(ids)
    for clause in CLAUSES:
        assert clause["applies_to"] in ("client", "server", "admin", "both"), clause["id"]
        assert clause["strength"] in ("must", "should", "may", "info"), clause["id"]
        assert clause["section"], clause["id"]
        assert clause["about"], clause["id"]
        assert clause.get("silence", "said"), clause["id"]
        assert clause.get("uncarried", "said"), clause["id"]
        keys = set(clause) - {"id", "section", "applies_to", "strength", "about", "silence", "uncarried"}
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


def test_no_sentence_of_the_page_is_copied() -> None:
    digests = {digest for clause in CLAUSES for digest in clause.get("digest", [])}
    root = schemas.folder()
    texts = [string for name in schemas.names() for string in strings(schemas.read(name))]
    texts += [path.read_text(encoding="utf-8") for path in root.parent.glob("*.md")]
    found = {s.text for text in texts for s in statements(text) if s.digest in digests and len(s.text.split()) >= 5}
    assert found == set()
