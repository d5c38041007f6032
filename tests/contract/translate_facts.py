"""Translate facts documents from the words before version 0.2 to today's.

``python tests/contract/translate_facts.py FILE…`` prints each document in today's words, one after the other.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: The new names of members, by kind of document and old path; items of a list have the path of the list.
_OBSERVATION = {
    "as_written": "matching_fields",
    "not_as_written": "mismatching_fields",
    "differs_from_before": "fields_changed_since_before",
    "provider_name_left_over": "provider_name_is_stale",
    "join_url_of_another_event": "join_url_shared_with",
    "join_url_as_asked_before": "join_url_as_requested_before",
}
_OBSERVATIONS = ("after.seen", "after.newest", "after.quiet", "after.final")
MEMBERS: Mapping[str, Mapping[str, str]] = {
    "write": {
        "asks": "requested",
        "plain": "otherwise_valid",
        "creates": "is_create",
        "changes": "changed_fields",
        "resolves": "resolution",
        "resolves.to": "source",
        "resolves.foreign": "other_account",
        "before.origin": "requested_as",
        "before.asked": "pending_request",
        "after.ended": "closed_by",
        "after.readings": "read_count",
        "after.watched": "window_elapsed",
        "after.seen": "observed",
        "after.newest": "latest",
        "after.quiet": "stable",
        "after.final": "settled",
        "after.stayed": "remained",
        **{f"{path}.{old}": new for path in _OBSERVATIONS for old, new in _OBSERVATION.items()},
    },
    "account": {"asked_for_conferencing": "conferencing_requests"},
    "ask": {
        "do": "operation",
        "asked": "arguments",
        "asks": "requested",
        "lawful": "valid",
        "asked_before": "requested_before",
        "earlier": "previous_conferencing",
        "sent.unasked_writes": "unrequested_writes",
        "answers": "statuses",
        "final": "last_status",
        "told": "reported",
        "told_as": "report_kind",
        "raised": "raised_without_status",
        "told_status_seen": "reported_status_seen",
        "given": "returned",
        "compared.sent_lost": "request_missing",
        "compared.sent_changed": "request_changed",
        "compared.sent_added": "request_extra",
        "compared.told_lost": "result_missing",
        "compared.told_changed": "result_changed",
        "compared.told_added": "result_extra",
        "read.pages_there": "page_count",
    },
    "exchange": {"access": "token", "calendar.foreign": "other_account"},
    "reading": {
        "flags.windowed": "time_filtered",
        "counted": "page_numbers_consistent",
        "finished": "all_pages_read",
        "externals": "unmanaged_count",
        "listing.identified": "event_id_unexpected",
        "listing.uninvited": "wrong_calendar",
        "listing.foreign": "other_account",
        "listing.external": "unmanaged",
        "listing.repeated": "duplicated",
        "listing.managed": "managed_unexpected",
        "listing.deleted": "deleted_unexpected",
    },
    "conferencing": {},
    "directory": {},
}

#: The new values of members, by kind of document and old path.
_REQUESTED = {"nothing": "omitted"}
VALUES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "write": {
        "asks": _REQUESTED,
        "before.state": {"settling": "in_progress"},
        "after.ended": {"quiet": "stable"},
        **{f"{path}.join_url_of_another_event": {"asked": "explicit"} for path in _OBSERVATIONS},
        **{f"{path}.location": {"as_written": "as_sent"} for path in _OBSERVATIONS},
    },
    "ask": {"about": {"ask": "call"}, "asks": _REQUESTED},
    "exchange": {"access": {"none": "missing", "granted": "accepted"}},
}


def translated(document: Mapping[str, Any]) -> dict[str, Any]:
    """A facts document in today's words; raises ValueError for one of an unknown kind."""
    kind = document.get("about")
    if kind not in MEMBERS:
        raise ValueError(f"about is {kind!r}, expected one of: {', '.join(MEMBERS)}")
    result: dict[str, Any] = _translated(document, "", MEMBERS[kind], VALUES.get(kind, {}))
    return result


def _translated(value: Any, path: str, members: Mapping[str, str], values: Mapping[str, Mapping[str, str]]) -> Any:
    """A value at an old path: bodies, headers and whatever else is not in the tables stay as they are."""
    if isinstance(value, Mapping):
        inner = {name: f"{path}.{name}" if path else name for name in value}
        return {
            members.get(inner[name], name): _translated(value[name], inner[name], members, values) for name in value
        }
    if isinstance(value, list):
        return [_translated(item, path, members, values) for item in value]
    return values.get(path, {}).get(value, value) if isinstance(value, str) else value


def main(paths: list[str]) -> int:
    """Print the documents in the files; the exit code is 2 if one of them is no facts document."""
    for path in paths:
        try:
            print(json.dumps(translated(json.loads(Path(path).read_text(encoding="utf-8"))), indent=2))
        except (OSError, ValueError, AttributeError) as error:
            print(f"{path}: {error}; name a facts document", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
