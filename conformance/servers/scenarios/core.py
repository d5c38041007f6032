"""The core: a covering table of scenarios, the same for the same world, the longest and most telling first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import cycle

from conformance.servers.inventory import Inventory
from conformance.servers.scenarios.covering import Place, Table, connected_profiles, kinds_at
from conformance.servers.scenarios.scenario import CREATION_DEFECTS, DEFECTS, Scenario, Step
from conformance.servers.scenarios.sequences import sequences

__all__ = ["LONGEST", "core", "waves"]

#: Moves of the longest scenario; the time that a run takes follows it.
LONGEST = 6


def core(inventory: Inventory) -> tuple[Scenario, ...]:
    """The scenarios that try every rule in every case that `inventory` offers, in the order in which they begin."""
    if not inventory.targets:
        return ()
    table = Table(inventory)
    families: tuple[Callable[[Table], Iterable[Scenario]], ...] = (
        _pairs, _turns, _kept, _hasty, _changes, _past, _strays, _last, _unprofiled, _isolated,
        _refused_updates, _refused_creations, _chosen,
    )  # fmt: skip
    scenarios = [scenario for family in families for scenario in family(table)]
    scenarios += _places(table, scenarios)
    return tuple(sorted(scenarios, key=lambda scenario: (-len(scenario.steps), _FIRST.get(scenario.family, 9))))


def waves(scenarios: Iterable[Scenario]) -> tuple[tuple[Scenario, ...], ...]:
    """Lives in groups that begin together, a round apart, so that all end with the longest.

    The first group has the longest, one of each theme, and what is to be watched for as long as can be; the others
    are of about the same size.
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


#: Themes that are to be watched for as long as can be.
_WATCHED = ("kept", "isolated")

_FIRST = {"pairs": 0, "changes": 1, "back-to-back": 2, "past": 3, "places": 4}


def _pairs(table: Table) -> Iterator[Scenario]:
    """Every kind in every state that another brings about, on the calendars that offer most."""
    for sequence in sequences(kinds_at(table.rich[0]), LONGEST):
        place = table.turn("pairs", table.rich)
        yield table.scenario("pairs", place, _dressed(table, place, sequence))


def _dressed(table: Table, place: Place, sequence: Iterable[str]) -> Iterator[Step]:
    """Moves of these kinds; creations take turns in alphabet and fullness, updates in how the time is written."""
    fresh = True
    text = "plain"
    for kind in sequence:
        if fresh:
            text = next(table.texts)
            yield table.step(kind, place, text_variant=text, time_format=next(table.forms))
        elif kind == "delete":
            yield Step("delete")
        elif kind == "omitted":
            yield table.step(kind, place, text_variant=text)
        else:
            changes = next(table.changes)
            form = next(table.moved) if "time" in changes else "utc"
            yield table.step(kind, place, text_variant=text, changed_fields=changes, time_format=form)
        fresh = kind == "delete"


def _hasty(table: Table) -> Iterator[Scenario]:
    """Writes that overtake the conference of the write before."""
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
            place = table.turn("back-to-back", targets)
            steps = [table.step(kind, place, immediate=n > 0) for n, kind in enumerate(kinds)]
            if kinds[1:] == ("omitted",):
                steps[1] = replace(steps[1], changed_fields=("summary", "time"))
            yield table.scenario("back-to-back", place, steps)
    place = table.turn("back-to-back", table.targets)
    yield table.scenario(
        "back-to-back", place, [table.step("explicit", place), Step("none"), Step("omitted", immediate=True)]
    )


