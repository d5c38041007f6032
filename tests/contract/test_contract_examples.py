"""Examples are bases with patches: the files have the documented form, and are loaded with their patches applied."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.contract import schemas
from conformance.contract.examples import Example, ExampleError, from_file, load

FORM = Draft202012Validator(schemas.read("example"), registry=schemas.registry())
FILES = schemas.names("examples")


def contents(**changed: Any) -> dict[str, Any]:
    """A file with one example, whose members may be changed."""
    example = {"title": "It is so", "expect": "passed", "base": "usual", "patch": [], **changed}
    return {"rule": "it-holds", "bases": {"usual": {"about": "write", "plain": None}}, "examples": [example]}


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_documented_form(name: str) -> None:
    file = schemas.read(name)
    assert [error.message for error in FORM.iter_errors(file)] == []
    assert f"examples/{file['rule']}" == name


@pytest.mark.parametrize("name", FILES)
def test_every_base_is_used_and_no_two_examples_have_the_same_facts(name: str) -> None:
    file = schemas.read(name)
    assert {example["base"] for example in file["examples"]} == set(file["bases"])
    facts = [json.dumps(example.facts, sort_keys=True) for example in from_file(file)]
    assert sorted(set(facts)) == sorted(facts)


@pytest.mark.parametrize(
    ("patch", "facts"),
    [
        ([], {"about": "write", "plain": None}),
        ([{"op": "remove", "path": "/plain"}], {"about": "write"}),
        ([{"op": "replace", "path": "/about", "value": None}], {"about": None, "plain": None}),
        ([{"op": "add", "path": "/a~1b", "value": [1]}], {"about": "write", "plain": None, "a/b": [1]}),
        (
            [{"op": "add", "path": "/seen", "value": [{"a": 1}]}, {"op": "copy", "from": "/seen/0", "path": "/seen/-"}],
            {"about": "write", "plain": None, "seen": [{"a": 1}, {"a": 1}]},
        ),
    ],
    ids=str,
)
def test_facts_are_the_base_with_the_patch_applied_and_null_is_a_value(patch: list[Any], facts: dict[str, Any]) -> None:
    file = contents(patch=patch)
    assert tuple(from_file(file)) == (Example("it-holds", "It is so", "passed", facts),)
    assert file == contents(patch=patch)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"base": "other"}, "'It is so' has the base 'other', expected one of: usual"),
        (
            {"patch": [{"op": "remove", "path": "/seen"}]},
            "'It is so' has a patch that does not apply to its base 'usual'",
        ),
        ({"patch": [{"op": "replace", "path": "/seen/0/a", "value": 1}]}, "does not apply to its base 'usual'"),
        ({"patch": [{"op": "set", "path": "/plain"}]}, "does not apply to its base 'usual'"),
    ],
    ids=str,
)
def test_an_example_whose_patch_cannot_be_applied_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ExampleError, match=r"^examples/it-holds\.json: the example ") as found:
        tuple(from_file(contents(**changed)))
    assert message in str(found.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "it is so"},
        {"title": "It is so."},
        {"expect": "wrong"},
        {"patch": {}},
        {"patch": [{"op": "test", "path": "/plain", "value": 1}]},
        {"patch": [{"op": "replace", "path": "/plain"}]},
        {"patch": [{"op": "remove", "path": "/plain", "value": 1}]},
        {"patch": [{"op": "remove", "path": ""}]},
        {"patch": [{"op": "copy", "path": "/plain"}]},
        {"facts": {}},
    ],
    ids=str,
)
def test_a_file_of_another_form_is_invalid(changed: dict[str, Any]) -> None:
    assert FORM.is_valid(contents())
    assert not FORM.is_valid(contents(**changed))


def test_a_rule_without_a_file_has_no_examples() -> None:
    assert load("no-such-rule") == ()


def test_examples_are_new_ones_at_each_call() -> None:
    rule = FILES[0].removeprefix("examples/")
    load(rule)[0].facts.clear()
    assert load(rule)[0].facts != {}
