"""The metadata of our own recordings, and the errors and warnings about files that are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.errors import UserError

__all__ = [
    "HEADER_KEY",
    "InvalidRecordingError",
    "MalformedPartError",
    "NotARecordingError",
    "RecordingMetadata",
    "SkippedWarning",
    "TruncatedWarning",
    "UndecodedWarning",
    "kind_of",
    "reading",
]

#: The key of the metadata: first in a cassette, in the first line of an NDJSON.
HEADER_KEY = "conformance"

_KINDS = {str: "a string", int: "a number", float: "a number", bool: "a boolean", list: "a list", dict: "an object"}


class InvalidRecordingError(UserError, ValueError):
    """A file that cannot be read as a recording; the message is one line: file, place, problem, advice."""

    def __init__(self, path: Path, problem: str, advice: str, place: str = "") -> None:
        where = f"{path}, {place}" if place else str(path)
        self.problem = " ".join(f"{where}: {problem}".split())
        super().__init__(" ".join(f"{self.problem}; {advice}".split()))

    def __reduce__(self) -> tuple[Any, ...]:  # it is raised in one process, and told in another
        return _raised_again, (type(self), self.args, self.problem)


def _raised_again(kind: type[InvalidRecordingError], args: tuple[str, ...], problem: str) -> InvalidRecordingError:
    error = kind.__new__(kind, *args)
    error.problem = problem
    return error


class NotARecordingError(InvalidRecordingError):
    """A well-formed file that is no recording."""


class MalformedPartError(ValueError):
    """A value of an unexpected type or range; the message names its place in the exchange."""


class reading:  # noqa: N801 - used as a function
    """Turns MalformedPartError into InvalidRecordingError with the file and the place."""

    __slots__ = ("_advice", "_path", "_place")

    def __init__(self, path: Path, place: str, advice: str = "record it again, or repair it there") -> None:
        self._path, self._place, self._advice = path, place, advice

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, MalformedPartError):
            raise InvalidRecordingError(self._path, str(error), self._advice, self._place) from None
        if isinstance(error, RecursionError):
            raise InvalidRecordingError(self._path, "nested too deep", self._advice, self._place) from None


class TruncatedWarning(UserWarning):
    """The last line of an NDJSON is incomplete, as after a crash, and was left out."""


class SkippedWarning(UserWarning):
    """What is no recording was left out: a file in a folder, or an item in a file."""


class UndecodedWarning(UserWarning):
    """Bodies in a content coding whose package is not installed count as not recorded."""


@dataclass(frozen=True, slots=True)
class RecordingMetadata:
    """Tool, version, source, run, accounts and settings of a recording.

    `run` is the same in all files of one run.  `settings` holds ``quiet``, ``window``, ``settle_timeout`` (seconds)
    and ``default_profiles`` (account to profile_id).  `applies_to` names the subject: ``server`` or ``client``.
    """

    tool: str
    version: str
    recorded_from: str
    run: str = ""
    accounts: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    applies_to: str = "server"

    def document(self) -> dict[str, Any]:
        """The metadata as JSON."""
        return {
            "tool": self.tool,
            "version": self.version,
            "recorded_from": self.recorded_from,
            "run": self.run,
            "accounts": list(self.accounts),
            "settings": dict(self.settings),
            "applies_to": self.applies_to,
        }

    @classmethod
    def of(cls, document: object) -> RecordingMetadata:
        """Metadata from JSON.  Raises MalformedPartError."""
        if not isinstance(document, Mapping):
            raise MalformedPartError(f"{HEADER_KEY}: expected an object, found {kind_of(document)}")
        texts = {name: document.get(name, "") for name in ("tool", "version", "recorded_from", "run")}
        applies_to = document.get("applies_to", "server")
        accounts, settings = document.get("accounts", []), document.get("settings", {})
        for name, value in texts.items():
            if not isinstance(value, str):
                raise MalformedPartError(f"{HEADER_KEY}.{name}: expected a string, found {kind_of(value)}")
        if applies_to not in ("server", "client"):
            raise MalformedPartError(f"{HEADER_KEY}.applies_to: expected server or client, found {applies_to!r}")
        if not isinstance(accounts, list) or not all(isinstance(name, str) for name in accounts):
            raise MalformedPartError(f"{HEADER_KEY}.accounts: expected a list of names, found {kind_of(accounts)}")
        if not isinstance(settings, Mapping):
            raise MalformedPartError(f"{HEADER_KEY}.settings: expected an object, found {kind_of(settings)}")
        return cls(**texts, accounts=tuple(accounts), settings=dict(settings), applies_to=applies_to)


def kind_of(value: object) -> str:
    """The type of a value, for messages: a misplaced value may be a secret, and is not quoted."""
    return "nothing" if value is None else _KINDS.get(type(value), type(value).__name__)