def _changes(table: Table) -> Iterator[Scenario]:
    """Updates that leave conferencing out: nothing changes, a text, the place, the time, into the past; then `none`."""
    unasked = tuple(Step("omitted", changed_fields=changes) for changes in (("description",), ("summary",), ("time",)))
    bare = Step("omitted", changed_fields=("summary", "bare"))
    away = Step("omitted", changed_fields=("time",), start="past")
    plain = tuple(place for place in table.targets if "integrated" not in kinds_at(place))
    for kind, best in (
        ("explicit", plain[-1:]),  # a host that may have no field for conferencing
        ("integrated", table.having("integrated", "profile")),
        ("profile" if table.having("profile") else "default", ()),
    ):
        targets = best or table.having(kind)
        if targets:
            place = table.turn("changes", targets)
            text = next(table.texts)
            first = Step("omitted", changed_fields=()) if kind == "integrated" else unasked[0]
            steps = [table.step(kind, place), first, *unasked[1:], away]
            if kind == "explicit":
                steps[1:3] = [Step("omitted", changed_fields=("description", "location")), bare]
                steps.append(Step("none", start="past"))
            yield table.scenario("changes", place, [replace(step, text_variant=text) for step in steps])
    place = table.turn("changes", table.targets)
    yield table.scenario("changes", place, [Step("omitted"), Step("omitted", changed_fields=("description", "time"))])
    place = table.turn("changes", table.targets)
    first = Step("explicit", url_variant="query")
    again = Step("explicit", url_variant="again")
    same = Step("explicit", url_variant="again", changed_fields=())
    none = Step("none", changed_fields=())
    yield table.scenario("changes", place, [first, same, first, again, none, again])


def _past(table: Table) -> Iterator[Scenario]:
    """Events that began before now: created so, moved there, and moved out again."""
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
            place = table.turn("past", targets)
            yield table.scenario("past", place, [table.step(kind, place, start=start, time_format=form)])
    for steps in (
        (Step("omitted", start="past"), Step("default", start="past")),
        (Step("omitted"), Step("integrated", changed_fields=("summary", "time"), start="past")),
        (Step("default", start="past"), Step("default", changed_fields=("summary", "time"), start="year")),
        (Step("omitted", start="running"), Step("profile", start="running")),
        (Step("explicit", start="past"), Step("default", start="past")),
    ):
        targets = table.having(*(step.kind for step in steps if step.kind not in ("omitted", "none")))
        if targets:
            place = table.turn("past", targets)
            yield table.scenario("past", place, [replace(step, profile=_profile(place)) for step in steps])


def _profile(place: Place) -> int:
    return (*connected_profiles(place[0]), 0)[0]


def _kept(table: Table) -> Iterator[Scenario]:
    """Each calendar host with explicit conferencing on a blank location, watched for as long as the run lasts."""
    hosts = {place[1].provider_name: place for place in reversed(table.targets)}
    ways = cycle((("tzid", "future"), ("offset", "year"), ("date", "future")))
    for place, (form, start) in zip(hosts.values(), ways, strict=False):
        yield table.scenario("kept", place, [Step("explicit", url_variant="room", time_format=form, start=start)])


def _unprofiled(table: Table) -> Iterator[Scenario]:
    """`default` on an event that is there already, where no profile comes before the calendar's own service."""
    without = {place[1].sort: place for place in table.targets if not place[0].profiles and place[1].integrated}
    for place in without.values():
        yield table.scenario("unprofiled", place, [Step("omitted"), Step("default")])


def _last(table: Table) -> Iterator[Scenario]:
    """What is never to bring a conference, as an event's last write: it is watched for long enough."""
    yield table.scenario("last", table.turn("last", table.rich), [Step("omitted"), Step("none")])


def _turns(table: Table) -> Iterator[Scenario]:
    """`default` again and again, where a user has several profiles and none is declared: it stays the same one."""
    for account, calendar in {place[0].name: place for place in reversed(table.targets)}.values():
        if len(connected_profiles(account)) > 1 and account.default_profile is None:
            yield table.scenario("turns", (account, calendar), [Step("default")] * 3)


def _chosen(table: Table) -> Iterator[Scenario]:
    """`default` after another profile than the user's chosen one: what was used last is not what was chosen."""
    for account, calendar in {place[0].name: place for place in reversed(table.targets)}.values():
        ids = [profile.profile_id for profile in account.profiles or ()]
        others = [n for n in connected_profiles(account) if ids[n] != account.default_profile]
        if others and account.default_profile is not None:
            yield table.scenario("chosen", (account, calendar), [Step("profile", profile=others[0]), Step("default")])


