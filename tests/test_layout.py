"""The house: imports point one way, and each thing has its room."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import conformance

PACKAGE = Path(conformance.__file__).parent

#: What each room of the core may import, and no more: one exchange walks this way and no other.
CORE = {
    "exchange": set(),
    "schemas": set(),
    "facts": {"exchange", "schemas"},
    "rules": {"schemas"},
    "judgement": {"facts", "rules", "schemas"},
    "visible": set(),
    "curl": {"exchange", "visible"},
    "report": {"judgement", "rules"},
    "statement": {"curl", "judgement", "report", "rules"},
    "examine": {"exchange", "facts", "judgement", "report", "rules"},
    "render": {"curl", "judgement", "report", "rules", "schemas", "statement", "visible"},
}

#: Rooms that must not know of each other.
STRANGERS = (
    ("reference", ("rules", "facts", "judgement", "report", "statement", "campaign", "scenarios")),
    ("recordings", ("campaign", "clients", "reference", "subject")),
    ("campaign", ("clients", "recordings", "reference")),
    ("clients", ("campaign", "recordings", "scenarios", "subject")),
    ("scenarios", ("campaign", "clients", "recordings", "reference", "subject")),
)


def rooms() -> dict[str, set[str]]:
    """Each module or package directly under ``conformance``, with those of them that it imports."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        package = ["conformance", *path.relative_to(PACKAGE).parent.parts]
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        imports = found.setdefault(room, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                module = ".".join([*base, *([node.module] if node.module else [])])
                names = [f"{module}.{alias.name}" for alias in node.names] if module == "conformance" else [module]
            else:
                continue
            imports |= {name.split(".")[1] for name in names if name.startswith("conformance.")}
        imports.discard(room)
    return found


def test_the_core_imports_one_way() -> None:
    found = rooms()
    assert {room: found[room] - allowed for room, allowed in CORE.items() if found[room] - allowed} == {}


def test_no_imports_go_in_a_circle() -> None:
    graph = {room: imports for room, imports in rooms().items() if room not in ("__init__", "pytest_plugin", "suite")}
    assert list(TopologicalSorter(graph).static_order())


def test_strangers_stay_strangers() -> None:
    found = rooms()
    assert {room: found[room] & set(others) for room, others in STRANGERS if found[room] & set(others)} == {}


def test_the_top_level_is_what_the_readme_says() -> None:
    root = Path(__file__).parents[1]
    expected = {
        "pyproject.toml",
        "schemas",
        "conformance",
        "cassettes",
        "tests",
        "tox.ini",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
    }
    built = {"build", "dist", "node_modules"}
    found = {
        path.name for path in root.iterdir() if not path.name.startswith(".") and not path.name.endswith(".egg-info")
    }
    assert found - built == expected
