"""The core: a covering table of lives, the same for the same world, the longest and most telling first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import cycle

from conformance.scenarios.model import CREATION_FLAWS, FLAWS, Life, Move
from conformance.scenarios.sequences import sequences
from conformance.scenarios.table import Place, Table, connected_profiles, kinds_at
from conformance.world import World

__all__ = ["LONGEST", "core", "waves"]

#: Moves of the longest life; the time that a run takes follows it.
LONGEST = 6


def core(world: World) -> tuple[Life, ...]:
    """The lives that try every rule in every case that `world` offers, in the order in which they begin."""
    if not world.places:
        return ()
    table = Table(world)
    families: tuple[Callable[[Table], Iterable[Life]], ...] = (
        _pairs, _turns, _kept, _hasty, _changes, _past, _strays, _last, _unprofiled, _isolated,
        _refused_updates, _refused_creations, _chosen,
    )  # fmt: skip
    lives = [life for family in families for life in family(table)]
    lives += _places(table, lives)
    return tuple(sorted(lives, key=lambda life: (-len(life.moves), _FIRST.get(life.theme, 9))))


def waves(lives: Iterable[Life]) -> tuple[tuple[Life, ...], ...]:
    """Lives in groups that begin together, a round apart, so that all end with the longest.

    The first group has the longest, one of each theme, and what is to be watched for as long as can be; the others
    are of about the same size.
    """
    by_length = sorted(lives, key=lambda life: -len(life.moves))
    rounds = len(by_length[0].moves) if by_length else 0
    groups: list[list[Life]] = [[] for _ in range(rounds)]
    themes: set[str] = set()
    rest = []
    for life in by_length:
        if len(life.moves) == rounds or life.theme not in themes or life.theme in _WATCHED:
            groups[0].append(life)
        else:
            rest.append(life)
        themes.add(life.theme)
    room = -(-len(rest) // max(1, rounds - 1))
    for life in rest:
        allowed = groups[: rounds - len(life.moves) + 1]
        later = [group for group in allowed[1:] if len(group) < room]
        (later[0] if later else min(allowed, key=len)).append(life)
    return tuple(tuple(group) for group in groups if group)


#: Themes that are to be watched for as long as can be.
_WATCHED = ("kept", "isolated")

_FIRST = {"pairs": 0, "changes": 1, "hasty": 2, "past": 3, "places": 4}


def _pairs(table: Table) -> Iterator[Life]:
    """Every kind in every state that another brings about, on the calendars that offer most."""
    for sequence in sequences(kinds_at(table.rich[0]), LONGEST):
        place = table.turn("pairs", table.rich)
        yield table.life("pairs", place, _dressed(table, place, sequence))


def _dressed(table: Table, place: Place, sequence: Iterable[str]) -> Iterator[Move]:
    """Moves of these kinds; creations take turns in alphabet and fullness, updates in how the time is written."""
    fresh = True
    text = "plain"
    for kind in sequence:
        if fresh:
            text = next(table.texts)
            yield table.move(kind, place, text=text, form=next(table.forms))
        elif kind == "delete":
            yield Move("delete")
        elif kind == "nothing":
            yield table.move(kind, place, text=text)
        else:
            changes = next(table.changes)
            form = next(table.moved) if "time" in changes else "utc"
            yield table.move(kind, place, text=text, changes=changes, form=form)
        fresh = kind == "delete"


def _hasty(table: Table) -> Iterator[Life]:
    """Writes that overtake the conference of the write before."""
    for kinds in (
        ("default", "none"),
        ("explicit", "explicit"),
        ("explicit", "nothing"),
        ("integrated", "explicit"),
        ("explicit", "default"),
        ("default", "nothing"),
        ("none", "integrated"),
        ("integrated", "delete"),
        ("profile", "integrated"),
        ("none", "explicit", "delete", "default"),
        ("default", "delete", "nothing"),
    ):
        places = table.having(*(kind for kind in kinds if kind in ("default", "integrated", "profile")))
        if places:
            place = table.turn("hasty", places)
            moves = [table.move(kind, place, hasty=n > 0) for n, kind in enumerate(kinds)]
            if kinds[1:] == ("nothing",):
                moves[1] = replace(moves[1], changes=("summary", "time"))
            yield table.life("hasty", place, moves)
    place = table.turn("hasty", table.places)
    yield table.life("hasty", place, [table.move("explicit", place), Move("none"), Move("nothing", hasty=True)])


def _changes(table: Table) -> Iterator[Life]:
    """Updates that leave conferencing out: nothing changes, a text, the place, the time, into the past; then `none`."""
    unasked = tuple(Move("nothing", changes=changes) for changes in (("description",), ("summary",), ("time",)))
    bare = Move("nothing", changes=("summary", "bare"))
    away = Move("nothing", changes=("time",), start="past")
    plain = tuple(place for place in table.places if "integrated" not in kinds_at(place))
    for kind, best in (
        ("explicit", plain[-1:]),  # a host that may have no field for conferencing
        ("integrated", table.having("integrated", "profile")),
        ("profile" if table.having("profile") else "default", ()),
    ):
        places = best or table.having(kind)
        if places:
            place = table.turn("changes", places)
            text = next(table.texts)
            first = Move("nothing", changes=()) if kind == "integrated" else unasked[0]
            moves = [table.move(kind, place), first, *unasked[1:], away]
            if kind == "explicit":
                moves[1:3] = [Move("nothing", changes=("description", "location")), bare]
                moves.append(Move("none", start="past"))
            yield table.life("changes", place, [replace(move, text=text) for move in moves])
    place = table.turn("changes", table.places)
    yield table.life("changes", place, [Move("nothing"), Move("nothing", changes=("description", "time"))])
    place = table.turn("changes", table.places)
    first = Move("explicit", url="query")
    again = Move("explicit", url="again")
    same = Move("explicit", url="again", changes=())
    none = Move("none", changes=())
    yield table.life("changes", place, [first, same, first, again, none, again])


def _past(table: Table) -> Iterator[Life]:
    """Events that began before now: created so, moved there, and moved out again."""
    for kind, start, form in (
        ("default", "past", "utc"),
        ("integrated", "running", "tzid"),
        ("integrated", "past", "tzid"),
        ("profile", "lately" if table.world.tells_time else "past", "offset"),
        ("profile", "running", "utc"),
        ("default", "past-year", "date"),
    ):
        places = table.having(kind)
        if places:
            place = table.turn("past", places)
            yield table.life("past", place, [table.move(kind, place, start=start, form=form)])
    for moves in (
        (Move("nothing", start="past"), Move("default", start="past")),
        (Move("nothing"), Move("integrated", changes=("summary", "time"), start="past")),
        (Move("default", start="past"), Move("default", changes=("summary", "time"), start="year")),
        (Move("nothing", start="running"), Move("profile", start="running")),
        (Move("explicit", start="past"), Move("default", start="past")),
    ):
        places = table.having(*(move.kind for move in moves if move.kind not in ("nothing", "none")))
        if places:
            place = table.turn("past", places)
            yield table.life("past", place, [replace(move, profile=_profile(place)) for move in moves])


def _profile(place: Place) -> int:
    return (*connected_profiles(place[0]), 0)[0]


def _kept(table: Table) -> Iterator[Life]:
    """Each calendar host with explicit conferencing on a blank location, watched for as long as the run lasts."""
    hosts = {place[1].provider_name: place for place in reversed(table.places)}
    ways = cycle((("tzid", "future"), ("offset", "year"), ("date", "future")))
    for place, (form, start) in zip(hosts.values(), ways, strict=False):
        yield table.life("kept", place, [Move("explicit", url="room", form=form, start=start)])


def _unprofiled(table: Table) -> Iterator[Life]:
    """`default` on an event that is there already, where no profile comes before the calendar's own service."""
    without = {place[1].sort: place for place in table.places if not place[0].profiles and place[1].integrated}
    for place in without.values():
        yield table.life("unprofiled", place, [Move("nothing"), Move("default")])


