"""A failure in the HTML report: what is wrong, the values side by side, the time line as a picture and in words."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats import pytest_file
from conformance.judging.formats.failures import Failure, brief, moment, short
from conformance.judging.formats.marks import Part
from conformance.judging.formats.picture import picture

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.judging.timeline import TimelineEntry

__all__ = ["article", "happened", "link", "term", "text_of"]


def text_of(text: str) -> str:
    """Any text as HTML."""
    return escape(visible(text))


def link(rule: Rule) -> str:
    """A link to where the page explains a rule."""
    return f'<a href="#rule-{text_of(rule.id)}">{text_of(rule.id)}</a>'


def article(run_report: RunReport, number: int, failure: Failure) -> Iterator[str]:
    """The lines of one failure."""
    rule, violation = failure.rule, failure.violation
    kind = "fatal" if run_report.is_fatal(failure.weightiest) else "weak"
    yield f'<article class="{kind}" aria-labelledby="failure-{number}">'
    yield f'<h3 id="failure-{number}">{number}. {text_of(failure.headline)}</h3>'
    yield "<dl>"
    for name, parts in failure.values:
        yield term(name, f'<div class="value">{_marked(parts)}</div>')
    yield term("rule", f"{link(rule)} ({rule.level}): {text_of(rule.title)}")
    clauses = "<br>".join(
        f'{text_of(clause.id)}, <a href="{text_of(clause.url)}">{text_of(clause.section)}</a>: {text_of(clause.text)}'
        for clause in failure.clauses
    )
    if clauses:
        yield term("clauses", clauses)
    if violation.event is not None:
        yield term("event", f"<code>{text_of(short(violation.event))}</code>")
    if failure.share is not None:
        yield term("seen", failure.share)
    also = "<br>".join(f"{level}: {', '.join(map(link, rules))}" for level, rules in failure.also_by_level())
    if also:
        yield term("also fails", also)
    yield "</dl>"
    yield from happened(failure.timeline, "h4")
    yield from _reproduction(run_report, failure)
    yield "</article>"


def happened(entries: tuple[TimelineEntry, ...], heading: str) -> Iterator[str]:
    """A time line under a heading of this level, as a picture and in words."""
    if entries:
        yield f"<{heading}>What happened</{heading}>"
        if len(entries) > 1:
            yield picture(entries)
        yield f'<ol class="moments">{"".join(map(_moment, entries))}</ol>'


def _reproduction(run_report: RunReport, failure: Failure) -> Iterator[str]:
    reproduction = failure.reproduction
    yield "<h4>Reproduce</h4>"
    if reproduction is not None and reproduction.steps:
        yield f"<p>{'<br>'.join(map(text_of, reproduction.steps))}</p>"
    if failure.script is not None:
        yield _folded("As a shell script of curl", failure.script.whole)
    if reproduction is not None and reproduction.reproduces and reproduction.scenarios:
        yield _folded("As pytest", pytest_file.one(run_report, reproduction))
    if failure.steps:
        steps = (
            f"# {step.label}  {step.line}\n{step.command}" + (f"\n# {step.shown}" if step.shown is not None else "")
            for step in failure.steps
        )
        yield _folded("Each exchange of the run", "\n\n".join(steps))


def _folded(title: str, text: str) -> str:
    shown = escape(visible(text.rstrip("\n"), lines=True))
    return f'<details><summary>{title}</summary><pre tabindex="0">{shown}</pre></details>'


def term(name: str, value: str) -> str:
    """A name and its value, which is HTML, in a list of them."""
    return f"<dt>{name}</dt><dd>{value}</dd>"


def _marked(parts: tuple[Part, ...]) -> str:
    return "".join(f"<mark>{text_of(part.text)}</mark>" if part.differs else text_of(part.text) for part in parts)


def _moment(entry: TimelineEntry) -> str:
    when = "" if entry.seconds is None else f'<span class="when">{moment(entry.seconds)}</span> '
    value = "" if entry.conferencing is None else f" <code>{text_of(brief(entry.conferencing))}</code>"
    wrong = ' <strong class="broken">✗ this is wrong</strong>' if entry.is_broken else ""
    status = entry.status or "no answer"
    return f"<li>{when}{text_of(entry.label)} {text_of(short(entry.summary))} → {status}{value}{wrong}</li>"
