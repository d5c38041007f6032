from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from conformance.cli.files import write_atomically


class LeakError(Exception):
    pass


def _clean(text: str, where: str) -> None:
    assert where.endswith(("report.json", "null", "link"))


def _leaking(text: str, where: str) -> None:
    raise LeakError(where)


def test_a_file_is_written_as_a_whole_and_its_owner_alone_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.json"
    before = os.umask(0o027)
    try:
        write_atomically(path, "é\n", _clean)
    finally:
        os.umask(before)
    assert path.read_bytes() == "é\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["report.json"]


def test_nothing_is_written_if_a_secret_is_found(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    with pytest.raises(LeakError):
        write_atomically(path, "new", _leaking)
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("report.json", "old")]


def test_the_old_file_stays_if_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.mkdir()
    with pytest.raises(OSError):
        write_atomically(path, "new", _clean)
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_a_device_is_written_to_and_a_link_stays_a_link(tmp_path: Path) -> None:
    write_atomically(Path("/dev/null"), "x", _clean)
    assert Path("/dev/null").is_char_device()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    write_atomically(link, "x", _clean)
    assert (link.is_symlink(), (tmp_path / "target").read_text()) == (True, "x")


def test_no_temporary_file_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "report.json", "new", _clean)
    assert list(tmp_path.iterdir()) == []