def _last(table: Table) -> Iterator[Life]:
    """What is never to bring a conference, as an event's last write: it is watched for long enough."""
    yield table.life("last", table.turn("last", table.rich), [Move("nothing"), Move("none")])


def _turns(table: Table) -> Iterator[Life]:
    """`default` again and again, where a user has several profiles and none is declared: it stays the same one."""
    for account, calendar in {place[0].name: place for place in reversed(table.places)}.values():
        if len(connected_profiles(account)) > 1 and account.default_profile is None:
            yield table.life("turns", (account, calendar), [Move("default")] * 3)


def _chosen(table: Table) -> Iterator[Life]:
    """`default` after another profile than the user's chosen one: what was used last is not what was chosen."""
    for account, calendar in {place[0].name: place for place in reversed(table.places)}.values():
        ids = [profile.profile_id for profile in account.profiles or ()]
        others = [n for n in connected_profiles(account) if ids[n] != account.default_profile]
        if others and account.default_profile is not None:
            yield table.life("chosen", (account, calendar), [Move("profile", profile=others[0]), Move("default")])


def _places(table: Table, lives: Iterable[Life]) -> Iterator[Life]:
    """Every calendar of every account: what it makes of each way to ask, as far as no other life has tried it."""
    tried = {(life.account, life.calendar_id, move.kind) for life in lives for move in life.moves if _is_plain(move)}
    hosts = {place[1].provider_name: place for place in reversed(table.places)}
    for number, place in enumerate(table.places):
        account, calendar = place
        asked = ["default", "integrated", "explicit", *["profile"] * bool(account.profiles)]
        missing = [kind for kind in asked if (account.name, calendar.calendar_id, kind) not in tried]
        turned = missing[number % 3 :] + missing[: number % 3]
        moves = [table.move(kind, place, form=next(table.forms)) for kind in turned]
        if place in hosts.values() and (account.name, calendar.calendar_id, "none") not in tried:
            if turned[-1:] == ["explicit"]:
                del moves[-1]
            # Its URL is that of another event, which is watched: what becomes of one must not touch the other.
            moves += [Move("explicit", url="room"), Move("nothing", changes=("time",)), Move("none")]
        if moves:
            yield table.life("places", place, moves)
    for place in {place[0].name: place for place in reversed(table.places)}.values():
        unconnected = [n for n, _ in enumerate(place[0].profiles or ()) if n not in connected_profiles(place[0])]
        for profile in unconnected[:1]:
            yield table.life("places", place, [Move("profile", profile=profile)])


