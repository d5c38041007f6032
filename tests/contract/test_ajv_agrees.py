"""ajv, in Node.js, agrees with jsonschema and jsonschema-rs on every example.

It needs `node` and the package `ajv`: in a ``node_modules`` folder that AJV_PATH or NODE_PATH names, or below this one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from conformance.contract import examples, rules, schemas

HERE = Path(__file__).parent
KEYWORDS = [
    "x-applies-to",
    "x-level",
    "x-facts",
    "x-clauses",
    "x-coverage",
    "x-conclusive-when",
    "x-says",
    "x-compares",
]
PARTS = ("if", "then", "x-conclusive-when")


def node(arguments: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NODE_PATH": os.environ.get("AJV_PATH", os.environ.get("NODE_PATH", ""))}
    return subprocess.run(["node", *arguments], input=text, capture_output=True, text=True, cwd=HERE, env=environment)


@pytest.fixture(scope="module", autouse=True)
def _ajv() -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if node(["-e", "require.resolve('ajv/dist/2020')"]).returncode:
        pytest.skip("ajv is not installed: npm install ajv, and name its node_modules folder in AJV_PATH")


def ajv(cases: list[tuple[dict[str, Any], list[Any]]]) -> list[list[bool]]:
    loaded = [contents for name in schemas.names() if schemas.is_schema(contents := schemas.read(name))]
    requests = [{"schema": schema, "values": values} for schema, values in cases]
    ran = node(["validate.js"], json.dumps({"schemas": loaded, "keywords": KEYWORDS, "cases": requests}))
    assert ran.returncode == 0, ran.stderr
    answers: list[list[bool]] = json.loads(ran.stdout)
    return answers


def rust(schema: dict[str, Any], values: list[Any]) -> list[bool]:
    return list(map(jsonschema_rs.validator_for(schema, registry=schemas.rs_registry()).is_valid, values))


def python(schema: dict[str, Any], values: list[Any]) -> list[bool]:
    return list(map(Draft202012Validator(schema, registry=schemas.registry()).is_valid, values))


def agreed(cases: list[tuple[dict[str, Any], list[Any]]]) -> list[list[bool]]:
    """What all three say, once it is shown that they say the same."""
    answers = ajv(cases)
    assert answers == [rust(schema, values) for schema, values in cases]
    assert answers == [python(schema, values) for schema, values in cases]
    return answers


def test_three_validators_agree_on_every_example() -> None:
    cases = [
        (rule.part(part), [example.facts for example in examples.load(rule.id)])
        for rule in rules.load()
        for part in PARTS
        if part in rule.schema
    ]
    assert {valid for answer in agreed(cases) for valid in answer} == {True, False}


def test_three_validators_agree_on_every_coverage_class() -> None:
    facts = [example.facts for rule in rules.load() for example in examples.load(rule.id)]
    named = sorted({case for rule in rules.load() for case in rule.cases})
    assert {valid for answer in agreed([(rules.case_schema(case), facts) for case in named]) for valid in answer} == {
        True,
        False,
    }


def test_three_validators_agree_on_every_shape() -> None:
    values: list[Any] = [None, True, 0, "", "https://a.example/b", "2031-03-14T09:00:00Z", []]
    pending: list[Any] = [schemas.read("api/openapi")]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            values.append(value)
            pending += value.values()
    shapes = [name for name in schemas.names("api") if schemas.is_schema(schemas.read(name))]
    answers = agreed([({"$ref": schemas.uri(name)}, values) for name in shapes])
    assert [name for name, answer in zip(shapes, answers, strict=True) if len(set(answer)) == 1] == []


def test_the_readme_runs_a_rule_with_ajv() -> None:
    root = HERE.parents[1]
    readme = (root / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```js\n(const Ajv.*?)^```", readme, re.MULTILINE | re.DOTALL)
    # What is not broken passes.
    both = block + block.splitlines()[-1].replace("after}", 'after: {observed: [{join_url_as_sent: "identical"}]}}')
    ran = node(["-e", f"process.chdir({json.dumps(str(root))});\n{both}"])
    assert (ran.stdout.split(), ran.stderr) == (["false", "true"], "")
