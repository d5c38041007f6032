"""The formatter of the files under ``schemas/``: compact JSON in lines of at most 100 columns.

A value that fits on the rest of its line stays there.  Otherwise its members have lines of their own, indented by two
columns, and it closes on a line of its own; short plain members share a line.  The last member, after none or only
short plain ones, opens and closes together with the object around it:

    "then": {"properties": {"after": {"required": ["closed_by"], "properties": {
      "closed_by": {"const": "stable"},
      ...
    }}}}

Only a string that is longer makes a longer line.  ``python -m conformance.contract.format`` formats the
files, and brings the components of openapi.json up to date.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from conformance.contract import schemas
from conformance.contract.openapi import with_shapes

__all__ = ["COLUMNS", "FormatError", "files", "formatted", "main"]

#: The longest line.
COLUMNS = 100

#: The longest member that shares its line with others.
_SHORT = 60

#: The longest item that shares its line with others.
_SMALL = 24

#: Members that have a line of their own in an object of several lines, however short they are.
_ALONE = frozenset({"$schema", "$id", "title", "description"})

#: Arrays of which each item begins a line, if there are two or more.
_ONE_A_LINE = frozenset({"clauses", "examples", "patch"})


class FormatError(ValueError):
    """Text that is not JSON, or that JSON parsers read differently; the message says where or why."""


@dataclass(frozen=True, slots=True)
class _Number:
    """A number as it was written."""

    text: str


def formatted(text: str) -> str:
    """The same JSON value, formatted: members in the same order, numbers as they were written.

    Raises FormatError for text that is not JSON, a name that an object has twice, NaN and Infinity.

    >>> formatted('{"required":["requested"],"x":1.0}')
    '{"required": ["requested"], "x": 1.0}\\n'
    """
    try:
        value = json.loads(
            text,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_refused,
            object_pairs_hook=_members,
        )
    except json.JSONDecodeError as error:
        raise FormatError(f"line {error.lineno}, column {error.colno}: this is not JSON: {error.msg}") from None
    return "\n".join(_lines(value, 0, 0, 0)) + "\n"


def _refused(name: str) -> Any:
    raise FormatError(f"{name} is not a JSON number: leave it out or write null")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"an object has {twice!r} twice: leave one of them out")
    return members


def _string(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in written)


def _flat(value: Any) -> str:
    """A value on one line, however long."""
    if isinstance(value, _Number):
        return value.text
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_string(name)}: {_flat(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    return json.dumps(value)


def _splits(value: Any) -> bool:
    """Whether a value has several lines even if it fits on one."""
    if isinstance(value, dict):
        listed = (part for name, part in value.items() if name in _ONE_A_LINE)
        return any(isinstance(part, list) and len(part) > 1 for part in listed) or any(map(_splits, value.values()))
    return isinstance(value, list) and any(map(_splits, value))


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return not any(isinstance(item, dict | list) for item in value)
    return not isinstance(value, dict)


def _lines(value: Any, margin: int, before: int, after: int, name: str = "") -> list[str]:
    """The lines of the value of the member `name`, or of an item.

    `before` columns stand before it on its first line, `after` columns follow on its last; the lines after the first
    are indented by `margin` or more, and the last, a closing bracket, by just so much.
    """
    flat = _flat(value)
    one_a_line = name in _ONE_A_LINE and isinstance(value, list)
    fits = before + len(flat) + after <= COLUMNS and not (one_a_line and len(value) > 1) and not _splits(value)
    if fits or not value or not isinstance(value, dict | list):
        return [flat]
    if isinstance(value, dict):
        return _opened_with_its_last(value, margin, before, after) or _object(value, margin)
    if len(value) == 1 and isinstance(value[0], dict) and not one_a_line:
        return _around("[", _lines(value[0], margin, before + 1, after + 1), "]")
    return _array(value, margin)


def _around(opening: str, inner: list[str], closing: str) -> list[str]:
    lines = [opening + inner[0], *inner[1:]]
    lines[-1] += closing
    return lines


def _array(items: list[Any], margin: int) -> list[str]:
    indent = " " * (margin + 2)
    if all(_plain(item) and len(_flat(item)) <= _SMALL for item in items):
        return _closed(["[", *_rows(map(_flat, items), indent)], margin, "]")
    lines = ["["]
    for item in items:
        lines += _around(indent, _lines(item, margin + 2, margin + 2, 1), ",")
    return _closed(lines, margin, "]")


def _closed(lines: list[str], margin: int, closing: str) -> list[str]:
    """The lines of a container without the comma after its last member, and with its closing bracket."""
    return [*lines[:-1], lines[-1].removesuffix(","), " " * margin + closing]


def _rows(texts: Iterable[str], indent: str) -> Iterator[str]:
    """Texts, each with a comma, as many on a line as fit."""
    row = indent
    for text in texts:
        if row != indent and len(row) + len(text) + 1 > COLUMNS:
            yield row.rstrip()
            row = indent
        row += f"{text}, "
    if row != indent:
        yield row.rstrip()


def _opened_with_its_last(members: dict[str, Any], margin: int, before: int, after: int) -> list[str] | None:
    """An object that opens and closes with its last member, after plain ones; None if they do not fit before it.

    An object that begins its line may have its first member there and the others on the next.
    """
    if margin == 0 or not all(map(_plain, list(members.values())[:-1])):
        return None
    *plain, (name, last) = members.items()
    if not plain and not _splits(members) and margin + len(_flat(members)) <= COLUMNS:
        return None  # alone on a line, it fits
    heads = [f"{_string(lead)}: {_flat(value)}, " for lead, value in plain] + [f"{_string(name)}: "]
    opening = "{" + "".join(heads)
    lines = _around(opening, _lines(last, margin, before + len(opening), after + 1, name), "}")
    if len(lines) > 1 and before + len(lines[0]) <= COLUMNS:
        return lines
    first = "{" + heads[0].rstrip()
    if before > margin or not plain or before + len(first) > COLUMNS:
        return None
    opening = " " * (margin + 1) + "".join(heads[1:])
    lines = _around(opening, _lines(last, margin, len(opening), after + 1, name), "}")
    return [first, *lines] if len(lines[0]) + (after if len(lines) == 1 else 0) <= COLUMNS else None


def _object(members: dict[str, Any], margin: int) -> list[str]:
    """An object with its members on lines of their own, except short plain ones."""
    indent = " " * (margin + 2)
    lines = ["{"]
    short: list[str] = []
    for name, value in members.items():
        opening = f"{_string(name)}: "
        if _plain(value) and name not in _ALONE and len(opening + _flat(value)) <= _SHORT:
            short.append(opening + _flat(value))
            continue
        lines += _rows(short, indent)
        short = []
        lines += _around(indent + opening, _lines(value, margin + 2, margin + 2 + len(opening), 1, name), ",")
    return _closed([*lines, *_rows(short, indent)], margin, "}")


def files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files and, for folders, the JSON files in them, sorted; without `paths`, the files of the contract."""
    found: set[Path] = set()
    for path in paths or [schemas.folder()]:
        found.update(path.rglob("*.json") if path.is_dir() else [path])
    return tuple(sorted(found))


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 and name the files that are not formatted.")
def main(paths: tuple[Path, ...], check: bool) -> None:
    """Format JSON files, or all JSON files in folders; by default those under schemas/."""
    changed = []
    for path in files(paths):
        try:
            text = path.read_text(encoding="utf-8")
            result = formatted(_whole(path, text))
        except (OSError, ValueError) as error:
            raise click.UsageError(f"{path}: {error}") from None
        if result != text:
            changed.append(path)
            if not check:
                path.write_text(result, encoding="utf-8", newline="\n")
    for path in changed:
        click.echo(f"{path} {'is not formatted' if check else 'formatted'}")
    if check and changed:
        click.echo("format them with: python -m conformance.contract.format", err=True)
        raise SystemExit(1)


def _whole(path: Path, text: str) -> str:
    """The text of a file with what is made of others: the description of the API has its shapes as components."""
    if path.resolve() != (schemas.folder() / "api" / "openapi.json").resolve():
        return text
    return json.dumps(with_shapes(json.loads(text)), ensure_ascii=False)


if __name__ == "__main__":
    main()
