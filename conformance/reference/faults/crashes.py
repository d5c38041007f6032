"""Requests that the server answers with 500, however often they are sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from conformance.reference.calls import ADMIT, Answer, Call
from conformance.reference.hooks import Override, at, fault

__all__ = ["CRASHES"]


def _crashes(when: Callable[[Call], bool]) -> Override:
    return at(ADMIT, lambda right, call: Answer(500) if call.token and when(call) else right)


def _writing(when: Callable[[Mapping[str, Any]], bool]) -> Override:
    return _crashes(lambda call: call.method == "POST" and when(_body(call)))


def _body(call: Call) -> Mapping[str, Any]:
    try:
        body = json.loads(call.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _conferencing(body: Mapping[str, Any]) -> Any:
    return body.get("conferencing", {"profile_id": None})


def _lacks(name: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether explicit conferencing lacks a field that the server takes for granted."""

    def lacks(body: Mapping[str, Any]) -> bool:
        value = _conferencing(body)
        return isinstance(value, dict) and value.get("profile_id") == "explicit" and name not in value

    return lacks


CRASHES = (
    fault(
        "crash-on-8x8",
        "B15",
        "always",
        "A write with the deprecated value `8x8` is answered with 500",
        _writing(lambda body: _conferencing(body) == {"profile_id": "8x8"}),
    ),
    fault(
        "crash-on-all-day",
        "2.1",
        "case",
        "A write whose start is a date is answered with 500",
        _writing(
            lambda body: isinstance(body.get("start"), str) and "T" not in body["start"] and len(body["start"]) == 10
        ),
    ),
    fault(
        "crash-without-join-url",
        "B9",
        "case",
        "A write of explicit conferencing without join_url is answered with 500",
        _writing(_lacks("join_url")),
    ),
    fault(
        "crash-without-profile-id",
        "A4",
        "case",
        "A write of conferencing without profile_id is answered with 500",
        _writing(lambda body: isinstance(_conferencing(body), dict) and "profile_id" not in _conferencing(body)),
    ),
    fault(
        "crash-on-localized-times",
        "2.2",
        "case",
        "Readings with localized_times are answered with 500",
        _crashes(lambda call: call.method == "GET" and "localized_times" in call.query),
    ),
    fault(
        "crash-on-page-two",
        "2.2",
        "always",
        "Pages after the first one are answered with 500",
        _crashes(lambda call: "/pages/" in call.path),
    ),
)
