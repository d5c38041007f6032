"""Every JSON Schema of the contract, whatever it is about: any validator in any language can run it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY as METASCHEMAS

from conformance.contract import schemas
from conformance.contract.schemas import validity

METASCHEMA = "https://json-schema.org/draft/2020-12/schema"
NAMES = tuple(name for name in schemas.names() if schemas.is_schema(schemas.read(name)))
every_schema = pytest.mark.parametrize("name", NAMES)

ONE = {
    "not",
    "if",
    "then",
    "else",
    "items",
    "contains",
    "additionalProperties",
    "propertyNames",
    "unevaluatedItems",
} | {
    "unevaluatedProperties",
    "x-conclusive-when",
}
MANY = {"allOf", "anyOf", "oneOf", "prefixItems"}
NAMED = {"$defs", "properties", "patternProperties", "dependentSchemas"}
PLAIN = {
    *("$schema", "$id", "$ref", "$anchor", "$comment", "title", "description", "examples", "default"),
    *("type", "enum", "const", "pattern", "required", "dependentRequired", "uniqueItems"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"),
}
#: The words for a fact, and what it compares (schemas/README.md).
OF_A_FACT = {"x-says", "x-compares"}
#: What a rule says of itself; not for schemas inside it.
OF_A_RULE = {"x-applies-to", "x-level", "x-facts", "x-clauses", "x-coverage", "x-conclusive-when", "x-since"}

#: The escapes that Python, ECMA-262 with the flag u and Rust read alike.
ESCAPE = re.compile(r"\\(?:[\^$\\.*+?()\[\]{}|/nrtfv]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})")
GROUP = re.compile(r"\((?!\?)|\(\?(?:[:=!]|<[=!])")


def subschemas(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and all schemas inside it that are objects, each with its JSON pointer."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for keyword, value in schema.items():
        if keyword in ONE:
            yield from subschemas(value, f"{path}/{keyword}")
        elif keyword in MANY:
            for place, child in enumerate(value):
                yield from subschemas(child, f"{path}/{keyword}/{place}")
        elif keyword in NAMED:
            for key, child in value.items():
                yield from subschemas(child, f"{path}/{keyword}/{key}")


def all_subschemas() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in NAMES:
        yield from subschemas(schemas.read(name), f"{name}#")


def unportable(pattern: str) -> str | None:
    """Why a regular expression may mean different things to different validators; None where it does not."""
    bare = ESCAPE.sub("x", pattern)
    if "\\" in bare:
        return f"the escape {bare[bare.index(chr(92)) :][:2]!r} differs between engines: write a class such as [0-9]"
    outside = re.sub(r"\[\^?\]?[^\]]*\]", "x", bare)
    if "(" in GROUP.sub("", outside):
        return "only the groups (, (?:, (?=, (?!, (?<= and (?<! are known everywhere"
    if re.search(r"[*+?}][+]", outside):
        return "possessive quantifiers are not ECMA-262"
    try:
        re.compile(pattern)
    except re.error as error:
        return f"no regular expression: {error}"
    return None


def test_there_are_schemas() -> None:
    assert {name.partition("/")[0] for name in NAMES} >= {"api", "facts", "rules"}


@every_schema
def test_the_id_of_a_schema_is_its_path(name: str) -> None:
    schema = schemas.read(name)
    assert (schema["$schema"], schema["$id"]) == (METASCHEMA, schemas.uri(name))
    assert [path for path, inner in subschemas(schema) if path and ("$id" in inner or "$schema" in inner)] == []


@every_schema
def test_a_schema_has_a_title_of_one_line(name: str) -> None:
    title = schemas.read(name)["title"]
    assert title == " ".join(title.split())
    assert title.endswith(".") is False
    assert len(title) >= 8


def test_titles_of_files_are_distinct() -> None:
    titles = [schemas.read(name)["title"] for name in NAMES]
    assert sorted(title for title in titles if titles.count(title) > 1) == []


@every_schema
def test_a_schema_has_no_keyword_that_validators_ignore(name: str) -> None:
    known = ONE | MANY | NAMED | PLAIN | (OF_A_FACT if name.startswith("facts/") else set())
    allowed_at_root = OF_A_RULE if name.startswith("rules/") else set()
    unknown = {
        path or "/": sorted(strange)
        for path, schema in subschemas(schemas.read(name))
        if (strange := set(schema) - (known - OF_A_RULE) - (set() if path else allowed_at_root))
    }
    assert unknown == {}


@every_schema
def test_every_reference_resolves(name: str) -> None:
    resolver = METASCHEMAS.combine(schemas.registry()).resolver(schemas.uri(name))
    for path, schema in subschemas(schemas.read(name)):
        if "$ref" in schema:
            target = resolver.lookup(schema["$ref"]).contents
            assert isinstance(target, dict | bool), f"{path}: {schema['$ref']}"


def test_no_reference_leaves_the_contract_but_for_the_metaschema() -> None:
    away = [
        f"{path}: {schema['$ref']}"
        for path, schema in all_subschemas()
        if not urljoin(schemas.uri(path.partition("#")[0]), schema.get("$ref", "")).startswith(
            (schemas.BASE, METASCHEMA)
        )
    ]
    assert away == []


def test_every_regular_expression_means_the_same_to_every_validator() -> None:
    wrong = [
        f"{path}: {pattern}: {why}"
        for path, schema in all_subschemas()
        for pattern in [schema.get("pattern"), *schema.get("patternProperties", ())]
        if pattern is not None and (why := unportable(pattern)) is not None
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d+",
        r"\bx",
        r"\w",
        r"a\Z",
        r"\s",
        r"(?P<name>a)",
        r"(?<name>a)",
        r"(?i)a",
        r"(?>a)",
        r"a++",
        r"\p{L}",
        "(",
    ],
)
def test_a_regular_expression_that_is_not_portable_is_found(pattern: str) -> None:
    assert unportable(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[0-9.$]+(?!\n)$",
        r"a\.b",
        "(?:a|b)(c)?",
        "^(?!x)",
        r"[^\u0000-\u0020\\]",
        r"\$",
        "a+?",
        r"(?:[A-Z][0-9]+)*\.[a-z]+$",
    ],
)
def test_a_portable_regular_expression_passes(pattern: str) -> None:
    assert unportable(pattern) is None


@every_schema
def test_both_validators_accept_the_schema(name: str) -> None:
    schema = schemas.read(name)
    Draft202012Validator.check_schema(schema)
    assert jsonschema_rs.meta.is_valid(schema)
    reference = {"$ref": schemas.uri(name)}
    python = Draft202012Validator(reference, registry=schemas.registry())
    rust = jsonschema_rs.validator_for(reference, registry=schemas.rs_registry())
    for value in (None, True, 0, "", [], {}, [{}], {"about": "write"}, "http://a.example"):
        assert python.is_valid(value) == rust.is_valid(value), value


def test_names_are_paths_under_the_schemas_without_their_suffix() -> None:
    assert "clauses" in schemas.names()
    assert "api/openapi" in schemas.names("api")
    assert schemas.names("api") == tuple(sorted(schemas.names("api")))
    assert schemas.names("no/such/folder") == ()


def test_a_file_is_read_each_time() -> None:
    first = schemas.read("api/times")
    first.clear()
    assert schemas.read("api/times")["$id"] == schemas.uri("api/times")
    with pytest.raises(FileNotFoundError):
        schemas.read("api/no-such-shape")


def test_finding_the_schemas_loads_no_validator() -> None:
    code = (
        "import sys; from conformance.contract import schemas; schemas.names(); "
        "print([name for name in ('jsonschema', 'jsonschema_rs', 'referencing') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_schemas_of_a_wheel_go_before_those_of_a_checkout(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "conformance" / "contract" / "schemas.py"
    monkeypatch.setattr(schemas, "__file__", str(module))
    find = schemas.folder.__wrapped__
    with pytest.raises(
        FileNotFoundError, match=r"no schema files in .*_schemas .a wheel. or .*schemas .a checkout.: install"
    ):
        find()
    (tmp_path / "schemas").mkdir()
    assert find() == tmp_path / "schemas"
    (module.parent.parent / "_schemas").mkdir(parents=True)
    assert find() == module.parent.parent / "_schemas"


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}, ["x\udfffx"]])
def test_half_a_surrogate_pair_is_text_that_is_judged_like_other_text(value: Any) -> None:
    assert validity({"minLength": 1})(value)
    assert not validity({"type": "number"})(value)
    assert not validity({"items": {"maxLength": 2}, "maxProperties": 0, "maxLength": 0})(value)
