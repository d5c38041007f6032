"""What Hypothesis keeps is not left in the directory in which a command is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: What `run` and `certify` draw; texts need tables of Unicode, which Hypothesis keeps in its home.
_DRAWING = {
    "run": (
        "from conformance.servers.scenarios.sampling import sample as draw;"
        "from conformance.strategies import malformed_events; args = malformed_events(), 9, 1, str"
    ),
    "certify": (
        "from conformance.clients.cases.generated_cases import generated_cases as draw;"
        "from conformance.clients.cases.case_steps import Fixture; args = Fixture('a', 'b', 'b', 'p', 2031), 1, 1"
    ),
}


@pytest.mark.parametrize("command", _DRAWING)
def test_drawing_leaves_nothing_in_the_working_directory(command: str, tmp_path: Path) -> None:
    here, cache = tmp_path / "here", tmp_path / "cache"
    here.mkdir()
    code = f"{_DRAWING[command]}; draw(*args)"
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    subprocess.run([sys.executable, "-c", code], cwd=here, env=environment, check=True)
    assert list(here.iterdir()) == []
    assert [one.name for one in cache.glob("*/*/*/*")] != []
