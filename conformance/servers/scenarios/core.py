"""The core: a covering table of scenarios, the same for the same inventory, the longest scenarios first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import cycle

from conformance.servers.inventory import Inventory, Target
from conformance.servers.scenarios.covering import Table, connected_profiles, kinds_at
from conformance.servers.scenarios.scenario import CREATION_DEFECTS, DEFECTS, Scenario, Step
from conformance.servers.scenarios.sequences import sequences

__all__ = ["LONGEST", "core", "waves"]

#: Steps of the longest scenario: the duration of a run grows with it.
LONGEST = 6


def core(inventory: Inventory) -> tuple[Scenario, ...]:
    """The scenarios that try every rule in every case that `inventory` offers, in the order in which they begin."""
    if not inventory.targets:
        return ()
    table = Table(inventory)
    families: tuple[Callable[[Table], Iterable[Scenario]], ...] = (
        _pairs, _turns, _remains, _back_to_back, _changes, _past, _extra_fields, _last, _unprofiled, _isolated,
        _refused_updates, _refused_creations, _chosen,
    )  # fmt: skip
    scenarios = [scenario for family in families for scenario in family(table)]
    scenarios += _calendars(table, scenarios)
    return tuple(sorted(scenarios, key=lambda scenario: (-len(scenario.steps), _FIRST.get(scenario.family, 9))))


def waves(scenarios: Iterable[Scenario]) -> tuple[tuple[Scenario, ...], ...]:
    """Groups of scenarios that begin together, one round after another, so that all end with the longest.

    The first group has the longest scenarios, one of each family, and those to be watched for as long as possible; the
    others are of about the same size.
    """
    by_length = sorted(scenarios, key=lambda scenario: -len(scenario.steps))
    rounds = len(by_length[0].steps) if by_length else 0
    groups: list[list[Scenario]] = [[] for _ in range(rounds)]
    families: set[str] = set()
    rest = []
    for scenario in by_length:
        if len(scenario.steps) == rounds or scenario.family not in families or scenario.family in _WATCHED:
            groups[0].append(scenario)
        else:
            rest.append(scenario)
        families.add(scenario.family)
    room = -(-len(rest) // max(1, rounds - 1))
    for scenario in rest:
        allowed = groups[: rounds - len(scenario.steps) + 1]
        later = [group for group in allowed[1:] if len(group) < room]
        (later[0] if later else min(allowed, key=len)).append(scenario)
    return tuple(tuple(group) for group in groups if group)


#: Families to be watched for as long as possible.
_WATCHED = ("remains", "isolated")

_FIRST = {"pairs": 0, "changes": 1, "back-to-back": 2, "past": 3, "calendars": 4}


def _pairs(table: Table) -> Iterator[Scenario]:
    """Every kind of write in every state that another kind leaves, on the calendars that offer most."""
    for sequence in sequences(kinds_at(table.rich[0]), LONGEST):
        target = table.turn("pairs", table.rich)
        yield table.scenario("pairs", target, _varied(table, target, sequence))


def _varied(table: Table, target: Target, sequence: Iterable[str]) -> Iterator[Step]:
    """Steps of these kinds: creations rotate through text variants and time formats, updates through changed fields."""
    fresh = True
    text = "plain"
    for kind in sequence:
        if fresh:
            text = next(table.texts)
            yield table.step(kind, target, text_variant=text, time_format=next(table.forms))
        elif kind == "delete":
            yield Step("delete")
        elif kind == "omitted":
            yield table.step(kind, target, text_variant=text)
        else:
            changes = next(table.changes)
            form = next(table.moved) if "time" in changes else "utc"
            yield table.step(kind, target, text_variant=text, changed_fields=changes, time_format=form)
        fresh = kind == "delete"


def _back_to_back(table: Table) -> Iterator[Scenario]:
    """Writes sent before the conference of the previous write is there."""
    for kinds in (
        ("default", "none"),
        ("explicit", "explicit"),
        ("explicit", "omitted"),
        ("integrated", "explicit"),
        ("explicit", "default"),
        ("default", "omitted"),
        ("none", "integrated"),
        ("integrated", "delete"),
        ("profile", "integrated"),
        ("none", "explicit", "delete", "default"),
        ("default", "delete", "omitted"),
    ):
        targets = table.having(*(kind for kind in kinds if kind in ("default", "integrated", "profile")))
        if targets:
            target = table.turn("back-to-back", targets)
            steps = [table.step(kind, target, immediate=n > 0) for n, kind in enumerate(kinds)]
            if kinds[1:] == ("omitted",):
                steps[1] = replace(steps[1], changed_fields=("summary", "time"))
            yield table.scenario("back-to-back", target, steps)
    target = table.turn("back-to-back", table.targets)
    yield table.scenario(
        "back-to-back", target, [table.step("explicit", target), Step("none"), Step("omitted", immediate=True)]
    )


def _changes(table: Table) -> Iterator[Scenario]:
    """Updates that omit conferencing: no change, texts, location, time, into the past; then `none`."""
    omitted = tuple(Step("omitted", changed_fields=changes) for changes in (("description",), ("summary",), ("time",)))
    bare = Step("omitted", changed_fields=("summary", "bare"))
    away = Step("omitted", changed_fields=("time",), start="past")
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
            first = Step("omitted", changed_fields=()) if kind == "integrated" else omitted[0]
            steps = [table.step(kind, target), first, *omitted[1:], away]
            if kind == "explicit":
                steps[1:3] = [Step("omitted", changed_fields=("description", "location")), bare]
                steps.append(Step("none", start="past"))
            yield table.scenario("changes", target, [replace(step, text_variant=text) for step in steps])
    target = table.turn("changes", table.targets)
    yield table.scenario("changes", target, [Step("omitted"), Step("omitted", changed_fields=("description", "time"))])
    target = table.turn("changes", table.targets)
    first = Step("explicit", url_variant="query")
    again = Step("explicit", url_variant="again")
    same = Step("explicit", url_variant="again", changed_fields=())
    none = Step("none", changed_fields=())
    yield table.scenario("changes", target, [first, same, first, again, none, again])


def _past(table: Table) -> Iterator[Scenario]:
    """Events that began before now: created in the past, moved there, and moved out again."""
    for kind, start, form in (
        ("default", "past", "utc"),
        ("integrated", "running", "tzid"),
        ("integrated", "past", "tzid"),
        ("profile", "lately" if table.inventory.shows_time else "past", "offset"),
        ("profile", "running", "utc"),
        ("default", "past-year", "date"),
    ):
        targets = table.having(kind)
        if targets:
            target = table.turn("past", targets)
            yield table.scenario("past", target, [table.step(kind, target, start=start, time_format=form)])
    for steps in (
        (Step("omitted", start="past"), Step("default", start="past")),
        (Step("omitted"), Step("integrated", changed_fields=("summary", "time"), start="past")),
        (Step("default", start="past"), Step("default", changed_fields=("summary", "time"), start="year")),
        (Step("omitted", start="running"), Step("profile", start="running")),
        (Step("explicit", start="past"), Step("default", start="past")),
    ):
        targets = table.having(*(step.kind for step in steps if step.kind not in ("omitted", "none")))
        if targets:
            target = table.turn("past", targets)
            yield table.scenario("past", target, [replace(step, profile=_profile(target)) for step in steps])


def _profile(target: Target) -> int:
    return (*connected_profiles(target.account), 0)[0]


def _remains(table: Table) -> Iterator[Scenario]:
    """Explicit conferencing and no location with each provider, watched for as long as the run lasts."""
    by_provider = table.first_of_each(lambda target: target.calendar.provider_name)
    variants = cycle((("tzid", "future"), ("offset", "year"), ("date", "future")))
    for target, (form, start) in zip(by_provider, variants, strict=False):
        yield table.scenario("remains", target, [Step("explicit", url_variant="room", time_format=form, start=start)])


def _unprofiled(table: Table) -> Iterator[Scenario]:
    """`default` on an existing event, where no profile takes precedence over integrated conferencing."""
    without = {
        target.calendar.kind: target
        for target in table.targets
        if not target.account.profiles and target.calendar.integrated
    }
    for target in without.values():
        yield table.scenario("unprofiled", target, [Step("omitted"), Step("default")])


def _last(table: Table) -> Iterator[Scenario]:
    """A write that must never create a conference, as the last one of an event: it is watched for long enough."""
    yield table.scenario("last", table.turn("last", table.rich), [Step("omitted"), Step("none")])


def _turns(table: Table) -> Iterator[Scenario]:
    """`default` three times, where an account has several profiles and no declared default: the same one each time."""
    for target in table.first_of_each(lambda target: target.account.name):
        if len(connected_profiles(target.account)) > 1 and target.account.default_profile is None:
            yield table.scenario("turns", target, [Step("default")] * 3)


def _chosen(table: Table) -> Iterator[Scenario]:
    """`default` after a profile that is not the declared default: the one used last is not the default."""
    for target in table.first_of_each(lambda target: target.account.name):
        ids = [profile.profile_id for profile in target.account.profiles or ()]
        others = [n for n in connected_profiles(target.account) if ids[n] != target.account.default_profile]
        if others and target.account.default_profile is not None:
            yield table.scenario("chosen", target, [Step("profile", profile=others[0]), Step("default")])


def _calendars(table: Table, scenarios: Iterable[Scenario]) -> Iterator[Scenario]:
    """Every calendar of every account with each kind of conferencing that no other scenario has tried on it."""
    tried = {
        (scenario.account, scenario.calendar_id, step.kind)
        for scenario in scenarios
        for step in scenario.steps
        if _is_usual(step)
    }
    by_provider = table.first_of_each(lambda target: target.calendar.provider_name)
    for number, target in enumerate(table.targets):
        account, calendar = target
        kinds = ["default", "integrated", "explicit", *["profile"] * bool(account.profiles)]
        missing = [kind for kind in kinds if (account.name, calendar.calendar_id, kind) not in tried]
        rotated = missing[number % 3 :] + missing[: number % 3]
        steps = [table.step(kind, target, time_format=next(table.forms)) for kind in rotated]
        if target in by_provider and (account.name, calendar.calendar_id, "none") not in tried:
            if rotated[-1:] == ["explicit"]:
                del steps[-1]
            # This URL is also that of an event which is watched: changes of one event must not affect the other.
            steps += [Step("explicit", url_variant="room"), Step("omitted", changed_fields=("time",)), Step("none")]
        if steps:
            yield table.scenario("calendars", target, steps)
    for target in table.first_of_each(lambda target: target.account.name):
        unconnected = [
            n for n, _ in enumerate(target.account.profiles or ()) if n not in connected_profiles(target.account)
        ]
        for profile in unconnected[:1]:
            yield table.scenario("calendars", target, [Step("profile", profile=profile)])


def _is_usual(step: Step) -> bool:
    return not (step.extra_fields or step.defect or step.immediate) and step.start in ("future", "soon", "year")


def _extra_fields(table: Table) -> Iterator[Scenario]:
    """The fields of explicit conferencing in every other kind of write."""
    for row in (
        (("default", "provider_description"), ("none", "both"), ("8x8", "both")),
        (("integrated", "both"), ("none", "join_url")),
        (("none", "both"), ("default", "both"), ("default", "join_url")),
        (("8x8", "join_url"), ("default", "join_url")),
        (("profile", "join_url"), ("none", "both"), ("profile", "provider_description")),
    ):
        targets = table.having(*(kind for kind, _ in row if kind in ("default", "integrated", "profile")))
        if targets:
            target = table.turn("extra-fields", targets)
            yield table.scenario(
                "extra-fields",
                target,
                [table.step(kind, target, extra_fields=extra_fields) for kind, extra_fields in row],
            )


def _isolated(table: Table) -> Iterator[Scenario]:
    """The same event id on two calendars and in two accounts: a write to one must not affect the others."""
    first = table.targets[0]
    same_account = [target for target in table.targets if target.account is first.account and target is not first][:1]
    other_account = [target for target in table.targets if target.account is not first.account][:1]
    sequences = (("explicit", "omitted"), ("explicit", "none", "delete"), ("explicit", "omitted"))
    if same_account or other_account:
        for target, kinds in zip((first, *same_account, *other_account), sequences, strict=False):
            steps = [table.step(kind, target, changed_fields=()) for kind in kinds]
            yield table.scenario("isolated", target, steps, event="shared")


def _refused_updates(table: Table) -> Iterator[Scenario]:
    """Updates that must be refused, on an event with a conference: nothing of it may change."""
    for start in range(0, len(DEFECTS), LONGEST - 1):
        target = table.turn("refused", table.targets)
        defects = DEFECTS[start : start + LONGEST - 1]
        changes = cycle((("summary",), ("summary", "description"), ("summary", "time")))
        steps = [Step("invalid", defect=defect, changed_fields=next(changes)) for defect in defects]
        yield table.scenario("refused", target, [table.step("explicit", target), *steps])
    unavailable = tuple(target for target in table.targets if target.calendar.integrated is False)
    if unavailable:
        refused = Step("integrated", changed_fields=("summary", "time"))
        target = table.turn("unavailable", unavailable)
        yield table.scenario("refused", target, [table.step("explicit", target), refused])
        bare = tuple(target for target in unavailable if not target.account.profiles)
        target = table.turn("unavailable", bare or unavailable)
        yield table.scenario("refused", target, [Step("omitted"), refused, Step("default", extra_fields="both")])


def _refused_creations(table: Table) -> Iterator[Scenario]:
    """Creations that must be refused: they must not create an event."""
    unavailable = tuple(target for target in table.targets if target.calendar.integrated is False)
    if unavailable:
        bare = tuple(target for target in unavailable if not target.account.profiles)
        target = table.turn("unavailable", bare or unavailable)
        yield table.scenario("refused", target, [Step("integrated"), Step("omitted"), Step("default")])
    for defect in CREATION_DEFECTS:
        yield table.scenario("refused", table.turn("refused", table.targets), [Step("invalid", defect=defect)])
