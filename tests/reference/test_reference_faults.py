"""Every fault and every variation makes a difference that a client can observe."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from reference_probe import Clean, Probe, calendar_of, clean_sections, event, explicit, first_difference

from conformance.cli.main import cli
from conformance.cli.serve_command import list_faults
from conformance.errors import UsageError
from conformance.reference import FAULTS, VARIATIONS, Fault, reference_app

PAGE_CLAUSES = {
    *(f"D{number}" for number in range(1, 7)),
    *(f"E{number}" for number in range(1, 8)),
    *(f"A{number}" for number in range(1, 7)),
    *(f"B{number}" for number in range(1, 17)),
    *(f"F{number}" for number in range(1, 9)),
    *(f"G{number}" for number in range(1, 4)),
    *(f"P{number}" for number in range(1, 3)),
    *(f"S{number}" for number in range(1, 10)),
    *(f"X{number}" for number in range(1, 5)),
    "1H",
}
NEIGHBOURS = {"2", *(f"2.{number}" for number in range(1, 9))}


@pytest.fixture(scope="module")
def clean() -> dict[str, Clean]:
    return clean_sections(FAULTS, VARIATIONS)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_shows_somewhere(name: str, clean: dict[str, Clean]) -> None:
    found = first_difference(clean, name, faults=(name,))

    assert found is not None, f"{name} shows in no section of the script"
    assert found[1].app.server.hooks.fired[name] > 0


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_variation_shows_somewhere(name: str, clean: dict[str, Clean]) -> None:
    assert first_difference(clean, name, variations=(name,)) is not None, f"{name} shows in no section of the script"


def test_names_are_kebab_case_and_titles_are_sentences_without_a_full_stop() -> None:
    for name, each in (FAULTS | VARIATIONS).items():
        assert name == each.name
        assert name == name.lower().replace("_", "-").replace(" ", "-").strip("-")
        assert each.title.strip()
        assert not each.title.endswith(".")


def test_titles_are_unique() -> None:
    titles = [each.title for each in (FAULTS | VARIATIONS).values()]
    assert len(set(titles)) == len(titles)


def test_faults_name_clauses_that_exist() -> None:
    for fault in FAULTS.values():
        assert fault.clauses
        assert set(fault.clauses) <= PAGE_CLAUSES | NEIGHBOURS, fault.name


def test_every_clause_for_servers_has_faults() -> None:
    named = {clause for fault in FAULTS.values() for clause in fault.clauses}
    observable = {
        "D2",
        "D3",
        "D5",
        "D6",
        "A3",
        "A4",
        "A6",
        "B1",
        "B2",
        "B3",
        "B4",
        "B6",
        "B7",
        "B8",
        "B9",
        "B10",
        "B12",
    }
    observable |= {"B15", "B16", "F2", "F6", "F8", "P1", "P2", "S1", "S2", "S3", "S4", "S6", "S7", "S8", "X1", "X3"}
    assert observable - named == set()
    assert {f"2.{number}" for number in (1, 2, 3, 4, 5, 8)} - named == set()


def test_every_scope_has_many_faults() -> None:
    scopes = [fault.scope for fault in FAULTS.values()]
    assert min(scopes.count(scope) for scope in ("always", "case", "sequence")) >= 30


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ValueError, match="fault 'none-ignore' is unknown: did you mean 'none-ignored'"):
        reference_app(faults=("none-ignore",))
    with pytest.raises(ValueError, match="variation 'xyz' is unknown: 79 are known"):
        reference_app(variations=("xyz",))


def test_a_fault_that_never_acted_has_not_fired() -> None:
    probe = Probe(faults=("none-ignored",))
    probe.write("default", calendar_of("default", "Work"), event("a", explicit()))
    assert probe.app.server.hooks.fired["none-ignored"] == 0
    probe.write("default", calendar_of("default", "Work"), event("a", {"profile_id": "none"}))
    assert probe.app.server.hooks.fired["none-ignored"] == 1


@pytest.mark.parametrize(
    ("word", "matches"),
    [
        ("", lambda _: True),
        ("S7", lambda fault: "S7" in fault.clauses),
        ("Microsoft", lambda fault: "microsoft" in f"{fault.name} {fault.title}".lower()),
    ],
)
def test_serve_lists_the_faults_with_a_word(
    word: str, matches: Callable[[Fault], bool], capsys: pytest.CaptureFixture[str]
) -> None:
    list_faults(word)
    expected = [
        f"{fault.name}  [{' '.join(fault.clauses)}]\n    {fault.title}\n" for fault in FAULTS.values() if matches(fault)
    ]
    assert capsys.readouterr().out == "".join(expected)


def test_a_word_that_no_fault_has_is_an_error() -> None:
    with pytest.raises(UsageError, match="no fault has 'teapot' in its name, title or clauses"):
        list_faults("teapot")


def test_serve_lists_faults_without_serving() -> None:
    for words in ((), ("S7",)):
        listed = CliRunner().invoke(cli, ["serve", "--list-faults", *words])
        assert (listed.exit_code, "microsoft-shown-as-ms-teams" in listed.output) == (0, True)


def test_the_help_of_serve_names_faults_that_exist() -> None:
    examples = re.findall(r"serve --fault (\S+)", CliRunner().invoke(cli, ["serve", "--help"]).output)
    assert examples
    assert set(examples) <= set(FAULTS)
