"""JSON read one value at a time: of a long list, one item is in memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from conformance.http.json_text import parsed
from conformance.recordings.metadata import InvalidRecordingError

__all__ = ["JsonText", "reading_json"]

_REPAIR = "record it again, or repair it there"

_SPACE = re.compile(r"[ \t\r\n]*")
#: The end of an object, and how the one after it begins: as quotes inside of texts are escaped, it stands in no text.
_SEPARATOR = re.compile(r'\}[ \t\r\n]*,[ \t\r\n]*\{[ \t\r\n]*"[^"\\]{1,64}"')
#: What is held ends within a number, as far as can be seen.
_NUMBER_MAY_GO_ON = re.compile(r"[0-9.eE+-]*\Z")
#: Bytes that are read at once.
_PIECE = 2**18


class JsonText:
    """A position in JSON text; each method reads on from there.

    Raises json.JSONDecodeError without a position in the whole text (`place` has it), UnicodeDecodeError,
    RecursionError, and ValueError for a number that is too long.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._decode = json.JSONDecoder().raw_decode
        self._text, self._at, self._ended = "", 0, False
        #: Lines before the text that is held, and characters of the last of them.
        self._lines = self._columns = 0
        #: What stands between two items of a list, with the brackets beside it; None where it is not known yet.
        self._between: str | None = None

    def value(self, read: Callable[[str], Any] = parsed) -> Any:
        """The next value; `read` may give that of a whole object in a list."""
        if self._skip() == "{" and self._between:
            end = self._text.find(self._between, self._at) + 1
            try:
                value = read(self._text[self._at : end]) if end else None
            except (ValueError, RecursionError):
                self._between = ""  # it stands inside of items too
            else:
                if end:
                    self._at = end
                    return value
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError:
                if self._ended:
                    raise
            else:
                if self._ended or type(value) not in (int, float) or not _NUMBER_MAY_GO_ON.match(self._text, end):
                    self._at = end
                    return value
            self._more()

    def members(self) -> Iterator[str]:
        """The keys of the object that comes next; the value of each is to be read before the next key is."""
        self._take("{")
        if self._skip() == "}":
            self._at += 1
            return
        while True:
            self._expect('"')
            key: str = self.value()
            self._take(":")
            yield key
            if self._separated("}"):
                return

    def items(self, read: Callable[[str], Any] = parsed) -> Iterator[Any]:
        """The values in the list that comes next; `read` gives what the text of an object says."""
        self._take("[")
        if self._skip() == "]":
            self._at += 1
            return
        while True:
            yield self.value(read)
            end = self._at - 1
            if self._between and self._text.startswith(self._between, end):
                self._at = end + self._between.index("{")
                continue
            if self._separated("]"):
                return
            if self._between is None and self._skip() == "{":
                found = _SEPARATOR.match(self._text, end)
                self._between = found[0] if found else None

    def next_character(self) -> str:
        """The first character of what comes next; empty at the end."""
        return self._skip()

    def end(self) -> None:
        """Nothing comes next."""
        if self._skip():
            raise json.JSONDecodeError("Extra data", self._text, self._at)

    def place(self, error: json.JSONDecodeError) -> str:
        """Where in the whole text an error is."""
        column = error.colno + (self._columns if error.lineno == 1 else 0)
        return f"line {self._lines + error.lineno} column {column}"

    def _separated(self, closing: str) -> bool:
        """Whether `closing` comes next, rather than a comma."""
        found = self._skip()
        if found not in (",", closing):
            raise json.JSONDecodeError("Expecting ',' delimiter", self._text, self._at)
        self._at += 1
        return found == closing

    def _take(self, character: str) -> None:
        self._expect(character)
        self._at += 1

    def _expect(self, character: str) -> None:
        if self._skip() != character:
            raise json.JSONDecodeError(f"Expecting {character!r}", self._text, self._at)

    def _skip(self) -> str:
        """Skips white space; the character behind it, or nothing at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._more()

    def _more(self) -> None:
        """Reads on: as much again as there is of a value without an end, so that each is decoded a few times."""
        rest = self._text[self._at :]
        data = self._stream.read(max(_PIECE, len(rest)))
        self._ended = not data
        read = self._text[: self._at]
        lines = read.count("\n")
        self._columns = len(read) - read.rindex("\n") - 1 if lines else self._columns + len(read)
        self._lines += lines
        self._text, self._at = rest + self._decoder.decode(data, final=self._ended), 0


@contextmanager
def reading_json(path: Path, text: JsonText) -> Iterator[None]:
    """Turns what JsonText raises into InvalidRecordingError with the file and the place."""
    try:
        yield
    except InvalidRecordingError:
        raise
    except json.JSONDecodeError as error:
        raise InvalidRecordingError(path, f"broken JSON ({error.msg})", _REPAIR, text.place(error)) from None
    except UnicodeDecodeError:
        raise InvalidRecordingError(path, "no text in UTF-8", _REPAIR) from None
    except (RecursionError, ValueError):
        raise InvalidRecordingError(path, "JSON nested too deep, or with a number too long", _REPAIR) from None
