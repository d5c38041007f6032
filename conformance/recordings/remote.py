"""Recordings at a URL: ``s3://…``, ``gs://…``, ``sftp://…``, and whatever else fsspec reads.

Credentials are those of the environment, as its packages find them.  Those in a URL itself are used, and never shown.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from conformance.recordings.containers import Contained, Unpacking, is_named_like_one
from conformance.recordings.metadata import InvalidRecordingError

__all__ = ["Remote", "is_url", "located"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:[A-Za-z][A-Za-z0-9+.-]*::)+")
_USERINFO = re.compile(r"//[^/?#]*@")
#: Bytes that are read at once.
_PIECE = 2**18


def is_url(text: str) -> bool:
    """Whether a text names a recording by its URL, which may be chained as in fsspec, rather than by a path.

    >>> [text for text in ("s3://bucket/a.ndjson", "simplecache::s3://bucket/a", "a/b.har") if is_url(text)]
    ['s3://bucket/a.ndjson', 'simplecache::s3://bucket/a']
    """
    return _URL.match(text) is not None


class Remote(Contained):
    """A file on a filesystem of fsspec, opened like any other; shown without credentials."""

    filesystem: Any
    name_there: str

    def __reduce__(self) -> tuple[Any, ...]:
        return _remote, (self.shown, self.filesystem, self.name_there)

    @property
    def size(self) -> int:
        """Bytes; 0 where the server does not say."""
        with _naming_problems(self):
            return int(self.filesystem.info(self.name_there).get("size") or 0)

    def files(self) -> tuple[Remote, ...]:
        """Itself; the recordings under a URL that ends in a slash; what a pattern with ``*`` names."""
        name = self.name_there
        with _naming_problems(self):
            if "*" in name:
                found = self.filesystem.glob(name)
            elif str(self.shown).endswith("/"):
                found = filter(_is_recording, self.filesystem.find(name))
            else:
                return (self,)
            known = {at: _shown(self.filesystem.unstrip_protocol(at)) for at in sorted(found)}
        if not known:
            raise InvalidRecordingError(self, "no recording is there", "name files, or a folder that ends in a slash")
        return tuple(_remote(shown, self.filesystem, at) for at, shown in known.items())


def located(url: str) -> Remote:
    """The recording at a URL.  Raises InvalidRecordingError where fsspec, or what it needs for it, is not installed."""
    shown = _shown(url)
    try:
        fsspec = importlib.import_module("fsspec")
    except ImportError:
        raise InvalidRecordingError(Path(shown), "a URL", "install cronofy-conformance[urls] to read it") from None
    try:
        filesystem, name = fsspec.core.url_to_fs(url)
    except ImportError as error:  # its message names the package
        raise InvalidRecordingError(
            _remote(shown, None, ""), "fsspec lacks a package for this URL", str(error)
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever a package for a URL raises
        raise _unreadable(_remote(shown, None, ""), error) from None
    return _remote(shown, filesystem, name)


def _is_recording(name: str) -> bool:
    last = name.rpartition("/")[2]
    return is_named_like_one(last) and not last.startswith(".")


def _remote(shown: str, filesystem: Any, name: str) -> Remote:
    path = Remote(shown)
    path.shown, path.filesystem, path.name_there = shown, filesystem, name
    path.is_shared = getattr(filesystem, "protocol", None) != "memory"
    path.opener = lambda: _opened(path)
    path.neighbour = lambda other: _remote(
        f"{shown.rpartition('/')[0]}/{other}", filesystem, posixpath.normpath(f"{name.rpartition('/')[0]}/{other}")
    )
    return path


def _shown(url: str) -> str:
    """A URL without its user info; a query, which may be a signature, is a digest."""
    plain, mark, query = _USERINFO.sub("//", url).partition("?")
    return plain.partition("#")[0] + (mark and f"?{hashlib.sha256(query.encode()).hexdigest()[:8]}")


class _Stream(Unpacking):
    """The content of a remote file; InvalidRecordingError for whatever happens to it."""

    def naming_damage(self) -> Any:
        return _naming_problems(self.path)

    def seekable(self) -> bool:
        return bool(self.content.seekable())

    def seek(self, offset: int, whence: int = 0) -> int:
        with self.naming_damage():
            return int(self.content.seek(offset, whence))


def _opened(path: Remote) -> IO[bytes]:
    stream = _Stream(path, lambda opened: opened.enter_context(path.filesystem.open(path.name_there, "rb")))
    return io.BufferedReader(stream, _PIECE)


@contextmanager
def _naming_problems(path: Path) -> Iterator[None]:
    try:
        yield
    except InvalidRecordingError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InvalidRecordingError:
    """Why it is not read: what others say of it is not told, as that may quote credentials."""
    return InvalidRecordingError(
        path, f"it cannot be read ({type(error).__name__})", "see that it is there, and may be read from here"
    )
