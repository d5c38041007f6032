"""The steps of a composite action, run with bash as a runner of GitHub Actions runs them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Action", "StepResult"]

_EXPRESSION = re.compile(r"\$\{\{\s*([a-z._-]+)\s*\}\}")
_CONDITION = re.compile(r"inputs\.(?P<name>[a-z-]+) (?P<operator>[!=]=) '(?P<value>[^']*)'\Z")


@dataclass(frozen=True)
class StepResult:
    """What a step left: its exit code, its output as the log has it, its outputs, and its summary."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@dataclass
class Action:
    """A composite action in a folder, with the environment of a job in `temporary`."""

    folder: Path
    temporary: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, **inputs: str) -> list[StepResult]:
        """Run the steps that have a script, until one fails; inputs that are left out have their defaults."""
        described = yaml.safe_load((self.folder / "action.yml").read_text(encoding="utf-8"))
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert set(given) <= set(described["inputs"]), given
        values = {name: str(one.get("default", "")) for name, one in described["inputs"].items()} | given
        lacking = {name for name, one in described["inputs"].items() if one.get("required") and name not in given}
        assert not lacking, lacking
        context = {f"inputs.{name}": value for name, value in values.items()}
        context["github.action_path"] = str(self.folder)
        results = []
        for number, step in enumerate(self._scripts(described["runs"]["steps"], values)):
            results.append(self._step(number, step, context))
            if results[-1].code:
                break
        return results

    def _scripts(self, steps: list[dict[str, Any]], values: dict[str, str]) -> Iterator[dict[str, Any]]:
        for step in steps:
            if "run" not in step:
                continue
            assert step["shell"] == "bash", step
            if "if" in step:
                condition = _CONDITION.match(step["if"])
                assert condition is not None, step["if"]
                equal = values[condition["name"]] == condition["value"]
                if equal is (condition["operator"] == "!="):
                    continue
            yield step

    def _step(self, number: int, step: dict[str, Any], context: dict[str, str]) -> StepResult:
        # What a user gives must come through the environment: an expression in a script would be run.
        assert not _EXPRESSION.search(step["run"]), step["name"]
        own = {
            name: _EXPRESSION.sub(lambda match: context[match[1]], str(value))
            for name, value in step.get("env", {}).items()
        }
        files = {
            name: self.temporary / f"{name.lower()}-{number}"
            for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")
        }
        for path in files.values():
            path.touch()
        script = self.temporary / f"step-{number}.sh"
        script.write_text(step["run"], encoding="utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=self.temporary,
            env={
                **os.environ,
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "RUNNER_TEMP": str(self.temporary),
                **{name: str(path) for name, path in files.items()},
                **self.environment,
                **own,
            },
        )
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        for line in files["GITHUB_PATH"].read_text().splitlines():
            self.environment["PATH"] = f"{line}{os.pathsep}{self.environment.get('PATH', os.environ['PATH'])}"
        return StepResult(done.returncode, done.stdout, outputs, files["GITHUB_STEP_SUMMARY"].read_text())