def _is_plain(move: Move) -> bool:
    return not (move.stray or move.flaw or move.hasty) and move.start in ("future", "soon", "year")


def _strays(table: Table) -> Iterator[Life]:
    """The fields of explicit conferencing beside every other kind."""
    for row in (
        (("default", "provider_description"), ("none", "both"), ("8x8", "both")),
        (("integrated", "both"), ("none", "join_url")),
        (("none", "both"), ("default", "both")),
        (("8x8", "join_url"), ("default", "join_url")),
        (("profile", "join_url"), ("none", "both"), ("profile", "provider_description")),
    ):
        places = table.having(*(kind for kind, _ in row if kind in ("default", "integrated", "profile")))
        if places:
            place = table.turn("strays", places)
            yield table.life("strays", place, [table.move(kind, place, stray=stray) for kind, stray in row])


def _isolated(table: Table) -> Iterator[Life]:
    """The same event id on two calendars and in two accounts: what is done to one is not done to another."""
    first = table.places[0]
    beside = [place for place in table.places if place[0] is first[0] and place is not first][:1]
    elsewhere = [place for place in table.places if place[0] is not first[0]][:1]
    sequences = (("explicit", "nothing"), ("explicit", "none", "delete"), ("explicit", "nothing"))
    if beside or elsewhere:
        for place, kinds in zip((first, *beside, *elsewhere), sequences, strict=False):
            moves = [table.move(kind, place, changes=()) for kind in kinds]
            yield table.life("isolated", place, moves, event="shared")


def _refused_updates(table: Table) -> Iterator[Life]:
    """What is to be refused, on an event that has a conference: nothing of it changes."""
    for start in range(0, len(FLAWS), LONGEST - 1):
        place = table.turn("refused", table.places)
        flaws = FLAWS[start : start + LONGEST - 1]
        changes = cycle((("summary",), ("summary", "description"), ("summary", "time")))
        moves = [Move("invalid", flaw=flaw, changes=next(changes)) for flaw in flaws]
        yield table.life("refused", place, [table.move("explicit", place), *moves])
    unavailable = tuple(place for place in table.places if place[1].integrated is False)
    if unavailable:
        refused = Move("integrated", changes=("summary", "time"))
        place = table.turn("unavailable", unavailable)
        yield table.life("refused", place, [table.move("explicit", place), refused])
        bare = tuple(place for place in unavailable if not place[0].profiles)
        place = table.turn("unavailable", bare or unavailable)
        yield table.life("refused", place, [Move("nothing"), refused, Move("default", stray="both")])


def _refused_creations(table: Table) -> Iterator[Life]:
    """What is to be refused, where there is no event yet: none comes of it."""
    unavailable = tuple(place for place in table.places if place[1].integrated is False)
    if unavailable:
        bare = tuple(place for place in unavailable if not place[0].profiles)
        place = table.turn("unavailable", bare or unavailable)
        yield table.life("refused", place, [Move("integrated"), Move("nothing"), Move("default")])
    for flaw in CREATION_FLAWS:
        yield table.life("refused", table.turn("refused", table.places), [Move("invalid", flaw=flaw)])
