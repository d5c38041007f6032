"""Recordings in something else: what came through a pipe, compressed files, and the members of a ZIP."""

from __future__ import annotations

import gzip
import importlib
import io
import lzma
import os
import posixpath
import select
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PosixPath
from typing import IO, Any, Protocol

from conformance.recordings.metadata import InvalidRecordingError, NotARecordingError

__all__ = [
    "LARGEST",
    "SUFFIXES",
    "Contained",
    "Unpacking",
    "beside",
    "is_named_like_one",
    "is_readable_elsewhere",
    "is_ready",
    "opened_at_once",
    "opened_to_seek",
    "reopenable",
    "unpacked",
]

#: Names of recordings in a folder or a ZIP, which may be compressed; what they are, their content decides.
SUFFIXES = (".flow", ".flows", ".har", ".json", ".json5", ".jsonl", ".mitm", ".ndjson", ".yaml", ".yml", ".zip")
_GZIP, _ZSTD, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
#: Bytes of the largest document that is held in memory.
LARGEST = 2**30
#: Bytes of a pipe that are read at once, and seconds in which it is asked whether more has come.
_PIPED, _MOMENT = 2**16, 0.2
#: Windows has no pipes with a name.
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
#: Bytes of zstd that are decoded at once: they decode to 32 MiB at most.
_PIECE = 1024
#: Levels of containers in containers that are unpacked.
_DEEPEST = 3
#: What readers of compressed data raise where it is damaged, cut off or encrypted.
_DAMAGE = (
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    zipfile.BadZipFile,
    lzma.LZMAError,
)


class Contained(PosixPath):
    """The path of a recording in a pipe, a compressed file or a ZIP, which can be opened like a file."""

    opener: Callable[[], IO[bytes]]
    #: What stands for it in messages and reports; None: its path.
    shown: str | None = None
    #: Whether other processes can open it, where that does not depend on a file of this machine.
    is_shared: bool | None = None
    #: Gives the path of another file in the same container, by its name relative to the folder of this one; None: its
    #: neighbours are those of the container.
    neighbour: Callable[[str], Path] | None = None

    def __str__(self) -> str:
        return self.shown or super().__str__()

    def __reduce__(self) -> tuple[Any, ...]:  # it is named in one process, and opened in another
        return _found_again, (str(self),)

    def open(  # type: ignore[override]
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """A stream of the content, from its start."""
        stream = self.opener()
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding, errors, newline)


def beside(path: Path, name: str) -> Path:
    """The path of another file, by its name relative to the folder of `path`: in the same ZIP, or beside it."""
    if isinstance(path, Contained) and path.neighbour is not None:
        return path.neighbour(name)
    return Path(str(path)).parent / name


def _found_again(name: str) -> Path:
    container = next(at for at in (Path(name), *Path(name).parents) if at.exists())
    return next(path for path in unpacked(container) if str(path) == name)


def is_readable_elsewhere(path: Path) -> bool:
    """Whether another process finds the same content under this path: a pipe or a descriptor is this one's own."""
    if isinstance(path, Contained) and path.is_shared is not None:
        return path.is_shared
    container = next((at for at in (path, *path.parents) if Path(at).exists()), path)
    return Path(container).is_file() and not str(path).startswith(("/dev/", "/proc/"))


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Unpacking(io.RawIOBase):
    """The content of a compressed stream; InvalidRecordingError where it is damaged."""

    def __init__(self, path: Path, open_content: Callable[[ExitStack], _Readable]) -> None:
        self.path = path
        with ExitStack() as opened, self.naming_damage():
            self.content: Any = open_content(opened)
            self._opened = opened.pop_all()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self.naming_damage():
            data = self.content.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if hasattr(self, "_opened"):
            self._opened.close()
        super().close()

    @contextmanager
    def naming_damage(self) -> Iterator[None]:
        """Turns what happens while the content is read into InvalidRecordingError."""
        try:
            yield
        except _DAMAGE as error:
            raise _damaged(self.path, error) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "zstandard":  # it is loaded only where it is needed
                raise
            raise _damaged(self.path, error) from None


def reopenable(path: Path) -> Path:
    """`path` itself, or, for a pipe, its content until its end.

    Raises InvalidRecordingError where that is too long.
    """
    if isinstance(path, Contained) or not path.is_fifo():
        return path
    content = io.BytesIO()
    with opened_at_once(path) as pipe:
        while (piece := pipe.read(_PIPED) if is_ready(pipe) else None) != b"":
            content.write(piece or b"")
            if content.tell() > LARGEST:
                advice = "write it to a file, or read it with --follow"
                raise InvalidRecordingError(path, f"more than {LARGEST >> 20} MiB through a pipe", advice)
    data = content.getvalue()
    return _contained(path, lambda: io.BytesIO(data))


def opened_at_once(path: Path) -> IO[bytes]:
    """A file or pipe to read, without a buffer.  A named pipe that nobody writes to yet is not waited for."""
    return open(path, "rb", buffering=0, opener=lambda name, flags: os.open(name, flags | _AT_ONCE))


