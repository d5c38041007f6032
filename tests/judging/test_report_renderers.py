from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from msgspec import structs
from report_samples import (
    BROKEN,
    HOSTILE,
    JSON_HEADERS,
    READ,
    RULES,
    VERDICTS,
    WRITE,
    Rule,
    Violation,
    failed,
    hostile,
    inconclusive,
    passed,
    run_report,
)

from conformance.facts import Evidence
from conformance.http.display import UNSEEN
from conformance.http.exchange import Request
from conformance.judging.formats import FORMATS, renderer, text
from conformance.judging.formats.failures import _SHOWN_CHARACTERS, failures
from conformance.judging.formats.glossary import HEADING
from conformance.judging.summary import Policy, Reproduction, RunReport, document

PEOPLE = (".md", ".html", ".xml")
VOID = {"meta", "br", "link", "img"}


def _all(report: RunReport) -> dict[str, str]:
    reports = {suffix: renderer(suffix)(report) for suffix in FORMATS if suffix not in (".py", ".svg")}
    return {**reports, "text": text.render(report)}


class Structure(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {
            "lang", "charset", "name", "content", "http-equiv", "class", "scope", "id", "href", "role", "tabindex",
            "aria-label", "aria-labelledby", "aria-hidden", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "cx",
            "cy", "r", "text-anchor",
        }  # fmt: skip
        assert all((value or "").startswith(("https://", "#")) for name, value in attrs if name == "href")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_every_format_names_every_rule_and_the_outcome() -> None:
    for suffix, rendered in _all(run_report()).items():
        plain = rendered.replace("\\", "")
        assert all(rule.id in plain for rule in RULES), suffix
        assert "failed" in plain, suffix


def test_every_format_shows_expected_and_actual_and_the_commands() -> None:
    for suffix in ("text", *PEOPLE):
        rendered = re.sub("</?mark>|<!-- -->", "", _all(run_report())[suffix].replace("\\", ""))
        for words in (
            RULES[0].title,
            BROKEN.message,
            BROKEN.expected,
            "#12",
            "CRONOFY_ACCESS_TOKEN_SECOND_ACCOUNT",
            "other.example.com",
        ):
            assert words in rendered, (suffix, words)


@pytest.mark.parametrize("suffix", ["text", *PEOPLE])
def test_nothing_from_outside_reaches_the_reader_as_a_control_character(suffix: str) -> None:
    rendered = _all(hostile())[suffix]
    assert not UNSEEN.search(rendered.replace("\n", ""))
    rendered.encode("utf-8")
    assert "\\x1b[2J" in rendered.replace("\\\\", "\\").replace("\\[", "[")


def test_the_text_has_the_failures_then_the_warnings_then_the_outcome() -> None:
    rendered = text.render(run_report())
    scripts = re.findall(r"(?m)(?<=into a shell\n)(?:.*\n)*?\n", rendered)
    assert len(scripts) == 1
    assert rendered.replace(scripts[0], "(script)\n\n") == (
        """\
url https://api.example.com
cronofy-conformance 0.1.0, contract 2026-04-28 (sha256 abababababab)

Failures: 1 rule failed

1. An event reads back with another join URL than the one that was sent
   rule       explicit-is-kept (must): Explicit conferencing reads back with the join URL that was sent
   sent       no conferencing property
   expected   https://sent.example.com
                      ^^^^
   got        https://other.example.com
                      ^^^^^
   clauses    B8, Built-in values: Explicit conferencing is what the request says
              https://docs.cronofy.com/developers/api/conferencing-services/create/
   event      cal_1/evt_1
   seen       1 of 2 writes breaks this rule
   what happened
         0.0 s  #9    writes the event in an undocumented way → 202
        60.0 s  #12   writes the event in an undocumented way → 202
   ✗    72.5 s  #15   the event reads back with a conference, in a reading with calendar_ids[] → 200
                      {"join_url": "https://other.example.com"}
   reproduce: paste this into a shell
(script)

Warnings: 1 rule (does not change the exit code)

2. an event is on two pages
   rule       pages-are-whole (should): Pages lose no event
   what happened
         0.0 s  #15   the event reads back with a conference, in a reading with calendar_ids[] → 200
                      {"join_url": "https://other.example.com"}

Coverage gaps
  profile-resolves: conferencing was still pending at the settle time-out
  bearer-is-sent: nothing in the traffic meets the condition
  none-removes: no pass covers a Microsoft calendar

-v lists every rule.

How to read this
  level        must is what the documented page demands, should a recommendation, inferred what no sentence states.
  clause       one statement of the documentation, in our words.
  coverage     the kinds of cases that rules were seen in; of a gap, nothing is proved.
  inconclusive the rule applied, but what was seen decides nothing.

1 of 5 rules passed, 1 failed, 1 warning, 1 inconclusive, 1 untested, over 118 exchanges. Coverage gaps: 3 rules.
Untested: 1 because nothing in the traffic meets the condition.
Outcome: failed. Exit code 1: a rule of level must failed.
"""
    )


def test_the_text_lists_every_rule_if_it_is_verbose() -> None:
    rendered = text.render(run_report(), verbose=True)
    assert (
        """

What a server must do
  failed       explicit-is-kept  [B8]  1 failed, 1 passed
  passed       none-removes      [B7]  1 passed, 1 inconclusive

What a server should do
  warning      pages-are-whole   [2.2.c]  1 failed

What a server is inferred to do
  inconclusive profile-resolves  [A6 S4]  1 inconclusive: conferencing was still pending at the settle time-out

What a client must do
  untested     bearer-is-sent    [E2]  nothing in the traffic meets the condition

"""
        in rendered
    )


def test_the_summary_names_the_failed_rules() -> None:
    assert text.summary(run_report()).splitlines()[:2] == [
        "failed: An event reads back with another join URL than the one that was sent (explicit-is-kept)",
        "warning: an event is on two pages (pages-are-whole)",
    ]


def test_colours_are_all_that_colour_adds() -> None:
    coloured = text.render(run_report(), colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text.render(run_report())
    assert coloured != text.render(run_report())


def test_failures_of_one_cause_are_shown_once() -> None:
    again = replace(BROKEN, message="the summary is gone")
    verdicts = (
        failed("explicit-is-kept", BROKEN),
        failed("explicit-is-kept", BROKEN),
        failed("none-removes", again),
    )
    rendered = text.render(run_report(verdicts))
    assert rendered.count("expected   ") == 1
    assert "Failures: 2 rules failed for 1 cause\n" in rendered
    assert "seen       2 of 2 writes break this rule" in rendered
    assert "also fails must: none-removes" in rendered


def test_a_warning_is_counted_where_it_is_shown_and_counts_add_up() -> None:
    """A warning of a failure's cause stands with the failure; the headings add up to the last line."""
    again = failed("pages-are-whole", replace(BROKEN, message="the page is not whole"))
    own = failed("profile-resolves", Violation("It is another", "/x", None, BROKEN.evidence[1:], "two"))
    report = run_report((failed("explicit-is-kept", BROKEN), again, own))
    headings = (
        "Failures: 1 rule failed; 1 of the 2 warnings has the same cause",
        "Warnings: 1 other rule (does not change the exit code)",
    )
    for suffix in ("text", ".md", ".html"):
        rendered = text.render(report) if suffix == "text" else renderer(suffix)(report)
        assert [heading in rendered for heading in (*headings, "2 warnings")] == [True] * 3
    assert "   also fails should: pages-are-whole\n" in text.render(report)


def test_of_many_ids_the_first_are_shown() -> None:
    ids = [f"evt_{number}" for number in range(20)]
    many = Violation("The page lists foreign events", "/listing/foreign", None, actual=json.dumps(ids))
    rendered = text.render(run_report((failed("pages-are-whole", many),)))
    assert '   got        ["evt_0", "evt_1", "evt_2"] and 17 more\n' in rendered


def test_only_words_that_the_report_uses_are_explained() -> None:
    green = run_report((passed("explicit-is-kept", "google"),), RULES[:1])
    assert HEADING not in text.render(green)
    assert "- **clause**:" not in renderer(".md")(green)
    assert "- **clause**: one statement" in renderer(".md")(run_report())
    assert "<dt>clause</dt><dd>one statement" in renderer(".html")(run_report())


def test_no_line_of_prose_or_of_a_value_is_longer_than_wanted() -> None:
    long = replace(BROKEN, message="It is wrong. " * 20, expected="a" * 150, actual="a" * 149 + "b")
    rendered = text.render(run_report((failed("explicit-is-kept", long),)), width=80)
    shown = rendered.partition("   reproduce")[0].split("\n")
    assert [line for line in shown if len(line) > 80 and not line.strip().startswith("https://")] == []
    marked = [(above, line) for above, line in pairwise(shown) if line.strip() == "^"]
    assert [above[line.index("^")] for above, line in marked] == ["a", "b"]


def test_the_text_has_one_script_and_says_where_the_others_are() -> None:
    write = Request("POST", WRITE.url, JSON_HEADERS, b'{"event_id":"e","conferencing":{"profile_id":"none"}}')
    one = replace(BROKEN, evidence=(Evidence("#1", write, 202, at=1000.0), *BROKEN.evidence[1:]), earlier=())
    other = replace(one, cause="two", symptom="two")
    rendered = text.render(run_report((failed("explicit-is-kept", one), failed("none-removes", other))))
    assert rendered.count("reproduce: paste this into a shell") == 1
    assert rendered.count("reproduce: its script is in the files") == 1
    assert rendered.count("settle() {") == rendered.count("send() {") == 1
    whole = failures(run_report((failed("explicit-is-kept", one),)))[0].script.whole
    assert whole.startswith("#!/bin/sh\n# An event reads back")
    assert "settle() {" in whole


def test_a_script_repeats_no_whole_run() -> None:
    many = tuple(Evidence(f"#{number}", WRITE, 202, at=float(number)) for number in range(500))
    whole = Reproduction("explicit-is-kept", "It fails", (), (), exchanges=many)
    [shown] = failures(run_report((failed("explicit-is-kept", BROKEN),), reproductions=(whole,)))
    assert shown.script.whole == failures(run_report((failed("explicit-is-kept", BROKEN),)))[0].script.whole


def test_what_a_client_does_wrong_is_not_said_to_be_reproduced_by_its_requests() -> None:
    rendered = _all(run_report(subject={"kind": "client", "name": "a client"}))
    assert [name for name, report in rendered.items() if "#!/bin/sh" in report or "settle()" in report] == []


def test_a_body_that_is_no_json_is_sent_as_it_was() -> None:
    write = Request("POST", WRITE.url, JSON_HEADERS, b'{"event_id":')
    broken = replace(BROKEN, evidence=(Evidence("#1", write, 202, at=1.0), *BROKEN.evidence[1:]), earlier=())
    shown = failures(run_report((failed("explicit-is-kept", broken),)))[0].script
    assert shown is not None
    assert """--data-raw '{"event_id":'""" in shown.whole


def test_what_the_headline_says_is_not_said_again() -> None:
    said = Violation("The write is answered 422", "/response/status", actual="422", expected=RULES[0].title)
    rendered = text.render(run_report((failed("explicit-is-kept", said),)))
    assert "expected" not in rendered
    assert "got  " not in rendered


def test_a_run_ends_and_a_recording_ends() -> None:
    verdicts = (inconclusive("none-removes", "recording-ended"),)
    ended = [run_report(verdicts, policy=Policy(is_run=is_run)).reason(RULES[1]) for is_run in (True, False)]
    assert ended == [f"the {what} ended before the outcome was certain" for what in ("run", "recording")]


def test_coverage_gaps_with_the_same_reason_are_counted_together() -> None:
    rules = tuple(Rule(f"r-{number}", cases=("google", "microsoft")) for number in range(5))
    rendered = text.render(run_report((passed("r-0"),), rules))
    assert rendered.partition("Coverage gaps\n")[2].splitlines()[:2] == [
        "  4 rules: nothing in the traffic meets the condition",
        "  r-0: no pass covers a Google calendar, a Microsoft calendar",
    ]


def test_of_many_coverage_gaps_the_first_are_told_unless_all_are_wanted() -> None:
    rules = tuple(Rule(f"r-{number:02}", cases=("google",)) for number in range(12))
    report = run_report(tuple(passed(rule.id) for rule in rules), rules)
    assert "  and 4 more: -v lists them" in text.render(report)
    assert "r-11: no pass covers a Google calendar" not in text.render(report)
    assert "r-11: no pass covers a Google calendar" in text.render(report, verbose=True)


def test_counterexamples_and_notes_are_in_the_formats_for_people() -> None:
    report = run_report(counterexamples=("asked  a\nsent   b\x1b[2J",), notes=("one <b>calendar</b> only",))
    assert "\nSmallest failures\n\nasked  a\nsent   b\\x1b[2J\n" in text.render(report)
    assert "\nNotes\n  one <b>calendar</b> only\n" in text.render(report)
    assert "asked  a\nsent   b\\x1b[2J\n```" in renderer(".md")(report)
    assert "one &lt;b&gt;calendar" in renderer(".html")(report)


def test_long_content_of_a_response_is_truncated() -> None:
    long = Violation("too much", evidence=(Evidence("#1", BROKEN.evidence[0].request, 200, "x" * 50_000),))
    rendered = renderer(".html")(run_report((failed("explicit-is-kept", long),)))
    assert f"{'x' * (_SHOWN_CHARACTERS - 1)}… (50002 characters)" in rendered


@pytest.mark.parametrize(
    ("verdicts", "policy", "expected"),
    [
        (
            (passed("m", "google"),),
            Policy(),
            "1 of 1 rules passed, over 118 exchanges. "
            "Every rule passed or failed, in every coverage class that the subject offers.\n"
            "Outcome: passed. Exit code 0: nothing failed.\n",
        ),
        (
            (passed("m", "google"),),
            Policy(cut_short="the limit of 9 requests was reached"),
            "1 of 1 rules passed, over 118 exchanges. The run ended early.\n"
            "Outcome: inconclusive. Exit code 3: the limit of 9 requests was reached.\n",
        ),
        (
            (passed("m", "google"),),
            Policy(interrupted=True),
            "1 of 1 rules passed, over 118 exchanges. The run ended early.\n"
            "Outcome: inconclusive. Exit code 130: the run was interrupted.\n",
        ),
        (
            (),
            Policy(require_coverage=True),
            "0 of 1 rules passed, 1 untested, over 118 exchanges. Coverage gaps: 1 rule. "
            "Untested: 1 because nothing in the traffic meets the condition.\n"
            "Outcome: inconclusive. Exit code 3: no rule passed, so that nothing is proved.\n",
        ),
    ],
)
def test_the_summary_has_counts_coverage_and_the_reason_of_the_exit_code(verdicts, policy, expected) -> None:
    assert text.summary(run_report(verdicts, (Rule("m", cases=("google",)),), policy)) == expected


def test_a_failure_that_does_not_count_is_a_warning_in_every_format() -> None:
    rules = (Rule("strong"), Rule("weak", level="should"))
    report = run_report((passed("strong"), failed("weak", Violation("broken"))), rules, Policy())
    assert (report.outcome, report.exit_code) == ("passed", 0)
    assert "\nOutcome: passed with 1 warning. Exit code 0: " in text.render(report)
    assert document(report)["warnings"] == ["weak"]
    root = ET.fromstring(renderer(".xml")(report))
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("0", "0", "0")
    assert "broken" in (root.findtext(".//testcase[@name='weak']/system-out") or "")
    assert '<td class="warning">warning</td>' in renderer(".html")(report)
    assert "| **warning** | weak |" in renderer(".md")(report)
    strict = run_report((passed("strong"), failed("weak", Violation("broken"))), rules, Policy("should"))
    assert (strict.outcome, strict.exit_code) == ("failed", 1)


def test_what_is_open_and_counts_is_an_error_in_junit() -> None:
    rules = (Rule("a"), Rule("b"))
    verdicts = (passed("a"), inconclusive("b", "timed-out"))
    for is_run, code, tag in ((True, 3, "error"), (False, 0, "skipped")):
        report = run_report(verdicts, rules, Policy(is_run=is_run))
        root = ET.fromstring(renderer(".xml")(report))
        assert report.exit_code == code
        assert [child.tag for child in root.iterfind(".//testcase[@name='b']/*")] == [tag]
    for policy in (Policy(program_failure="the program exited with 1"), Policy(unjudged="nothing reached us")):
        failed_otherwise = ET.fromstring(renderer(".xml")(run_report((passed("a"), passed("b")), rules, policy)))
        assert failed_otherwise.get("errors") == "1"
    cut = ET.fromstring(
        renderer(".xml")(run_report((passed("a"), passed("b")), rules, Policy(cut_short="no more requests")))
    )
    assert [case.get("name") for case in cut.iter("testcase") if case.find("error") is not None] == [
        "the-run-is-conclusive"
    ]


@pytest.mark.parametrize(
    ("verdicts", "policy", "line"),
    [
        (
            (passed("a"),),
            Policy(),
            "1 of 2 rules of level must were not exercised: this result says nothing about them.",
        ),
        ((passed("a"),), Policy(unjudged="every write was refused"), "Not judged: every write was refused."),
        ((passed("a"), passed("b")), Policy(), None),
    ],
)
def test_what_was_not_exercised_or_not_judged_is_said_before_everything_else(verdicts, policy, line) -> None:
    report = run_report(verdicts, (Rule("a"), Rule("b")), policy)
    for rendered in (text.render(report), renderer(".md")(report).replace("\\", ""), renderer(".html")(report)):
        before = rendered[: rendered.find("Outcome")]
        assert ("were not exercised" in before or "Not judged" in before) == (line is not None)
        assert line is None or line in before


def test_the_json_is_the_document() -> None:
    rendered = renderer(".json")(run_report())
    assert json.loads(rendered) == document(run_report())
    assert renderer(".json")(run_report()) == rendered
    json.loads(renderer(".json")(hostile()).encode("ascii"))


@pytest.mark.parametrize("report", [run_report(), hostile(), run_report(over=())], ids=["plain", "hostile", "empty"])
def test_the_junit_is_well_formed_and_counts_what_it_holds(report: RunReport) -> None:
    root = ET.fromstring(renderer(".xml")(report).encode("utf-8"))
    assert (root.tag, {suite.tag for suite in root}) in (("testsuites", {"testsuite"}), ("testsuites", set()))
    for suite in root:
        counted = {
            "tests": len(suite.findall("testcase")),
            "failures": len(suite.findall("testcase/failure")),
            "errors": len(suite.findall("testcase/error")),
            "skipped": len(suite.findall("testcase/skipped")),
        }
        assert {name: int(suite.get(name, "-1")) for name in counted} == counted
    assert root.get("tests") == str(len(report.rules))


def test_the_junit_has_a_case_for_each_rule() -> None:
    root = ET.fromstring(renderer(".xml")(run_report()).encode("utf-8"))
    cases = {(case.get("classname"), case.get("name")): [child.tag for child in case] for case in root.iter("testcase")}
    assert cases == {
        ("server.must", "explicit-is-kept"): ["failure"],
        ("server.must", "none-removes"): [],
        ("server.should", "pages-are-whole"): ["system-out"],
        ("server.inferred", "profile-resolves"): ["skipped"],
        ("client.must", "bearer-is-sent"): ["skipped"],
    }
    skipped = [element.get("message") for element in root.iter("skipped")]
    assert skipped == [
        "inconclusive: conferencing was still pending at the settle time-out",
        "untested: nothing in the traffic meets the condition",
    ]


@pytest.mark.parametrize("report", [run_report(), hostile(), run_report(over=())], ids=["plain", "hostile", "empty"])
def test_the_html_is_balanced_and_loads_and_runs_nothing(report: RunReport) -> None:
    page = renderer(".html")(report)
    structure = Structure()
    structure.feed(page)
    structure.close()
    assert structure.open == []
    assert structure.tags.isdisjoint({"script", "img", "link", "iframe", "form", "object"})
    assert "url(" not in page
    assert "prefers-color-scheme: dark" in page


def test_the_html_shows_hostile_text_as_text() -> None:
    structure = Structure()
    structure.feed(renderer(".html")(hostile()))
    assert "<script>alert(1)</script>" in "".join(structure.words)


def test_values_of_any_length_are_cut_for_people() -> None:
    long = "@everyone ]]> |<b>" + "x" * 1_000_000
    request = Request("POST", f"{WRITE.url}/{'y' * 1_000_000}", WRITE.headers, long.encode())
    evidence = (Evidence("#1", request, 202, at=1.0), Evidence("#2", READ, 200, {"state": "none", "odd": long}, 2.0))
    broken = replace(
        BROKEN, message=long, expected=long, actual=f"{long}y", event=long, evidence=evidence, shown_by="#2"
    )
    rendered = _all(run_report((failed("explicit-is-kept", broken),)))
    assert {suffix: len(rendered[suffix]) < 100_000 for suffix in ("text", *PEOPLE)} == dict.fromkeys(
        ("text", *PEOPLE), True
    )
    assert "@everyone" not in rendered[".md"].partition("```")[0]  # an escape alone would still call them


def test_markdown_cells_and_fences_hold_hostile_text() -> None:
    rendered = renderer(".md")(hostile())
    rows = [line for line in rendered.splitlines() if line.startswith("| ")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [7, 7, *[9] * 4]
    fences = [line for line in rendered.splitlines() if re.match("`{3,}", line)]
    assert len(fences) % 2 == 0
    outside = re.sub(r"(?ms)^(`{3,})\w*\n.*?\n\1$", "", rendered)
    assert "<script>" not in outside


def test_a_verdict_list_is_rendered_the_same_each_time() -> None:
    assert _all(run_report(VERDICTS)) == _all(run_report(VERDICTS))


def test_a_test_file_has_a_test_for_each_failure_that_can_be_reproduced() -> None:
    scenario = "(('google', True), Scenario(id='a', account='default', calendar_id='c', steps=(Step(kind='none'),)))"
    repro = Reproduction("none-removes", f"None {HOSTILE}", (scenario,), (f"curl '{HOSTILE}'",))
    rendered = renderer(".py")(
        run_report(
            reproductions=(repro, replace(repro, rule="what-did-not-fail-alone", reproduces=False)),
            variables={"default": "TOKEN"},
            subject={"kind": "url", "name": HOSTILE, "faults": ["x"]},
        )
    )
    rendered.encode("ascii")
    tree = ast.parse(rendered)
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef)] == [
        "_violations",
        "test_none_removes",
    ]
    assert "FAULTS = ('x',)" in rendered


def test_without_failures_the_test_file_says_so() -> None:
    assert renderer(".py")(run_report()) == (
        "# What failed on https://api.example.com, for pytest. Written by cronofy-conformance 0.1.0, which it needs.\n"
        "# There is no failure to reproduce.\n"
    )


def test_a_format_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        renderer(".pdf")


def test_hostile_commands_are_one_harmless_shell_command() -> None:
    command = document(hostile())["rules"][0]["violations"][0]["curl"][0]
    script = command.replace("curl", "printf '<%s>'", 1) if command.startswith("curl") else command
    script = script.replace("| curl ", "| cat - >/dev/null; printf '<%s>' ")
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert done.stderr == ""
    assert "<--url>" in done.stdout
    assert "$(reboot)" in HOSTILE
    assert shlex.split(command)


def test_a_body_that_is_no_json_is_said_to_be_so_on_purpose() -> None:
    cut = structs.replace(WRITE, body=WRITE.body[:-4])
    wrong = Violation(
        "x", "/response/errors", None, (Evidence("#1", cut, 422),), shown_by="#1", expected="y", actual="z"
    )
    shown = text.render(run_report((failed("explicit-is-kept", wrong),), RULES[:1]))
    assert "sent       no JSON, on purpose: {" in shown
