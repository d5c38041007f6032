"""EvidenceFile: the exchanges of a run as NDJSON with all that the report was measured by, and the judging of it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.output import TOOL
from conformance.contract.selection import clause_summaries, contract
from conformance.errors import UsageError
from conformance.judging.summary import Policy, RunReport
from conformance.recordings import NdjsonWriter, RecordingMetadata, read
from conformance.recordings.metadata import HEADER_KEY

if TYPE_CHECKING:
    from types import TracebackType

    from conformance.facts import Settings
    from conformance.http.exchange import Exchange
    from conformance.http.redaction import Redactor

__all__ = ["EvidenceFile", "digests", "header_of_run", "verify"]

#: Under this key the last line has the parts of the report that no exchange tells.
_STATEMENT = "statement"

#: How many differences of a report are named.
_NAMED = 40


def header_of_run(
    run: str, recorded_from: str, accounts: Iterable[str], settings: Settings, applies_to: str
) -> RecordingMetadata:
    """What the recordings of a run say of themselves."""
    return RecordingMetadata(
        tool=TOOL["name"],
        version=TOOL["version"],
        recorded_from=recorded_from,
        run=run,
        accounts=tuple(accounts),
        settings={
            "quiet": settings.quiet,
            "window": settings.window,
            "settle_timeout": settings.settle_timeout,
            "default_profiles": dict(settings.default_profiles),
        },
        applies_to=applies_to,
    )


class EvidenceFile:
    """A file of evidence while it is written: exchanges as they are seen, and at the end what they do not tell."""

    def __init__(self, path: Path, header: RecordingMetadata, redactor: Redactor) -> None:
        self._path, self._header, self._redactor = path, header, redactor
        try:
            self._writer = NdjsonWriter(path, header, redactor)
        except OSError as error:
            raise UsageError(
                f"--evidence {path} cannot be written: {error.strerror or error}; choose another place"
            ) from None

    def __enter__(self) -> EvidenceFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.close()

    def add(self, exchange: Exchange) -> None:
        """Append an exchange."""
        self._writer.write(exchange)

    def finish(self, statement: RunReport) -> dict[str, Any]:
        """Append what a statement was measured by; gives the ``evidence`` of its report."""
        self._writer.close()
        last = {HEADER_KEY: {**self._header.document(), _STATEMENT: _kept(statement)}}
        line = json.dumps(last, separators=(",", ":")).encode("ascii") + b"\n"
        self._redactor.check(line, f"{self._path}, the last line")
        with self._path.open("ab") as stream:
            stream.write(line)
        return digests(self._path)


def digests(path: Path) -> dict[str, Any]:
    """The SHA-256 of a file, and of each of its lines without the line's end, in hexadecimal."""
    whole, lines = hashlib.sha256(), []
    with path.open("rb") as stream:
        for line in stream:
            whole.update(line)
            lines.append(hashlib.sha256(line.removesuffix(b"\n")).hexdigest())
    return {"sha256": whole.hexdigest(), "lines": lines}


def _kept(statement: RunReport) -> dict[str, Any]:
    terms = statement.terms
    return {
        "rules": [rule.id for rule in statement.rules],
        "subject": dict(statement.subject),
        "run": dict(statement.run),
        "tool": dict(statement.tool),
        "contract": dict(statement.contract),
        "variables": dict(statement.variables),
        "terms": {
            "fail_on": terms.fail_on,
            "require_coverage": terms.require_coverage,
            "reachable_coverage": None if terms.reachable_coverage is None else sorted(terms.reachable_coverage),
            "untested_reasons": dict(terms.untested_reasons),
            "unmet": [list(line) for line in terms.unmet],
            "cut_short": terms.cut_short,
            "interrupted": terms.interrupted,
            "is_run": terms.is_run,
            "unjudged": terms.unjudged,
        },
    }


def verify(report: Path, evidence: Path) -> tuple[str, ...]:
    """What differs between a report and its evidence, judged again: a sentence each; nothing where they agree.

    Raises UsageError for what is no report or no evidence of a finished run, InvalidRecordingError for what is no recording.
    """
    told = _report(report)
    found = list(_lines_that_differ(told, evidence))
    kept = _last_line(evidence)
    if kept is None:
        found.append("the evidence has no last line that tells what the report was measured by: its end was cut off")
        return tuple(found)
    if kept.get("contract") != contract():
        found.append(
            f"the contract is another one than this tool has: {_short(kept.get('contract'))}, here {_short(contract())}"
        )
    again = _judged_again(evidence, kept)
    if isinstance(again, str):
        return (*found, again)
    from conformance.judging.formats.json import render
    from conformance.judging.summary import document

    expected = document(again)
    different = list(_differences(told, expected, ""))
    found += different[:_NAMED]
    if len(different) > _NAMED:
        found.append(f"and {len(different) - _NAMED} more places of the report")
    if not different and report.read_bytes() != render(again).encode("utf-8"):
        found.append(f"the report says the same in other bytes, from {_first_difference(report, render(again))} on")
    return tuple(found)


