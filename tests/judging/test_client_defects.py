"""A defect of a client that several rules see is one failure, and no script of curl stands in for the client."""

from __future__ import annotations

from report_samples import WRITE, Rule, failed, passed, run_report

from conformance.facts import Evidence
from conformance.http.exchange import Request
from conformance.judging.formats import text
from conformance.judging.groups import failure_groups
from conformance.judging.verdict import Verdict, Violation

PENDING = Rule("pending", applies_to="client", about="call")
ASSIGNED = Rule("assigned", applies_to="client", about="call")


def differing(rule: str, place: str, pointer: str, body: str = "{}") -> Violation:
    request = Request("POST", WRITE.url, WRITE.headers, body.encode())
    cause = f"{rule} {place.rpartition('/')[2]} {pointer}"
    return Violation(f"{pointer[1:]} differs", f"/{place}/0", "e", (Evidence("#1", request, 202),), cause, "", pointer)


def grouped(verdicts: tuple[Verdict, ...]) -> list[list[str]]:
    groups = failure_groups(run_report(verdicts, (PENDING, ASSIGNED)))
    return sorted(sorted({rule.id for rule, _ in group.members}) for group in groups)


def test_conferencing_that_never_comes_back_is_one_defect() -> None:
    verdicts = (
        failed("pending", differing("pending", "returned/pending/altered", "/events/e/conferencing/pending")),
        failed("assigned", differing("assigned", "returned/assigned/altered", "/events/e/conferencing/join_url")),
    )
    assert grouped(verdicts) == [["assigned", "pending"]]
    assert grouped((*verdicts, passed("pending"))) == [["assigned"], ["pending"]]
    report = run_report(verdicts, (PENDING, ASSIGNED))
    assert failure_groups(report)[0].headline == "The client gives back no conferencing as it was read"
    assert "reproduce" not in text.render(report)


def test_a_field_that_is_not_sent_is_one_defect_whether_or_not_it_was_empty() -> None:
    missing = failed("pending", differing("pending", "compared/request_missing", "/description"))
    emptied = failed("assigned", differing("assigned", "compared/request_emptied", "/description"))
    assert grouped((missing, emptied)) == [["assigned", "pending"]]
    as_null = differing("assigned", "compared/request_emptied", "/description", '{"description":null}')
    assert grouped((missing, failed("assigned", as_null))) == [["assigned"], ["pending"]]
    other = failed("assigned", differing("assigned", "compared/request_emptied", "/summary"))
    assert grouped((missing, other)) == [["assigned"], ["pending"]]
