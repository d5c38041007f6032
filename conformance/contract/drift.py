"""Whether a copy of the documented page still says what the clauses were taken from.

The contract keeps no sentence of the page, only the SHA-256 of each, so a page is cut into
*statements* (a sentence, a list item, a heading, a line of a request's head, an example body), each is
normalised, and the digests are laid beside those of the clauses in the order of the page.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

__all__ = ["Change", "Statement", "drift", "statements"]

Kind = Literal["heading", "item", "text", "code"]

_FENCE = re.compile(r"`{3,}|~{3,}")
_ELEMENT = re.compile(r"<([a-z][a-z0-9]*)\b[^<>]*>", re.IGNORECASE)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SURROUNDINGS = ("script", "style", "head", "nav", "header", "footer", "aside")
_ITEM_TAG = re.compile(r"<li\b[^<>]*>", re.IGNORECASE)
_BLOCK_TAG = re.compile(
    r"</?(?:p|div|ul|ol|li|dl|dt|dd|br|hr|section|main|article|body|html|blockquote|table|thead|tbody|tr|td|th"
    r"|figure|figcaption|details|summary|nav|header|footer|aside|pre|h[1-6])\b[^<>]*>",
    re.IGNORECASE,
)
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|button|code|em|i|img|kbd|mark|samp|small|span|strong|sub|sup|svg|path|u|var|wbr)\b[^<>]*>",
    re.IGNORECASE,
)

_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*\Z")
_ITEM = re.compile(r"(?:[-*+]|\d{1,3}[.)])(?:\s+|\Z)")
_LINE = re.compile(r"([-*_])(?:\s*\1){2,}\Z")

_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^)]*\)|\[[^\[\]]*\])")
_EMPHASIS = re.compile(r"`+|\*+(?=\S)|(?<=\S)\*+|(?<!\w)_{1,2}(?=\S)|(?<=[^\s_])_{1,2}(?!\w)")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!<>-])")
_TYPOGRAPHY = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u200b": ""}
)
_INNER_SPACE = re.compile(r"(?<=[{\[])\s+|\s+(?=[}\]])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
_LABEL = re.compile(r"(?:WARNING|INFO|NOTE|TIP|CAUTION|IMPORTANT):\s*", re.IGNORECASE)
_END = re.compile(r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<=[.!?])\s+")
_REQUEST_LINE = re.compile(r"[A-Z]+ \S+ HTTP/\d")

_NORMATIVE = re.compile(
    r"\b(?:must|shall|should|may|might|can|cannot|could|will|would|has to|have to|needs?|ought|requires?d?|requirement"
    r"|mandatory|optional|only|always|never|not|no longer|\w+n't|allow\w*|permit\w*|forb\w+|disallow\w*|prohibit\w*"
    r"|support\w*|deprecat\w*|remov\w*|reject\w*|refus\w*|accept\w*|ignor\w*|limit\w*|maximum|minimum|at most"
    r"|at least|default\w*|exactly|unless|until|up to|conferenc\w*)\b"
    r"|\w_\w|\w\.\w|[{}\"]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One normalised statement of a page: its `text`, the heading it stands under, and of what `kind` it is."""

    text: str
    section: str
    kind: Kind

    @property
    def digest(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def normative(self) -> bool:
        """Whether it could bind somebody: list items and examples always, the rest by the words in it."""
        return self.kind in ("item", "code") or _NORMATIVE.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between a page and the clauses.

    `clauses` are the ids of those that the statement carries; none for a new statement, which stands
    behind those in `after`.  `statement` is what the page says now, None where it says nothing any more.
    """

    kind: Literal["changed", "gone", "moved", "new"]
    clauses: tuple[str, ...]
    statement: Statement | None = None
    after: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = ", ".join(self.clauses)
        if self.statement is None:
            return f"{names}: the page does not say this any more"
        now = f"{self.statement.text!r} (under {self.statement.section!r}, sha256 {self.statement.digest})"
        if self.kind == "new":
            return f"new, after {', '.join(self.after) or 'the beginning'}: {now} belongs to no clause"
        return f"{names}: {'changed; the page now says' if self.kind == 'changed' else 'moved:'} {now}"


def drift(page: str, clauses: Mapping[str, Any]) -> tuple[Change, ...]:
    """What changed in `page`, Markdown or HTML, since `clauses` (the contents of ``clauses.json``) were taken from it.

    Empty where every clause still stands in its place and nothing normative came in.  Dates and times in
    examples, white space, markup, links, entities and line ends are no change.
    Raises ValueError where an outline names a clause more or less often than the clause has digests.
    """
    expected = _expected(clauses)
    known = {digest for _, digest in expected}
    aside = set(clauses["page"]["aside"]) - known
    seen = [statement for statement in statements(page) if statement.digest not in aside]
    return tuple(_differences(expected, known, seen))


def statements(page: str) -> Iterator[Statement]:
    """The statements of a page, Markdown or HTML, normalised, in order."""
    section = ""
    for kind, text in _blocks(_as_markdown(page)):
        if kind == "code":
            yield from (Statement(line, section, kind) for line in _code(text))
            continue
        plain = _plain(text)
        if kind == "heading":
            section = plain
            yield Statement(plain, section, kind)
        else:
            sentences = _END.split(plain[label.end() :] if (label := _LABEL.match(plain)) else plain)
            yield from (Statement(sentence, section, kind) for sentence in sentences if sentence)


def _expected(clauses: Mapping[str, Any]) -> list[tuple[tuple[str, ...], str]]:
    """The ids and the digest of each statement, in the order of the page."""
    left = {clause["id"]: list(clause["digest"]) for clause in clauses["clauses"] if "digest" in clause}
    expected = []
    for place, ids in enumerate(clauses["page"]["outline"]):
        digests = {left[id_].pop(0) if left.get(id_) else None for id_ in ids}
        digest = digests.pop() if len(digests) == 1 else None
        if digest is None:
            raise ValueError(f"outline[{place}] of the clauses: {ids} have not one digest in common: add or remove one")
        expected.append((tuple(ids), digest))
    forgotten = sorted(id_ for id_, digests in left.items() if digests)
    if forgotten:
        raise ValueError(f"outline of the clauses: {forgotten} have digests that it does not place: name them there")
    return expected


def _differences(
    expected: Sequence[tuple[tuple[str, ...], str]], known: AbstractSet[str], seen: Sequence[Statement]
) -> Iterator[Change]:
    """What differs between two sequences of digests; a known statement that is repeated is no difference."""
    matcher = SequenceMatcher(None, [digest for _, digest in expected], [s.digest for s in seen], autojunk=False)
    clashes = [clash for tag, *clash in matcher.get_opcodes() if tag != "equal"]
    displaced = {s.digest: s for _, _, first, last in clashes for s in seen[first:last] if s.digest in known}
    for start, stop, first, last in clashes:
        fresh = [statement for statement in seen[first:last] if statement.digest not in known]
        for ids, digest in expected[start:stop]:
            if digest in displaced:
                yield Change("moved", ids, displaced.pop(digest))
            elif fresh:
                yield Change("changed", ids, fresh.pop(0))
            else:
                yield Change("gone", ids)
        after = expected[stop - 1][0] if stop else ()
        yield from (Change("new", (), statement, after) for statement in fresh if statement.normative)


def _as_markdown(page: str) -> str:
    """The page with every HTML block written as Markdown; what stands in fences is left as it is."""
    page = unicodedata.normalize("NFC", page.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    whole = _contents(page, ("main", "article"))
    return "\n".join(text if fenced else _blocks_of_html(text) for fenced, text in _fences(whole))


def _blocks_of_html(text: str) -> str:
    first, *commented = text.split("<!--")
    text = first + "".join(
        after if found else f"<!--{rest}" for rest in commented for _, found, after in [rest.partition("-->")]
    )
    text = _replaced(text, _SURROUNDINGS, lambda _, inner: "\n")
    text = _replaced(text, ("pre",), lambda _, inner: f"\n\n```\n{_without_tags(inner).strip()}\n```\n\n")
    text = _replaced(text, _HEADINGS, lambda name, inner: f"\n\n{'#' * int(name[1])} {_line(_without_tags(inner))}\n\n")
    return _without_tags(text)


def _contents(page: str, names: Sequence[str]) -> str:
    """What the HTML elements of these names hold; the page where it has none."""
    return "\n".join(page[inner] for _, _, inner in _elements(page, names)) or page


def _replaced(text: str, names: Sequence[str], by: Callable[[str, str], str]) -> str:
    """Text with each HTML element of these names replaced by what `by` makes of its name and content."""
    parts, end = [], 0
    for name, outer, inner in _elements(text, names):
        parts += [text[end : outer.start], by(name, text[inner])]
        end = outer.stop
    return "".join([*parts, text[end:]])


def _elements(text: str, names: Sequence[str]) -> Iterator[tuple[str, slice, slice]]:
    """Where the HTML elements of these names are, whole and within, each up to its first closing tag."""
    end = 0
    unclosed: set[str] = set()
    for tag in _ELEMENT.finditer(text):
        name = tag[1].lower()
        if tag.start() < end or name not in names or name in unclosed:
            continue
        closing = re.compile(f"</{name}>", re.IGNORECASE).search(text, tag.end())
        if closing is None:
            unclosed.add(name)
        else:
            end = closing.end()
            yield name, slice(tag.start(), end), slice(tag.end(), closing.start())


def _fences(page: str) -> Iterator[tuple[bool, str]]:
    """The page cut at its fences: what stands between them, and (True) each fence with its marks."""
    lines: list[str] = []
    mark = ""
    for line in page.split("\n"):
        fence = _FENCE.match(line.strip())
        if fence and not mark:
            yield False, "\n".join(lines)
            mark, lines = fence[0], [line]
        elif fence and fence[0].startswith(mark) and fence[0] == line.strip():
            yield True, "\n".join([*lines, line])
            mark, lines = "", []
        else:
            lines.append(line)
    yield bool(mark), "\n".join([*lines, mark] if mark else lines)


def _without_tags(text: str) -> str:
    return _INLINE_TAG.sub("", _BLOCK_TAG.sub("\n\n", _ITEM_TAG.sub("\n\n- ", text)))


def _blocks(page: str) -> Iterator[tuple[Kind, str]]:
    """The blocks of a page in Markdown: each heading, list item, paragraph and fence, its lines joined."""
    for fenced, text in _fences(page):
        if fenced:
            yield "code", text.partition("\n")[2].rpartition("\n")[0]
        else:
            yield from _blocks_of_text(text)


def _blocks_of_text(text: str) -> Iterator[tuple[Kind, str]]:
    kind: Kind = "text"
    lines: list[str] = []
    for line in (*(line.strip().lstrip("> ") for line in text.split("\n")), ""):
        heading, item = _HEADING.match(line), _ITEM.match(line)
        if lines and (not line or heading or item or _LINE.match(line)):
            yield kind, " ".join(lines)
            kind, lines = "text", []
        if heading:
            yield "heading", heading[1]
        elif item and not _LINE.match(line):
            kind, lines = "item", [line[item.end() :]]
        elif line and not _LINE.match(line):
            lines.append(line)


def _plain(text: str) -> str:
    """Text without markup, its white space collapsed, its dates and times zeroed."""
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    text = html.unescape(_ESCAPE.sub(r"\1", _EMPHASIS.sub("", text))).translate(_TYPOGRAPHY)
    return _undated(_INNER_SPACE.sub("", _line(text)))


def _code(text: str) -> Iterator[str]:
    """An example's statements: each line of a request's head, and the body, JSON in one canonical spelling."""
    text = html.unescape(text).strip()
    if _REQUEST_LINE.match(text):
        head, _, text = text.partition("\n\n")
        yield from (_line(line) for line in head.split("\n"))
    try:
        text = json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
    except ValueError:
        text = _line(text)
    if text:
        yield _undated(text)


def _undated(text: str) -> str:
    return _DATE.sub(lambda date: re.sub(r"\d", "0", date[0]), text)


def _line(text: str) -> str:
    return " ".join(text.split())