def _report(path: Path) -> dict[str, Any]:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    from conformance.contract import schemas

    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; name a report that was written as .json") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is no JSON; name a report that was written as .json") from None
    wrong = best_match(Draft202012Validator(schemas.read("report")).iter_errors(document))
    if wrong is not None:
        raise UsageError(
            f"{path} is no report: {wrong.json_path} {_short(wrong.message)}; name one that was written here"
        )
    if "evidence" not in document:
        raise UsageError(f"{path} names no evidence: run again with --evidence")
    return dict(document)


def _lines_that_differ(told: Mapping[str, Any], evidence: Path) -> Iterator[str]:
    try:
        there = digests(evidence)
    except OSError as error:
        raise UsageError(f"{evidence}: {error.strerror or error}; name the evidence of the report") from None
    if there == told["evidence"]:
        return
    before, after = told["evidence"]["lines"], there["lines"]
    if before == after:
        yield "the line ends of the evidence, or the digest of all of it, were changed"
    for tag, start, stop, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        changed = min(stop - start, last - first)
        yield from (f"line {first + number + 1} of the evidence was changed" for number in range(changed))
        yield from (f"line {number + 1} of the evidence was added" for number in range(first + changed, last))
        if stop - start > changed:
            yield f"{stop - start - changed} lines were removed from the evidence before line {last + 1}"


def _last_line(evidence: Path) -> dict[str, Any] | None:
    last = b""
    with evidence.open("rb") as stream:
        for line in stream:
            last = line if line.strip() else last
    try:
        kept = json.loads(last)[HEADER_KEY][_STATEMENT]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return kept if isinstance(kept, dict) else None


def _judged_again(evidence: Path, kept: Mapping[str, Any]) -> RunReport | str:
    """The statement that the evidence comes to, or why it comes to none."""
    from conformance.cli.check_command import judged, settings_of
    from conformance.contract.rules import load
    from conformance.recordings import header

    try:
        wanted = frozenset(kept["rules"])
        rules = tuple(rule for rule in load() if rule.id in wanted)
        missing = wanted - {rule.id for rule in rules}
        if missing:
            return f"the evidence was judged by rules that are not here: {', '.join(sorted(missing))}"
        terms = {**kept["terms"]}
        reachable_coverage = terms.pop("reachable_coverage")
        unmet = tuple((rule, reason) for rule, reason in terms.pop("unmet", ()))
        return RunReport(
            report=judged(read(evidence), rules, settings_of(header(evidence))),
            rules=rules,
            subject=kept["subject"],
            run=kept["run"],
            contract=kept["contract"],
            tool=kept["tool"],
            terms=Policy(
                **terms,
                unmet=unmet,
                reachable_coverage=None if reachable_coverage is None else frozenset(reachable_coverage),
            ),
            evidence=digests(evidence),
            variables=kept["variables"],
            clauses=clause_summaries(),
        )
    except (KeyError, TypeError, ValueError) as error:
        return f"the evidence cannot be judged again: {_short(error)}"


def _differences(told: Any, expected: Any, place: str) -> Iterator[str]:
    if isinstance(told, dict) and isinstance(expected, dict):
        for name in dict.fromkeys((*told, *expected)):
            inner = f"{place}/{name}"
            if name not in expected:
                yield f"{inner} of the report was added: {_short(told[name])}"
            elif name not in told:
                yield f"{inner} of the report is gone: the evidence comes to {_short(expected[name])}"
            else:
                yield from _differences(told[name], expected[name], inner)
    elif isinstance(told, list) and isinstance(expected, list) and len(told) == len(expected):
        for number, (left, right) in enumerate(zip(told, expected, strict=True)):
            yield from _differences(left, right, f"{place}/{number}")
    elif told != expected or type(told) is not type(expected):
        yield f"{place} of the report is {_short(told)}: the evidence comes to {_short(expected)}"


def _first_difference(path: Path, expected: str) -> str:
    lines, others = path.read_bytes().split(b"\n"), expected.encode("utf-8").split(b"\n")
    for number, (line, other) in enumerate(zip(lines, others, strict=False), 1):
        if line != other:
            return f"line {number}"
    return f"line {min(len(lines), len(others))}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 160 else f"{text[:157]}..."
