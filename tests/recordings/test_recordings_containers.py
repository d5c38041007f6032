"""Compressed recordings are read as they are, and damaged ones are refused in one sentence."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from msgspec import structs

from conformance.http.exchange import Exchange
from conformance.recordings import InvalidRecordingError, SkippedWarning, containers, header, paths, read, read_all

DIALECTS = Path(__file__).parent / "dialects"
NAMES = ["schemathesis.har", "schemathesis.yaml", "schemathesis.ndjson", "right/nock.json"]


def unlabelled(*recordings: Path) -> list[Exchange]:
    return [structs.replace(exchange, label="") for exchange in read_all(recordings)]


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def with_zstd(data: bytes) -> bytes:
    zstandard = pytest.importorskip("zstandard")
    half = len(data) // 2  # two frames, as of two writers
    return b"".join(zstandard.ZstdCompressor().compress(part) for part in (data[:half], data[half:]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("compress", [zipped, with_zstd, lambda data: zipped(zipped(data))])
def test_a_compressed_recording_reads_as_itself(tmp_path: Path, name: str, compress: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "traffic"
    path.write_bytes(compress((DIALECTS / name).read_bytes()))
    assert unlabelled(path) == unlabelled(DIALECTS / name)
    assert next(read(path)).label.startswith(f"{path}#")
    assert header(path) is None


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes")
def test_a_compressed_stream_reads_as_the_file_does(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = Thread(target=pipe.write_bytes, args=[zipped((DIALECTS / NAMES[0]).read_bytes())])
    writing.start()
    (piped,) = paths([pipe])
    writing.join()
    assert unlabelled(piped) == unlabelled(DIALECTS / NAMES[0])


def test_a_pipe_without_an_end_is_refused_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "LARGEST", 1 << 20)
    with subprocess.Popen(["yes", "{}"], stdout=subprocess.PIPE) as endless:
        assert endless.stdout is not None
        with pytest.raises(InvalidRecordingError, match="more than 1 MiB through a pipe; write it to a file"):
            paths([Path(f"/dev/fd/{endless.stdout.fileno()}")])
        endless.kill()


def test_the_lines_of_a_compressed_file_are_sorted_by_time(tmp_path: Path) -> None:
    line = '{{"sent_at":{},"request":{{"method":"GET","url":"http://a/"}},"response":null}}\n'
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(zipped("".join(line.format(f"179536305{n}.0") for n in (7, 5, 6)).encode()))
    assert [exchange.sent_at for exchange in read(path)] == [1795363055.0, 1795363056.0, 1795363057.0]


def test_the_recordings_in_a_zip_are_read_and_what_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "")
        archive.writestr("package.json", "{}")
        archive.write(DIALECTS / NAMES[1], "in/a.yaml")
        archive.writestr("in/b.ndjson.gz", zipped((DIALECTS / NAMES[2]).read_bytes()))
    with pytest.warns(SkippedWarning, match=r"all\.zip/package\.json: no recording"):
        assert [str(one) for one in paths([path])] == [f"{path}/in/a.yaml", f"{path}/in/b.ndjson.gz"]
    with pytest.warns(SkippedWarning):
        found = unlabelled(path)
    assert found == unlabelled(DIALECTS / NAMES[1]) + unlabelled(DIALECTS / NAMES[2])


def test_compressed_recordings_in_a_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.har.gz").write_bytes(zipped((DIALECTS / NAMES[0]).read_bytes()))
    (tmp_path / "notes.gz").write_bytes(zipped(b"no recording"))
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("notes.txt", "")
    with pytest.warns(SkippedWarning, match="a ZIP without a recording"):
        assert [path.name for path in paths([tmp_path])] == ["a.har.gz"]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda data: zipped(data)[:-20], "a compressed file that ends early"),
        (lambda data: zipped(data)[:10] + b"\xff" * 99, "a compressed file that cannot be unpacked"),
        (lambda data: with_zstd(data)[:-9], "a compressed file that ends early"),
        (lambda data: with_zstd(data)[:4] + b"\xff" * 99, "a compressed file that cannot be unpacked"),
        (lambda data: b"PK\x03\x04" + data, "a compressed file that cannot be unpacked"),
        (lambda data: zipped(zipped(zipped(zipped(data)))), "a compressed file; unpack it first"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes], problem: str) -> None:
    path = tmp_path / "traffic"
    path.write_bytes(damage((DIALECTS / NAMES[0]).read_bytes()))
    with pytest.raises(InvalidRecordingError, match=problem):
        list(read(path))


def test_without_zstandard_a_zstd_file_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "traffic"
    path.write_bytes(with_zstd(b"{}"))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(InvalidRecordingError, match=r"install cronofy-conformance\[compression\] to read it"):
        list(read(path))


def test_a_member_with_a_password_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.ndjson", "{}")
        archive.writestr("b.ndjson", "{}")
    data = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(signature, at + 1)
    path.write_bytes(data)
    with pytest.raises(InvalidRecordingError, match="a compressed file that cannot be unpacked"):
        list(read(path))
