"""Evidence: the exchanges of a run as NDJSON, with what else its report needs, and judging it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import SequenceMatcher
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from conformance.cli.output import TOOL
from conformance.cli.recorded_run import judge_run, settings_from
from conformance.contract import schemas
from conformance.contract.rules import load
from conformance.contract.selection import clause_summaries, contract
from conformance.errors import UsageError, content_of, place_of
from conformance.http.redaction import SecretLeakError
from conformance.judging.baseline import Baseline
from conformance.judging.formats.json import render
from conformance.judging.summary import Policy, RunReport, document
from conformance.recordings import NdjsonWriter, RecordingMetadata, header, read
from conformance.recordings.metadata import HEADER_KEY
from conformance.recordings.ndjson import LONGEST_LINE

if TYPE_CHECKING:
    from types import TracebackType

    from conformance.contract.rules import Rule
    from conformance.facts import Settings
    from conformance.http.exchange import Exchange
    from conformance.http.redaction import Redactor
    from conformance.judging.report import Report

__all__ = ["EvidenceFile", "digests", "read_report", "run_metadata", "verify"]

#: The key in the last line of what the report needs and the exchanges do not show.
_REPORT = "report"
#: Bytes of the largest report that is read: it has a digest of each line of its evidence.
_LARGEST_REPORT = 2**28

#: How many differences of a report are listed.
_LISTED = 40
_ADVICE = "name the evidence of the report"


def run_metadata(
    run: str, recorded_from: str, accounts: Iterable[str], settings: Settings, applies_to: str
) -> RecordingMetadata:
    """What the recordings of a run carry beside its exchanges."""
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
            **({"only_writer": True} if settings.only_writer else {}),
        },
        applies_to=applies_to,
    )


class EvidenceFile:
    """A file of evidence while it is written: exchanges as they come, and at the end what else the report needs.

    Raises UsageError where the file cannot be written.
    """

    def __init__(self, path: Path, metadata: RecordingMetadata, redactor: Redactor) -> None:
        self._path, self._metadata, self._redactor = path, metadata, redactor
        self._problem: UsageError | SecretLeakError | None = None
        try:
            self._writer = NdjsonWriter(path, metadata, redactor)
        except OSError as error:
            raise UsageError(
                f"--evidence {path} cannot be written: {error.strerror or error}; choose another place"
            ) from None

    def __enter__(self) -> EvidenceFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):  # what could not be written is left in the buffer, and is said already
            self._writer.close()

    def add(self, exchange: Exchange) -> None:
        """Append an exchange.  After one that cannot be written the file is given up, and the run goes on."""
        if self._problem is not None:
            return
        try:
            self._writer.write(exchange)
        except OSError as error:
            self._problem = UsageError(f"--evidence {self._path} cannot be written: {error.strerror or error}")
        except SecretLeakError as error:
            self._problem = error
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            self._problem = UsageError(f"--evidence {self._path} could not be made: {place_of(error)}")

    def conceal(self, exchange: Callable[[Exchange], Exchange], redactor: Redactor, rules: Sequence[Rule]) -> Report:
        """Apply `exchange` to all that was written, for what was learnt since; returns the report on what it gives.

        What cannot be concealed is deleted.  Raises what kept an exchange from the file.
        """
        if self._problem is not None:
            raise self._problem
        self._writer.close()
        self._metadata = replace(self._metadata, recorded_from=redactor.text(self._metadata.recorded_from))
        aside = self._path.with_name(f".{self._path.name}.concealed")
        try:
            with NdjsonWriter(aside, self._metadata, redactor) as writer:
                for one in read(self._path):
                    writer.write(exchange(one))
            aside.replace(self._path)
        except OSError as error:
            self._path.unlink(missing_ok=True)
            self._problem = UsageError(f"--evidence {self._path} cannot be written: {error.strerror or error}")
            raise self._problem from None
        except SecretLeakError as error:
            self._path.unlink()
            self._problem = error
            raise
        finally:
            aside.unlink(missing_ok=True)
        return judge_run(read(self._path), rules, settings_from(header(self._path)))

    def finish(self, run_report: RunReport, redactor: Redactor | None = None) -> dict[str, Any]:
        """Append what else the report needs, which holds nothing that `redactor` knows; returns its ``evidence``.

        Raises what kept an exchange from the file.
        """
        if self._problem is not None:
            raise self._problem
        self._writer.close()
        last = {HEADER_KEY: {**self._metadata.document(), _REPORT: _not_in_exchanges(run_report)}}
        line = json.dumps(last, separators=(",", ":")).encode("ascii") + b"\n"
        (redactor or self._redactor).check(line, f"{self._path}, the last line")
        with self._path.open("ab") as stream:
            stream.write(line)
        return digests(self._path)


def digests(path: Path) -> dict[str, Any]:
    """The SHA-256 of a file, and of each of its lines without its line feed, in hexadecimal."""
    whole, lines = hashlib.sha256(), []
    for line in _lines(path):
        whole.update(line)
        lines.append(hashlib.sha256(line.removesuffix(b"\n")).hexdigest())
    return {"sha256": whole.hexdigest(), "lines": lines}


def _not_in_exchanges(run_report: RunReport) -> dict[str, Any]:
    policy = run_report.policy
    return {
        "rules": [rule.id for rule in run_report.rules],
        "subject": dict(run_report.subject),
        "run": dict(run_report.run),
        "tool": dict(run_report.tool),
        "contract": dict(run_report.contract),
        "variables": dict(run_report.variables),
        "policy": {
            "fail_on": policy.fail_on,
            "require_coverage": policy.require_coverage,
            "reachable_coverage": None if policy.reachable_coverage is None else sorted(policy.reachable_coverage),
            "untested_reasons": dict(policy.untested_reasons),
            "unmet": [list(line) for line in policy.unmet],
            "baseline": None if policy.baseline is None else policy.baseline.document(),
            "is_run": policy.is_run,
            "unjudged": policy.unjudged,
            "program_failure": policy.program_failure,
            "cut_short": policy.cut_short,
            "interrupted": policy.interrupted,
        },
    }


def verify(report: Path, evidence: Path) -> tuple[str, ...]:
    """The differences between a report and its evidence, judged again, a sentence each; empty if they agree.

    Raises UsageError for a file that is not a report, or whose evidence cannot be read, and InvalidRecordingError for
    evidence that is not a recording.
    """
    reported = read_report(report)
    if "evidence" not in reported:
        raise UsageError(f"{report} has no evidence: run again with --evidence")
    if evidence.exists() and not evidence.is_file():  # a device has no end, and a pipe is read once
        raise UsageError(f"{evidence} is no file; {_ADVICE}")
    expected = len(reported["evidence"]["lines"])
    if _has_more_lines(evidence, 2 * expected + _LISTED):
        return (f"the evidence has more than twice the {expected} lines that the report names: it is that of another",)
    found = list(_changed_lines(reported, evidence))
    last = _last_line(evidence)
    if last is None:
        found.append("the last line of the evidence, which the report needs, is missing: the file was cut off")
        return tuple(found)
    found += _changed_contract(last.get("contract"))
    again = _judge_again(evidence, last)
    if isinstance(again, str):
        return (*found, again)
    different = list(_differences(reported, document(again), ""))
    found += different[:_LISTED]
    if len(different) > _LISTED:
        found.append(f"and {len(different) - _LISTED} more places in the report")
    if not different and report.read_bytes() != render(again).encode("utf-8"):
        found.append(
            f"the report has the same content in other bytes, from {_first_difference(report, render(again))} on"
        )
    return tuple(found)


def _changed_contract(recorded: Any) -> Iterator[str]:
    """That the rules of the same version differ here, or that this tool does not know the version."""
    version = recorded.get("version") if isinstance(recorded, dict) else None
    try:
        ours = contract(version if isinstance(version, str) else None)
    except UsageError:
        ours = contract()
    if recorded != ours:
        yield f"the contract differs: the evidence has {_short(recorded)}, this tool {_short(ours)}"


def read_report(path: Path) -> dict[str, Any]:
    """The document of a ``.json`` report; raises UsageError for anything else."""
    advice = "name a .json report"
    try:
        content = json.loads(content_of(path, str(path), advice, _LARGEST_REPORT))
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not JSON; {advice}") from None
    invalid = best_match(Draft202012Validator(schemas.read("report")).iter_errors(content))
    if invalid is not None:
        raise UsageError(
            f"{path} is not a report of this tool: {invalid.json_path} {_short(invalid.message)}; {advice}"
        )
    return dict(content)


def _has_more_lines(evidence: Path, count: int) -> bool:
    try:
        return any(True for _ in islice(_lines(evidence), count, None))
    except OSError as error:
        raise UsageError(f"{evidence}: {error.strerror or error}; {_ADVICE}") from None


def _lines(evidence: Path) -> Iterator[bytes]:
    """The lines with their line feeds.  Raises UsageError for a longer one than recordings have, and OSError."""
    with evidence.open("rb") as stream:
        for number, line in enumerate(iter(partial(stream.readline, LONGEST_LINE + 1), b""), 1):
            if len(line) > LONGEST_LINE:
                raise UsageError(f"{evidence}, line {number}: longer than {LONGEST_LINE >> 20} MiB; {_ADVICE}")
            yield line


def _changed_lines(reported: Mapping[str, Any], evidence: Path) -> Iterator[str]:
    actual = digests(evidence)
    if actual == reported["evidence"]:
        return
    before, after = reported["evidence"]["lines"], actual["lines"]
    if before == after:
        yield "the line ends of the evidence, or the digest of the whole file, were changed"
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
    for line in _lines(evidence):
        last = line if line.strip() else last
    try:
        content = json.loads(last)[HEADER_KEY][_REPORT]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return content if isinstance(content, dict) else None


def _judge_again(evidence: Path, last: Mapping[str, Any]) -> RunReport | str:
    """The report on the evidence, or why there is none."""
    try:
        wanted = frozenset(last["rules"])
        rules = tuple(rule for rule in load() if rule.id in wanted)
        missing = wanted - {rule.id for rule in rules}
        if missing:
            return f"the evidence was judged by rules that this tool does not have: {', '.join(sorted(missing))}"
        policy = {**last["policy"]}
        reachable = policy.pop("reachable_coverage")
        unmet = tuple((rule, reason) for rule, reason in policy.pop("unmet", ()))
        known = policy.pop("baseline", None)
        return RunReport(
            report=judge_run(read(evidence), rules, settings_from(header(evidence))),
            rules=rules,
            subject=last["subject"],
            run=last["run"],
            contract=last["contract"],
            tool=last["tool"],
            policy=Policy(
                **policy,
                unmet=unmet,
                baseline=None if known is None else Baseline.from_document(known),
                reachable_coverage=None if reachable is None else frozenset(reachable),
            ),
            evidence=digests(evidence),
            variables=last["variables"],
            clauses=clause_summaries(),
        )
    except (KeyError, TypeError, ValueError) as error:
        return f"the evidence cannot be judged again: {_short(error)}"


def _differences(actual: Any, expected: Any, place: str) -> Iterator[str]:
    if isinstance(actual, dict) and isinstance(expected, dict):
        for name in dict.fromkeys((*actual, *expected)):
            inner = f"{place}/{name}"
            if name not in expected:
                yield f"{inner} of the report was added: {_short(actual[name])}"
            elif name not in actual:
                yield f"{inner} of the report was removed: the evidence gives {_short(expected[name])}"
            else:
                yield from _differences(actual[name], expected[name], inner)
    elif isinstance(actual, list) and isinstance(expected, list) and len(actual) == len(expected):
        for number, (left, right) in enumerate(zip(actual, expected, strict=True)):
            yield from _differences(left, right, f"{place}/{number}")
    elif actual != expected or type(actual) is not type(expected):
        yield f"{place} of the report is {_short(actual)}: the evidence gives {_short(expected)}"


def _first_difference(path: Path, expected: str) -> str:
    lines = zip(path.read_bytes().split(b"\n"), expected.encode("utf-8").split(b"\n"), strict=False)
    return f"line {1 + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], lines))}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 160 else f"{text[:157]}..."
