"""Why a rule failed: the place in the facts, what is wrong there, and fingerprints of the defect."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from conformance.contract.fact_words import FactWords, fact_words
from conformance.judging.context import context
from conformance.judging.demands import SENT_PROFILE, demanded, remark
from conformance.judging.sentences import as_text, predicate, sentence
from conformance.judging.timeline import written
from conformance.judging.traits import traits
from conformance.judging.verdict import Violation

if TYPE_CHECKING:
    from jsonschema import ValidationError

    from conformance.contract.rules import Rule
    from conformance.facts import Facts

__all__ = ["explain"]

Path = list[str | int]

#: How many characters of malformed conferencing stand in a sentence, and what they stand before.
_SHORT, _MALFORMED = 60, " of no documented form"

#: Parts of a document about what readings showed: the same wrong value may stand in each.
_OBSERVATIONS = frozenset({"observed", "latest", "stable", "settled"})


def explain(rule: Rule, facts: Facts) -> Violation:
    """The violation of a rule by facts that break it, by the reference validator, which is slower and says more."""
    from jsonschema import Draft202012Validator

    from conformance.contract.schemas import registry

    document = facts.document
    errors = Draft202012Validator(rule.part("then"), registry=registry()).iter_errors(document)
    path, missing = _place(errors)
    value = _at(document, path)
    words = fact_words(rule.about, path)
    around = _at(document, path[:-1]) if path else document
    wire = _wire_value(around, value, words.compares, missing)
    expected = _at(document, words.compares["with"].split("/")[1:]) if "with" in words.compares else None
    if path[-1:] == ["join_url_as_requested_before"]:
        expected = _requested_before(facts)
    requested = document.get("requested") or document.get("operation") or ""
    difference = _difference(value, wire, expected, missing, is_count=words.is_count)
    if path[-1:] == ["mismatching_fields"] and isinstance(value, list):
        difference = "+".join(value)
    demand, remarked = demanded(rule, document, path), remark(facts, wire)
    if remarked == SENT_PROFILE and difference not in ("same", "another"):
        difference = "profile-id-sent"
    more = (_HOW.get(difference, "") or remarked) + ("" if demand is None else f"; expected {demand}")
    event = document.get("event_id")
    shown_by = _shown_by(facts, path)
    said = predicate(words, missing, value) + more
    message = sentence(document, path, missing, value) + more
    if value == "malformed" and len(as_json := json.dumps(wire, ensure_ascii=False)) <= _SHORT:
        said, message = (one.replace(_MALFORMED, f" {as_json},{_MALFORMED}", 1) for one in (said, message))
    return Violation(
        message,
        "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path),
        event if isinstance(event, str) else None,
        facts.evidence,
        " ".join(part for part in (rule.id, requested, _generic(path), difference) if part),
        _expected(
            rule, demand if expected == wire or expected is None else expected
        ),  # the very value that must not be there
        as_text(wire) if _says_itself(wire, words) else predicate(words, missing, value),
        _symptom(facts, path, words, wire, shown_by),
        shown_by,
        facts.earlier,
        traits(facts, shown_by or ""),
        facts.place,
        tuple(context(rule, facts, path)),
        f"Events {_plural(said)}" if "write" in facts.about and path[:1] == ["after"] else "",
    )


def _place(errors: Iterator[ValidationError]) -> tuple[Path, str | None]:
    """Where the document is wrong, and which member is missing there, if that is what is wrong."""
    from jsonschema.exceptions import best_match, relevance

    worst = max(errors, key=relevance, default=None)
    if worst is None:
        return [], None
    leaves = list(_leaves(worst))
    if not any(error.validator != "required" for error in leaves):
        lacking = leaves[0]
        required: Any = lacking.validator_value
        instance: Any = lacking.instance
        return list(lacking.absolute_path), str(next(name for name in required if name not in instance))
    found = best_match(iter([worst]))
    if found is None or found.validator == "required":  # an alternative to which something else comes nearer
        found = next(error for error in leaves if error.validator != "required")
    if not found.absolute_path:  # alternatives of the whole document: the one that says most
        found = max(leaves, key=lambda error: len(error.absolute_path))
    path = list(found.absolute_path)
    return path + (_forbidden(found.validator_value, found.instance) if found.validator == "not" else []), None


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The errors that an error consists of; of alternatives the first is what is usual."""
    if not error.context:
        yield error
    for inner in error.context or ():
        yield from _leaves(inner)


def _forbidden(schema: Any, value: Any) -> Path:
    """Where in a value that a schema may not admit the admitted value stands: the first that is given exactly."""
    if not isinstance(schema, dict) or not isinstance(value, dict):
        return []
    for branch in schema.get("anyOf", ()):
        if _admits(branch, value):
            return _forbidden(branch, value)
    properties = {name: part for name, part in schema.get("properties", {}).items() if name in value}
    exact = [name for name, part in properties.items() if {"const", "enum", "pattern", "minimum", "maximum"} & {*part}]
    for name in (*exact, *properties):
        return [name, *_forbidden(properties[name], value[name])]
    return []


def _admits(schema: Any, value: Any) -> bool:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema).is_valid(value)


def _at(document: Any, path: Sequence[str | int]) -> Any:
    """The value at a path; None where there is none."""
    here = document
    for part in path:
        if isinstance(here, dict) and part in here:
            here = here[part]
            continue
        if not (isinstance(here, list) and isinstance(part, int) and part < len(here)):
            return None
        here = here[part]
    return here


