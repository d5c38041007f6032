"""Updates that leave conferencing out, after every kind of predecessor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conformance.servers.scenarios.covering import Table, kinds_at
from conformance.servers.scenarios.scenario import Scenario, Step

__all__ = ["changes"]

_SUMMARY, _TIME = Step("omitted"), Step("omitted", changed_fields=("time",))
_AWAY, _DAY = replace(_TIME, start="past"), replace(_TIME, time_format="date")


def changes(table: Table) -> Iterator[Scenario]:
    """Updates that omit conferencing: each field alone, none, to a whole day, a move into the past; then `none`."""
    plain = tuple(target for target in table.targets if "integrated" not in kinds_at(target))
    for kind, best in (
        ("explicit", plain[-1:]),  # a provider that may have no field for conferencing
        ("integrated", table.having("integrated", "profile")),
        ("profile" if table.having("profile") else "default", ()),
    ):
        targets = best or table.having(kind)
        if targets:
            target = table.turn("changes", targets)
            text = next(table.texts)
            rows = {
                "explicit": (_alone("location"), Step("omitted", changed_fields=("summary", "bare")), _DAY, _AWAY,
                             Step("none", start="past")),
                "integrated": (Step("omitted", changed_fields=()), _SUMMARY, _alone("end"), _TIME, _AWAY),
            }  # fmt: skip
            row = rows.get(kind, (_alone("description"), _alone("start"), _alone("location"), _TIME, _AWAY))
            first = table.step(kind, target)
            steps = [replace(first, url_variant="http") if kind == "explicit" else first, *row]
            yield table.scenario("changes", target, [replace(step, text_variant=text) for step in steps])
    target = table.turn("changes", table.targets)
    several = Step("omitted", changed_fields=("description", "time"))
    yield table.scenario("changes", target, [_SUMMARY, several, table.step("explicit", target, start="instant")])
    yield from _explicit(table)


def _explicit(table: Table) -> Iterator[Scenario]:
    """Explicit conferencing again, the same and another, and plain updates after that."""
    target = table.turn("changes", table.targets)
    first, again = Step("explicit", url_variant="query"), Step("explicit", url_variant="again")
    same = replace(again, changed_fields=())
    yield table.scenario("changes", target, [first, same, first, again, Step("none", changed_fields=()), again])
    target = table.turn("changes", table.targets)
    generated = "default" if target in table.having("default") else "explicit"
    two = [table.step("explicit", target), table.step("explicit", target), _alone("description")]
    yield table.scenario("changes", target, [*two, Step("delete"), table.step(generated, target), _alone("start")])
    target = table.turn("changes", table.having("default") or table.targets)
    far = [Step("omitted", changed_fields=("summary", "time"), start="year"), replace(_SUMMARY, start="year")]
    generated = "default" if target in table.having("default") else "explicit"
    yield table.scenario(
        "changes",
        target,
        [table.step("explicit", target), *far, table.step(generated, target, start="year"), _DAY, _SUMMARY],
    )


def _alone(name: str) -> Step:
    return Step("omitted", changed_fields=(name,))
