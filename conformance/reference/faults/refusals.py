"""The documented 422, and other refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.reference.calls import LEFT_BY_REFUSAL, MAY_WRITE, REFUSAL, Answer, RefusedWrite
from conformance.reference.conferencing import default_service
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import Phase, Service, StoredWrite, Version
from conformance.reference.overrides import assigned, drops_problem, is_integrated, refused, served_by
from conformance.reference.validation import NOT_AVAILABLE, PROBLEMS

__all__ = ["REFUSALS"]

_FIELD = "conferencing.profile_id"


def _unavailable(write: StoredWrite) -> bool:
    return is_integrated(write) and write.calendar.integrated is None


def _accepted(when: Callable[[StoredWrite], bool]) -> Override:
    return drops_problem(lambda write: _unavailable(write) and when(write), _FIELD)


def _unavailable_if(when: Callable[[StoredWrite], bool]) -> Override:
    """The documented refusal, in writes where `when` holds."""
    return at(PROBLEMS, lambda right, write: {**right, _FIELD: [dict(NOT_AVAILABLE)]} if when(write) else right)


def _answers(change: Callable[[Answer], Answer]) -> Override:
    return at(REFUSAL, lambda right, refused: change(right) if _unavailable(refused.write) else right)


def _body(change: Callable[[list[dict[str, str]]], Any]) -> Override:
    def alter(right: Answer, refused: RefusedWrite) -> Answer:
        if not _unavailable(refused.write) or _FIELD not in refused.errors:
            return right
        return replace(right, body=change([dict(each) for each in refused.errors[_FIELD]]))

    return at(REFUSAL, alter)


def _shape(change: Callable[[Mapping[str, Any]], Any]) -> Override:
    return at(REFUSAL, lambda right, refused: replace(right, body=change(refused.errors)))


def _written(write: StoredWrite, *, fields: Mapping[str, Any], conferencing: bool) -> Version:
    """What a refused write leaves behind: these fields, and the conferencing that was there or none."""
    previous = write.previous
    return Version(
        at=write.at,
        serial=write.serial,
        fields=fields,
        conferencing=write.before if conferencing else (Phase(write.at, None),),
        kind=write.kind,
        origin=previous.origin if previous and conferencing else "none",
        service=previous.service if previous and conferencing else None,
    )


def _left(when: Callable[[StoredWrite], bool], version: Callable[[StoredWrite], Version | None]) -> Override:
    return at(LEFT_BY_REFUSAL, lambda right, refused: version(refused.write) if when(refused.write) else right)


def _complete(write: StoredWrite) -> bool:
    return "start" in write.fields and "end" in write.fields and bool(write.event_id)


def _refused_conferencing(write: StoredWrite) -> bool:
    return write.body.get("conferencing") is not None and _complete(write)


def _fields_of(write: StoredWrite) -> Mapping[str, Any]:
    return write.previous.fields if write.previous else write.fields


REFUSALS = (
    fault(
        "unavailable-integrated-accepted",
        "X1",
        "always",
        "`integrated` is accepted on a calendar that has no service of its own, and generates nothing",
        _accepted(lambda _: True),
    ),
    fault(
        "unavailable-integrated-accepted-on-update",
        "X1",
        "case",
        "`integrated` is accepted in an update on a calendar that has no service of its own",
        _accepted(lambda write: not write.creates),
    ),
    fault(
        "unavailable-integrated-accepted-after-explicit",
        "X1",
        "sequence",
        "`integrated` is accepted where the event has explicit conferencing",
        _accepted(lambda write: write.origin == "explicit"),
    ),
    fault(
        "unavailable-integrated-uses-profile",
        "X1 B10",
        "case",
        "`integrated` falls back to the user's profile on a calendar that has no service of its own",
        _accepted(lambda write: default_service(write) is not None),
        served_by(_unavailable, default_service),
    ),
    fault(
        "unavailable-integrated-generates",
        "X1 B12",
        "always",
        "`integrated` generates Google Meet on a calendar that is flagged as having no service",
        _accepted(lambda _: True),
        served_by(_unavailable, lambda _: Service("google_meet", "integrated")),
    ),
    fault(
        "available-integrated-refused",
        "B10 B12",
        "always",
        "`integrated` is refused on calendars that are flagged as having it",
        _unavailable_if(lambda write: is_integrated(write) and bool(write.calendar.integrated)),
    ),
    fault(
        "available-integrated-refused-on-microsoft",
        "B10 B11 B12",
        "case",
        "`integrated` is refused on Microsoft calendars, where it is available",
        _unavailable_if(lambda write: is_integrated(write) and write.calendar.provider_name != "google"),
    ),
    fault(
        "available-integrated-refused-on-update",
        "B10 B12 D2",
        "case",
        "`integrated` is refused in updates",
        refused(lambda write: is_integrated(write) and not write.creates and not _unavailable(write)),
    ),
    fault(
        "unavailable-integrated-answers-400",
        "X1",
        "always",
        "The documented 422 is a 400",
        _answers(lambda right: replace(right, status=400)),
    ),
    fault(
        "unavailable-integrated-answers-202",
        "X1",
        "always",
        "The documented errors come with status 202",
        _answers(lambda right: replace(right, status=202)),
    ),
    fault(
        "unavailable-integrated-answers-400-on-update",
        "X1",
        "case",
        "The documented 422 is a 400 in updates",
        at(
            REFUSAL,
            lambda right, refused: (
                replace(right, status=400) if _unavailable(refused.write) and not refused.write.creates else right
            ),
        ),
    ),
    fault(
        "unavailable-integrated-without-body",
        "X3",
        "always",
        "The 422 has no body",
        _answers(lambda right: replace(right, body=None)),
    ),
    fault(
        "unavailable-integrated-key-renamed",
        "X3",
        "always",
        "The error has another key",
        _body(lambda errors: {"errors": {_FIELD: [{**errors[0], "key": "errors.conferencing_unavailable"}]}}),
    ),
    fault(
        "unavailable-integrated-field-nested",
        "X3",
        "always",
        "The error is under nested keys",
        _body(lambda errors: {"errors": {"conferencing": {"profile_id": errors}}}),
    ),
    fault(
        "unavailable-integrated-field-shortened",
        "X3",
        "always",
        "The error is under profile_id",
        _body(lambda errors: {"errors": {"profile_id": errors}}),
    ),
    fault(
        "unavailable-integrated-error-not-in-list",
        "X3",
        "always",
        "The error is an object instead of a list",
        _body(lambda errors: {"errors": {_FIELD: errors[0]}}),
    ),
    fault(
        "unavailable-integrated-errors-as-list",
        "X3",
        "always",
        "The errors are one list",
        _body(lambda errors: {"errors": [{"field": _FIELD, **errors[0]}]}),
    ),
    fault(
        "unavailable-integrated-without-errors-key",
        "X3",
        "always",
        "The errors are at the top level of the body",
        _body(lambda errors: {_FIELD: errors}),
    ),
    fault(
        "unavailable-integrated-creates-event",
        "X1",
        "case",
        "A refused creation still creates the event",
        _left(
            lambda write: _unavailable(write) and write.creates and _complete(write),
            lambda write: _written(write, fields=write.fields, conferencing=True),
        ),
    ),
    fault(
        "unavailable-integrated-writes-fields",
        "X1",
        "case",
        "A refused update changes the event's other fields",
        _left(
            lambda write: _unavailable(write) and not write.creates and _complete(write),
            lambda write: _written(write, fields=write.fields, conferencing=True),
        ),
    ),
    fault(
        "unavailable-integrated-removes-conferencing",
        "X1 D3",
        "case",
        "A refused update removes the conferencing that the event has",
        _left(
            lambda write: _unavailable(write) and not write.creates and assigned(write.settles_before),
            lambda write: _written(write, fields=_fields_of(write), conferencing=False),
        ),
    ),
    fault(
        "refused-conferencing-writes-event",
        "2.8 X1",
        "always",
        "Writes that are refused for their conferencing are written without it",
        _left(_refused_conferencing, lambda write: _written(write, fields=write.fields, conferencing=True)),
    ),
    fault(
        "refused-conferencing-removes",
        "2.8 D3",
        "case",
        "An update that is refused for its conferencing removes what the event had",
        _left(
            lambda write: _refused_conferencing(write) and not write.creates and assigned(write.settles_before),
            lambda write: _written(write, fields=_fields_of(write), conferencing=False),
        ),
    ),
    fault(
        "errors-as-text",
        "2.8 X3",
        "always",
        "Every 422 has one text instead of errors by field",
        _shape(lambda errors: {"error": "unprocessable", "error_description": ", ".join(sorted(errors))}),
    ),
    fault(
        "conferencing-required",
        "A3",
        "case",
        "A creation without conferencing is refused",
        refused(
            lambda write: write.creates and write.body.get("conferencing") is None,
            "conferencing",
            "required",
            "conferencing must be specified",
        ),
    ),
    fault(
        "description-required",
        "2.1",
        "case",
        "An event without description is refused",
        refused(lambda write: "description" not in write.body, "description", "required", "must be specified"),
    ),
    fault(
        "read-only-calendar-writable",
        "2.1",
        "case",
        "Writes to a read-only calendar are accepted",
        at(MAY_WRITE, lambda right, calendar: None if calendar.readonly else right),
    ),
    fault(
        "deleted-calendar-writable",
        "2.1",
        "case",
        "Writes to a deleted calendar are accepted",
        at(MAY_WRITE, lambda right, calendar: None if calendar.deleted else right),
    ),
)
