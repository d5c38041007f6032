"""Every example command in help texts, the README and docstrings is one that works."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from cli_samples import call, har

import conformance
from conformance.cli.main import cli
from conformance.contract.rules import load
from conformance.reference import FAULTS
from conformance.version import NAME

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
RULES = {rule.id for rule in load()}

#: A line that begins with a command, after a prompt, a bullet, variables or other commands of the same line.
_COMMAND = re.compile(
    rf"^\s*(?:\$ )?(?:[^`]*&& )?(?:[A-Z_]+=\S+ )*(?:{NAME}|python -m conformance)(?= |$)(?P<arguments>[^#\n]*)",
    re.MULTILINE,
)
#: The same within a line of text, in backticks.
_QUOTED = re.compile(rf"`{{1,2}}(?:{NAME}|python -m conformance) (?P<arguments>[^`]+)`", re.DOTALL)

#: What stands for any value in an example.
_PLACEHOLDERS = {
    "SUBJECT": "reference",
    "PAGE": "page.md",
    "NAME": "explicit-url-lower-cased",
    "…": "",
    "ID": "explicit-is-kept",
}

#: Files that the reader of an example is taken to have.
_THEIRS = {
    "traffic.har", "tests/cassettes", "recorded/", "create.md", "page.md", "report.json", "evidence.ndjson",
    "cert.json", "cert.ndjson", "real.json", "real.ndjson", "emulator.json", "emulator.ndjson", "monday.json",
    "tuesday.json", "traffic.ndjson", "driver.py", "driver.js", "driver_httpx.py", "driver_pycronofy.py",
}  # fmt: skip

#: Examples that need no network and little time, with the exit code that each has.
_QUICK = {
    ("run",): 0,
    ("run", "reference", "--fault", "explicit-url-lower-cased"): 1,
    ("check", "cassettes/"): 0,
    ("check", "cassettes/by-hand"): 0,
    ("rules",): 0,
    ("rules", "--format", "json"): 0,
    ("rules", "explicit-is-kept"): 0,
    ("serve", "--list-faults"): 0,
    ("check", "traffic.har"): 0,
    ("drift", "create.md"): 1,
}


def docstrings() -> Iterator[tuple[str, str]]:
    """The docstrings of all modules of the package and of what they define, by the name of the module."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for path in sorted(Path(conformance.__file__).parent.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if not (_COMMAND.search(source) or _QUOTED.search(source)):
            continue  # most have none, and all are slow to parse
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, kinds) and (text := ast.get_docstring(node)):
                yield path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name, text


def texts() -> Iterator[tuple[str, str]]:
    """Each text that may have examples, and where it is."""
    for name, command in {"": cli, **cli.commands}.items():
        yield f"--help of {name}".strip(), command.help or ""
    yield from docstrings()
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    yield from (("README", block) for block in blocks)
    yield from (("README", f"`{quoted}`") for quoted in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text))


def arguments(text: str) -> list[str]:
    """The words of an example's command line, with values in place of the words that stand for any."""
    # In help texts, two or more spaces set off what an example does.
    words = shlex.split(re.split(r"\s{2,}", text.strip())[0])
    return [word for word in (_PLACEHOLDERS.get(word, word) for word in words) if word]


@cache
def examples() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each command line, once, and where it is first used."""
    found: dict[tuple[str, ...], str] = {}
    for where, text in texts():
        for pattern in (_COMMAND, _QUOTED):
            for match in pattern.finditer(text.replace("\\\n", " ")):
                found.setdefault(tuple(arguments(match["arguments"])), where)
    return tuple((where, words) for words, where in found.items())


EXAMPLES = [pytest.param(words, id=f"{where}: {' '.join(words)}") for where, words in examples()]


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that examples name: those of the repository, and those that a reader has."""
    for name in ("cassettes", "conformance", "schemas"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in _THEIRS:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/") or "." not in path.name:
            path.mkdir(exist_ok=True)
        else:
            path.write_text("# Something else\n")
    har(tmp_path / "traffic.har")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parsed(words: tuple[str, ...]) -> click.Context:
    """The context that click makes of a command line; raises click.UsageError for one that it refuses."""
    name, *rest = words
    return cli.commands[name].make_context(name, rest, parent=click.Context(cli, info_name=NAME))


def read_by(command: str, params: dict[str, Any]) -> list[str | Path]:
    """The files that a command reads."""
    match command:
        case "check":
            return [*params["paths"]]
        case "verify":
            return [params["report"], params["evidence"]]
        case "drift":
            return [params["page"]]
        case "compare":
            return [*params["compared"], *params["evidence"]]
        case "certify":
            return [word for word in params["command"] if word.endswith((".py", ".js"))]
        case "run":
            kind, _, path = params["subject"].partition(":")
            return [path] if kind == "cassette" else []
        case _:
            return []


def test_there_are_examples_of_every_command() -> None:
    commands = {words[0] for _, words in examples() if words}
    assert set(cli.commands) <= commands


@pytest.mark.parametrize("words", EXAMPLES)
def test_an_example_is_a_command_line_whose_names_exist(words: tuple[str, ...], theirs: Path) -> None:
    try:
        params = parsed(words).params
    except click.exceptions.Exit:  # an option that prints something and is done
        return
    assert set(params.get("faults", ())) <= set(FAULTS)
    assert {*params.get("rules", ()), *filter(None, [params.get("rule")])} <= RULES
    for path in read_by(words[0], params):
        assert Path(path).exists(), path


@pytest.mark.parametrize("words", [words for _, words in examples() if words in _QUICK], ids=" ".join)
def test_a_quick_example_runs(words: tuple[str, ...], theirs: Path) -> None:
    result = call(*words)
    assert result.exit_code == _QUICK[words], result.output
    assert result.stdout


def test_the_python_examples_of_the_readme_run(theirs: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    plugins = README.parent / "tests" / "plugins"
    theirs_too = (plugins / "team", plugins / "application")  # what some of them are about
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, theirs_too))}
    for block in blocks:
        subprocess.run([sys.executable, "-c", block], check=True, cwd=theirs, env=environment)


def test_options_named_in_the_readme_exist() -> None:
    text = README.read_text(encoding="utf-8")
    ours = {option for command in cli.commands.values() for param in command.params for option in param.opts}
    others = {
        "--nthreads",
        "--nworkers",
        "--lf",
        "--pyargs",
        "--subject",
        "--recording",
        "--conformance-NAME",
        "--config-file",
        "--url",
        "--data-raw",
        "--mode",
        "--full",
    }
    assert set(re.findall(r"(?<![\w-])--[a-zA-Z][\w-]*", text)) - ours - others == set()


def test_no_sentence_of_the_readme_is_longer_than_30_words() -> None:
    text = re.sub(r"^```.*?^```", "", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in text.splitlines() if not line.startswith(("|", "#"))]
    paragraphs = re.split(r"\n\s*\n|\n(?=- |\d+\. )", "\n".join(lines))
    sentences = [sentence for paragraph in paragraphs for sentence in re.split(r"(?<=[.!?])\s+", paragraph)]
    assert [sentence for sentence in sentences if len(sentence.split()) > 30] == []
