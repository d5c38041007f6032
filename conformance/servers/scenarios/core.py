"""The core: a covering table of scenarios, the same for the same inventory, the longest scenarios first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import cycle

from conformance.servers.inventory import Inventory, Target
from conformance.servers.scenarios.batched import batched
from conformance.servers.scenarios.changes import changes
from conformance.servers.scenarios.covering import LONGEST, Table, connected_profiles, kinds_at, rounds_of
from conformance.servers.scenarios.kinds_of_calendars import calendars
from conformance.servers.scenarios.pending import back_to_back, while_pending
from conformance.servers.scenarios.refused import refused_creations, refused_updates
from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.sequences import sequences
from conformance.servers.scenarios.subscribed import with_subscriptions

__all__ = ["core", "waves"]


def core(inventory: Inventory) -> tuple[Scenario, ...]:
    """The scenarios that try every rule in every case that `inventory` offers, in the order in which they begin."""
    if not inventory.targets:
        return ()
    table = Table(inventory)
    families: tuple[Callable[[Table], Iterable[Scenario]], ...] = (
        _pairs, _turns, _remains, while_pending, back_to_back, changes, _past, _extra_fields, _last, _unprofiled,
        _isolated, refused_updates, refused_creations, _chosen,
    )  # fmt: skip
    scenarios = [scenario for family in families for scenario in family(table)]
    scenarios += calendars(table, scenarios)
    scenarios += batched(table)
    scenarios += (*_again(table), *_same_time(table), *_often(table))
    ordered = sorted(scenarios, key=lambda scenario: (-rounds_of(scenario), _FIRST.get(scenario.family, 9)))
    return with_subscriptions(ordered, inventory)


def waves(scenarios: Iterable[Scenario]) -> tuple[tuple[Scenario, ...], ...]:
    """Groups of scenarios that begin together, one round after another, so that all end with the longest.

    The first group has the longest scenarios, one of each family, and those to be watched for as long as possible; the
    others are of about the same size.
    """
    by_length = sorted(scenarios, key=lambda scenario: -rounds_of(scenario))
    rounds = rounds_of(by_length[0]) if by_length else 0
    groups: list[list[Scenario]] = [[] for _ in range(rounds)]
    families: set[str] = set()
    rest = []
    for scenario in by_length:
        if rounds_of(scenario) == rounds or scenario.family not in families or scenario.family in _WATCHED:
            groups[0].append(scenario)
        else:
            rest.append(scenario)
        families.add(scenario.family)
    room = -(-len(rest) // max(1, rounds - 1))
    for scenario in rest:
        allowed = groups[: rounds - rounds_of(scenario) + 1]
        later = [group for group in allowed[1:] if len(group) < room]
        (later[0] if later else min(allowed, key=len)).append(scenario)
    return tuple(tuple(group) for group in groups if group)


#: Families to be watched for as long as possible, and what is sent together.
_WATCHED = ("remains", "isolated", "while-pending", "batched")

#: How often an event is updated in a row: a server that keeps a history may forget some of it.
_OFTEN = 12

_FIRST = {"while-pending": 0, "pairs": 0, "changes": 1, "back-to-back": 2, "past": 3, "calendars": 4}


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


def _past(table: Table) -> Iterator[Scenario]:
    """Events that began before now: created in the past, moved there, and moved out again."""
    recent = "lately" if table.inventory.shows_time else "past"
    for kind, start, form in (
        ("default", "past", "utc"),
        ("integrated", "running", "tzid"),
        ("integrated", recent, "tzid"),
        ("profile", recent, "offset"),
        ("profile", "running", "utc"),
        ("default", "past-year", "date"),
    ):
        targets = table.having(kind)
        if targets:
            target = table.turn("past", targets)
            yield table.scenario("past", target, [table.step(kind, target, start=start, time_format=form)])
    unavailable = tuple(target for target in table.targets if target.calendar.integrated is False)
    if unavailable:
        yield table.scenario("past", table.turn("past", unavailable), [Step("integrated", start="past")])
    for steps in (
        (Step("omitted", start="past"), Step("default", start="past"), Step("omitted", changed_fields=("time",))),
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
    steps = [Step("omitted", text_variant="long"), Step("none", text_variant="long")]
    yield table.scenario("last", table.turn("last", table.rich), steps)


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


def _again(table: Table) -> Iterator[Scenario]:
    """A join URL that differs from the one before in case alone, and at last the first body once more."""
    kinds = (("explicit", "https"), ("explicit", "other-case"), ("none", "https"), ("explicit", "again"))
    steps = [Step(kind, url_variant=variant, changed_fields=()) for kind, variant in kinds]
    yield table.scenario("again", table.turn("again", table.rich), steps)


def _same_time(table: Table) -> Iterator[Scenario]:
    """Two generated conferences at one time, of which one is deleted with its event."""
    targets = table.having("default")
    if targets:
        kept = table.scenario("time", targets[0], [Step("default")])
        yield kept
        # The letters of the id tell the time.
        yield replace(kept, id=kept.id[::-1], steps=(Step("default"), Step("delete")))


def _often(table: Table) -> Iterator[Scenario]:
    """Explicit conferencing, and many updates in a row that leave it out."""
    update = Step("omitted")
    steps = [Step("explicit"), update, *[replace(update, timing="back-to-back")] * (_OFTEN - 1)]
    yield table.scenario("often", table.turn("often", table.rich), steps)


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
