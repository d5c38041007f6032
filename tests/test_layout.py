"""The house: each thing has its room, imports point one way, and one name means one thing."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import conformance

PACKAGE = Path(conformance.__file__).parent

#: What everybody may import.
LEAVES = {"clock", "errors", "hypothesis_home", "interrupts", "version"}

#: What each room may import besides the leaves.  An exchange walks from `http` to `judging`; servers and clients,
#: which are tested, never meet; the reference server knows nothing of the rules.
ROOMS: dict[str, set[str]] = {
    "http": set(),
    "recordings": {"http"},
    "contract": set(),
    "facts": {"http", "contract"},
    "judging": {"http", "contract", "facts"},
    "reference": set(),
    "servers": {"http", "contract", "facts", "judging", "recordings", "reference"},
    "clients": {"http", "contract", "facts", "judging", "reference"},
    "cli": {"http", "contract", "facts", "judging", "recordings", "reference", "servers", "clients"},
    "plugins": {"http", "contract", "facts", "judging", "recordings", "reference", "servers", "clients", "cli"},
    "suite": {"plugins"},
}

#: Files of the first floor that are no leaves: the public names, which are imported when they are asked for.
FACES = {"__init__", "__main__", "strategies"}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path, tree: ast.Module) -> Iterator[str]:
    """The modules that a module imports, by their full names."""
    package = ["conformance", *path.parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


def arrows() -> dict[str, set[str]]:
    """What each room and file of the first floor imports of the others."""
    found: dict[str, set[str]] = {}
    for path, tree in modules():
        names = {name.split(".")[1] for name in imported(path, tree) if name.startswith("conformance.")}
        found.setdefault(room_of(path), set()).update(names - {room_of(path)})
    return found


def test_the_first_floor_has_no_other_rooms() -> None:
    assert set(arrows()) == {*ROOMS, *LEAVES, *FACES}


def test_each_room_imports_what_it_may() -> None:
    found = arrows()
    assert {room: found[room] - allowed - LEAVES for room, allowed in ROOMS.items()} == {room: set() for room in ROOMS}


def test_leaves_import_nothing_but_leaves() -> None:
    found = arrows()
    assert {leaf: found[leaf] - LEAVES for leaf in LEAVES} == {leaf: set() for leaf in LEAVES}


def test_no_imports_go_in_a_circle() -> None:
    graph = {room: imports for room, imports in arrows().items() if room not in FACES}
    assert list(TopologicalSorter(graph).static_order())


def test_a_file_name_is_used_once() -> None:
    names = Counter(path.name for path, _ in modules() if not path.name.startswith("__"))
    assert [name for name, count in names.items() if count > 1] == []


def test_a_class_name_is_used_once() -> None:
    names = Counter(
        node.name
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_exceptions_end_in_error_or_warning() -> None:
    raised = [
        node.name
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(
            isinstance(base, ast.Name) and base.id.endswith(("Exception", "Error", "Warning")) for base in node.bases
        )
    ]
    assert [name for name in raised if not name.endswith(("Error", "Warning"))] == []


def test_a_module_is_read_in_one_sitting() -> None:
    longest = {str(path): len((PACKAGE / path).read_text(encoding="utf-8").splitlines()) for path, _ in modules()}
    assert {path: lines for path, lines in longest.items() if lines > 500} == {}


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
