"""The clean-up journal: on disk before anything is created, gone when nothing is left."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from conformance.clock import VirtualClock
from conformance.judging.judge import Judge
from conformance.servers.campaign import cleanup
from conformance.servers.campaign.journal import Journal, JournalEntry, folder, left_behind
from conformance.servers.campaign.subject_session import open_session
from conformance.servers.subject import EPOCH, Subject, in_process

ONE, OTHER = JournalEntry("default", "cal_1", "cfc-1"), JournalEntry("default", "cal_2", "cfc-ü")


@pytest.fixture(autouse=True)
def _journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONOFY_CONFORMANCE_JOURNAL", str(tmp_path / "journal"))


def files() -> list[Path]:
    return sorted(folder().rglob("*.ndjson"))


def test_an_entry_is_on_disk_before_open_returns_and_the_file_goes_with_the_last_one() -> None:
    journal = Journal.of_run("http://localhost:1", "run1")
    journal.open(ONE)
    journal.open(ONE)
    journal.open(OTHER)
    assert files()[0].read_text(encoding="utf-8").count("\n") == 2
    journal.settle(ONE)
    assert journal.entries == (OTHER,)
    journal.settle(OTHER)
    journal.settle(OTHER)
    journal.close()
    assert files() == []


def test_what_a_killed_run_left_is_found_for_its_subject_only() -> None:
    journal = Journal.of_run("http://localhost:1", "run1")
    journal.open(ONE)
    journal.open(OTHER)
    journal.settle(ONE)
    journal._file.close()  # type: ignore[union-attr]  # as the end of the process does
    with files()[0].open("a", encoding="utf-8") as file:
        file.write('{"open": ["default", "cal')  # cut off by the kill
    assert list(left_behind("http://localhost:2")) == []
    left = list(left_behind("HTTP://localhost:1"))
    assert [one.entries for one in left] == [(OTHER,)]
    left[0].close((OTHER,))
    again = list(left_behind("http://localhost:1"))
    assert [one.entries for one in again] == [(OTHER,)]
    again[0].close(())
    assert files() == []


def test_the_journal_of_a_run_in_progress_is_skipped() -> None:
    journal = Journal.of_run("http://localhost:1", "run1")
    journal.open(ONE)
    assert list(left_behind("http://localhost:1")) == []
    journal.close()
    left = list(left_behind("http://localhost:1"))
    assert [one.entries for one in left] == [(ONE,)]
    left[0].close(left[0].entries)


def test_without_a_path_nothing_is_written() -> None:
    journal = Journal()
    journal.open(ONE)
    journal.close()
    assert (journal.entries, files()) == ((ONE,), [])


class _RefusesDeletes:
    """An application that answers no DELETE with success, and lists one event."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        events = [{"calendar_id": OTHER.calendar_id, "event_id": OTHER.event_id}]
        calendars = [{"calendar_id": "cal_1"}]
        page = {"pages": {"current": 1, "total": 1}, "events": events, "calendars": calendars}
        body = page if scope["method"] == "GET" else {}
        await send({"type": "http.response.start", "status": 200 if body else 422, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _subject() -> Subject:
    return in_process(_RefusesDeletes(), {"default": "a-token"}, clock=VirtualClock(EPOCH))


def test_an_event_that_no_reading_lists_is_gone_whatever_its_delete_was_answered() -> None:
    journal = Journal()

    async def cleaned() -> tuple[JournalEntry, ...]:
        subject = _subject()
        async with open_session(subject, subject.settings(), Judge(()), "run1") as session:
            session.journal = journal
            journal.open(ONE)
            journal.open(OTHER)
            return await session.clean()

    assert asyncio.run(cleaned()) == (OTHER,)


def test_a_later_clean_up_forgets_what_is_gone_and_keeps_what_is_listed() -> None:
    journal = Journal.of_run("http://localhost", "run1")
    journal.open(ONE)
    journal.open(OTHER)
    journal._file.close()  # type: ignore[union-attr]  # as the end of the process does
    assert asyncio.run(cleanup(_subject())) == (1, (OTHER,))
    assert asyncio.run(cleanup(_subject())) == (0, (OTHER,))
