"""The clean-up journal: on disk before anything is created, gone when nothing is left."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.clock import VirtualClock
from conformance.judging.judge import Judge
from conformance.servers.campaign import cleanup
from conformance.servers.campaign.journal import Journal, JournalEntry, JournalError, folder, left_behind
from conformance.servers.campaign.subject_session import open_session
from conformance.servers.subject import EPOCH, ConfigurationError, Subject, in_process

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


def test_odd_lines_are_named_and_kept_aside_and_the_good_ones_count() -> None:
    journal = Journal.of_run("http://localhost:1", "run1")
    journal.open(ONE)
    journal._file.close()  # type: ignore[union-attr]
    [path] = files()
    odd = [
        b"\xff\xfe",
        b"5",
        b"[]",
        b'{"open": ["a"]}',
        b'{"open": "abc"}',
        b'{"open": [1, 2, 3]}',
        b'{"a": 1, "b": 2}',
    ]
    good = path.read_bytes()
    path.write_bytes(b"\n".join(odd) + b"\n" + good + b'{"open": ["default", "cal_9", "torn')
    with pytest.warns(UserWarning, match=r"7 lines of the journal .*run1\.ndjson cannot be read: see .*\.bad"):
        [left] = left_behind("http://localhost:1")
    assert left.entries == (ONE,)
    left.close(())
    assert path.with_name("run1.ndjson.bad").read_bytes() == b"\n".join(odd) + b"\n"
    assert files() == []


def test_a_journal_that_cannot_be_opened_is_named_and_blocks_no_other() -> None:
    journal = Journal.of_run("http://localhost:1", "run2")
    journal.open(ONE)
    journal._file.close()  # type: ignore[union-attr]
    files()[0].with_name("run1.ndjson").mkdir()
    with pytest.warns(UserWarning, match="cannot be opened: no regular file"):
        [left] = left_behind("http://localhost:1")
    assert left.entries == (ONE,)
    left.close(())


def test_a_journal_and_its_folder_are_their_owners_alone() -> None:
    journal = Journal.of_run("http://localhost:1", "run1")
    [path] = files()
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    journal.close()


@pytest.mark.parametrize("blocked", ["file", "no home"])
def test_a_journal_that_cannot_be_made_is_a_wrong_set_up(
    blocked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if blocked == "file":
        (tmp_path / "journal").write_text("")
    else:
        monkeypatch.delenv("CRONOFY_CONFORMANCE_JOURNAL")
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        monkeypatch.setattr(Path, "home", _no_home)
    with pytest.raises(ConfigurationError, match="--journal or CRONOFY_CONFORMANCE_JOURNAL"):
        Journal.of_run("http://localhost:1", "run1")
    other = Journal.of_run("http://localhost:1", "run1", tmp_path / "other")
    other.close()


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_clean_ups_and_new_runs_side_by_side_lose_no_entry(tmp_path: Path) -> None:
    stop = threading.Event()

    def clean_up() -> None:
        while not stop.is_set():
            for left in left_behind("http://localhost:1"):
                left.close(left.entries)

    threads = [threading.Thread(target=clean_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(60):
            journal = Journal.of_run("http://localhost:1", f"run{number}")
            journal.open(ONE)
            journal._file.close()  # type: ignore[union-attr]  # as the end of the process does
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    found = list(left_behind("http://localhost:1"))
    assert [left.entries for left in found] == [(ONE,)] * 60
    for left in found:
        left.close(())


def test_a_full_disk_ends_creating_and_not_forgetting(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.ndjson")
    journal.open(ONE)
    journal._file.close()  # type: ignore[union-attr]
    journal._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - closed below
    with pytest.raises(JournalError, match="cannot be written: No space left on device"):
        journal.open(OTHER)
    journal.settle(ONE)
    journal._file.close()


@contextmanager
def _disk_of(size: int) -> Iterator[None]:
    """Files may have `size` bytes: what is longer is cut off by the kernel, as on a disk that fills up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_entry_that_a_full_disk_cuts_off_is_not_created_and_spoils_no_other(tmp_path: Path) -> None:
    journal = Journal.of_run("http://localhost:1", "run1")
    journal.open(ONE)
    with _disk_of(files()[0].stat().st_size + 10), pytest.raises(JournalError, match="No space left on device"):
        journal.open(OTHER)
    journal.open(third := JournalEntry("default", "cal_3", "cfc-3"))
    journal._file.close()  # type: ignore[union-attr]
    with pytest.warns(UserWarning, match="1 lines of the journal"):
        [left] = left_behind("http://localhost:1")
    assert left.entries == (ONE, third)
    left.close(())


def test_a_disk_without_room_for_a_journal_is_said_before_anything_is_created() -> None:
    with _disk_of(100), pytest.raises(ConfigurationError, match="cannot be written: No space left on device; name an"):
        Journal.of_run("http://localhost:1", "run1")
    assert files() == []


def test_a_clean_up_on_a_full_disk_forgets_nothing() -> None:
    journal = Journal.of_run("http://localhost:1", "run1")
    journal.open(ONE)
    journal.open(OTHER)
    journal.close()
    [left] = left_behind("http://localhost:1")
    with _disk_of(5):
        left.close((OTHER,))
    [again] = left_behind("http://localhost:1")
    assert again.entries == (ONE, OTHER)
    again.close(())
    assert list(folder().rglob("*.*")) == []


def test_a_pipe_in_the_place_of_a_journal_is_named_and_not_waited_for() -> None:
    Journal.of_run("http://localhost:1", "run1").close()
    os.mkfifo(next(folder().iterdir()) / "pipe.ndjson")
    with pytest.warns(UserWarning, match="cannot be opened: no regular file"):
        assert list(left_behind("http://localhost:1")) == []
