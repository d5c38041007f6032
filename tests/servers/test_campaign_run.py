"""Runs against servers in this process: what they find, what they cost, and that they clean up."""

from __future__ import annotations

import asyncio
import json
import statistics
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.clock import Clock, RealClock, VirtualClock
from conformance.contract.rules import load
from conformance.http.exchange import Exchange
from conformance.http.webhooks import address
from conformance.judging.reduction import Effort, minimal_history
from conformance.reference import reference_app
from conformance.servers.campaign import RunProgress, RunResult, cleanup, run
from conformance.servers.campaign.journal import folder
from conformance.servers.campaign.scenario_shrinking import shrink_candidates
from conformance.servers.campaign.scheduler import Scheduler
from conformance.servers.run_options import RunOptions, default_examples
from conformance.servers.scenarios import Scenario, Step
from conformance.servers.subject import EPOCH, Subject, in_process


@pytest.fixture(autouse=True)
def _journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONOFY_CONFORMANCE_JOURNAL", str(tmp_path / "journal"))


def reference(*faults: str, accounts: tuple[str, ...] = ("default",), clock: Clock | None = None) -> Subject:
    """The reference server as any other ASGI application, by some of its accounts, on a clock of its own."""
    clock = clock or VirtualClock(EPOCH)
    app = reference_app(clock=clock, faults=faults, page_size=100)
    tokens = {name: token for name, token in app.tokens.items() if name in accounts}
    return in_process(app, tokens, clock=clock)


def result_of(subject: Subject | None = None, *, small: bool = False, **options: Any) -> RunResult:
    return asyncio.run(run(RunOptions(**options), subject=subject, small=small))


def left_in(subject: Subject) -> list[str]:
    """The events that a server still lists, by id."""

    async def read() -> list[str]:
        from conformance.servers.subject.readings import READING, read_all_managed
        from conformance.servers.subject.reception import Limits
        from conformance.servers.subject.transport import Transport

        ids = []
        async with subject.open(Limits()) as client:
            transport = Transport(client, subject.base_url, subject.tokens, subject.clock)
            for account in subject.tokens:
                for page in await read_all_managed(transport, account, READING):
                    assert page.response is not None
                    ids += [event["event_id"] for event in page.response.json()["events"]]
        return ids

    return asyncio.run(read())


def outcomes(result: RunResult) -> dict[str, str]:
    return {rule: tally.outcome for rule, tally in result.report.tallies.items()}


@pytest.fixture(scope="module")
def whole() -> RunResult:
    """A run against the embedded reference server."""
    return result_of()


def test_every_rule_passes_on_the_reference_server(whole: RunResult) -> None:
    assert Counter(outcomes(whole).values()) == {"passed": len(whole.rules)}
    assert not [rule for rule, tally in whole.report.tallies.items() if tally.timed_out]
    assert (whole.left, whole.cut_short, whole.interrupted, whole.counterexamples) == ((), None, False, ())


def test_a_run_costs_less_than_its_plan(whole: RunResult) -> None:
    assert whole.run["exchanges"] == len(whole.exchanges) < whole.run["requests"] < whole.plan.requests
    assert whole.run["finished_at"] - whole.run["started_at"] < whole.plan.seconds


def test_the_same_seed_makes_the_same_run_to_the_byte(whole: RunResult) -> None:
    again = result_of()
    assert again.exchanges == whole.exchanges
    assert again.report == whole.report
    assert again.run == whole.run


def test_exchanges_are_numbered_in_the_order_sent_and_carry_no_token(whole: RunResult) -> None:
    assert [exchange.label for exchange in whole.exchanges] == [f"#{n}" for n in range(1, len(whole.exchanges) + 1)]
    sent = [exchange.sent_at or 0.0 for exchange in whole.exchanges]
    assert sent == sorted(sent)
    assert not any("reference-default-token" in repr(exchange.request) for exchange in whole.exchanges)


def test_requests_without_a_valid_token_are_sent_and_refused(whole: RunResult) -> None:
    sent = [exchange for exchange in whole.exchanges if address(exchange.request.url) is None]
    tried = [exchange for exchange in sent if exchange.request.account in (None, "nobody")]
    assert {exchange.request.method for exchange in tried} == {"GET", "POST", "DELETE"}
    assert {exchange.response and exchange.response.status for exchange in tried} == {401}
    assert any("/v1/events/pages/" in exchange.request.url for exchange in tried)


