"""Rules, verdicts and run reports to render, plain and hostile."""

from __future__ import annotations

from typing import Any

from conformance.contract import rules
from conformance.facts import Evidence
from conformance.http.exchange import Request, bearer
from conformance.judging import verdict as judgement
from conformance.judging.report import Report
from conformance.judging.summary import Policy, RunReport
from conformance.judging.verdict import Verdict

JSON_HEADERS = (("Authorization", bearer("default")), ("Content-Type", "application/json"))
HOSTILE = "a|b `c` <script>alert(1)</script> ]]> \x1b[2J\x00\r\n\ud800\ufffe \u202e*x* \"q\" 'p' & $(reboot) ```"


def Rule(  # noqa: N802 - a rule with defaults for what does not matter
    id: str,  # noqa: A002 - as the field is called
    title: str = "Something holds",
    applies_to: str = "server",
    level: str = "must",
    clauses: tuple[str, ...] = ("B8",),
    cases: tuple[str, ...] = (),
    about: str = "write",
) -> rules.Rule:
    return rules.Rule(id, title, applies_to, level, about, clauses, cases, {"title": title})


def Violation(  # noqa: N802 - likewise
    message: str,
    path: str = "/after/final",
    event: str | None = "cal_1/evt_1",
    evidence: tuple[Evidence, ...] = (),
    cause: str = "one",
    **more: Any,
) -> judgement.Violation:
    return judgement.Violation(message, path, event, evidence, cause, **more)


def verdict(
    rule: str,
    outcome: str,
    reason: str | None = None,
    cases: tuple[str, ...] = (),
    violation: judgement.Violation | None = None,
) -> Verdict:
    return Verdict(rule, outcome, reason, cases, violation)


def passed(rule: str, *cases: str) -> Verdict:
    return verdict(rule, "passed", cases=cases)


def failed(rule: str, violation: judgement.Violation) -> Verdict:
    return verdict(rule, "failed", violation=violation)


def inconclusive(rule: str, reason: str) -> Verdict:
    return verdict(rule, "inconclusive", reason)


WRITE = Request(
    "POST",
    "https://api.example.com/v1/calendars/cal_1/events",
    JSON_HEADERS,
    '{"summary":"It\'s \u00e9t\u00e9"}'.encode(),
)
READ = Request(
    "GET",
    "https://api.example.com/v1/events?tzid=Etc/UTC&calendar_ids[]=cal_1",
    (("Authorization", bearer("second.account")),),
)
OTHER = {"state": "assigned", "conferencing": {"join_url": "https://other.example.com"}}
BROKEN = Violation(
    "An event reads back with another join URL than the one that was sent",
    evidence=(Evidence("#12", WRITE, 202, at=1000.0), Evidence("#15", READ, 200, OTHER, at=1012.5)),
    earlier=(Evidence("#9", WRITE, 202, at=940.0),),
    expected="https://sent.example.com",
    actual="https://other.example.com",
    symptom="one",
    shown_by="#15",
)

RULES = (
    Rule("explicit-is-kept", "Explicit conferencing reads back with the join URL that was sent", cases=("google",)),
    Rule("none-removes", "None removes conferencing", clauses=("B7",), cases=("google", "microsoft")),
    Rule("pages-are-whole", "Pages lose no event", level="should", clauses=("2.2.c",)),
    Rule("profile-resolves", "A profile resolves to its provider", level="inferred", clauses=("A6", "S4")),
    Rule("bearer-is-sent", "A request carries a bearer token", applies_to="client", clauses=("E2",)),
)

VERDICTS = (
    failed("explicit-is-kept", BROKEN),
    passed("explicit-is-kept", "google"),
    failed("pages-are-whole", Violation("an event is on two pages", "/events", None, BROKEN.evidence[1:], "two")),
    passed("none-removes", "google"),
    inconclusive("none-removes", "superseded"),
    inconclusive("profile-resolves", "timed-out"),
)

RUN = {
    "id": "run-1",
    "seed": 7,
    "started_at": "2026-04-28T09:00:00Z",
    "finished_at": "2026-04-28T09:00:05.250Z",
    "requests": 120,
    "exchanges": 118,
    "first_failure_request": 40,
    "settling_s": {"p50": 0.2, "max": 1.5},
}


def run_report(
    verdicts: tuple[Verdict, ...] = VERDICTS,
    over: tuple[rules.Rule, ...] = RULES,
    policy: Policy | None = None,
    **parts: Any,
) -> RunReport:
    whole: dict[str, Any] = {
        "subject": {"kind": "url", "name": "https://api.example.com"},
        "run": RUN,
        "contract": {"version": "2026-04-28", "sha256": "ab" * 32},
        "tool": {"name": "cronofy-conformance", "version": "0.1.0"},
        "clauses": {"B8": "Explicit conferencing is what the request says"},
        **parts,
    }
    report = Report.empty(over).with_judgements([(verdicts, 1)]).with_exchanges(118)
    return RunReport(report=report, rules=over, policy=policy or Policy(), **whole)


def hostile() -> RunReport:
    request = Request(
        "POST", f"https://e.example/{HOSTILE}", (*JSON_HEADERS, ("X-Odd", HOSTILE)), HOSTILE.encode("utf-8", "replace")
    )
    violation = Violation(HOSTILE, "/a|b", HOSTILE, (Evidence(HOSTILE, request, None, {HOSTILE: [HOSTILE]}),), HOSTILE)
    odd = (Rule("odd", HOSTILE, clauses=("B8",)), Rule("odd-too", HOSTILE), Rule("odd-reason", HOSTILE))
    verdicts = (failed("odd", violation), failed("odd-too", violation), inconclusive("odd-reason", HOSTILE))
    return run_report(verdicts, odd, subject={"kind": "url", "name": HOSTILE}, clauses={"B8": HOSTILE})
