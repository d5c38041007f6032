"""Arguments against requests, responses against reports: what is missing, changed or extra, as JSON pointers.

Equality is of meaning: instants and time zones, equivalent URLs, form fields as pairs, and within
``conferencing`` null equals absent.  Where null, or nothing, stands for an empty text or the reverse, that is no change
but told apart: some languages cannot say null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from conformance.facts.comparisons import compare_urls, parse_api_time

__all__ = [
    "Differences",
    "compare_conferencing",
    "compare_errors",
    "compare_event",
    "compare_event_form",
    "pointer",
]

_UTC = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Z"})
_TIMES = ("start", "end")
#: What a write says of its answer, and not of the event (api-facts.md, 2.1 and 2.5).
_OF_THE_ANSWER = frozenset({"include_userinfo"})
_NAMED = ("pending", "join_url", "provider_name")


@dataclass(frozen=True)
class Differences:
    """JSON pointers to what is missing, changed, extra and emptied, each sorted and without repeats.

    `emptied`: an empty text stands for null, or null or nothing for an empty text.
    """

    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(self._lists())

    def __add__(self, other: Differences) -> Differences:
        both = zip(self._lists(), other._lists(), strict=True)
        return Differences(*(tuple(sorted({*one, *two})) for one, two in both))

    def __len__(self) -> int:
        return sum(map(len, self._lists()))

    def under(self, *keys: str) -> Differences:
        """The same, of a part that stands at these keys."""
        at = pointer(*keys)
        return Differences(*(tuple(at + inner for inner in pointers) for pointers in self._lists()))

    def as_json(self) -> dict[str, list[str]]:
        """The lists under their names."""
        return dict(zip(("missing", "changed", "extra", "emptied"), map(list, self._lists()), strict=True))

    def _lists(self) -> tuple[tuple[str, ...], ...]:
        return self.missing, self.changed, self.extra, self.emptied


@dataclass
class _Found:
    missing: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    extra: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)

    def differences(self) -> Differences:
        return Differences(*(tuple(sorted(one)) for one in (self.missing, self.changed, self.extra, self.emptied)))


def pointer(*keys: str | int) -> str:
    """A JSON pointer (RFC 6901).

    >>> pointer("events", "a/b", 0)
    '/events/a~1b/0'
    """
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def compare_event(requested: Mapping[str, Any], sent: Mapping[str, Any]) -> Differences:
    """The differences between an event to be written and the JSON body that was sent."""
    found = _Found()
    for key in sorted({*requested, *sent}):
        if key in _TIMES or key == "tzid":
            continue
        if key not in requested:
            if key not in _OF_THE_ANSWER and (sent[key] is not None or key == "conferencing"):
                found.extra.add(pointer(key))
        else:
            _compare(requested[key], sent.get(key), (key,), found)
    _compare_times(requested, sent, found)
    return found.differences()


def _compare(requested: Any, sent: Any, at: tuple[str | int, ...], found: _Found) -> None:
    if requested is None or sent is None:
        if requested == "" or sent == "":
            found.emptied.add(pointer(*at))
        elif requested is not None:
            found.missing.add(pointer(*at))
        elif sent is not None:
            found.extra.add(pointer(*at))
    elif isinstance(requested, Mapping) and isinstance(sent, Mapping):
        for key in sorted({*requested, *sent}):
            if key not in requested and sent[key] is not None:
                found.extra.add(pointer(*at, key))
            else:
                _compare(requested.get(key), sent.get(key), (*at, key), found)
    elif isinstance(requested, list) and isinstance(sent, list) and len(requested) == len(sent):
        for number, (one, other) in enumerate(zip(requested, sent, strict=True)):
            _compare(one, other, (*at, number), found)
    elif not _same(requested, sent, at):
        found.changed.add(pointer(*at))


def _same(requested: Any, sent: Any, at: tuple[str | int, ...]) -> bool:
    if at == ("conferencing", "join_url") and isinstance(requested, str):
        return compare_urls(requested, sent) != "different"
    if isinstance(requested, bool) or isinstance(sent, bool):
        return requested is sent
    return bool(requested == sent)


def _compare_times(requested: Mapping[str, Any], sent: Mapping[str, Any], found: _Found) -> None:
    for key in _TIMES:
        if key not in requested:
            if sent.get(key) is not None:
                found.extra.add(pointer(key))
        elif sent.get(key) is None:
            found.missing.add(pointer(key))
        elif not _same_moment(requested[key], sent[key], _zone(requested, key), _zone(sent, key)):
            found.changed.add(pointer(key))
        elif not _same_zone(_zone(requested, key), _zone(sent, key)):
            own = isinstance(requested[key], Mapping) and requested[key].get("tzid") is not None
            place = pointer(key, "tzid") if own else pointer("tzid")
            if _zone(sent, key) is None:
                found.missing.add(place)
            elif _zone(requested, key) is None:
                found.extra.add(place)
            else:
                found.changed.add(place)


def _zone(event: Mapping[str, Any], key: str) -> str | None:
    time = event.get(key)
    zone = time.get("tzid") if isinstance(time, Mapping) else None
    zone = event.get("tzid") if zone is None else zone
    return zone if isinstance(zone, str) else None


def _same_zone(requested: str | None, sent: str | None) -> bool:
    one, other = requested or "Etc/UTC", sent or "Etc/UTC"
    return one == other or {one, other} <= _UTC


def _same_moment(requested: Any, sent: Any, requested_zone: str | None, sent_zone: str | None) -> bool:
    if requested == sent:
        return True
    one, other = (
        parse_api_time(_plain(requested), requested_zone or "Etc/UTC"),
        parse_api_time(_plain(sent), sent_zone or "Etc/UTC"),
    )
    return one is not None and one == other


def _plain(time: Any) -> Any:
    return dict(time) if isinstance(time, Mapping) else time


def compare_event_form(requested: Mapping[str, Any], body: bytes) -> Differences:
    """The differences between an event to be written and the form that was sent: pairs in any order, without types."""
    sent = _by_place((_keys(name), value) for name, value in parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    wanted: dict[tuple[str, ...], list[Any]] = {}
    pointers: dict[tuple[str, ...], str] = {}
    for at, value in _leaves(requested, ()):
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
                found.missing.add(pointers[place])
        elif len(there) != len(values) or not all(
            any(_same_text(value, text, place) for text in there) for value in values
        ):
            found.changed.add(pointers[place])
    for place, texts in sent.items():
        if place not in wanted and place[0] not in zones | _OF_THE_ANSWER and any(texts):
            found.extra.add(pointer(*(key if key else 0 for key in place)))
    _compare_times(requested, _times_of(sent), found)
    lost_whole = {pointer("conferencing")} if "conferencing" in requested and not _has(sent, "conferencing") else set()
    return Differences(
        tuple(sorted({p for p in found.missing if not (lost_whole and p.startswith("/conferencing/"))} | lost_whole)),
        tuple(sorted(found.changed)),
        tuple(sorted({"/conferencing" if p.startswith("/conferencing") and "conferencing" not in requested else p
                      for p in found.extra})),
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


def compare_conferencing(response: Any, reported: Any) -> Differences:
    """The differences between an event's ``conferencing`` as it was read and as the client returned it.

    Only the documented keys count; null and ``pending: false`` are equal to absent, and an empty text nearly so.
    """
    wanted, given = _documented_form(response), _documented_form(reported)
    if given is None:
        return Differences(changed=(pointer("conferencing"),))
    found = _Found()
    for key in ("join_url", "provider_name"):
        one, other = (value.get(key) if isinstance(value, Mapping) else None for value in (response, reported))
        if (one == "" and other is None) or (one is None and other == ""):
            found.emptied.add(pointer("conferencing", key))
    for key in _NAMED:
        at = pointer("conferencing", key)
        one, other = (wanted or {}).get(key), given.get(key)
        if one is None and other is not None:
            found.extra.add(at)
        elif one is not None and other is None:
            found.missing.add(at)
        elif key == "join_url" and isinstance(one, str):
            if compare_urls(one, other) == "different":
                found.changed.add(at)
        elif one != other or isinstance(one, bool) is not isinstance(other, bool):
            found.changed.add(at)
    return found.differences()


def _documented_form(conferencing: Any) -> dict[str, Any] | None:
    if conferencing is None:
        return {}
    if not isinstance(conferencing, Mapping):
        return None
    return {
        key: value
        for key, value in conferencing.items()
        if value is not None and value != "" and not (key == "pending" and value is False)
    }


def compare_errors(response: Mapping[str, Any], reported: Any, message: str = "") -> Differences:
    """The fields and keys of a 422 that the client did not report, and fields that it invented.

    A client without a place for them may have them all in its `message`.
    """
    if not isinstance(reported, Mapping):
        has_all = all(
            name in message and all(key in message for key in _error_keys(response[name])) for name in response
        )
        return Differences() if has_all else Differences(missing=(pointer("errors"),))
    missing = []
    for name, entries in response.items():
        keys = _error_keys(entries)
        there = _error_keys(reported.get(name))
        if name not in reported:
            missing.append(pointer("errors", name))
        else:
            missing += [pointer("errors", name, key) for key in keys if key not in there]
    extra = tuple(pointer("errors", name) for name in reported if name not in response)
    return Differences(missing=tuple(sorted(missing)), extra=extra)


def _error_keys(entries: Any) -> list[str]:
    if not isinstance(entries, list):
        return []
    return [entry["key"] for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get("key"), str)]