def test_a_later_page_is_asked_for_with_another_accounts_token(whole: RunResult) -> None:
    pages = [exchange.request for exchange in whole.exchanges if "/v1/events/pages/" in exchange.request.url]
    readers = {page.url: {other.account for other in pages if other.url == page.url} for page in pages}
    assert any(len(accounts - {None, "nobody"}) == 2 for accounts in readers.values())


def test_an_event_with_explicit_conferencing_follows_the_malformed_requests(whole: RunResult) -> None:
    contents = {request.content for request in whole.plan.malformed if request.content}
    last = max(number for number, exchange in enumerate(whole.exchanges) if exchange.request.body in contents)
    [written] = [exchange for exchange in whole.exchanges[last + 1 :] if exchange.request.method == "POST"]
    assert written.response is not None
    assert written.response.status == 202
    assert json.loads(written.request.body)["conferencing"]["profile_id"] == "explicit"
    readings = [exchange for exchange in whole.exchanges if exchange.request.method == "GET"][-1:]
    assert readings[0].sent_at is not None
    assert written.answered_at is not None
    assert readings[0].sent_at - written.answered_at >= whole.settings.quiet


def losing_conferencing_on_later_pages(app: Any) -> Any:
    """`app`, but managed events among others show their conferencing on the first page only."""
    later: set[str] = set()

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        answer: list[Any] = []

        async def keep(message: Any) -> None:
            answer.append(message)

        await app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in answer)
        if answer[0]["status"] == 200 and (scope["path"] in later or b"include_managed" in scope["query_string"]):
            shown = json.loads(body)
            if following := shown["pages"].get("next_page"):
                later.add(httpx.URL(following).path)
            if scope["path"] in later:
                for item in shown["events"]:
                    item.pop("conferencing", None)
            body = json.dumps(shown).encode()
        await send({**answer[0], "headers": [(b"content-type", b"application/json; charset=utf-8")]})
        await send({"type": "http.response.body", "body": body})

    return wrapped


def test_what_only_the_later_pages_of_mixed_readings_lose_is_found() -> None:
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, page_size=40)
    tokens = {"default": app.tokens["default"]}
    result = result_of(in_process(losing_conferencing_on_later_pages(app), tokens, clock=clock))
    assert outcomes(result)["settled-conferencing-remains"] == "failed"


def test_calendars_are_listed_again_between_the_writes_of_each_account(whole: RunResult) -> None:
    """What a list shows only after an event has conferencing is held against the writes that follow."""
    for account in {exchange.request.account for exchange in whole.exchanges} - {None, "nobody"}:
        own = [exchange.request for exchange in whole.exchanges if exchange.request.account == account]
        kinds = ["list" if request.path == "/v1/calendars" else request.method for request in own]
        between = kinds[kinds.index("POST") : len(kinds) - kinds[::-1].index("POST")]
        assert "list" in between


def test_exchanges_go_to_the_sink_at_once_and_progress_is_reported() -> None:
    sunk: list[Exchange] = []
    reported: list[RunProgress] = []
    result = asyncio.run(run(RunOptions(), subject=reference(), sink=sunk.append, progress=reported.append))
    assert tuple(sunk) == result.exchanges
    assert [one.requests for one in reported] == sorted(one.requests for one in reported)
    assert reported[-1].phase == "malformed requests"
    assert (reported[-1].scenarios_done, reported[-1].waiting, reported[-1].failed) == (reported[-1].scenarios, (), ())


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("none-keeps-generated", "none-removes-conferencing"),
        ("past-generates-for-zoned-starts", "a-past-event-is-created-without-a-conference"),
        ("late-generation-overwrites-none", "none-removes-conferencing"),
        ("unavailable-integrated-creates-event", "a-refused-creation-creates-nothing"),
        ("no-token-reads", "a-missing-token-is-answered-401"),
        ("managed-in-default-reads", "managed-events-are-excluded-by-default"),
        ("default-alternates-between-profiles", "default-uses-one-service"),
        ("same-id-shared-by-calendars", "explicit-conferencing-stays-on-its-event"),
    ],
)
def test_a_fault_is_found_and_nothing_is_left_behind(fault: str, rule: str) -> None:
    subject = reference(fault, accounts=("default", "several"))
    result = result_of(subject)
    assert outcomes(result)[rule] == "failed"
    assert 0 < result.run["first_failure_request"] <= result.run["exchanges"]
    assert left_in(subject) == []
    assert not list(folder().rglob("*.ndjson"))


