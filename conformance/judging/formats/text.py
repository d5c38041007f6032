"""The report as text for a terminal: each failure as a note, then warnings, gaps and the outcome."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import (
    Failure,
    brief,
    closing,
    failures,
    headings,
    headline,
    moment,
    outcome_line,
    short,
    status,
    subject_name,
)
from conformance.judging.formats.gaps import coverage_gaps
from conformance.judging.formats.glossary import HEADING, glossary
from conformance.judging.formats.marks import carets
from conformance.judging.formats.undecided import UNDECIDED, undecided

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.report import Tally
    from conformance.judging.summary import RunReport
    from conformance.judging.timeline import TimelineEntry

__all__ = ["WIDTH", "note", "render", "rule_failures", "summary", "values"]

#: Of how many failures the text has a script; files have them all.
_SCRIPTS = 1

#: How many coverage gaps are told, unless all are wanted.
_GAPS = 8

#: How many characters a line of prose or of a value has, where there is no narrower terminal.
WIDTH = 120
#: How many characters the name of a row of a smallest failure takes.
_ROW = 12
#: The least that is reckoned with.
_NARROWEST = 40

_STYLES = {
    "passed": "green",
    "failed": "bold red",
    "warning": "yellow",
    "known": "yellow",
    "inconclusive": "yellow",
    "untested": "dim",
    "heading": "bold",
    "faint": "dim",
}


@dataclass(frozen=True)
class Paint:
    """How lines are written: in ANSI colours or none, and how long they are."""

    colour: bool = False
    width: int = WIDTH

    def __call__(self, style: str, text: str) -> str:
        """Text in the colour of a style."""
        if not self.colour or not text:
            return text
        from rich.style import Style  # takes half as long to import as the command line: only terminals pay for it

        return Style.parse(_STYLES[style]).render(text)

    def prose(self, text: str, start: str = "", style: str = "", *, hanging: int = 0) -> Iterator[str]:
        """Words in lines, below one another after `start` and `hanging` blanks; what has no blanks is not broken."""
        return self._lines(text, start, style, " " * (len(start) + hanging), is_broken=False)

    def value(self, text: str, start: str, marks: str = "", style: str = "") -> Iterator[str]:
        """A value in lines, broken at blanks, or where they are full; with marks, which stand under its characters."""
        indent = " " * len(start)
        if not marks:
            yield from self._lines(text, start, style, indent, is_broken=True)
            return
        step = max(self.width - len(start), 1)
        for at in range(0, len(text), step):
            yield (indent if at else start) + text[at : at + step]
            under = marks[at : at + step].rstrip()
            if under:
                yield indent + self("failed", under)

    def _lines(self, text: str, start: str, style: str, indent: str, *, is_broken: bool) -> Iterator[str]:
        lines = wrap(
            text,
            self.width,
            initial_indent=start,
            subsequent_indent=indent,
            break_on_hyphens=False,
            break_long_words=is_broken,
        )
        return (self(style, line) if style else line for line in lines or [start])


def render(run_report: RunReport, *, colour: bool = False, verbose: bool = False, width: int = WIDTH) -> str:
    """The whole report, failures first; in ANSI colours with `colour`, with a line for every rule if `verbose`.

    Lines of prose and of values have at most `width` characters, scripts have what they need.
    """
    paint = Paint(colour, max(_NARROWEST, min(width, WIDTH)))
    lines = [
        *_head(run_report, paint),
        *_failures(run_report, paint),
        *_counterexamples(run_report, paint),
        *_undecided(run_report, paint),
        *_coverage_gaps(run_report, paint, verbose=verbose),
        *_notes(run_report, paint),
        *_rules(run_report, paint, verbose=verbose),
        "",
    ]
    last = list(_closing(run_report, paint))
    if run_report.failed:
        lines += _glossary("\n".join([*lines, *last]), paint)
    lines += _again(run_report, paint)
    return "\n".join([*lines, *last]) + "\n"


def summary(run_report: RunReport, *, colour: bool = False) -> str:
    """The failures in a line each, the outcomes of the rules, the coverage, and the outcome of the run, a line each."""
    paint = Paint(colour, sys.maxsize)
    lines = [_headline(run_report, failure, paint) for failure in failures(run_report)]
    return "\n".join([*lines, *_closing(run_report, paint)]) + "\n"


def rule_failures(run_report: RunReport, rules: Iterable[Rule], scripts: int = _SCRIPTS) -> str:
    """The failures of these rules, as text; so many of them with a script for a shell."""
    chosen = tuple(rules)
    heads = tuple(f"{rule.id}: " for rule in chosen)
    smallest = tuple(example for example in run_report.counterexamples if example.startswith(heads))
    alone = replace(run_report, rules=chosen, counterexamples=smallest)
    return (
        "\n".join([*_failures(alone, Paint(), scripts, headed=False), *_counterexamples(alone, Paint())]).strip("\n")
        + "\n"
    )


def _head(run_report: RunReport, paint: Paint) -> Iterator[str]:
    subject = subject_name(run_report)
    tool = f"{run_report.tool['name']} {run_report.tool['version']}"
    yield f"{paint('heading', subject)}"
    contract = run_report.contract
    yield paint("faint", f"{tool}, contract {contract['version']} (sha256 {contract['sha256'][:12]})")
    for line in headline(run_report):
        yield from paint.prose(line, style="inconclusive")


def _rules(run_report: RunReport, paint: Paint, *, verbose: bool) -> Iterator[str]:
    if not verbose:
        yield ""
        yield paint("faint", "-v lists every rule.")
        return
    groups: dict[tuple[str, str], list[Rule]] = {}
    for rule in run_report.rules:
        groups.setdefault((rule.applies_to, rule.level), []).append(rule)
    width = max((len(rule.id) for rule in run_report.rules), default=0)
    for applies_to, level in sorted(groups, key=_order):
        yield ""
        yield paint("heading", f"What a {applies_to} {_LEVEL_WORDS[level]}")
        for rule in groups[applies_to, level]:
            tally = run_report.report.tally(rule.id)
            outcome = status(run_report, rule)
            result = _result(run_report, rule, tally)
            yield f"  {paint(outcome, f'{outcome:<12}')} {rule.id:<{width}}  {_clauses(rule)}  {result}".rstrip()


_LEVEL_WORDS = {
    "must": "must do",
    "should": "should do",
    "inferred": "is inferred to do",
}


def _order(group: tuple[str, str]) -> tuple[bool, int]:
    return group[0] != "server", list(_LEVEL_WORDS).index(group[1])


def _clauses(rule: Rule) -> str:
    return f"[{' '.join(rule.clauses)}]"


def _result(run_report: RunReport, rule: Rule, tally: Tally) -> str:
    counts = [(tally.failed, "failed"), (tally.passed, "passed"), (tally.inconclusive, "inconclusive")]
    counted = ", ".join(f"{count:,} {word}" for count, word in counts if count)
    reason = run_report.reason(rule)
    return visible(": ".join(part for part in (counted, reason) if part))


def _headline(run_report: RunReport, failure: Failure, paint: Paint) -> str:
    rules = ", ".join(rule.id for rule in (failure.rule, *failure.also))
    outcome = status(run_report, failure.weightiest)
    return f"{paint(outcome, outcome)}: {failure.headline} ({rules})"


def _again(run_report: RunReport, paint: Paint) -> Iterator[str]:
    """The headlines of several failures that count, where the eye falls first: at the end of a log."""
    counting = [
        (number, failure)
        for number, failure in enumerate(failures(run_report), 1)
        if run_report.is_fatal(failure.weightiest)
    ]
    if len(counting) > 1:
        for number, failure in counting:
            yield from paint.prose(failure.headline, f"{number}. ", "failed")
        yield ""


def _failures(run_report: RunReport, paint: Paint, scripts: int = _SCRIPTS, *, headed: bool = True) -> Iterator[str]:
    found = failures(run_report)
    above = headings(run_report, found) if headed else {}
    for number, failure in enumerate(found, 1):
        if number in above:
            yield from ("", paint("heading", above[number]))
        yield ""
        yield from _failure(run_report, number, failure, paint)
        script = failure.script if run_report.is_fatal(failure.weightiest) else None
        if script is not None and number <= scripts:
            yield "   reproduce: paste this into a shell"
            # A script may have line feeds within quotes; an indent there would change it.
            yield paint("faint", visible(script.pasted.rstrip("\n"), lines=True))
        elif script is not None and scripts:
            yield "   reproduce: its script is in the files that --report writes, such as report.html"


def _failure(run_report: RunReport, number: int, failure: Failure, paint: Paint) -> Iterator[str]:
    rule = failure.rule
    first, *others = paint.prose(failure.headline, f"{number}. ")
    style, length = status(run_report, failure.weightiest), len(f"{number}. ")
    yield from (line[:length] + paint(style, line[length:]) for line in (first, *others))
    title = visible(rule.title)
    is_expected = any(
        name == "expected" and "".join(part.text for part in parts) == title for name, parts in failure.values
    )
    yield from paint.prose(f"{rule.id} ({rule.level})" + ("" if is_expected else f": {title}"), "   rule       ")
    yield from note(failure, paint)


def note(failure: Failure, paint: Paint = Paint()) -> Iterator[str]:
    """What was sent, expected and got, the page, the time line and the smallest scenario, in lines."""
    yield from values(failure, paint, "   ")
    for place, clause in enumerate(failure.clauses):
        start = f"   {'' if place else 'clauses':<10} "
        yield from paint.prose(f"{clause.id}, {clause.section}: {clause.text}", start)
        if clause.url not in (other.url for other in failure.clauses[place + 1 :]):
            yield paint("faint", f"              {clause.url}")
    if failure.violation.event is not None:
        yield f"   event      {short(failure.violation.event)}"
    if failure.share is not None:
        yield from paint.prose(failure.share, "   seen       ")
    for place, (level, rules) in enumerate(failure.also_by_level()):
        start = f"   {'' if place else 'also fails':<10} {level}: "
        yield from paint.prose(", ".join(rule.id for rule in rules), start)
    yield from _timeline(failure.timeline, paint)
    if failure.reproduction is not None and failure.reproduction.steps:
        yield "   smallest scenario"
        for step in failure.reproduction.steps:
            yield from paint.prose(visible(step), "     ", hanging=3)


def values(failure: Failure, paint: Paint = Paint(), start: str = "") -> Iterator[str]:
    """What was sent, expected and got, with marks under the characters that differ."""
    for name, parts in failure.values:
        yield from paint.value("".join(part.text for part in parts), f"{start}{name:<10} ", carets(parts))


def _timeline(entries: tuple[TimelineEntry, ...], paint: Paint) -> Iterator[str]:
    if not entries:
        return
    yield "   what happened"
    for entry in entries:
        when = moment(entry.seconds)
        mark = "✗" if entry.is_broken else " "
        start = f"   {mark} {when:>9}  {visible(entry.label):<5} "
        summary = f"{short(entry.summary)} → {entry.status or 'no answer'}"
        yield from paint.prose(summary, start, "failed" if entry.is_broken else "")
        if entry.conferencing is not None:
            yield from paint.value(brief(entry.conferencing), " " * 22, style="faint")


def _coverage_gaps(run_report: RunReport, paint: Paint, *, verbose: bool) -> Iterator[str]:
    lines = coverage_gaps(run_report, folded=not verbose)
    shown = lines if verbose or len(lines) <= _GAPS + 1 else lines[:_GAPS]
    if lines:
        yield ""
        yield paint("heading", "Coverage gaps")
    for rule, reasons in shown:
        yield from paint.prose(f"{rule}: {reasons}", "  ", hanging=2)
    if len(shown) < len(lines):
        yield paint("faint", f"  and {len(lines) - len(shown)} more: -v lists them")


def _undecided(run_report: RunReport, paint: Paint) -> Iterator[str]:
    found = undecided(run_report)
    if found is None:
        return
    yield ""
    yield paint("heading", UNDECIDED)
    yield ""
    yield from paint.prose(found.headline, "   ")
    yield from paint.prose(", ".join(rule.id for rule in found.rules), "   rules      ")
    yield f"   event      {found.event}"
    yield from _timeline(found.timeline, paint)
    yield from paint.prose(found.advice, "   to decide  ")


def _counterexamples(run_report: RunReport, paint: Paint) -> Iterator[str]:
    if run_report.counterexamples:
        yield ""
        yield paint("heading", "Smallest failures")
    for example in run_report.counterexamples:
        yield ""
        title, *rows = visible(example.rstrip("\n"), lines=True).split("\n")
        yield from paint.prose(title)
        for row in rows:
            yield from paint.value(row[_ROW:], row[:_ROW])


def _notes(run_report: RunReport, paint: Paint) -> Iterator[str]:
    if run_report.notes:
        yield ""
        yield paint("heading", "Notes")
    for note in run_report.notes:
        yield from paint.prose(visible(note), "  ", hanging=2)


def _glossary(text: str, paint: Paint) -> Iterator[str]:
    yield paint("heading", HEADING)
    for word, meaning in glossary(text):
        yield from paint.prose(f"{meaning}.", f"  {word:<12} ", "faint")
    yield ""


def _closing(run_report: RunReport, paint: Paint) -> Iterator[str]:
    for text in (closing(run_report), *map(visible, run_report.advice)):
        yield from paint.prose(text)
    yield paint(run_report.outcome, outcome_line(run_report))  # one line, which scripts look for
