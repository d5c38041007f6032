"""Rules as values: each is one JSON Schema file over facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from conformance.contract.schemas import is_schema, names, read, uri

__all__ = [
    "FIRST_VERSION",
    "LEVELS",
    "Rule",
    "case_schema",
    "case_words",
    "load",
    "load_clauses",
    "load_shared",
    "load_uncarried",
]

#: From the strictest to the most lenient: what `--fail-on` takes.
LEVELS = ("must", "should", "inferred")

#: The first version of the contract, of which all rules without ``x-since`` are.
FIRST_VERSION = "0.1.0"

_COVERAGE = "facts/coverage"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `schema` has ``if``, ``then`` and ``x-conclusive-when``, each a schema over facts about `about`."""

    id: str
    title: str
    applies_to: str
    level: str
    about: str
    clauses: tuple[str, ...]
    cases: tuple[str, ...]
    schema: dict[str, Any] = field(hash=False)

    @property
    def since(self) -> str:
        """The version of the contract in which the rule was new."""
        version: str = self.schema.get("x-since", FIRST_VERSION)
        return version

    def part(self, name: str) -> dict[str, Any]:
        """``if``, ``then`` or ``x-conclusive-when`` as a schema of its own, whose references resolve."""
        return {"$id": f"{self.schema['$id'].removesuffix('.json')}.{name}.json", "allOf": [self.schema[name]]}


def _rule(name: str) -> Rule:
    schema = read(name)
    return Rule(
        name.rpartition("/")[2],
        schema["title"],
        schema["x-applies-to"],
        schema["x-level"],
        schema["x-facts"],
        tuple(schema["x-clauses"]),
        tuple(schema.get("x-coverage", ())),
        schema,
    )


@cache
def load() -> tuple[Rule, ...]:
    """All rules, sorted by id."""
    return tuple(_rule(name) for name in names("rules"))


@cache
def load_clauses() -> dict[str, dict[str, Any]]:
    """All clauses by id, each with the ids of the `rules` that carry it."""
    clauses: list[dict[str, Any]] = read("clauses")["clauses"]
    return {
        clause["id"]: {**clause, "rules": [rule.id for rule in load() if clause["id"] in rule.clauses]}
        for clause in clauses
    }


@cache
def load_uncarried() -> dict[str, str]:
    """What no rule carries, and why, by the id of the clause: a part of it where it has rules, else all of it."""
    reasons = ((id_, clause.get("uncarried", clause.get("silence"))) for id_, clause in load_clauses().items())
    return {id_: why for id_, why in reasons if why is not None}


@cache
def load_shared() -> dict[str, dict[str, Any]]:
    """The schemas that rules refer to, by name: facts and shapes of the API."""
    loaded = {name: read(name) for folder in ("api", "facts") for name in names(folder)}
    return {name: contents for name, contents in loaded.items() if is_schema(contents)}


def case_words(case: str) -> str:
    """A coverage class in words; what is no name of one is words already."""
    return str(read(_COVERAGE)["$defs"].get(case, {}).get("title", case))


def case_schema(case: str) -> dict[str, Any]:
    """The shared schema over facts of a coverage class, which ``x-coverage`` names."""
    return {"$ref": f"{uri(_COVERAGE)}#/$defs/{case}"}
