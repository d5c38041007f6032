"""Triggers: what failures have in common and no pass has, in words that stand before what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from conformance.judging.traits import DUE, Traits

__all__ = ["Contrast", "after", "in_words", "is_special", "is_told", "lowered", "rank", "said_by", "said_by_a_message"]

#: How likely a trait may be by chance that is called a trigger, and one that makes failures one group.
_LIKELY, _UNLIKELY = 0.03, 0.01

#: From how many failures on they have anything in common.
_FEWEST = 2

#: From how many failures on a trait is hardly theirs by chance.
_MANY = 3

#: How traits of the readings begin that show an event.
_SHOWN = "shown "

#: What a write may request, in words.
_KINDS = {
    "omitted": "that leaves conferencing out",
    "none": "with the profile_id none",
    "default": "with the profile_id default",
    "integrated": "with the profile_id integrated",
    "profile": "with a conferencing profile",
    "explicit": "with explicit conferencing",
    "8x8": "with the profile_id 8x8",
    "invalid": "with invalid conferencing",
}
_KIND = f"({'|'.join(_KINDS)})"

_CHARACTERS = {"#": "a fragment", "?": "a query", "%": "escapes", ";": "a semicolon", "&": "an ampersand"}
_CHARACTERS |= {"+": "a plus sign", "~": "a tilde", "'": "a quote", '"': "a quote", "<": "the character <"}

#: The traits that people are told, the best first.  The first ones are seldom: defects that share one are one defect.
_SPECIAL: dict[str, str] = {
    r"shown on a later page": "On later pages of a reading",
    r"shown with (localized_times|include_managed|include_deleted|last_modified)": "In readings with {}",
    r"requested in a batch": "Where conferencing is requested by an entry of a batch",
    r"after delete": "After an event was deleted and is created again",
    r"stray (join_url|provider_description)": "Where a {} is sent without the profile_id explicit",
    r"moved into the past": "After an update that moves the event into the past",
    r"moved out of the past": "After an update that moves the event out of the past",
    r"sends an earlier join_url": "Where a join URL is sent for the second time, after another one",
    r"started within a day": "Where the event started less than a day ago",
    r"starts far ahead": "Where the start is more than 100 days ahead",
    r"all_day=True|event\.start is a time": "Wherever the event takes whole days",
    r"event\.start\.tzid.*|event\.start is an object": "Wherever the start names a time zone",
    r"event\.start is a time with an offset": "Wherever the start has an offset from UTC",
    r"start=running": "Where the event has begun and not ended",
    r"no event\.description": "Wherever the event has no description",
    r"no event\.location": "Wherever the event has no location",
    r"event\.location.*": "Wherever the event has a location",
    r"event\.subscriptions.*": "Where the write has subscriptions",
    r"event_id has upper case": "Wherever the event_id has upper case",
    r"event\.(summary|description) is not ASCII": "Where the {} has characters beyond ASCII",
    r"event\.conferencing\.join_url is long": "Where the join URL has more than 200 characters",
    r"event\.conferencing\.join_url is (http):": "Where the join URL begins with {}:",
    r"event\.conferencing\.join_url has a port": "Where the join URL has a port",
    r"event\.conferencing\.join_url has upper case": "Where the join URL has upper case",
    r"event\.conferencing\.join_url is not ASCII": "Where the join URL has characters beyond ASCII",
    r"event\.conferencing\.join_url has '(.)'": "Where the join URL has {}",
}
_GENERAL: dict[str, str] = {
    r"generates after the start": "Where the event has begun",
    r"default without a profile": "Where the account has no conferencing profile and default is requested",
    r"omitted while pending": "Where an update omits conferencing while an earlier request is pending",
    r"requested while pending": "Where an update requests conferencing while an earlier request is pending",
    r"omitted over (.*)": "Where an update omits conferencing and the event has, or is to get, {}",
    r"at once": "Within a second after another write of the event",
    r"again": "When the same conferencing is requested twice in a row",
    r"event\.conferencing\.join_url": "Where a join_url is sent",
    r"event\.conferencing\.provider_description": "Where a provider_description is sent",
    rf"right after {_KIND}": "Right after a write {}",
    rf"after {_KIND}": "After an earlier write {}",
    r"start=past": "Where the event is in the past",
    r"changes (summary|description|start|end)": "Where an update changes the {}",
    r"before\.state=none": "Where the event has no conferencing",
    r"before\.requested_as=explicit": "Where the event has explicit conferencing",
    r"before\.requested_as=(?:default|integrated|profile)": "Where the event has a generated conference",
    r"before\.state=assigned": "Where the event has a conference",
    r"before\.state=in_progress": "Where an earlier request is still pending",
    r"profiles=0": "Where the account has no conferencing profile",
    r"resolution\.source=nothing": "Where nothing is available for the request",
    r"resolution\.source=profile": "Where the request resolves to a conferencing profile",
    r"resolution\.source=integrated": "Where the request resolves to the calendar's own service",
    r"calendar\.integrated_conferencing_available=True": "On calendars with integrated conferencing",
    r"calendar\.integrated_conferencing_available=False": "On calendars without integrated conferencing",
    r"calendar\.provider_name=(.*)": "On calendars of the provider {}",
    r"generates": "Where a generated conference is requested",
    r"is_create=False": "After an update",
    r"is_create=True": "When an event is created",
    rf"(?:{DUE}|requested=){_KIND}": "After a write {}",
}

_TOLD = [re.compile(pattern) for pattern in (*_SPECIAL, *_GENERAL)]
_WORDS = (*_SPECIAL.values(), *_GENERAL.values())

#: What the message of a violation of a rule on writes says already.
_SAID = re.compile(
    rf"{DUE}.*|requested=.*|is_create=.*|before\.(state|requested_as|pending_request)=.*|start=(past|running)"
)


#: What the sentences of modes say.
_SAID_BY = {
    "undeleted": frozenset({"requested=delete"}),
    **dict.fromkeys(("before", "unwritten"), frozenset({"is_create=False"})),
}


@cache
def _place(trait: str) -> int | None:
    """The place of a trait among those that people are told; None where it is not one."""
    return next((place for place, pattern in enumerate(_TOLD) if pattern.fullmatch(trait)), None)


def rank(trait: str) -> tuple[int, int, str]:
    """The place of a trait among all: those that people are told come first."""
    place = _place(trait)
    return len(_TOLD) if place is None else place, len(trait), trait


def is_special(trait: str) -> bool:
    """Whether a trait is so seldom that defects which share it are one."""
    place = _place(trait)
    return place is not None and place < len(_SPECIAL)


def is_told(trait: str) -> bool:
    """Whether a trait is one that people are told."""
    return _place(trait) is not None


def said_by(mode: str, traits: Traits) -> Traits:
    """Those traits that the sentence of a mode says."""
    return traits & _SAID_BY.get(mode.partition(" ")[0], frozenset())


def said_by_a_message(traits: Iterable[str]) -> frozenset[str]:
    """Those traits that the message of a violation says."""
    return frozenset(one for one in traits if _SAID.fullmatch(one))


@dataclass(frozen=True)
class Contrast:
    """What failures have in `common`, the traits of each pass that might have failed alike, and what is `said`.

    `count` is how many failures there are, `usual` the traits of everything that passed.
    """

    common: Traits
    passed: Collection[Traits]
    said: Traits = frozenset()
    count: int = _MANY
    usual: Collection[Traits] = ()

    @property
    def trigger(self) -> tuple[str, ...]:
        """One trait or two which, with what is said, no pass has; none where none is needed, or none tells.

        A seldom trait that no pass has at all says more than what is said.  What so many have that the failures may
        have it by chance tells nothing, nor does what a single one has.
        """
        if self.count < _FEWEST:
            return ()
        how_shown = any(one.startswith(_SHOWN) for its in self.passed for one in its)  # what is missing is not
        known = sorted(
            (one for one in self.common - self.said if is_told(one) and (how_shown or not one.startswith(_SHOWN))),
            key=rank,
        )
        special = [(one,) for one in known if is_special(one) and not any(one in its for its in self.passed)]
        left = [one for one in self.passed if self.said <= one]
        of_event = [one for one in known if not one.startswith(_SHOWN)]
        pairs = [(one, two) for one, two in combinations(of_event, 2) if _place(one) != _place(two)]
        some = [*((one,) for one in known), *pairs] if left else []
        possible = (special if self.passed else []) + [
            one for one in some if not any(its.issuperset(one) for its in left)
        ]
        return next((one for one in possible if self._share(one) ** self.count < _LIKELY), ())

    def _share(self, some: Iterable[str]) -> float:
        """The share of everything that has some traits."""
        return math.prod(sum(one in its for its in self.usual) / max(1, len(self.usual)) for one in some)

    def is_no_chance(self, trait: str, count: int) -> bool:
        """Whether so many failures have a trait that so few passes have that they are of one defect."""
        return self._share([trait]) ** count < _UNLIKELY

    def admits(self, trait: str) -> bool:
        """Whether a trait may be the trigger: the failures have it, and no pass has it and what is said."""
        return trait in self.common and not any(one.issuperset({trait, *self.said}) for one in self.passed)


def after(traits: Iterable[str], effect: str) -> str:
    """What is wrong, after the trigger that leads to it."""
    words = list(dict.fromkeys(map(_in_words, traits)))
    phrases = [words[0], *(lowered(one) for one in words[1:])] if words else []
    return ", ".join([*phrases, lowered(effect)]) if phrases else effect


def in_words(traits: Iterable[str]) -> str:
    """Traits as circumstances, within a sentence."""
    return " and ".join(lowered(one).replace("wherever ", "where ") for one in dict.fromkeys(map(_in_words, traits)))


def _in_words(trait: str) -> str:
    place = _place(trait)
    assert place is not None
    found = _TOLD[place].fullmatch(trait)
    named = found[1] if found and found.groups() else ""
    return _WORDS[place].format(_KINDS.get(named) or _CHARACTERS.get(named) or named)


def lowered(text: str) -> str:
    """A sentence as part of another one."""
    return text if text[1:2].isupper() else f"{text[:1].lower()}{text[1:]}"