def _wire_value(around: Any, value: Any, compares: Mapping[str, str], missing: str | None) -> Any:
    """What was on the wire: where the fact says where it stands, that; else the value of the fact itself."""
    return _at(around, compares["shown"].split("/")) if "shown" in compares and missing is None else value


def _expected(rule: Rule, expected: Any) -> str:
    if isinstance(expected, list):
        return " or ".join(map(as_text, expected)) or rule.title
    return rule.title if expected is None else as_text(expected)


def _says_itself(wire: Any, words: FactWords) -> bool:
    """Whether a value says what was seen: a count, a yes or a no, and nothing at all need words."""
    return not (wire is None or isinstance(wire, bool) or words.is_count)


def _generic(path: Path) -> str:
    """A path without indices, and without the moment at which a reading showed it."""
    return "/".join(str(part) for part in path if not isinstance(part, int) and part not in _OBSERVATIONS)


def _difference(value: Any, wire: Any, expected: Any, missing: str | None, *, is_count: bool) -> str:
    """What differs, in a word that does not change with names and numbers."""
    if missing is not None:
        return f"lacks-{missing}"
    if isinstance(expected, str) and isinstance(wire, str):
        return _relation(expected, wire)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        return "" if is_count else str(value)
    if isinstance(value, str):
        is_word = value.isascii() and value.replace("_", "").replace("-", "").isalpha()
        return value if is_word and len(value) < 32 else "text"
    return "list" if isinstance(value, list) else "object" if isinstance(value, dict) else "number"


def _relation(expected: str, actual: str) -> str:
    """How a text differs from the one that was expected, by what a program may do to it."""
    if actual == expected:
        return "same"
    if actual.strip() == expected.strip():
        return "white-space"
    if actual.casefold() == expected.casefold():
        return "letter-case"
    if unquote(actual) == unquote(expected):
        return "percent-encoding"
    if actual in expected:
        return "shortened"
    if expected in actual:
        return "lengthened"
    return "another"


#: How a text differs, at the end of a sentence that says that it does.
_HOW: Mapping[str, str] = {
    "white-space": ": only white space differs",
    "letter-case": ": only upper and lower case differ",
    "percent-encoding": ": only the escapes differ",
    "shortened": ": it is cut short",
    "lengthened": ": something is added to it",
}


def _plural(said: str) -> str:
    """A predicate about one event as one about several."""
    verb, _, rest = said.partition(" ")
    if verb == "still":
        return f"still {_plural(rest)}"
    rest = re.sub(r"\bits\b", "their", re.sub(r"\bit (had|replaced)\b", r"they \1", rest))
    return f"{_VERBS.get(verb, verb.removesuffix('s'))} {rest}"


_VERBS = {"is": "are", "has": "have", "does": "do"}


def _requested_before(facts: Facts) -> str | None:
    """The explicit join URL that the newest write before this one requested."""
    for one in reversed(facts.earlier):
        its = written(one.request, facts.document.get("event_id"))
        if its.at == "write":
            return its.asked.join_url
    return None


def _observation(document: Mapping[str, Any], path: Path) -> Any:
    """What a reading showed, where the path leads into it."""
    for depth in range(len(path), 0, -1):
        value = _at(document, path[:depth])
        if isinstance(value, dict) and "state" in value and path[0] == "after":
            return {name: value[name] for name in ("state", "conferencing") if name in value}
    return {"conferencing": document.get("conferencing")} if document.get("about") == "conferencing" else None


def _is_of_write(facts: Facts, path: Path) -> bool:
    """Whether a path leads to what the response to a write shows."""
    return bool(path) and path[0] != "after" and "write" in facts.about and bool(facts.evidence)


def _shown_by(facts: Facts, path: Path) -> str | None:
    """The write itself, or the first exchange that showed the observation; without one, the only exchange."""
    if _is_of_write(facts, path):
        return facts.evidence[0].label
    if path[-1:] == ["remained"]:
        return _shows_another(facts)
    observation = _observation(facts.document, path)
    if observation is not None:
        return next((one.label for one in facts.evidence if one.shown == observation), None)
    return facts.evidence[0].label if len(facts.evidence) == 1 else None


def _shows_another(facts: Facts) -> str | None:
    """The last reading that shows another value than the one that the event had settled with."""
    settled = facts.document["after"].get("settled", {})
    kept = {name: settled[name] for name in ("state", "conferencing") if name in settled}
    readings = [one for one in facts.evidence if one.shown is not None and one.shown != kept]
    return readings[-1].label if readings else None


def _symptom(facts: Facts, path: Path, words: FactWords, wire: Any, shown_by: str | None) -> str:
    """What violations share that show the same wrong value: the event or the exchange, the member and its value."""
    if path[-1:] == ["provider_name_is_stale"]:
        return ""  # it is wrong that the value is left there, whatever is wrong with the value
    place = [part for part in _generic(path).split("/") if part not in ("after", "")]
    member = words.compares.get("shown") or "/".join(place)
    anchor = shown_by if _is_of_write(facts, path) else facts.document.get("event_id") or shown_by
    if (
        (wire is None or "shown" not in words.compares)
        and facts.about == "write"
        and path[:1] == ["after"]
        and facts.evidence
    ):
        anchor = f"{anchor} after {facts.evidence[0].label}"  # no value, or a state, that may have many reasons
    if path[:1] == ["availability"]:  # what two lists of an account say of it
        anchor, member = facts.document.get("account"), "availability"
    if anchor is None:
        return ""
    return json.dumps([anchor, member, None if words.is_count else wire], ensure_ascii=False, sort_keys=True)