def test_where_nothing_settles_the_run_ends_in_time_and_accuses_nobody() -> None:
    result = result_of(reference("pending-for-ever"))
    assert "failed" not in outcomes(result).values()
    assert "inconclusive" in outcomes(result).values()
    assert result.run["finished_at"] - result.run["started_at"] < result.plan.seconds


@pytest.mark.parametrize("max_requests", [8, 60, 150])
def test_a_budget_is_never_exceeded_and_nothing_is_left_behind(max_requests: int) -> None:
    subject = reference()
    result = result_of(subject, max_requests=max_requests)
    assert result.run["requests"] <= max_requests
    assert result.cut_short == f"the limit of {max_requests} requests was reached"
    assert left_in(subject) == []


@pytest.mark.parametrize("requests", [6, 60, 150, 200])
def test_an_interrupted_run_cleans_up_and_reports_what_it_observed(requests: int) -> None:
    subject = reference()

    async def interrupted() -> RunResult:
        task: asyncio.Task[RunResult]
        count = 0

        def cancel_in_time(_: Exchange) -> None:
            nonlocal count
            count += 1
            if count == requests:
                task.cancel()

        task = asyncio.create_task(run(RunOptions(), subject=subject, sink=cancel_in_time))
        return await task

    result = asyncio.run(interrupted())
    assert result.interrupted
    assert len(result.exchanges) >= requests
    assert left_in(subject) == []


def test_cleanup_deletes_what_a_killed_run_left(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = reference(clock=RealClock())

    class Killed(BaseException):
        pass

    def kill(exchange: Exchange) -> None:
        if exchange.label == "#40":
            raise Killed

    async def no_cleaning(self: Any) -> tuple[()]:
        return ()

    with monkeypatch.context() as patch:
        patch.setattr("conformance.servers.campaign.subject_session.SubjectSession.clean", no_cleaning)
        with pytest.raises(Killed):
            asyncio.run(run(RunOptions(), subject=subject, sink=kill))
    assert len(left_in(subject)) > 10
    deleted, left = asyncio.run(cleanup(subject))
    assert deleted > 10
    assert (left, left_in(subject), list(folder().rglob("*.ndjson"))) == ((), [], [])


def flaky(app: Any) -> Any:
    """`app`, but every 7th request is answered 429, every 11th 503, and every 13th only after it was done, with 502."""
    count = 0

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        nonlocal count
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        count += 1
        number = count
        if number % 7 == 0 or number % 11 == 0:
            await _plain(send, 429 if number % 7 == 0 else 503, [(b"retry-after", b"1")] if number % 7 == 0 else [])
        elif number % 13 == 0:

            async def lost(message: Any) -> None:
                return None

            await app(scope, receive, lost)
            await _plain(send, 502, [])
        else:
            await app(scope, receive, send)

    return wrapped


async def _plain(send: Any, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def test_a_busy_server_that_loses_answers_is_waited_out_and_accused_of_nothing() -> None:
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock)
    tokens = {"default": app.tokens["default"]}
    subject = in_process(flaky(app), tokens, clock=clock)
    result = result_of(subject)
    statuses = Counter(exchange.response.status for exchange in result.exchanges if exchange.response)
    assert min(statuses[429], statuses[502], statuses[503]) > 10
    assert [rule for rule, outcome in outcomes(result).items() if outcome == "failed"] == []
    assert left_in(in_process(app, tokens, clock=clock)) == []


def throttled(app: Any, clock: VirtualClock) -> Any:
    """`app`, but of the requests of a second only four are answered, and the others 429."""
    times: list[float] = []

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            times[:] = [one for one in times if clock.now() - one < 1.0]
            if len(times) >= 4:
                await _plain(send, 429, [(b"retry-after", b"1")])
                return
            times.append(clock.now())
        await app(scope, receive, send)

    return wrapped


def test_what_the_last_reading_before_the_time_out_settles_is_not_given_up() -> None:
    """A slow server is read seldom, so that the window and the time-out pass between two readings."""
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock)
    tokens = {name: app.tokens[name] for name in ("default", "profiles")}
    result = result_of(in_process(throttled(app, clock), tokens, clock=clock), settle_timeout=15.0)
    sent = {one.request.body for one in result.exchanges if one.response and one.response.status != 429}
    longest = {one.id: one.steps for one in result.plan.scenarios if one.family == "pairs" and len(one.steps) == 6}
    begun = {
        name: [n for n in range(1, 7) if any(f"-{name}-{n}".encode() in body for body in sent)] for name in longest
    }
    assert len(begun) > 3
    assert [name for name, steps in begun.items() if max(steps) < 4] == []  # not each has its number in its texts


