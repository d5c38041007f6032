"""`tests/constraints.txt` pins all that the environments of tox install; `tox -e constraints` writes it again."""

from __future__ import annotations

import os
import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
LINES = [line for line in (HERE / "constraints.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
PINS = {canonicalize_name(pin.name): pin for pin in map(Requirement, LINES)}
PYPROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
TESTED_WITH = os.environ.get("TOX_ENV_NAME", "latest")


def declared() -> list[Requirement]:
    """What the package, its extras and the pinned environments ask for."""
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    asked = [project["dependencies"], *project["optional-dependencies"].values()]
    asked += [group for name, group in groups.items() if name != "bench"]
    return [Requirement(line) for requirements in asked for line in requirements]


def test_each_line_is_a_version_and_nothing_else() -> None:
    assert [line for line in LINES if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [^@:/]+)?", line)] == []


def test_all_that_is_asked_for_is_pinned_within_what_is_asked_for() -> None:
    def holds(asked: Requirement) -> bool:
        pin = PINS.get(canonicalize_name(asked.name))
        return pin is not None and asked.specifier.contains(str(pin.specifier).removeprefix("=="))

    assert [str(asked) for asked in declared() if not holds(asked)] == []


@pytest.mark.skipif(TESTED_WITH == "latest", reason="the newest packages are tested with, or whatever is there")
def test_all_that_is_installed_has_the_version_that_is_pinned() -> None:
    installed = {canonicalize_name(one.name): f"=={one.version}" for one in distributions()}
    own = {"cronofy-conformance", "pip", "setuptools"}  # virtualenv brings setuptools to Python 3.11
    pinned = {name: str(PINS[name].specifier) if name in PINS else "unpinned" for name in installed}
    assert {name: version for name, version in installed.items() if name not in own and pinned[name] != version} == {}
