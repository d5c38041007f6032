"""Comparing a copy of the documented page with the clauses that were taken from it.

The contract holds no sentence of the page, only the SHA-256 of each.  So a page is split into *statements* (a
sentence, a list item, a heading, a line of a request's head, an example body); each is normalised, and the digests are
compared with those of the clauses, in the order of the page.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import SequenceMatcher
from html.parser import HTMLParser
from typing import Any, Literal

from markdown_it import MarkdownIt

__all__ = ["Change", "Sentence", "drift", "statements"]

Kind = Literal["heading", "item", "text", "code"]

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_CONTENTS = frozenset({"main", "article"})
_SURROUNDINGS = frozenset({"script", "style", "head", "nav", "header", "footer", "aside"})
#: Elements that do not end a sentence; every other one does.
_INLINE = frozenset(
    {"a", "abbr", "b", "button", "code", "em", "i", "img", "kbd", "mark", "path", "s", "samp", "small", "span"}
    | {"strong", "sub", "sup", "svg", "u", "var", "wbr"}
)
_CLOSING = re.compile(r"</([a-z][a-z0-9]*)", re.IGNORECASE)

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
class Sentence:
    """One normalised statement of a page: its `text`, the heading above it, and its `kind`."""

    text: str
    section: str
    kind: Kind

    @property
    def digest(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def normative(self) -> bool:
        """Whether it may be a requirement: list items and examples always, the rest by its words."""
        return self.kind in ("item", "code") or _NORMATIVE.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between a page and the clauses.

    `clauses` are the ids of the statement's clauses; empty for a new statement, which follows those in `after`.
    `statement` is what the page says now; None if the statement is gone.
    """

    kind: Literal["changed", "gone", "moved", "new"]
    clauses: tuple[str, ...]
    statement: Sentence | None = None
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

    Empty if every clause is in its place and nothing normative was added.  Dates and times in examples, white space,
    markup, links, entities and line ends are no change.
    Raises ValueError for an outline that names a clause more or less often than the clause has digests.
    """
    expected = _expected(clauses)
    known = {digest for _, digest in expected}
    aside = set(clauses["page"]["aside"]) - known
    found = [statement for statement in statements(page) if statement.digest not in aside]
    return tuple(_differences(expected, known, found))


def statements(page: str) -> Iterator[Sentence]:
    """The statements of a page, Markdown or HTML, normalised, in order."""
    section = ""
    for kind, text in _Blocks(_as_html(page)).blocks:
        if kind == "code":
            yield from (Sentence(line, section, kind) for line in _code(text))
            continue
        plain = _plain(text)
        if kind == "heading":
            section = plain
            yield Sentence(plain, section, kind)
        else:
            sentences = _END.split(plain[label.end() :] if (label := _LABEL.match(plain)) else plain)
            yield from (Sentence(sentence, section, kind) for sentence in sentences if sentence)


def _expected(clauses: Mapping[str, Any]) -> list[tuple[tuple[str, ...], str]]:
    """The ids and the digest of each statement, in the order of the page."""
    left = {clause["id"]: list(clause["digest"]) for clause in clauses["clauses"] if "digest" in clause}
    expected = []
    for place, ids in enumerate(clauses["page"]["outline"]):
        digests = {left[id_].pop(0) if left.get(id_) else None for id_ in ids}
        digest = digests.pop() if len(digests) == 1 else None
        if digest is None:
            raise ValueError(f"outline[{place}] of the clauses: {ids} have no digest in common: add or remove one")
        expected.append((tuple(ids), digest))
    forgotten = sorted(id_ for id_, digests in left.items() if digests)
    if forgotten:
        raise ValueError(f"outline of the clauses: {forgotten} have digests without a place in it: name them there")
    return expected


def _differences(
    expected: Sequence[tuple[tuple[str, ...], str]], known: AbstractSet[str], found: Sequence[Sentence]
) -> Iterator[Change]:
    """The differences between two sequences of digests; a repeated known statement is none."""
    matcher = SequenceMatcher(None, [digest for _, digest in expected], [s.digest for s in found], autojunk=False)
    clashes = [clash for tag, *clash in matcher.get_opcodes() if tag != "equal"]
    displaced = {s.digest: s for _, _, first, last in clashes for s in found[first:last] if s.digest in known}
    for start, stop, first, last in clashes:
        fresh = [statement for statement in found[first:last] if statement.digest not in known]
        for ids, digest in expected[start:stop]:
            if digest in displaced:
                yield Change("moved", ids, displaced.pop(digest))
            elif fresh:
                yield Change("changed", ids, fresh.pop(0))
            else:
                yield Change("gone", ids)
        after = expected[stop - 1][0] if stop else ()
        yield from (Change("new", (), statement, after) for statement in fresh if statement.normative)


def _as_html(page: str) -> str:
    """The page as HTML; a page that does not begin with a tag is Markdown."""
    page = unicodedata.normalize("NFC", page.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    if page.lstrip().startswith("<"):
        return page
    rendered: str = MarkdownIt("commonmark").disable(["html_block", "code"]).render(page)
    return rendered


class _Blocks(HTMLParser):
    """The blocks of a page in HTML: each heading, list item, paragraph and example, with its text.

    If a page has ``main`` or ``article``, only these are read.  Such an element, a ``pre`` and one around the page (as
    ``nav``) counts only if an element of its name is closed somewhere.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.blocks: list[tuple[Kind, str]] = []
        self._closed = {name.lower() for name in _CLOSING.findall(page)}
        self._open: Counter[str] = Counter()
        self._kind: Kind = "text"
        self._text: list[str] = []
        self.feed(page)
        self.close()
        self._end_block()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in _INLINE and not self._open["pre"]:
            self._end_block()
            self._kind = "heading" if tag in _HEADINGS else "item" if tag == "li" else self._kind
        if tag in self._closed:
            self._open[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre" or not (tag in _INLINE or self._open["pre"]):
            self._end_block("code" if tag == "pre" and self._open["pre"] else self._kind)
        self._open[tag] = max(0, self._open[tag] - 1)

    def handle_data(self, data: str) -> None:
        surrounding = any(self._open[name] for name in _SURROUNDINGS)
        outside = self._closed & _CONTENTS and not any(self._open[name] for name in _CONTENTS)
        if not surrounding and not outside:
            self._text.append(data)

    def _end_block(self, kind: Kind | None = None) -> None:
        """Add the text since the last block; a list item without text makes the next block an item."""
        text, self._text = "".join(self._text), []
        if text.strip():
            self.blocks.append((kind or self._kind, text))
            self._kind = "text"


def _plain(text: str) -> str:
    """Text with white space collapsed, entities and quotation marks replaced, and dates and times set to zeros."""
    return _undated(_INNER_SPACE.sub("", _line(html.unescape(text).translate(_TYPOGRAPHY))))


def _code(text: str) -> Iterator[str]:
    """An example's statements: each line of a request's head, and the body, JSON in one canonical spelling."""
    text = html.unescape(text).strip()
    if _REQUEST_LINE.match(text):
        head, _, text = text.partition("\n\n")
        yield from (_line(line) for line in head.split("\n"))
    try:
        text = json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = _line(text)
    if text:
        yield _undated(text)


def _undated(text: str) -> str:
    return _DATE.sub(lambda date: re.sub(r"\d", "0", date[0]), text)


def _line(text: str) -> str:
    return " ".join(text.split())