def test_examples_beyond_the_core_are_run_too() -> None:
    result = result_of(reference(), max_examples=8, seed=3)
    explored = [scenario for scenario in result.plan.scenarios if scenario.family == "explored"]
    assert len(explored) == 8
    assert not {"failed", "inconclusive"} & set(outcomes(result).values())


@pytest.mark.parametrize(
    ("in_virtual_time", "loopback", "options", "expected"),
    [
        (True, True, {}, 100),
        (False, True, {}, 25),
        (False, False, {}, 0),
        (True, True, {"max_requests": 900}, 0),
        (True, True, {"max_time": 60.0}, 0),
        (True, True, {"record": Path("cassettes")}, 0),
    ],
)
def test_a_command_explores_where_time_is_free(
    in_virtual_time: bool, loopback: bool, options: dict[str, Any], expected: int
) -> None:
    assert default_examples(RunOptions(**options), in_virtual_time=in_virtual_time, loopback=loopback) == expected


def test_the_same_seed_gives_the_same_exchanges_and_report() -> None:
    first, second = (result_of(reference("explicit-url-lower-cased"), small=True, max_examples=5) for _ in range(2))
    assert first.exchanges == second.exchanges
    assert first.report == second.report
    assert first.counterexamples == second.counterexamples
    assert first.counterexamples


def test_without_shrinking_nothing_is_tried() -> None:
    result = result_of(reference("explicit-url-lower-cased"), small=True, shrink=False)
    assert (result.counterexamples, outcomes(result)["explicit-is-kept"]) == ((), "failed")


def test_a_counterexample_is_the_shortest_scenario_and_the_fewest_exchanges() -> None:
    result = result_of(reference("none-keeps-generated"), small=True)
    [found] = [one for one in result.counterexamples if one.rule.id == "none-removes-conferencing"]
    kinds = [step.kind for step in found.scenarios[0].steps]
    assert 0 < found.failed == found.tried
    assert found.origin in result.report.tally(found.rule.id).violations
    assert found.violation.event not in (None, found.origin.event)
    assert kinds[0] in ("default", "integrated", "profile")
    assert kinds[1:] == ["none"]
    assert len(found.exchanges) <= 6
    assert result.run["requests"] <= result.plan.requests


def test_looking_for_counterexamples_takes_at_most_a_quarter_of_the_requests() -> None:
    fault = "default-ignores-the-chosen-profile-on-update"
    without, with_them = (result_of(faults=(fault,), small=small) for small in (False, True))
    lengths = {len(one.scenarios[0].steps) for one in with_them.counterexamples if one.failed}
    assert lengths
    assert lengths <= {2, 3}
    assert all("none was" in one.note for one in with_them.counterexamples if not one.failed)
    assert statistics.median(len(one.exchanges) for one in with_them.counterexamples) <= 6
    assert 0 < with_them.run["requests"] - without.run["requests"] <= with_them.run["requests"] / 4


