"""Explicit conferencing."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from conformance.reference.conferencing import OUTCOME, SERVICE, conference, default_service, scheduled
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import Service, StoredWrite
from conformance.reference.overrides import (
    GENERATED,
    assigned,
    drops_problem,
    generated_by_default,
    ignored,
    is_explicit,
    refused,
    reset,
    reshaped,
    then_later,
)

__all__ = ["EXPLICIT"]


def _url(change: Callable[[str], str]) -> Override:
    return reshaped(is_explicit, lambda value, _: {**value, "join_url": change(value["join_url"])})


def _parts(**changes: Callable[[Any], str]) -> Override:
    def change(url: str) -> str:
        parts = urlsplit(url)
        return urlunsplit(parts._replace(**{name: alter(getattr(parts, name)) for name, alter in changes.items()}))

    return _url(change)


def _without_port(netloc: str) -> str:
    host, colon, port = netloc.rpartition(":")
    return host if colon and port.isdigit() and port not in ("80", "443") else netloc


def _incomplete(write: StoredWrite, name: str) -> bool:
    return is_explicit(write) and not write.requested_field(name)


def _differs_in_case(write: StoredWrite) -> bool:
    shown = write.settles_before
    old = shown.get("join_url") if isinstance(shown, dict) else None
    new = write.requested_field("join_url")
    return isinstance(old, str) and isinstance(new, str) and old != new and old.lower() == new.lower()


def _was_sent(write: StoredWrite) -> bool:
    earlier = (each for each in write.store.writes if each.serial < write.serial and each.key == write.key)
    return any(each.body == write.body for each in earlier)


def _previous_url(right: Any, write: StoredWrite) -> Any:
    others = [
        each
        for each in write.store.writes
        if is_explicit(each) and each.account == write.account and each.event_id != write.event_id
    ]
    if not (is_explicit(write) and others and assigned(right)):
        return right
    return {**right, "join_url": others[-1].requested_field("join_url")}


def _works_whatever_scheme(write: StoredWrite, *, absolute: bool) -> bool:
    url = write.requested_field("join_url")
    has_scheme = isinstance(url, str) and bool(urlsplit(url).scheme) and " " not in url
    return is_explicit(write) and isinstance(url, str) and has_scheme is absolute


EXPLICIT = (
    fault("explicit-ignored", "B8", "always", "`explicit` sets nothing", ignored(is_explicit)),
    fault(
        "explicit-ignored-on-update",
        "B8 D2",
        "case",
        "`explicit` works on creation only",
        ignored(lambda write: is_explicit(write) and not write.creates),
    ),
    fault(
        "explicit-ignored-with-location",
        "B8",
        "case",
        "`explicit` sets nothing where the event has a location",
        ignored(lambda write: is_explicit(write) and bool(write.body.get("location"))),
    ),
    fault(
        "explicit-ignored-second-time",
        "B8",
        "sequence",
        "A second `explicit` in a row changes nothing",
        ignored(lambda write: is_explicit(write) and write.origin == "explicit"),
    ),
    fault(
        "explicit-ignored-after-generated",
        "B8",
        "sequence",
        "`explicit` does not replace a generated conference",
        ignored(lambda write: is_explicit(write) and write.origin in GENERATED),
    ),
    fault(
        "explicit-ignored-after-none",
        "B8 B7",
        "sequence",
        "`explicit` sets nothing once `none` removed what was there",
        ignored(lambda write: is_explicit(write) and write.origin == "none" and write.kinds != ("none",)),
    ),
    fault(
        "explicit-generates-with-a-profile",
        "B8",
        "case",
        "`explicit` generates a conference where the account has a profile",
        reset(lambda write: is_explicit(write) and bool(write.store.profiles(write.account)), generated_by_default),
    ),
    fault(
        "explicit-generates-where-integrated-is-available",
        "B8",
        "case",
        "`explicit` is replaced by the calendar's own service where there is one",
        at(
            OUTCOME,
            lambda right, write: (
                conference(Service(write.calendar.integrated, "integrated"), write)
                if is_explicit(write) and write.calendar.integrated
                else right
            ),
        ),
    ),
    fault(
        "explicit-url-compared-without-case",
        "B8 F7",
        "sequence",
        "A join URL that differs from the event's own in case alone changes nothing",
        ignored(lambda write: is_explicit(write) and _differs_in_case(write)),
    ),
    fault(
        "explicit-sent-before-is-ignored",
        "B8 B7",
        "sequence",
        "A body that is sent once more is taken for a repeat, whatever came in between",
        ignored(lambda write: is_explicit(write) and _was_sent(write)),
    ),
    fault("explicit-url-lower-cased", "B8", "case", "The URL's path is lower-cased", _parts(path=str.lower)),
    fault("explicit-url-without-query", "B8", "case", "The URL's query is dropped", _parts(query=lambda _: "")),
    fault(
        "explicit-url-without-fragment", "B8", "case", "The URL's fragment is dropped", _parts(fragment=lambda _: "")
    ),
    fault("explicit-url-without-port", "B8", "case", "The URL's port is dropped", _parts(netloc=_without_port)),
    fault(
        "explicit-url-made-https",
        "B8 F8",
        "case",
        "A URL with http is read back with https",
        _parts(scheme=lambda _: "https"),
    ),
    fault(
        "explicit-url-unescaped", "B8", "case", "Escapes in the URL are decoded", _parts(path=unquote, query=unquote)
    ),
    fault("explicit-url-html-escaped", "B8", "case", "The URL is escaped for HTML", _url(html.escape)),
    fault("explicit-url-cut-at-255", "B8", "case", "A URL over 255 characters is cut", _url(lambda url: url[:255])),
    fault("explicit-url-cut-at-2000", "B8", "case", "A URL over 2,000 characters is cut", _url(lambda url: url[:2000])),
    fault(
        "explicit-fields-swapped",
        "B8 S2",
        "always",
        "The description is read back as the URL",
        reshaped(
            is_explicit,
            lambda value, write: {
                "provider_name": value["join_url"],
                "join_url": write.requested_field("provider_description"),
            },
        ),
    ),
    fault(
        "explicit-without-url-in-reads",
        "B8 S2",
        "always",
        "Explicit conferencing reads back with a provider and no URL",
        reshaped(is_explicit, lambda _, write: {"provider_name": write.requested_field("provider_description")}),
    ),
    fault(
        "explicit-without-provider-in-reads",
        "S3 S8",
        "always",
        "Explicit conferencing reads back without the key provider_name",
        reshaped(is_explicit, lambda value, _: {"join_url": value["join_url"]}),
    ),
    fault(
        "explicit-keeps-provider-of-generated",
        "S1 S3",
        "sequence",
        "Explicit conferencing shows the provider of the generated conference that it replaces",
        reshaped(
            lambda write: is_explicit(write) and write.origin in GENERATED and assigned(write.settles_before),
            lambda value, write: {**value, "provider_name": write.settles_before["provider_name"]},
        ),
    ),
    fault(
        "explicit-url-of-another-event",
        "B8",
        "sequence",
        "Explicit conferencing reads back with the URL that was sent last for another event",
        at(OUTCOME, _previous_url),
    ),
    fault(
        "explicit-vanishes-later",
        "B8",
        "always",
        "Explicit conferencing disappears after a moment",
        then_later(is_explicit, lambda _, __: None),
    ),
    fault(
        "explicit-replaced-later",
        "B8",
        "case",
        "Explicit conferencing is replaced by the default some time later",
        then_later(
            lambda write: is_explicit(write) and default_service(write) is not None,
            lambda right, write: generated_by_default(write)[-1].shows if generated_by_default(write) else right,
        ),
    ),
    fault(
        "explicit-falls-back-after-pending",
        "B8 S1",
        "sequence",
        "After pending, explicit conferencing falls back to what the event had before",
        reset(
            lambda write: is_explicit(write) and assigned(write.settles_before),
            lambda write: scheduled(write, write.settles_before),
        ),
    ),
    fault(
        "explicit-http-refused",
        "F8 B8",
        "case",
        "A URL with http is refused",
        refused(
            lambda write: is_explicit(write) and str(write.requested_field("join_url")).lower().startswith("http:"),
            "conferencing.join_url",
        ),
    ),
    fault("explicit-refused", "B8 A6", "always", "`explicit` is refused", refused(is_explicit)),
    fault(
        "explicit-refused-without-native-support",
        "B8",
        "case",
        "`explicit` is refused on hosts that have no field for conferencing",
        refused(lambda write: is_explicit(write) and not write.calendar.holds_conferencing),
    ),
    fault(
        "explicit-without-description-accepted",
        "B9 F1",
        "case",
        "`explicit` without provider_description sets the URL",
        drops_problem(lambda write: _incomplete(write, "provider_description"), "conferencing.provider_description"),
    ),
    fault(
        "explicit-without-url-generates",
        "B9 F5",
        "case",
        "`explicit` without join_url generates a conference",
        drops_problem(lambda write: _incomplete(write, "join_url"), "conferencing.join_url"),
        at(
            SERVICE,
            lambda right, write: (
                default_service(write) or Service("zoom", "made-up") if _incomplete(write, "join_url") else right
            ),
        ),
        at(
            OUTCOME,
            lambda right, write: (
                conference(write.service, write) if write.service and _incomplete(write, "join_url") else right
            ),
        ),
    ),
    fault(
        "explicit-with-other-scheme-accepted",
        "F8",
        "case",
        "A URI that is neither HTTP nor HTTPS is accepted as join_url",
        drops_problem(lambda write: _works_whatever_scheme(write, absolute=True), "conferencing.join_url"),
    ),
    fault(
        "explicit-with-text-as-url-accepted",
        "F8",
        "case",
        "Text that is not a URI is accepted as join_url",
        drops_problem(lambda write: _works_whatever_scheme(write, absolute=False), "conferencing.join_url"),
    ),
)