def is_ready(stream: IO[bytes]) -> bool:
    """Whether reading does not wait, within a moment; a file is always ready.

    A read that waits would not notice a signal that came just before it.
    """
    return bool(select.select([stream], [], [], _MOMENT)[0])


def is_named_like_one(name: str) -> bool:
    """Whether a file in a folder or a ZIP has the name of a recording.

    >>> [name for name in ("a.har", "b.NDJSON.gz", "c.txt") if is_named_like_one(name)]
    ['a.har', 'b.NDJSON.gz']
    """
    return name.lower().removesuffix(".gz").removesuffix(".zst").endswith(SUFFIXES)


def unpacked(path: Path, depth: int = _DEEPEST) -> tuple[Path, ...]:
    """The recordings in a file compressed with gzip or zstd or in a ZIP, `depth` levels deep; others as they are.

    Of a ZIP, the members that have the name of a recording.  A HAR with its attachments stays one recording.  Raises
    InvalidRecordingError.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
    except OSError:
        return (path,)  # refused with its reason when it is read
    if not depth:
        return (path,)
    inside: Iterable[Path] = ()
    if head.startswith(_GZIP):
        inside = [_contained(path, lambda: _stream(path, _gunzip))]
    elif head.startswith(_ZSTD):
        inside = [_contained(path, lambda: _stream(path, _unzstd))]
    elif head.startswith(_ZIP):
        inside = _members(path)
    return tuple(one for file in inside for one in unpacked(file, depth - 1)) or (path,)


def opened_to_seek(path: Path) -> IO[bytes]:
    """A file opened for reading anywhere: what is compressed is unpacked once, into a file without a name."""
    if not isinstance(path, Contained):
        return path.open("rb")
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with path.open("rb") as stream:
        shutil.copyfileobj(stream, copy)
    return copy


def _contained(path: Path, opener: Callable[[], IO[bytes]]) -> Contained:
    contained = Contained(path)
    contained.opener, contained.shown = opener, path.shown if isinstance(path, Contained) else None
    return contained


def _stream(path: Path, unpack: Callable[[Path, ExitStack], _Readable]) -> IO[bytes]:
    return io.BufferedReader(Unpacking(path, lambda opened: unpack(path, opened)), 2**17)


def _gunzip(path: Path, opened: ExitStack) -> _Readable:
    content = gzip.GzipFile(fileobj=opened.enter_context(path.open("rb")))
    opened.callback(content.close)
    return content


def _unzstd(path: Path, opened: ExitStack) -> _Readable:
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError:
        advice = "install cronofy-conformance[compression] to read it, or unpack it"
        raise InvalidRecordingError(path, "a file compressed with zstd", advice) from None
    return _Joined(_frames(zstandard.ZstdDecompressor().decompressobj, opened.enter_context(path.open("rb"))))


def _frames(start: Callable[[], Any], packed: IO[bytes]) -> Iterator[bytes]:
    """The content of the frames of which a stream consists; zstandard's own reader does not notice a missing end."""
    frame, rest = None, b""
    while data := rest or packed.read(_PIECE):
        frame = frame or start()
        yield frame.decompress(data)
        rest = frame.unused_data
        frame = None if frame.eof else frame
    if frame is not None:
        raise EOFError


class _Joined:
    """Pieces of bytes, read as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, size: int) -> bytes:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _members(path: Path) -> list[Contained]:
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            names = [name for name in archive.namelist() if not name.rpartition("/")[2].startswith((".", "__"))]
    except _DAMAGE as error:
        raise _damaged(path, error) from None
    hars = [name for name in names if name.lower().endswith(".har")]
    if len(hars) == 1:
        return [_member(path, hars[0], path)]  # its bodies may be other members: as the ZIP, it is one recording
    found = list(filter(is_named_like_one, names))
    if not found:
        raise NotARecordingError(path, "a ZIP without a recording", f"recordings end in {' '.join(SUFFIXES)}")
    return [_member(path, name, path / name.lstrip("/")) for name in found]


def _member(path: Path, name: str, shown: Path) -> Contained:
    def unzip(_: Path, opened: ExitStack) -> _Readable:
        archive = opened.enter_context(zipfile.ZipFile(opened.enter_context(path.open("rb"))))
        return opened.enter_context(archive.open(name))

    member = _contained(shown, lambda: _stream(shown, unzip))
    folder = posixpath.dirname(name)
    member.neighbour = lambda other: _member(
        path, posixpath.normpath(posixpath.join(folder, other)), shown.parent / other
    )
    return member


def _damaged(path: Path, error: Exception) -> InvalidRecordingError:
    ends_early = isinstance(error, EOFError)
    problem = "a compressed file that ends early" if ends_early else "a compressed file that cannot be unpacked"
    return InvalidRecordingError(path, problem, "copy it again, or compress it again")