def _places(table: Table, scenarios: Iterable[Scenario]) -> Iterator[Scenario]:
    """Every calendar of every account: what it makes of each way to ask, as far as no other scenario has tried it."""
    tried = {
        (scenario.account, scenario.calendar_id, step.kind)
        for scenario in scenarios
        for step in scenario.steps
        if _is_plain(step)
    }
    hosts = {place[1].provider_name: place for place in reversed(table.targets)}
    for number, place in enumerate(table.targets):
        account, calendar = place
        asked = ["default", "integrated", "explicit", *["profile"] * bool(account.profiles)]
        missing = [kind for kind in asked if (account.name, calendar.calendar_id, kind) not in tried]
        turned = missing[number % 3 :] + missing[: number % 3]
        steps = [table.step(kind, place, time_format=next(table.forms)) for kind in turned]
        if place in hosts.values() and (account.name, calendar.calendar_id, "none") not in tried:
            if turned[-1:] == ["explicit"]:
                del steps[-1]
            # Its URL is that of another event, which is watched: what becomes of one must not touch the other.
            steps += [Step("explicit", url_variant="room"), Step("omitted", changed_fields=("time",)), Step("none")]
        if steps:
            yield table.scenario("places", place, steps)
    for place in {place[0].name: place for place in reversed(table.targets)}.values():
        unconnected = [n for n, _ in enumerate(place[0].profiles or ()) if n not in connected_profiles(place[0])]
        for profile in unconnected[:1]:
            yield table.scenario("places", place, [Step("profile", profile=profile)])


def _is_plain(step: Step) -> bool:
    return not (step.extra_fields or step.defect or step.immediate) and step.start in ("future", "soon", "year")


def _strays(table: Table) -> Iterator[Scenario]:
    """The fields of explicit conferencing beside every other kind."""
    for row in (
        (("default", "provider_description"), ("none", "both"), ("8x8", "both")),
        (("integrated", "both"), ("none", "join_url")),
        (("none", "both"), ("default", "both"), ("default", "join_url")),
        (("8x8", "join_url"), ("default", "join_url")),
        (("profile", "join_url"), ("none", "both"), ("profile", "provider_description")),
    ):
        targets = table.having(*(kind for kind, _ in row if kind in ("default", "integrated", "profile")))
        if targets:
            place = table.turn("strays", targets)
            yield table.scenario(
                "strays", place, [table.step(kind, place, extra_fields=extra_fields) for kind, extra_fields in row]
            )


def _isolated(table: Table) -> Iterator[Scenario]:
    """The same event id on two calendars and in two accounts: what is done to one is not done to another."""
    first = table.targets[0]
    control_request = [place for place in table.targets if place[0] is first[0] and place is not first][:1]
    elsewhere = [place for place in table.targets if place[0] is not first[0]][:1]
    sequences = (("explicit", "omitted"), ("explicit", "none", "delete"), ("explicit", "omitted"))
    if control_request or elsewhere:
        for place, kinds in zip((first, *control_request, *elsewhere), sequences, strict=False):
            steps = [table.step(kind, place, changed_fields=()) for kind in kinds]
            yield table.scenario("isolated", place, steps, event="shared")


def _refused_updates(table: Table) -> Iterator[Scenario]:
    """What is to be refused, on an event that has a conference: nothing of it changes."""
    for start in range(0, len(DEFECTS), LONGEST - 1):
        place = table.turn("refused", table.targets)
        defects = DEFECTS[start : start + LONGEST - 1]
        changes = cycle((("summary",), ("summary", "description"), ("summary", "time")))
        steps = [Step("invalid", defect=defect, changed_fields=next(changes)) for defect in defects]
        yield table.scenario("refused", place, [table.step("explicit", place), *steps])
    unavailable = tuple(place for place in table.targets if place[1].integrated is False)
    if unavailable:
        refused = Step("integrated", changed_fields=("summary", "time"))
        place = table.turn("unavailable", unavailable)
        yield table.scenario("refused", place, [table.step("explicit", place), refused])
        bare = tuple(place for place in unavailable if not place[0].profiles)
        place = table.turn("unavailable", bare or unavailable)
        yield table.scenario("refused", place, [Step("omitted"), refused, Step("default", extra_fields="both")])


def _refused_creations(table: Table) -> Iterator[Scenario]:
    """What is to be refused, where there is no event yet: none comes of it."""
    unavailable = tuple(place for place in table.targets if place[1].integrated is False)
    if unavailable:
        bare = tuple(place for place in unavailable if not place[0].profiles)
        place = table.turn("unavailable", bare or unavailable)
        yield table.scenario("refused", place, [Step("integrated"), Step("omitted"), Step("default")])
    for defect in CREATION_DEFECTS:
        yield table.scenario("refused", table.turn("refused", table.targets), [Step("invalid", defect=defect)])
