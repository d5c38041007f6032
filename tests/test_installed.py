"""What tox tests is what a team would install: the wheel, not the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import conformance

CHECKOUT = Path(__file__).parents[1]
INSTALLED = Path(sysconfig.get_path("purelib")) / "conformance"

pytestmark = pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="only tox promises to test what is installed")


def test_the_package_under_test_is_the_installed_one() -> None:
    assert Path(conformance.__file__).parent == INSTALLED
    assert not INSTALLED.is_relative_to(CHECKOUT / "conformance")


def test_the_schemas_under_test_are_those_of_the_wheel() -> None:
    assert sorted(INSTALLED.glob("_schemas/*.json"))
    held = {path.relative_to(INSTALLED / "_schemas"): path.read_bytes() for path in INSTALLED.rglob("_schemas/**/*.*")}
    kept = CHECKOUT / "schemas"
    assert held == {path.relative_to(kept): path.read_bytes() for path in kept.rglob("*.*")}


def test_every_module_of_the_checkout_is_in_the_wheel() -> None:
    def modules(package: Path) -> dict[Path, bytes]:
        return {path.relative_to(package): path.read_bytes() for path in package.rglob("*.py")}

    assert modules(INSTALLED) == modules(CHECKOUT / "conformance")


def test_a_process_that_a_test_starts_has_the_installed_one_too() -> None:
    program = [sys.executable, "-c", "import conformance; print(conformance.__file__)"]
    done = subprocess.run(program, cwd=CHECKOUT / "tests", capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).parent == INSTALLED
