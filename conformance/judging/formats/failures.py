"""The failures of a report, grouped by cause: what every format for people shows of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.contract.rules import LEVELS, load_clauses
from conformance.contract.selection import clauses_page
from conformance.http.curl import curl
from conformance.http.display import visible, without_userinfo
from conformance.judging.formats.failure_values import as_json, share, values
from conformance.judging.formats.script import LONGEST_BODY, About, Script, script
from conformance.judging.formats.undecided import undecided
from conformance.judging.groups import FailureGroup, failure_groups
from conformance.judging.timeline import TimelineEntry, timeline
from conformance.judging.traits import shows
from conformance.judging.triggers import lowered

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.facts import Evidence
    from conformance.http.exchange import Request
    from conformance.judging.formats.marks import Part
    from conformance.judging.summary import Reproduction, RunReport
    from conformance.judging.verdict import Violation

__all__ = ["ClauseNote", "Failure", "FailureStep", "actual", "brief", "closing"]
__all__ += [
    "failures",
    "headings",
    "headline",
    "moment",
    "outcome",
    "outcome_line",
    "short",
    "status",
    "subject_name",
]

#: How many stale entries of a baseline are named.
_NAMED = 3

#: The most exchanges of a whole run that a script repeats; else it repeats those that show the failure.
_PASTED = 60

#: How many characters of a response's content are shown, of one in a time line, and of a headline.
_SHOWN_CHARACTERS, _SHOWN_IN_LINE, _HEADLINE = 600, 160, 300


@dataclass(frozen=True)
class FailureStep:
    """One exchange of a failure: its label, the request and its status on one line, what the response
    showed, and the command that sends it again."""

    label: str
    line: str
    shown: str | None
    command: str


class ClauseNote(NamedTuple):
    """A clause that a rule carries: its id, what it states, and the section and address of its page."""

    id: str
    text: str
    section: str
    url: str


@dataclass(frozen=True)
class Failure:
    """The violations that have one reason, with one as their example; all texts are visible.

    `headline` is one sentence.  `weightiest` is the rule by which they count.  `values` are what was sent, expected and
    got, as far as the headline and the rule do not say it; what differs is marked.  `share` says how often the rule is
    broken, where it judged more than once; `also` are the other rules, the strongest level first.  `reproduction` is
    there where a smaller one was found; `script` is one of curl, None where it is the client that is wrong.
    """

    rule: Rule
    weightiest: Rule
    violation: Violation
    headline: str
    values: tuple[tuple[str, tuple[Part, ...]], ...]
    share: str | None
    clauses: tuple[ClauseNote, ...]
    timeline: tuple[TimelineEntry, ...]
    steps: tuple[FailureStep, ...]
    also: tuple[Rule, ...]
    reproduction: Reproduction | None
    script: Script | None

    def also_by_level(self) -> Iterator[tuple[str, tuple[Rule, ...]]]:
        """The other rules, by their level."""
        return ((level, tuple(rules)) for level, rules in groupby(self.also, key=lambda rule: rule.level))


def failures(run_report: RunReport) -> tuple[Failure, ...]:
    """A failure for each reason, those that count first."""
    return tuple(_failure(run_report, group) for group in failure_groups(run_report))


def _failure(run_report: RunReport, group: FailureGroup) -> Failure:
    rule, violation = group.example
    others = {other.id: other for other, _ in group.members if other.id != rule.id}
    said = _said(group)
    entries = timeline(violation, pages=any("page" in trait for trait in group.trigger))
    shown = tuple(values(rule, violation, entries, said))
    reproduction = group.reproduction
    exchanges = reproduction.exchanges if reproduction is not None else ()
    if not 0 < len(exchanges) <= _PASTED:
        exchanges = _in_order(violation)
    is_client = "client" in (rule.applies_to, run_report.subject.get("kind"))
    return Failure(
        rule=rule,
        weightiest=group.weightiest,
        violation=violation,
        headline=short(said),
        values=shown,
        share=share(run_report, group),
        clauses=_clauses(run_report, rule),
        timeline=entries,
        steps=_steps(run_report, violation),
        also=tuple(sorted(others.values(), key=lambda other: LEVELS.index(other.level))),
        reproduction=reproduction,
        script=None
        if is_client or (reproduction is not None and not reproduction.reproduces)
        else script(
            short(said),
            exchanges,
            run_report.variables,
            _where(run_report),
            expected=rule.title,
            got=_came(violation, entries, dict(shown)),
            about=_about(violation),
        ),
    )


def _about(violation: Violation) -> About:
    if violation.event is not None:
        return "event"
    return "pages" if "pages" in dict(violation.context) else "request"


def _came(violation: Violation, entries: Iterable[TimelineEntry], shown: Mapping[str, tuple[Part, ...]]) -> str:
    """What came in place of what is expected, as a value or in words."""
    if "got" in shown:
        return "".join(part.text for part in shown["got"])
    broken = next((entry for entry in entries if entry.is_broken), None)
    if broken is not None and broken.state is not None:
        return broken.summary
    return short(violation.actual if broken is None or violation.actual else f"the answer {broken.status}")


def _said(group: FailureGroup) -> str:
    """What is wrong and, of an answer or a conference that is only wrong where it is, what should be."""
    rule, violation = group.example
    is_clear = not (
        violation.path.endswith("/status")
        or (violation.path.endswith("/state") and shows("assigned") in violation.traits)
    )
    if is_clear or "; expected " in group.headline or not group.headline.endswith(violation.message[1:]):
        return group.headline
    return f"{group.headline}, although {lowered(rule.title)}"


def _where(run_report: RunReport) -> str:
    """What must be said of a server that ran in this process alone."""
    faults = "".join(f" --fault {fault}" for fault in run_report.subject.get("faults", ()))
    if run_report.subject.get("kind") == "reference":
        return f"The subject ran in memory: set API to the address that cronofy-conformance serve{faults} prints."
    if run_report.subject.get("kind") in ("asgi", "wsgi"):
        return "The subject ran in memory: serve it, and set API to its address."
    return ""


def _in_order(violation: Violation) -> tuple[Evidence, ...]:
    known = {evidence.label for evidence in violation.evidence}
    entries = [*(one for one in violation.earlier if one.label not in known), *violation.evidence]
    return tuple(sorted(entries, key=lambda one: one.at or 0.0)) if all(one.at for one in entries) else tuple(entries)


def _clauses(run_report: RunReport, rule: Rule) -> tuple[ClauseNote, ...]:
    """The clause that a rule names first says what must be; the others say where it comes from."""
    known = load_clauses()
    page = clauses_page()
    return tuple(
        ClauseNote(
            name,
            visible(run_report.clauses[name]),
            known.get(name, {}).get("section", ""),
            known.get(name, {}).get("source", page),
        )
        for name in rule.clauses[:1]
        if name in run_report.clauses
    )


def brief(value: Any) -> str:
    """A value of the wire as JSON, short enough for a line of a time line."""
    text = visible(value if isinstance(value, str) else as_json(value))
    return text if len(text) <= _SHOWN_IN_LINE else f"{text[: _SHOWN_IN_LINE - 1]}…"


def short(text: str) -> str:
    """A text of any length, short enough for a headline."""
    shown = visible(text)
    return shown if len(shown) <= _HEADLINE else f"{shown[: _HEADLINE - 1]}…"


def actual(rule: Rule, violation: Violation) -> str:
    """What is wrong, in one sentence."""
    return short(violation.message)


def _steps(run_report: RunReport, violation: Violation) -> tuple[FailureStep, ...]:
    return tuple(
        FailureStep(
            label=visible(evidence.label),
            line=short(f"{evidence.request.method} {without_userinfo(evidence.request.url)}")
            + (f", a later page of {short(without_userinfo(evidence.continues))}" if evidence.continues else "")
            + f" → {evidence.status or 'no answer'}",
            shown=_shown(evidence.shown),
            command=_command(evidence.request, run_report.variables),
        )
        for evidence in violation.evidence
    )


def _command(request: Request, variables: Mapping[str, str]) -> str:
    """A request as curl; in place of a body that no shell takes as an argument, how long it is."""
    if len(request.body) + len(request.url) > LONGEST_BODY:
        return (
            f"# {short(f'{request.method} {without_userinfo(request.url)}')} with a body of {len(request.body):,} bytes"
        )
    return curl(request, variables)


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}… ({len(text)} characters)"


def moment(seconds: float | None) -> str:
    """A time on a time line; what follows at once is not 0.  Empty where it is not known."""
    if seconds is None:
        return ""
    return f"{seconds:,.1f} s" if seconds >= 1 or not seconds else f"{seconds * 1000:,.0f} ms"


def status(run_report: RunReport, rule: Rule) -> str:
    """The outcome of a rule; where it failed and does not count, ``known`` or ``warning``."""
    if run_report.is_known(rule):
        return "known"
    outcome = run_report.report.tally(rule.id).outcome
    return "warning" if outcome == "failed" and not run_report.is_fatal(rule) else outcome


def subject_name(run_report: RunReport) -> str:
    """What was under test: its kind, unless its name says that, and its name."""
    kind, name = str(run_report.subject["kind"]), str(run_report.subject["name"])
    return visible(name if name.partition(":")[0] == kind else f"{kind} {name}")


def headline(run_report: RunReport) -> tuple[str, ...]:
    """What a reader must know before the outcome: that nothing could be judged, or that most was not exercised."""
    if run_report.policy.unjudged is not None:
        return (visible(f"Not judged: {run_report.policy.unjudged}."),)
    unjudged = tuple(visible(f"{one}, by a limit of this tool; all else was.") for one in run_report.report.unjudged)
    waiting = undecided(run_report)
    if waiting is not None and not run_report.failed:
        unjudged = (*unjudged, f"{waiting.headline}: {_counted(len(waiting.rules), 'rule')} cannot be decided.")
    if not run_report.is_mostly_untested:
        return unjudged
    musts = [rule for rule in run_report.rules if rule.level == "must"]
    untested = sum(status(run_report, rule) == "untested" for rule in musts)
    says_nothing = (
        f"{untested} of {len(musts)} rules of level must were not exercised: this result says nothing about them."
    )
    return (*unjudged, says_nothing)


def outcome_line(run_report: RunReport) -> str:
    """The outcome and the exit code, and why they are what they are."""
    return f"Outcome: {outcome(run_report)}. Exit code {run_report.exit_code}: {visible(_why(run_report))}."


def outcome(run_report: RunReport) -> str:
    """The outcome, and the number of warnings beside a pass."""
    count = len(run_report.warnings)
    warnings = f" with {_counted(count, 'warning')}" if count and run_report.outcome == "passed" else ""
    return f"{run_report.outcome}{warnings}"


#: The rules that count at each level of --fail-on.
_COUNTED = {"must": "of level must", "should": "of level must or should", "inferred": "of any level"}


def _why(run_report: RunReport) -> str:
    policy, code = run_report.policy, run_report.exit_code
    if code == 130:
        return "the run was interrupted"
    if code == 2:
        return policy.unjudged or "nothing could be judged"
    if policy.program_failure:
        return policy.program_failure
    if run_report.incomplete and code != 1:
        return run_report.incomplete
    if code == 1:
        failed = [f"a rule {_COUNTED[policy.fail_on]} failed"] if run_report.failures else []
        return ", and ".join([*failed, *_stale(run_report)])
    if code == 3:
        if not any(status(run_report, rule) == "passed" for rule in run_report.rules):
            return "no rule passed, so that nothing is proved"
        count = sum(run_report.is_fatal(rule) for rule in run_report.rules)
        is_open = f"{'is' if count == 1 else 'are'} {' or '.join(policy.fatal_gaps)}"
        return f"{_counted(count, 'rule')} of level must {is_open}"
    if run_report.known:
        return f"nothing failed but what {policy.baseline.name if policy.baseline else 'the baseline'} knows"
    if run_report.failed:
        return f"no rule {_COUNTED[policy.fail_on]} failed"
    return "nothing failed"


def _stale(run_report: RunReport) -> Iterator[str]:
    """What is to be done about entries of the baseline whose failures are gone."""
    count, baseline = len(run_report.stale), run_report.policy.baseline
    if count and baseline is not None:
        entries, them = ("entry", "it") if count == 1 else ("entries", "them")
        causes = [visible(entry.cause) for entry in run_report.stale[:_NAMED]]
        causes += [f"{count - _NAMED} more"] if count > _NAMED else []
        yield (
            f"{count} {entries} of {baseline.name} {'is' if count == 1 else 'are'} stale, because the failure is gone "
            f"({', '.join(causes)}): delete {them}, or run with --write-baseline"
        )


def closing(run_report: RunReport) -> str:
    """The outcomes of the rules, the coverage, and why rules are untested, a sentence each."""
    outcomes = [status(run_report, rule) for rule in run_report.rules]
    counts = [f"{outcomes.count('passed')} of {len(outcomes)} rules passed"]
    counts += [_number(run_report, outcomes.count(outcome), outcome) for outcome in _NOT_PASSED if outcome in outcomes]
    gaps = len({rule for rule, _ in run_report.coverage_gaps})
    if run_report.fully_covered:
        coverage = "Every rule passed or failed, in every coverage class that the subject offers."
    elif gaps:
        coverage = f"Coverage gaps: {_counted(gaps, 'rule')}."
    else:
        coverage = "The run ended early."
    untested, worth = _why_untested(run_report), _strength(run_report)
    return f"{', '.join(counts)}, over {run_report.report.exchanges:,} exchanges. {coverage}{untested}{worth}"


def _strength(run_report: RunReport) -> str:
    """What the report is worth, in one sentence."""
    found = run_report.strength
    return "" if found is None else f" Strength: {len(found.caught)} of {found.known} known faults would be caught."


def _why_untested(run_report: RunReport) -> str:
    """The reasons for which rules are untested, the most frequent first."""
    untested = [rule for rule in run_report.rules if status(run_report, rule) == "untested"]
    reasons = Counter(visible(run_report.reason(rule) or "") for rule in untested)
    if not reasons:
        return ""
    return f" Untested: {'; '.join(f'{count} because {reason}' for reason, count in reasons.most_common(3))}."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _number(run_report: RunReport, count: int, outcome: str) -> str:
    nouns = {"warning": "warning", "known": "known failure"}
    if outcome == "failed":
        return f"{count} failed{_for_causes(run_report, count)}"
    return _counted(count, nouns[outcome]) if outcome in nouns else f"{count} {outcome}"


def _for_causes(run_report: RunReport, count: int) -> str:
    """For how many causes so many rules fail, where that is not one each."""
    causes = sum(run_report.is_fatal(group.weightiest) for group in failure_groups(run_report))
    return "" if causes == count == 1 else f" for {_counted(causes, 'cause')}"


def headings(run_report: RunReport, found: tuple[Failure, ...]) -> dict[int, str]:
    """The headings of the lists of failures, by the number of the failure that each stands before.

    A warning that has the cause of a failure is counted with it, and no more.
    """
    fatal = [one for one in found if run_report.is_fatal(one.weightiest)]
    weak = [{rule.id for one in part for rule in _weak(run_report, one)} for part in (fatal, found[len(fatal) :])]
    count, with_them, others = len(run_report.failures), len(weak[0]), len(weak[1] - weak[0])
    result = {}
    if fatal:
        alike = f"{'has' if with_them == 1 else 'have'} the same cause{'s' if len(fatal) > 1 else ''}"
        of_all = f"; {with_them} of the {with_them + others} warnings {alike}"
        warnings = "" if not with_them else of_all if others else f", with {_counted(with_them, 'warning')}"
        result[1] = f"Failures: {_counted(count, 'rule')} failed{_for_causes(run_report, count)}{warnings}"
    if len(fatal) < len(found):
        rules = f"{others} other rule{'' if others == 1 else 's'}" if with_them else _counted(others, "rule")
        causes = len(found) - len(fatal)
        for_causes = "" if causes == others == 1 else f" for {_counted(causes, 'cause')}"
        result[len(fatal) + 1] = (
            f"Warnings: {rules}{for_causes} ({'does' if others == 1 else 'do'} not change the exit code)"
        )
    return result


def _weak(run_report: RunReport, failure: Failure) -> Iterator[Rule]:
    return (rule for rule in (failure.rule, *failure.also) if not run_report.is_fatal(rule))


_NOT_PASSED = ("failed", "known", "warning", "inconclusive", "untested")
