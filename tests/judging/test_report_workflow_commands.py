"""Annotations of GitHub Actions: one line each, ten at most, and nothing in them ends the line."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from report_samples import HOSTILE, Rule, Violation, failed, hostile, run_report

from conformance.http.display import UNSEEN
from conformance.judging.formats import renderer, workflow_commands


def test_of_many_failures_ten_are_annotations_and_a_weak_one_is_a_warning() -> None:
    rules = tuple(Rule(f"rule-{number}", f"Thing {number} holds") for number in range(12))
    weak = Rule("weak", level="should")
    broken = tuple(failed(rule.id, Violation("not 100%\nso", cause=rule.id)) for rule in (*rules, weak))
    lines = workflow_commands.render(run_report(broken, (*rules, weak))).splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == ["::error"] * 10 + ["::warning"]
    assert lines[0] == "::error title=rule-0 (must%2C B8)::not 100%25\\nso (Thing 0 holds)"
    assert lines[9] == "::error title=3 more failures::The report has all of them."


def test_hostile_text_stays_in_its_line() -> None:
    text = workflow_commands.render(hostile())
    assert UNSEEN.sub("", text.replace("\n", "")) == text.replace("\n", "")
    assert all(line.startswith("::error title=odd") for line in text.splitlines())


def test_lines_of_a_server_are_no_commands_between_two_that_it_cannot_guess() -> None:
    assert workflow_commands.without_commands("plain\n", "t") == "plain\n"
    assert workflow_commands.without_commands("a\n::add-path::/\n", "t") == (
        "::stop-commands::t\na\n::add-path::/\n::t::\n"
    )


def test_a_badge_in_svg_is_well_formed_whatever_the_version_says() -> None:
    text = renderer("svg")(run_report(contract={"version": HOSTILE, "sha256": "ab" * 32}))
    root = ET.fromstring(text)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {
        "svg", "title", "clipPath", "g", "rect", "text",
    }  # fmt: skip
