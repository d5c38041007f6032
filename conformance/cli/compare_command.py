"""Reports side by side: from files to a comparison, and to what is written of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from conformance.cli.evidence import digests, read_report
from conformance.cli.recorded_run import settings_from
from conformance.errors import UsageError
from conformance.facts import observe
from conformance.http.redaction import Redactor
from conformance.judging.comparison import Comparison, comparison_of
from conformance.judging.formats import destination
from conformance.judging.partings import Partings, Trace, partings, traces
from conformance.recordings import header, read

__all__ = ["compare", "write_comparison"]


def compare(reports: Sequence[Path], evidence: Sequence[Path]) -> Comparison:
    """The comparison of two reports or more, in their order, and of their evidence where it is given for each.

    Raises UsageError for a file that is no report, or not the evidence of its report, and InvalidRecordingError for one
    that is no recording.
    """
    if len(reports) < 2:
        raise UsageError("compare takes two reports or more; name .json reports of runs")
    if evidence and len(evidence) != len(reports):
        raise UsageError(
            f"--evidence is given {len(evidence)} times for {len(reports)} reports; give it once for each, in order"
        )
    documents = [read_report(path) for path in reports]
    labels = _labels(reports)
    found: tuple[Partings, ...] = ()
    if evidence:
        first, *others = (
            _traces(document, path, report) for document, path, report in zip(documents, evidence, reports, strict=True)
        )
        found = tuple(
            partings((labels[0], label), first, other) for label, other in zip(labels[1:], others, strict=True)
        )
    return comparison_of(documents, labels, found)


def _labels(reports: Sequence[Path]) -> tuple[str, ...]:
    """A short name for each report: its file's, its path where two files share a name, and a number where paths do."""
    stems = Counter(path.stem for path in reports)
    names = [path.stem if stems[path.stem] == 1 else path.as_posix() for path in reports]
    numbers = {name: count(1) for name, times in Counter(names).items() if times > 1}
    return tuple(f"{name} ({next(numbers[name])})" if name in numbers else name for name in names)


def _traces(document: Mapping[str, Any], evidence: Path, report: Path) -> tuple[Trace, ...]:
    try:
        digest = digests(evidence)["sha256"]
    except OSError as error:
        raise UsageError(f"--evidence {evidence}: {error.strerror or error}; name the evidence of {report}") from None
    if "evidence" in document and document["evidence"]["sha256"] != digest:
        raise UsageError(f"--evidence {evidence} is not that of {report}, or was changed; see `verify`")
    return traces(observe(read(evidence), settings_from(header(evidence))), document["run"]["id"])


def write_comparison(comparison: Comparison, reports: Sequence[str], echo: Callable[[str], None]) -> None:
    """Write each of `reports`, paths or FORMAT:PATH, and the text through `echo`, unless one of them goes there.

    Raises UsageError for another format, and for a file that cannot be written.
    """
    from conformance.cli.files import write_atomically

    for path, rendered in _rendered(comparison, reports):
        if path == "-":
            echo(rendered)
            continue
        try:
            write_atomically(Path(path), rendered, Redactor({}).check)
        except OSError as error:
            raise UsageError(
                f"--report {path} cannot be written: {error.strerror or error}; choose another place"
            ) from None
        sys.stderr.write(f"Written: {path}\n")


def _rendered(comparison: Comparison, reports: Sequence[str]) -> Iterator[tuple[str, str]]:
    from conformance.judging.formats import side_by_side
    from conformance.judging.formats.side_by_side_html import html

    known = {"json": side_by_side.as_json, "markdown": side_by_side.markdown, "html": html}
    is_taken = False
    for report in (one for one in reports if one != "-"):
        name, path = destination(report)
        is_taken = is_taken or path == "-"
        if name not in known:
            raise UsageError(f"--report {report}: a comparison is written as {', '.join(known)}, or as text to -")
        yield path, known[name](comparison)
    if "-" in reports or not is_taken:
        yield "-", side_by_side.text(comparison)
