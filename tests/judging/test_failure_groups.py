"""Rules that fail for one reason are one group; distinct defects are several."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from msgspec import structs
from report_samples import READ, WRITE, Rule, failed, passed, run_report

from conformance.facts import Evidence
from conformance.http.exchange import Request
from conformance.judging.exercised import Exercised
from conformance.judging.formats.failures import failures
from conformance.judging.groups import failure_groups
from conformance.judging.summary import Reproduction, RunReport
from conformance.judging.verdict import Violation

A, B, C = Rule("a"), Rule("b"), Rule("c")


def violation(cause: str, symptom: str = "") -> Violation:
    return Violation(f"message of {cause}", "/x", "e", (), cause, symptom=symptom)


def grouped(report: RunReport) -> list[list[str]]:
    return [sorted({rule.id for rule, _ in group.members}) for group in failure_groups(report)]


def test_rules_that_fail_over_the_same_wrong_value_are_one_group() -> None:
    verdicts = (failed("a", violation("a one", "s")), failed("b", violation("b one", "s")))
    assert grouped(run_report(verdicts, (A, B))) == [["a", "b"]]


def test_what_one_cause_shows_elsewhere_belongs_to_the_same_group() -> None:
    verdicts = (
        failed("a", violation("a one", "s")),
        failed("b", violation("b one", "s")),
        failed("b", violation("b one", "elsewhere")),
        failed("c", violation("c one", "elsewhere")),
    )
    assert grouped(run_report(verdicts, (A, B, C))) == [["a", "b", "c"]]


def test_distinct_defects_of_one_rule_are_several_groups() -> None:
    verdicts = (failed("a", violation("a one", "s")), failed("a", violation("a two", "t")))
    assert grouped(run_report(verdicts, (A,))) == [["a"], ["a"]]


def test_what_counts_comes_before_what_is_a_warning_and_the_page_before_its_neighbours() -> None:
    rules = (Rule("weak", level="should"), Rule("near", clauses=("2.2.a",)), Rule("page"))
    verdicts = tuple(failed(rule.id, violation(rule.id)) for rule in rules)
    assert grouped(run_report(verdicts, rules)) == [["page"], ["near"], ["weak"]]


def shown(cause: str, kind: str, value: object) -> Violation:
    """A violation by a reading that shows `value` after a write that asked for `kind`."""
    body = f'{{"event_id":"{cause}","summary":"s","start":"2026-05-01","end":"2026-05-02","conferencing":{kind}}}'
    write = Request("POST", WRITE.url, WRITE.headers, body.encode())
    observation = {"state": "none"} if value is None else {"state": "malformed", "conferencing": value}
    evidence = (Evidence("#1", write, 202, at=1.0), Evidence("#2", READ, 200, observation, 2.0))
    return Violation(f"message of {cause}", "/after/settled/state", cause, evidence, cause, shown_by="#2")


def test_an_emulator_that_echoes_its_requests_has_one_defect() -> None:
    verdicts = (
        failed("a", shown("a default", '{"profile_id":"default"}', {"profile_id": "default"})),
        failed("b", shown("b integrated", '{"profile_id":"integrated"}', {"profile_id": "integrated"})),
        passed("b"),
        failed("c", shown("c none", '{"profile_id":"none"}', {"odd": True})),
    )
    report = run_report(verdicts, (A, B, C))
    assert grouped(report) == [["a", "b"], ["c"]]
    assert failure_groups(report)[0].headline == (
        "Readings return conferencing exactly as it was sent: it is never processed"
    )


def test_what_is_never_refused_is_one_defect_of_its_rule() -> None:
    def answered(cause: str, status: str) -> Violation:
        return Violation(f"message of {cause}", "/response/status", None, (), cause, actual=status)

    verdicts = (
        failed("a", answered("a read 200", "200")),
        failed("a", answered("a write 202", "202")),
        failed("b", answered("b write 202", "202")),
    )
    rules = Rule("a", about="exchange"), Rule("b", about="exchange")
    assert grouped(run_report(verdicts, rules)) == [["a"], ["b"]]
    assert grouped(run_report((*verdicts, passed("a")), rules)) == [["a"], ["a"], ["b"]]


def contrasted(
    *violations: tuple[str, Violation], passes: dict[str, list[set[str]]], rules: tuple[Rule, ...] = (A, B)
) -> RunReport:
    """A report in which these rules failed, and passed for facts with these traits, which show what was requested."""
    verdicts = [failed(rule, violation) for rule, violation in violations]
    verdicts += [passed(rule) for rule, some in passes.items() for _ in some]
    report = run_report(tuple(verdicts), rules)
    seen = {
        rule: frozenset(
            frozenset(one if any(trait.startswith("reads as") for trait in one) else {*one, "reads as assigned"})
            for one in some
        )
        for rule, some in passes.items()
    }
    return replace(report, report=report.report.with_exercised(Exercised(passed=seen)))


def of_kind(name: str, kind: str, *traits: str, cause: str = "") -> Violation:
    """An event that reads back without conferencing, with these traits."""
    seen = shown(f"{name} {kind} {traits}", f'{{"profile_id":"{kind}"}}', None)
    its = frozenset({f"due={kind}", *traits})
    event = f"{name} {traits} {next(_NUMBERS)}"
    return replace(seen, traits=its, cause=cause or name, event=event)


_NUMBERS = count()


def unlisted(cause: str, *traits: str) -> Violation:
    return replace(shown(cause, '{"profile_id":"default"}', None), traits=frozenset({"due=default", *traits}))


def test_failures_that_have_a_trait_in_common_which_no_pass_has_are_one_group() -> None:
    found = [("a", unlisted(f"a {n}", "all_day=True", "x")) for n in "12"] + [("b", unlisted("b 1", "all_day=True"))]
    passes = {"a": [{"due=default", "x"}], "b": [{"due=default"}]}
    report = contrasted(*found, passes=passes)
    assert grouped(report) == [["a", "b"]]
    assert failure_groups(report)[0].headline == (
        "Wherever the event takes whole days, events read back without conferencing"
    )


def test_what_never_works_is_one_defect_whatever_was_requested() -> None:
    found = [(rule, of_kind(rule, kind)) for rule, kind in (("a", "default"), ("b", "explicit"), ("b", "profile"))]
    assert [group.headline for group in failure_groups(contrasted(*found, passes={}))] == [
        "Events read back without conferencing"
    ]


def test_two_defects_of_one_mode_are_two_groups_even_where_they_share_a_cause() -> None:
    days = [of_kind(rule, "default", "all_day=True", cause=f"{rule} one") for rule in "aaaabb"]
    past = [of_kind(rule, "default", "start=past", cause=f"{rule} one") for rule in "aaab"]
    found = [(violation.cause[0], violation) for violation in (*days, *past)]
    report = contrasted(*found, passes={"a": [{"due=default", f"{n}"} for n in range(20)]})
    assert sorted(group.headline for group in failure_groups(report)) == [
        "Where the event is in the past, events read back without conferencing",
        "Wherever the event takes whole days, events read back without conferencing",
    ]


def test_what_nothing_that_is_known_tells_apart_is_one_defect_of_some_events() -> None:
    kinds = ("default", "explicit", "profile", "omitted")
    found = [("a", of_kind(f"a {kind}", kind, f"odd {kind}", "changes start")) for kind in kinds]
    passes: dict[str, list[set[str]]] = {"b": [{f"due={kind}", "changes start"} for kind in kinds]}
    found.append(("b", replace(found[0][1], cause="b 1")))
    assert [group.headline for group in failure_groups(contrasted(*found, passes=passes))] == [
        "Some events read back without conferencing"
    ]
    few = [("a", of_kind(f"a {kind}", kind, "changes start")) for kind in kinds[:2]]
    assert grouped(contrasted(*few, passes=passes)) == [["a"]]
    assert grouped(contrasted(*few, passes={"a": [{"due=none", "changes start"}], **passes})) == [["a"], ["a"]]


def test_a_pass_by_the_very_state_that_is_wrong_elsewhere_does_not_refute_a_trait() -> None:
    found = [("a", unlisted(f"a {n}", "shown on a later page")) for n in "123"]
    passes = {"a": [{"due=default"}, {"due=none", "reads as none", "shown on a later page"}]}
    report = contrasted(*found, passes=passes, rules=(A,))
    assert [group.headline for group in failure_groups(report)] == [
        "On later pages of a reading, events read back without conferencing"
    ]


def test_updates_that_change_nothing_are_one_defect_whatever_their_rules() -> None:
    update = ("is_create=False", "reads as before")
    found = [("a", of_kind("a none", "none", *update)), ("b", of_kind("b explicit", "explicit", *update))]
    found.append(("b", of_kind("b default", "default", *update)))
    passes = {"a": [{"due=none", "is_create=True", "reads as assigned"}]}
    assert [group.headline for group in failure_groups(contrasted(*found, passes=passes))] == [
        "Events keep the conferencing that they had before an update"
    ]


def test_a_wrong_value_that_an_ignored_update_leaves_there_has_a_reason_of_its_own() -> None:
    odd = [replace(of_kind("a", "none", cause=f"a {n}"), symptom="value") for n in "123"]
    kept = [replace(of_kind("b", "default", "reads as before", cause=f"b {n}"), symptom="value") for n in "123"]
    kept = [
        replace(one, evidence=(one.evidence[0], structs.replace(one.evidence[1], shown={"state": "pending"})))
        for one in kept
    ]
    found = [*(("a", one) for one in odd), *(("b", one) for one in kept)]
    assert grouped(contrasted(*found, passes={})) == [["a"], ["b"]]


def test_a_field_that_is_never_updated_is_one_defect_whatever_else_was_written() -> None:
    lost = [
        replace(
            of_kind("a", kind, "reads as unwritten", cause=f"a {kind} summary"),
            path="/after/settled/mismatching_fields",
        )
        for kind in ("none", "default")
    ]
    passes = {"a": [{"due=none"}, {"due=default"}], "b": [{"reads as written"}]}
    assert grouped(contrasted(*(("a", one) for one in lost), passes=passes)) == [["a"]]


def test_readings_that_leave_out_an_event_are_part_of_what_loses_it() -> None:
    lost = replace(of_kind("a 1", "default"), path="/shown", cause="a missing", event="e1")
    reading = Rule("reading", level="should", about="reading")
    leaves_out = Violation("It leaves out e1", "/listing/missing", None, (), "reading listing/missing", actual="e1")
    other = replace(leaves_out, cause="reading other", actual='["e2","e3"]')
    rules = (A, B, reading)
    passes = {"b": [{"due=default", "reads as assigned"}]}
    assert grouped(contrasted(("a", lost), ("reading", leaves_out), passes=passes, rules=rules)) == [["a", "reading"]]
    assert grouped(contrasted(("a", lost), ("reading", other), passes=passes, rules=rules)) == [["a"], ["reading"]]


def test_groups_that_would_have_one_headline_say_what_differs() -> None:
    verdicts = [failed(rule, replace(violation(f"{rule} {n}"), message="It is odd")) for rule, n in ("a1", "a2", "b1")]
    assert [group.headline for group in failure_groups(run_report(tuple(verdicts), (A, Rule("b", "B holds"))))] == [
        "It is odd (1)", "It is odd (2)", "It is odd (B holds)",
    ]  # fmt: skip


def test_an_echo_is_one_where_a_later_write_omits_conferencing() -> None:
    def omitted(cause: str) -> Violation:
        of_default = shown(cause, '{"profile_id":"default"}', {"profile_id": "default"})
        plain = Request("POST", WRITE.url, WRITE.headers, b'{"event_id":"e","summary":"s"}')
        write, read = of_default.evidence
        return replace(of_default, earlier=(write,), evidence=(Evidence("#1b", plain, 202, at=1.5), read))

    verdicts = (
        failed("a", shown("a default", '{"profile_id":"default"}', {"profile_id": "default"})),
        failed("b", omitted("b omitted")),
    )
    assert grouped(run_report(verdicts, (A, B))) == [["a", "b"]]


def test_what_comes_of_a_write_that_had_to_be_refused_is_part_of_that_defect() -> None:
    refusal = Rule("refused", level="should", about="exchange")
    answered = Violation("It is answered 202", "/response/status", "e", (), "refused", actual="202", shown_by="#1")
    lost, elsewhere = of_kind("a", "default", cause="a lost"), of_kind("b", "explicit", cause="b lost")
    elsewhere = replace(elsewhere, evidence=(structs.replace(elsewhere.evidence[0], label="#7"), elsewhere.evidence[1]))
    again = replace(answered, message="Another is answered 202", cause="refused again", shown_by="#8")
    found = [("a", lost), ("b", elsewhere), ("refused", answered), ("refused", again)]
    passes = {"a": [{"due=default", "due=explicit", "reads as assigned"}]}
    report = contrasted(*found, passes=passes, rules=(A, B, refusal))
    assert grouped(report) == [["a", "refused"], ["b"]]
    assert failure_groups(report)[0].headline == "It is answered 202"


def test_what_makes_a_value_malformed_is_its_reason_if_it_is_the_only_one() -> None:
    value = {"join_url": None}
    observed = replace(shown("c null", '{"profile_id":"default"}', value), symptom="", message="join_url is null")
    write, read = observed.evidence
    observed = replace(observed, evidence=(write, structs.replace(read, shown={"conferencing": value})))
    conferencing = Rule("c", about="conferencing")
    verdicts = (
        failed("a", shown("a default", '{"profile_id":"default"}', value)),
        failed("b", shown("b integrated", '{"profile_id":"integrated"}', value)),
        failed("c", observed),
    )
    report = run_report(verdicts, (A, B, conferencing))
    assert grouped(report) == [["a", "b", "c"]]
    assert failure_groups(report)[0].headline == "join_url is null"
    two = replace(observed, cause="c odd", message="provider_name is odd", path="/conferencing/provider_name")
    assert len(grouped(run_report((*verdicts, failed("c", two)), (A, B, conferencing)))) == 3


def test_what_says_the_reason_comes_first_and_the_group_counts_by_its_weightiest_rule() -> None:
    refusal = Rule("refused", level="should", about="exchange")
    answered = Violation("It is answered 202", "/response/status", "e", (), "refused", actual="202", shown_by="#1")
    report = run_report(
        (failed("a", of_kind("a", "default", cause="a lost")), failed("refused", answered)), (A, refusal)
    )
    [group] = failure_groups(report)
    assert (group.example[0].id, group.weightiest.id) == ("refused", "a")


def test_what_a_reproduction_shows_stands_for_its_group_and_one_that_passed_has_no_script() -> None:
    first, second = (of_kind("a", "default", cause=f"a {n}") for n in "12")
    smallest = replace(first, message="The smallest one", event="t1")
    repro = Reproduction("a", "", (), (), origin=first, violation=smallest)
    report = contrasted(("a", first), ("a", second), passes={"a": [{"due=none"}]})
    for reproduces in (True, False):
        [told] = failures(replace(report, reproductions=(replace(repro, reproduces=reproduces),)))
        assert (told.violation, told.headline) == (smallest, "The smallest one")
        assert (told.script is not None) == reproduces


def test_what_readings_show_wrong_of_all_events_of_a_group_is_part_of_it() -> None:
    reading = Rule("reading", level="should", about="reading")
    kept, twice = of_kind("a", "default"), Violation("It lists e twice", "/listing/duplicated", None, (), "twice")
    report = contrasted(("a", kept), ("reading", twice), passes={"a": [{"due=none"}]}, rules=(A, reading))
    assert grouped(report) == [["a"], ["reading"]]
    repro = Reproduction("a", "", (), (), origin=kept, violation=kept, beside=frozenset({"twice"}))
    assert grouped(replace(report, reproductions=(repro,))) == [["a", "reading"]]


def test_defects_that_share_a_seldom_trigger_are_one_unless_one_is_of_answers() -> None:
    zone = "event.start is an object"
    lost = [of_kind("a", "default", zone, cause=f"a {n}") for n in "12"]
    odd = [replace(of_kind("b", "none", zone, cause=f"b {n}"), path="/after/settled/location") for n in "12"]
    refused = [replace(of_kind("b", "none", zone, cause=f"b {n}"), path="/response/status", actual="422") for n in "34"]
    passes = {rule: [{"due=default", f"n{n}"} | {f"due={n}"} for n in range(20)] for rule in "ab"}
    found = [*(("a", one) for one in lost), *(("b", one) for one in (*odd, *refused))]
    assert sorted(grouped(contrasted(*found, passes=passes))) == [["a", "b"], ["b"]]
    assert all(
        group.headline.startswith("Wherever the start names a time zone, ")
        for group in failure_groups(contrasted(*found, passes=passes))
    )


def test_a_headline_of_several_kinds_of_requests_says_none_of_them() -> None:
    found = [
        ("a", replace(of_kind("a", kind, cause="a"), path="/after/settled/location", effect="Events are odd"))
        for kind in ("none", "default")
    ]
    assert [group.headline for group in failure_groups(contrasted(*found, passes={}))] == ["Events are odd"]
    assert [group.headline for group in failure_groups(contrasted(found[0], passes={}))] == ["message of a none ()"]


def test_two_traits_that_no_pass_has_together_tell_a_defect_where_neither_does_alone() -> None:
    zone, kinds = "event.start is an object", ("default", "explicit", "profile", "omitted")
    lost = [
        ("a", of_kind(f"a {kind}", kind, zone, "generates", "changes nothing", "reads as ignored")) for kind in kinds
    ]
    removed = [("b", of_kind(f"b {n}", "omitted", "changes description")) for n in "12"]
    passes = {"a": [{zone, "due=none"}, {"generates", "due=default"}], "b": [{"due=omitted", "changes summary"}]}
    passes["b"] += [{*one, "reads as heeded"} for one in passes["a"]]
    [first, second] = failure_groups(contrasted(*lost, *removed, passes=passes))
    assert first.headline == (
        "Wherever the start names a time zone, where a generated conference is requested, events read back as if "
        "conferencing had not been requested"
    )
    assert {rule.id for rule, _ in second.members} == {"b"}


def test_a_warning_about_the_events_of_a_failure_alone_is_part_of_it() -> None:
    late = Rule("late", level="should")
    lost = [replace(of_kind("a", "default", cause=f"a {n}"), event=n) for n in "123"]
    weak = [Violation("It is late", "/late", n, (), "late") for n in "12"]
    found = [*(("a", one) for one in lost), *(("late", one) for one in weak)]
    passes = {"a": [{"due=none"}], "late": [{"due=none"}]}
    assert grouped(contrasted(*found, passes=passes, rules=(A, late))) == [["a", "late"]]
    found.append(("late", replace(weak[0], event="4")))
    assert grouped(contrasted(*found, passes=passes, rules=(A, late))) == [["a"], ["late"]]


def test_a_value_that_events_share_is_part_of_what_makes_it_wrong() -> None:
    wrong = replace(violation("a", '["e", "conferencing/join_url", "odd"]'), path="/after/latest/join_url_as_sent")
    shared = Violation("It is shared", "/after/latest/join_url_shared_with", "f", (), "b")
    for value, groups in (("odd", [["a", "b"]]), ("other", [["a"], ["b"]])):
        again = replace(shared, symptom=f'["f", "conferencing/join_url", "{value}"]')
        assert grouped(run_report((failed("a", wrong), failed("b", again)), (A, B))) == groups


def test_one_fact_that_is_wrong_by_two_rules_is_one_defect() -> None:
    path = "/after/settled/provider_name"
    null = [
        replace(of_kind(rule, "profile", rule, cause=f"{rule} after/provider_name null"), path=path) for rule in "ab"
    ]
    passes = {rule: [{"due=profile", rule}] for rule in "ab"}
    null = [
        replace(one, evidence=(one.evidence[0], structs.replace(one.evidence[1], shown={"state": "assigned"})))
        for one in null
    ]
    assert grouped(contrasted(*((one.cause[0], one) for one in null), passes=passes)) == [["a", "b"]]
    names = [
        replace(null[1], path=f"/names/{n}/flag", cause=f"b names/flag {word}")
        for n, word in enumerate(("true", "false"))
    ]
    assert grouped(contrasted(*(("b", one) for one in names), passes=passes)) == [["b"]]


def test_a_failure_says_what_tells_it_from_what_passed() -> None:
    found = [("a", of_kind("a", "default", "all_day=True", cause=f"a {n}")) for n in "123"]

    def seen(*passes: set[str]) -> str | None:
        return failures(contrasted(*found, passes={"a": list(passes)}, rules=(A,)))[0].share

    assert seen({"due=default"}, {"due=none"}) == (
        "3 of 5 writes break this rule; it is kept 2 times, but never where the event takes whole days"
    )
    assert seen({"due=default", "all_day=True"}) == "3 of 4 writes break this rule"
    assert seen() == "3 of 3 writes break this rule"


def test_what_a_single_failure_alone_has_is_told_as_no_reason() -> None:
    found = ("a", of_kind("a", "default", "all_day=True", cause="a 1"))
    [failure] = failures(contrasted(found, passes={"a": [{"due=default"}, {"due=none"}]}, rules=(A,)))
    assert failure.share == "1 of 3 writes breaks this rule"
    assert "whole days" not in failure.headline


def test_a_write_that_had_to_be_refused_is_the_headline_and_what_readings_show_of_it_is_part() -> None:
    refusal, where = Rule("refused", about="write"), "calendar.integrated_conferencing_available=False"
    accepted = [
        replace(
            of_kind("refused", "integrated", where, "reads as ignored", cause="refused"),
            message="The write is answered 202; expected 422", path="/response/status", actual="202", shown_by=f"#{n}",
        )
        for n in "123"
    ]  # fmt: skip
    lost = [replace(unlisted(f"a {n}", where), traits=frozenset({"due=integrated", where}), cause="a") for n in "45"]
    found = [*(("refused", one) for one in accepted), *(("a", one) for one in lost)]
    weak = replace(A, level="should")
    passes: dict[str, list[set[str]]] = {"a": [{"due=integrated", f"n{n}"} for n in range(30)]}
    report = contrasted(*found, passes=passes, rules=(weak, refusal))
    assert grouped(report) == [["a", "refused"]]
    assert failure_groups(report)[0].headline == (
        "On calendars without integrated conferencing, the write is answered 202; expected 422"
    )


def test_events_that_are_missing_at_times_are_part_of_pages_that_repeat_rows() -> None:
    reading = Rule("reading", level="should", about="reading")
    twice = Violation("It lists e1 more than once", "/listing/duplicated", None, (), "reading twice")
    missing = replace(of_kind("a", "default"), evidence=(of_kind("a", "default").evidence[0],))
    missing = replace(missing, path="/listing/missing", cause="a missing", actual="e9")
    report = contrasted(("a", missing), ("reading", twice), passes={}, rules=(A, reading))
    [group] = failure_groups(report)
    assert (group.example[0].id, group.weightiest.id) == ("reading", "a")
    assert group.headline == "It lists e1 more than once, and some events on no page"
    for path in ("/listing/foreign", "/page_numbers_consistent", "/pages/1/next_page"):  # what loses no event
        other = replace(twice, path=path, cause="reading other")
        assert len(failure_groups(contrasted(("a", missing), ("reading", other), passes={}, rules=(A, reading)))) == 2


def test_a_time_line_names_pages_only_where_they_matter() -> None:
    later = Request("GET", f"{READ.url.partition('?')[0]}/pages/x", READ.headers, b"")
    one = of_kind("a", "default", "shown on a later page")
    one = replace(one, evidence=(one.evidence[0], structs.replace(one.evidence[1], request=later)))
    found = [("a", replace(one, cause=f"a {n}", event=n)) for n in "123"]
    for passes, said in (([{"due=default"}], True), ([{"due=default", "shown on a later page"}], False)):
        [failure] = failures(contrasted(*found, passes={"a": passes}, rules=(A,)))
        assert ("on a later page" in failure.timeline[-1].summary) == said


def test_what_is_granted_in_error_alone_and_in_batches_is_one_defect_that_says_what_should_be() -> None:
    refusal = Rule("a", "Integrated is refused where it is unavailable")
    rules = (refusal, Rule("b", level="inferred", about="batched_write"))
    answered = Violation("It is answered 202", "/response/status", None, (), "", actual="202")
    granted = [
        (
            rule,
            replace(
                answered,
                message=f"Rule {rule} got 202",
                event=str(event),
                cause=f"{rule} {kind} status",
                traits=frozenset({f"due={kind}"}),
            ),
        )
        for event, (rule, kind) in enumerate(
            (("a", "integrated"), ("a", "integrated"), ("b", "integrated"), ("b", "none"))
        )
    ]
    passes = {rule: [{"due=integrated", "due=none", "reads as heeded"}] for rule in "ab"}
    report = contrasted(*granted, passes=passes, rules=rules)
    assert grouped(report) == [["a", "b"], ["b"]]
    assert failures(report)[0].headline == ("Rule a got 202, although integrated is refused where it is unavailable")


def test_a_trait_of_fewer_than_half_of_the_failures_tears_none_of_them_off_unless_it_is_seldom() -> None:
    for trait, groups in (("start=past", [["a"]]), ("all_day=True", [["a"], ["a"]])):
        found = [of_kind("a", "default", "event.summary", cause=f"a {n}") for n in range(7)]
        found += [of_kind("a", "default", trait, cause=f"a {n}") for n in range(7, 10)]
        passes = {"a": [{"due=default", "event.summary", f"{n}"} for n in range(40)]}
        assert grouped(contrasted(*(("a", one) for one in found), passes=passes)) == groups
