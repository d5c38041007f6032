"""What was asked against what was sent, what was answered against what was reported: what was lost, changed or added, as JSON pointers.

Equality is of meaning: instants and time zones, equivalent URLs, form fields as pairs, and within
``conferencing`` null is as good as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from conformance.facts.comparisons import compare_urls, parse_api_time

__all__ = ["Differences", "errors_told", "event_sent", "event_sent_as_form", "given_conferencing", "pointer"]

_UTC = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Z"})
_TIMES = ("start", "end")
_NAMED = ("pending", "join_url", "provider_name")


@dataclass(frozen=True)
class Differences:
    """Pointers to what was lost, changed and added, each sorted and without repeats."""

    lost: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lost or self.changed or self.added)

    def __add__(self, other: Differences) -> Differences:
        return Differences(
            *(
                tuple(sorted({*one, *two}))
                for one, two in ((self.lost, other.lost), (self.changed, other.changed), (self.added, other.added))
            )
        )

    def as_json(self) -> dict[str, list[str]]:
        """The three lists under their names."""
        return {"lost": list(self.lost), "changed": list(self.changed), "added": list(self.added)}


@dataclass
class _Found:
    lost: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)

    def differences(self) -> Differences:
        return Differences(tuple(sorted(self.lost)), tuple(sorted(self.changed)), tuple(sorted(self.added)))


def pointer(*keys: str | int) -> str:
    """A JSON pointer (RFC 6901).

    >>> pointer("events", "a/b", 0)
    '/events/a~1b/0'
    """
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def event_sent(asked: Mapping[str, Any], sent: Mapping[str, Any]) -> Differences:
    """What became of an event that a client was asked to write, in the JSON body that it sent."""
    found = _Found()
    for key in sorted({*asked, *sent}):
        if key in _TIMES or key == "tzid":
            continue
        if key not in asked:
            if sent[key] is not None or key == "conferencing":
                found.added.add(pointer(key))
        elif key not in sent or (sent[key] is None and asked[key] is not None):
            if asked[key] is not None:
                found.lost.add(pointer(key))
        else:
            _compare(asked[key], sent[key], (key,), found)
    _compare_times(asked, sent, found)
    return found.differences()


def _compare(asked: Any, sent: Any, at: tuple[str | int, ...], found: _Found) -> None:
    if isinstance(asked, Mapping) and isinstance(sent, Mapping):
        for key in sorted({*asked, *sent}):
            if asked.get(key) is None:
                if sent.get(key) is not None:
                    found.added.add(pointer(*at, key))
            elif sent.get(key) is None:
                found.lost.add(pointer(*at, key))
            else:
                _compare(asked[key], sent[key], (*at, key), found)
    elif isinstance(asked, list) and isinstance(sent, list) and len(asked) == len(sent):
        for number, (one, other) in enumerate(zip(asked, sent, strict=True)):
            _compare(one, other, (*at, number), found)
    elif not _same(asked, sent, at):
        found.changed.add(pointer(*at))


def _same(asked: Any, sent: Any, at: tuple[str | int, ...]) -> bool:
    if at == ("conferencing", "join_url") and isinstance(asked, str):
        return compare_urls(asked, sent) != "different"
    if isinstance(asked, bool) or isinstance(sent, bool):
        return asked is sent
    return bool(asked == sent)


def _compare_times(asked: Mapping[str, Any], sent: Mapping[str, Any], found: _Found) -> None:
    for key in _TIMES:
        if key not in asked:
            if sent.get(key) is not None:
                found.added.add(pointer(key))
        elif sent.get(key) is None:
            found.lost.add(pointer(key))
        elif not _same_moment(asked[key], sent[key], _zone(asked, key), _zone(sent, key)):
            found.changed.add(pointer(key))
        elif not _same_zone(_zone(asked, key), _zone(sent, key)):
            own = isinstance(asked[key], Mapping) and asked[key].get("tzid") is not None
            place = pointer(key, "tzid") if own else pointer("tzid")
            if _zone(sent, key) is None:
                found.lost.add(place)
            elif _zone(asked, key) is None:
                found.added.add(place)
            else:
                found.changed.add(place)


def _zone(event: Mapping[str, Any], key: str) -> str | None:
    time = event.get(key)
    zone = time.get("tzid") if isinstance(time, Mapping) else None
    zone = event.get("tzid") if zone is None else zone
    return zone if isinstance(zone, str) else None


def _same_zone(asked: str | None, sent: str | None) -> bool:
    one, other = asked or "Etc/UTC", sent or "Etc/UTC"
    return one == other or {one, other} <= _UTC


def _same_moment(asked: Any, sent: Any, asked_zone: str | None, sent_zone: str | None) -> bool:
    if asked == sent:
        return True
    one, other = (
        parse_api_time(_plain(asked), asked_zone or "Etc/UTC"),
        parse_api_time(_plain(sent), sent_zone or "Etc/UTC"),
    )
    return one is not None and one == other


def _plain(time: Any) -> Any:
    return dict(time) if isinstance(time, Mapping) else time


def event_sent_as_form(asked: Mapping[str, Any], body: bytes) -> Differences:
    """What became of an event in the form fields that a client sent: pairs, in whatever order, without types."""
    sent = _by_place((_keys(name), value) for name, value in parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    wanted: dict[tuple[str, ...], list[Any]] = {}
    pointers: dict[tuple[str, ...], str] = {}
    for at, value in _leaves(asked, ()):
        place = tuple("" if isinstance(key, int) else key for key in at)
        wanted.setdefault(place, []).append(value)
        pointers.setdefault(place, pointer(*at))
    found = _Found()
    zones = {"tzid", *_TIMES}
    for place, values in wanted.items():
        if place[0] in zones:
            continue
        there = sent.get(place, [])
        if not there:
            if any(value not in (None, "") for value in values):
                found.lost.add(pointers[place])
        elif len(there) != len(values) or not all(
            any(_same_text(value, text, place) for text in there) for value in values
        ):
            found.changed.add(pointers[place])
    for place, texts in sent.items():
        if place not in wanted and place[0] not in zones and any(texts):
            found.added.add(pointer(*(key if key else 0 for key in place)))
    _compare_times(asked, _times_of(sent), found)
    lost_whole = {pointer("conferencing")} if "conferencing" in asked and not _has(sent, "conferencing") else set()
    return Differences(
        tuple(sorted({p for p in found.lost if not (lost_whole and p.startswith("/conferencing/"))} | lost_whole)),
        tuple(sorted(found.changed)),
        tuple(sorted({"/conferencing" if p.startswith("/conferencing") and "conferencing" not in asked else p
                      for p in found.added})),
    )  # fmt: skip


def _has(sent: Mapping[tuple[str, ...], Any], key: str) -> bool:
    return any(place[0] == key for place in sent)


def _times_of(sent: Mapping[tuple[str, ...], list[str]]) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for key in (*_TIMES, "tzid"):
        if (key,) in sent:
            event[key] = sent[(key,)][0]
        elif (key, "time") in sent:
            event[key] = {name: sent[(key, name)][0] for name in ("time", "tzid") if (key, name) in sent}
    return event


def _keys(name: str) -> tuple[str, ...]:
    head, *rest = name.replace("]", "").split("[")
    return (head, *("" if key.isdigit() else key for key in rest))


def _by_place(pairs: Iterable[tuple[tuple[str, ...], str]]) -> dict[tuple[str, ...], list[str]]:
    result: dict[tuple[str, ...], list[str]] = {}
    for place, value in pairs:
        result.setdefault(place, []).append(value)
    return result


def _leaves(value: Any, at: tuple[str | int, ...]) -> Iterable[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*at, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*at, number))
    else:
        yield at, value


def _same_text(value: Any, text: str, place: tuple[str, ...]) -> bool:
    if isinstance(value, bool):
        return text.lower() in (("true", "1") if value else ("false", "0", ""))
    if value is None:
        return text == ""
    if isinstance(value, int | float):
        try:
            return float(text) == float(value)
        except ValueError:
            return False
    if place == ("conferencing", "join_url"):
        return compare_urls(str(value), text) != "different"
    return bool(value == text)


def given_conferencing(said: Any, told: Any) -> Differences:
    """What became of an event's ``conferencing`` as a read said it, in what the client gave back.

    Only the documented keys count; null, an empty text and ``pending: false`` are as good as absent.
    """
    wanted, given = _told_form(said), _told_form(told)
    if given is None:
        return Differences(changed=(pointer("conferencing"),))
    found = _Found()
    for key in _NAMED:
        at = pointer("conferencing", key)
        one, other = (wanted or {}).get(key), given.get(key)
        if one is None and other is not None:
            found.added.add(at)
        elif one is not None and other is None:
            found.lost.add(at)
        elif key == "join_url" and isinstance(one, str):
            if compare_urls(one, other) == "different":
                found.changed.add(at)
        elif one != other or isinstance(one, bool) is not isinstance(other, bool):
            found.changed.add(at)
    return found.differences()


def _told_form(conferencing: Any) -> dict[str, Any] | None:
    if conferencing is None:
        return {}
    if not isinstance(conferencing, Mapping):
        return None
    return {
        key: value
        for key, value in conferencing.items()
        if value is not None and value != "" and not (key == "pending" and value is False)
    }


def errors_told(said: Mapping[str, Any], told: Any) -> Differences:
    """What became of the fields and keys of a 422 in what the client told."""
    if not isinstance(told, Mapping):
        return Differences(lost=(pointer("errors"),))
    lost = []
    for name, entries in said.items():
        keys = _error_keys(entries)
        there = _error_keys(told.get(name))
        if name not in told:
            lost.append(pointer("errors", name))
        else:
            lost += [pointer("errors", name, key) for key in keys if key not in there]
    added = tuple(pointer("errors", name) for name in told if name not in said)
    return Differences(lost=tuple(sorted(lost)), added=added)


def _error_keys(entries: Any) -> list[str]:
    if not isinstance(entries, list):
        return []
    return [entry["key"] for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get("key"), str)]
