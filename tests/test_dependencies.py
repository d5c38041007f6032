"""A declared dependency is one that the package imports; what only one feature needs is an extra."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import conformance

PACKAGE = Path(conformance.__file__).parent
PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

#: Needed without an import.
NEEDED = {"tzdata": "zoneinfo reads it where the system has no time zones"}

#: Extras that are loaded by name, or that a team uses beside the package.
BESIDE = {"brotli", "fsspec", "json5", "zstandard", "pytest-recording"}


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    """The names in requirements."""
    return {normal(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]) for requirement in requirements}


DEPENDENCIES = declared(PROJECT["dependencies"])
EXTRAS = {name: declared(requirements) for name, requirements in PROJECT["optional-dependencies"].items()}


def statements(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module that run, wherever they stand: not those for type checkers alone."""
    for node in nodes:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from statements(node.orelse)
            continue
        yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from statements(getattr(node, block, []))


def imported() -> dict[str, set[str]]:
    """The distributions that the package imports, each with the modules that do."""
    known = packages_distributions()
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in statements(ast.parse(path.read_text(encoding="utf-8")).body):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [str(node.module)]
            for name in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"conformance"}:
                for distribution in known.get(name, [name]):
                    found.setdefault(normal(distribution), set()).add(path.relative_to(PACKAGE).as_posix())
    return found


def test_what_is_imported_is_declared() -> None:
    undeclared = imported().keys() - DEPENDENCIES - set().union(*EXTRAS.values())
    assert {name: sorted(imported()[name]) for name in undeclared} == {}


def test_what_is_declared_is_imported() -> None:
    assert DEPENDENCIES - imported().keys() - NEEDED.keys() == set()
    assert set().union(*EXTRAS.values()) - imported().keys() - BESIDE == set()


def test_what_needs_no_import_has_none() -> None:
    assert (NEEDED.keys() | BESIDE) & imported().keys() == set(), "take it off the list above"
    assert NEEDED.keys() <= DEPENDENCIES


def test_what_is_always_installed_is_no_extra() -> None:
    assert {name: extra & DEPENDENCIES for name, extra in EXTRAS.items() if extra & DEPENDENCIES} == {}
