"""A certificate to publish: which client attests which level of which contract, and what was found, on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING

from conformance.contract.rules import LEVELS
from conformance.http.display import visible
from conformance.judging.formats.html_page import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.judging.summary import RunReport

__all__ = ["PAGES"]

_OUTCOMES = ("passed", "failed", "inconclusive", "untested")

_MEANING: Mapping[str, str] = MappingProxyType(
    {
        "must": "what the documented page demands",
        "should": "nothing lost, changed, invented or mistold; recommendations; neighbouring pages",
        "inferred": "conclusions that no sentence of the documentation states",
    }
)

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #59636e; --line: #d1d9e0; --good: #1a7f37;
  --bad: #c5221f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #9198a1; --line: #3d444d;
  --good: #57c26b; --bad: #ff7b72; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 3rem auto;
  max-width: 46rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.level { font-size: 1.2rem; font-weight: 600; } .attested { color: var(--good); } .none { color: var(--bad); }
table { border-collapse: collapse; width: 100%; } td, th { overflow-wrap: anywhere; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
footer { color: var(--faint); margin-top: 2rem; font-size: .85rem; }
"""


def _facts(run_report: RunReport) -> list[tuple[str, str]]:
    """Who was certified, when, by what and against what."""
    subject, run, contract = run_report.subject, run_report.run, run_report.contract
    facts = [
        ("Client", str(subject.get("client") or subject["name"])),
        ("Version", str(subject.get("version") or "not told")),
        ("Language", str(subject.get("language") or "not told")),
        ("Date", str(run["finished_at"])[:10]),
        ("Contract", f"{contract['version']}, sha256 {contract['sha256']}"),
        ("Certified by", f"{run_report.tool['name']} {run_report.tool['version']}"),
        ("Evidence", f"{run['requests']} calls, {run['exchanges']} exchanges"),
    ]
    if run_report.evidence is not None:
        facts.append(("Digest of the evidence", f"sha256 {run_report.evidence['sha256']}"))
    return facts


def _verdict(run_report: RunReport) -> str:
    level = run_report.subject.get("attested_level")
    policy = run_report.policy
    interrupted = "it was interrupted" if policy.interrupted else None
    why = policy.program_failure or policy.unjudged or run_report.incomplete or interrupted
    if level is None:
        return f"No level is attested: {why or 'a rule of level must failed, or nothing was judged'}."
    return (
        f"Level {level} is attested: no rule of this level{'' if level == LEVELS[0] else ' or a stricter one'} failed."
    )


def _levels(run_report: RunReport) -> list[tuple[str, str, list[int]]]:
    """Each level with its meaning, and how many of its rules passed, failed, stayed open and were not exercised."""
    rows = []
    for level in LEVELS:
        rules = [rule for rule in run_report.rules if rule.level == level]
        counts: Counter[str] = Counter(run_report.report.tally(rule.id).outcome for rule in rules)
        rows.append((level, _MEANING[level], [counts[outcome] for outcome in _OUTCOMES]))
    return rows


def _findings(run_report: RunReport) -> list[tuple[str, str, str, str]]:
    """Each rule that failed: its level, its id, what should hold, and how many distinct defects were seen."""
    rows = []
    for rule in sorted(run_report.failed, key=lambda rule: LEVELS.index(rule.level)):
        causes = len({violation.cause for violation in run_report.report.tally(rule.id).violations})
        rows.append((rule.level, rule.id, rule.title, f"{causes} {'defect' if causes == 1 else 'defects'}"))
    return rows


def _markdown(run_report: RunReport) -> str:
    lines = [
        f"# Conformance certificate: {_cell(str(run_report.subject['name']))}",
        "",
        f"**{_cell(_verdict(run_report))}**",
        "",
        "| | |",
        "|---|---|",
        *(f"| {_cell(name)} | {_cell(value)} |" for name, value in _facts(run_report)),
        "",
        f"| level | means | {' | '.join(_OUTCOMES)} |",
        "|---|---|--:|--:|--:|--:|",
        *(
            f"| {level} | {_cell(meaning)} | {' | '.join(map(str, counts))} |"
            for level, meaning, counts in _levels(run_report)
        ),
        "",
        "## Findings",
        "",
    ]
    found = _findings(run_report)
    if not found:
        return "\n".join([*lines, "None.", ""])
    rows = (f"| {' | '.join(map(_cell, row))} |" for row in found)
    return "\n".join([*lines, "| level | rule | what should hold | seen |", "|---|---|---|---|", *rows, ""])


def _html(run_report: RunReport) -> str:
    attested = "attested" if run_report.subject.get("attested_level") else "none"
    title = f"Conformance certificate: {_text(str(run_report.subject['name']))}"
    found = _findings(run_report)
    lines = [
        f"<h1>{title}</h1>",
        f'<p class="level {attested}">{_text(_verdict(run_report))}</p>',
        "<table><tbody>",
        *(f'<tr><th scope="row">{_text(name)}</th><td>{_text(value)}</td></tr>' for name, value in _facts(run_report)),
        "</tbody></table>",
        "<h2>Levels</h2>",
        "<table>",
        f"<thead><tr>{_heads(('level', 'means'))}{_heads(_OUTCOMES, number=True)}</tr></thead><tbody>",
        *(
            f'<tr><th scope="row">{level}</th><td>{_text(meaning)}</td>'
            + "".join(f'<td class="number">{count}</td>' for count in counts)
            + "</tr>"
            for level, meaning, counts in _levels(run_report)
        ),
        "</tbody></table>",
        "<h2>Findings</h2>",
        *(_findings_table(found) if found else ["<p>None.</p>"]),
        f"<footer><p>To check it, take its report and evidence: <code>{_text(_COMMAND)}</code>.</p></footer>",
    ]
    return page(title, _STYLE, lines)


_COMMAND = "cronofy-conformance verify REPORT EVIDENCE"


def _findings_table(found: Sequence[Sequence[str]]) -> list[str]:
    return [
        "<table>",
        f"<thead><tr>{_heads(('level', 'rule', 'what should hold', 'seen'))}</tr></thead><tbody>",
        *(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in found),
        "</tbody></table>",
    ]


def _heads(names: Iterable[str], *, number: bool = False) -> str:
    kind = ' class="number"' if number else ""
    return "".join(f'<th scope="col"{kind}>{name}</th>' for name in names)


def _text(text: str) -> str:
    return escape(visible(text))


def _cell(text: str) -> str:
    """Text in a cell of a table of Markdown, as it is: as HTML, of which every other character may be a reference."""
    return "".join(one if one.isalnum() or one in " .,:;-" else f"&#{ord(one)};" for one in visible(text))


#: How a certificate is written, by the suffix of its file.
PAGES: Mapping[str, Callable[[RunReport], str]] = MappingProxyType({".html": _html, ".md": _markdown})