def test_smaller_failures_are_awaited_as_long_as_the_run_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is tried tells how long a conference takes: only past events are written."""

    async def nothing(_: Scheduler, accounts: object) -> None:
        """A real clock has no such readings."""

    monkeypatch.setattr(Scheduler, "final_reads", nothing)
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, settle=12.0, faults=("past-generates-late",), page_size=100)
    subject = in_process(app, {"default": app.tokens["default"]}, clock=clock)
    rules = [rule for rule in load() if rule.id == "a-past-event-is-created-without-a-conference"]
    result = asyncio.run(run(RunOptions(settle_timeout=120.0), subject=subject, rules=rules))
    assert {(one.failed == one.tried > 0, len(one.exchanges)) for one in result.counterexamples} == {(True, 3)}


def test_the_refusal_of_a_write_is_shown_by_writes_alone() -> None:
    """It counts only where others like it are granted before and after: these are writes of other events."""
    rules = [rule for rule in load() if rule.id == "8x8-is-accepted"]
    result = asyncio.run(run(RunOptions(faults=("8x8-forbidden",)), rules=rules, small=False))
    [rule] = result.rules
    violation = result.report.tally(rule.id).violations[0]
    effort = Effort(3 * len(result.exchanges))
    shown = minimal_history(result.exchanges, rule, violation, result.settings, effort)
    assert not effort.is_spent
    assert Counter(one.request.method for one in shown)["POST"] >= len(shown) - 2


def test_a_join_url_that_was_sent_for_another_event_is_shown_with_that_write() -> None:
    fault = "explicit-url-of-another-event"
    rules = [rule for rule in load() if rule.id == "explicit-conferencing-stays-on-its-event"]
    result = asyncio.run(run(RunOptions(max_examples=0), subject=reference(fault), rules=rules, small=False))
    [rule] = result.rules
    violation = result.report.tally(rule.id).violations[0]
    effort = Effort(len(result.exchanges))
    shown = minimal_history(result.exchanges, rule, violation, result.settings, effort)
    assert not effort.is_spent
    assert len(shown) <= 6


def test_a_failure_that_depends_on_counts_is_given_up_early_and_says_so() -> None:
    class Tired:
        """The reference server, which changes join URLs from its 60th answer to its 200th."""

        def __init__(self) -> None:
            self.clock = VirtualClock(EPOCH)
            self.inner = reference_app(clock=self.clock)
            self.answers = 0

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def changed(message: Any) -> None:
                if message["type"] == "http.response.body" and 60 < self.answers < 200:
                    message = {**message, "body": message["body"].replace(b"/join/", b"/JOIN/")}
                await send(message)

            self.answers += scope["type"] == "http"
            await self.inner(scope, receive, changed)

    app = Tired()
    subject = in_process(app, {"default": app.inner.tokens["default"]}, clock=app.clock)
    rules = [rule for rule in load() if rule.id == "explicit-is-kept"]
    result = asyncio.run(run(RunOptions(), subject=subject, rules=rules))
    [found] = result.counterexamples
    assert "sent again alone, the scenario did not fail" in found.note
    assert (found.tried, found.failed) == (1, 0)
    assert len(found.exchanges) <= 6


def test_where_the_effort_is_spent_the_exchanges_of_the_violation_are_shown() -> None:
    result = result_of(reference("none-keeps-generated"))
    rule = next(rule for rule in result.rules if rule.id == "none-removes-conferencing")
    violation = result.report.tally(rule.id).violations[0]
    effort = Effort(0)
    shown = minimal_history(result.exchanges, rule, violation, result.settings, effort)
    assert effort.is_spent
    labels = {one.label for one in violation.evidence}
    assert labels <= {one.label for one in shown}
    assert [one.label for one in shown if one.request.method == "GET" and one.label not in labels] == []


def test_a_counterexample_of_a_reading_is_the_reading() -> None:
    result = result_of(reference("managed-in-default-reads"), small=True)
    [found] = [one for one in result.counterexamples if one.rule.id == "managed-events-are-excluded-by-default"]
    assert found.scenarios == ()
    assert [exchange.request.method for exchange in found.exchanges] == ["POST", "GET"]
    listed = found.exchanges[1].response
    assert listed is not None
    assert json.loads(found.exchanges[0].request.body)["event_id"].encode() in listed.body


def test_each_choice_is_tried_alone_and_without() -> None:
    step = Step("profile", start="running", text_variant="minimal", charset=False, batched=True)
    tried = {one.steps for one in shrink_candidates(Scenario("s", "default", "cal_1", (step,)), shorter=False)}
    for name in ("start", "text_variant", "charset", "batched"):
        usual, value = getattr(Step("profile"), name), getattr(step, name)
        assert (replace(step, **{name: usual}),) in tried
        assert (replace(Step("profile", batched=True), **{name: value}),) in tried
