"""One reading of an account's events: its pages, its flags, and what its listing has too much or too little of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit

from msgspec import Struct, field

from conformance.facts.comparisons import MARGIN, parse_api_time
from conformance.facts.routes import Route
from conformance.facts.values import Evidence, Facts

if TYPE_CHECKING:
    from conformance.facts.event import Event

__all__ = ["ListingFindings", "Reading", "modification", "next_page_kind"]

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_KEPT = 20

#: Documents of readings that showed nothing wrong: what is polled is read again and again.
_SHARED: dict[tuple[object, ...], dict[str, Any]] = {}
_MOST_SHARED = 256


#: How far apart midnights are around the world, and an hour: in which zone a limit's date is meant is not said.
_ZONES = timedelta(hours=15)


_Heading = Literal[
    "missing",
    "managed_unexpected",
    "event_id_unexpected",
    "unmanaged",
    "other_calendars",
    "outside_window",
    "duplicated",
    "wrong_calendar",
    "other_account",
    "deleted_unexpected",
    "not_localized",
]
_EMPTY: dict[str, list[str]] = {heading: [] for heading in get_args(_Heading)}
_EMPTY_OF_SOME = {heading: ids for heading, ids in _EMPTY.items() if heading not in ("wrong_calendar", "other_account")}


class ListingFindings:
    """What the listing of one reading has that it should not, and lacks that it should have; event ids, bounded."""

    __slots__ = ("_ids",)

    def __init__(self) -> None:
        self._ids: dict[str, list[str]] = {}

    def add(self, heading: _Heading, event_id: str) -> None:
        """Remember one event under one of the headings."""
        ids = self._ids.setdefault(heading, [])
        if len(ids) < _KEPT and event_id not in ids:
            ids.append(event_id)

    def document(self, *, all_known: bool) -> dict[str, list[str]]:
        """All headings, empty ones too; of those that need all events of the account to be known, only what was found.

        Where all are known, these are there too.
        """
        empty = _EMPTY if all_known else _EMPTY_OF_SOME
        return empty | self._ids if self._ids else empty

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not self._ids


class Reading(Struct):
    """A read of events with the pages that followed it.

    `sent` is the first page's, `answered` the last one's, `timed` whether those times are real;
    `first` and `last` are their places among all exchanges, and `url` is the first one's; `missing` and `repeated` are
    events that it may lack, or list on two pages, and `calendars` those whose events it lists.  `rows` are the events
    that it shows, of those that writes led to, each with what it shows.  `all_known` says whether all events of the
    account were known before.
    """

    number: int
    account: str
    route: Route
    request: dict[str, Any]
    sent: float
    answered: float
    evidence: list[Evidence]
    timed: bool = True
    pages: list[dict[str, Any]] = field(default_factory=list)
    urls: set[str] = field(default_factory=set)
    listed: set[tuple[str, str]] = field(default_factory=set)
    listing: ListingFindings = field(default_factory=ListingFindings)
    first: int = 0
    last: int = 0
    url: str = ""
    missing: set[tuple[str, str]] = field(default_factory=set)
    repeated: set[tuple[str, str]] = field(default_factory=set)
    calendars: set[str] = field(default_factory=set)
    rows: list[tuple[Event, dict[str, Any]]] = field(default_factory=list)
    items: int = 0
    unmodified: int = 0
    expected: int = 0
    externals: int = 0
    externals_before: int = 0
    whole: bool = True
    all_known: bool = False

    @property
    def complete(self) -> bool:
        """Law complete-reading: with a managed flag, nothing that excludes, all pages 200, the last one reached."""
        return self.finished and self.route.managed != "excluded" and not self.route.windowed

    @property
    def finished(self) -> bool:
        """Whether every page was read and answered 200 in the documented form."""
        return self.whole and bool(self.pages) and self.pages[-1]["next_page"] == "absent"

    @property
    def page_count_is_steady(self) -> bool:
        """Whether every page that says how many there are says the same."""
        return len(self.pages) == 1 or len({repr(page["total"]) for page in self.pages if "total" in page}) <= 1

    @property
    def last_modified(self) -> str | None:
        """``absent``, ``given``, or ``ahead`` of any event's modification; None where that cannot be told."""
        return modification(self.route, self.sent, timed=self.timed)

    @property
    def counted(self) -> bool:
        """Whether each page says which one it is, and how many there are."""
        total = len(self.pages)
        return all(
            page.get("current") == number and page.get("total") == total for number, page in enumerate(self.pages, 1)
        )

    def is_modified(self, item: dict[str, Any]) -> bool:
        """Whether an event says itself that it was updated after all of the reading's ``last_modified``."""
        updated, limits = parse_api_time(item.get("updated")), self.route.modified_limits
        return updated is not None and limits is not None and updated[0] > limits[1]

    def within(self, item: dict[str, Any]) -> bool | None:
        """Whether the reading's ``from`` and ``to`` admit an event; None where it is too near a border to tell."""
        start, end = parse_api_time(item.get("start")), parse_api_time(item.get("end"))
        if start is None or end is None:
            return None
        margin = _ZONES if start[1] and end[1] else timedelta(seconds=2 * MARGIN)
        answer: bool | None = True
        for value in self.route.since:
            limit = parse_api_time(value)
            if limit is None or abs(end[0] - limit[0]) < margin:
                answer = None
            elif end[0] < limit[0]:
                return False
        for value in self.route.until:
            limit = parse_api_time(value)
            if limit is None or abs(start[0] - limit[0]) < margin:
                answer = None
            elif start[0] > limit[0]:
                return False
        return answer

    def facts(self) -> Facts:
        """The facts of the reading as it now stands."""
        document = self._shared_document() if len(self.pages) == 1 and self.listing.is_empty else self._document()
        key = ("reading", self.account, str(self.number))
        return Facts("reading", key, document, tuple(self.evidence[:6]), closed=True)

    def _shared_document(self) -> dict[str, Any]:
        """The document of a reading of one page without findings; those that are the same are one object."""
        page = self.pages[0]
        if not all(type(value) is int or type(value) is str for value in page.values()):
            return self._document()  # 1 and true are the same key
        key = (
            id(self.request), self.account, self.last_modified, self.finished, self.all_known, self.items,
            self.expected, self.externals, self.externals_before, self.unmodified, *page, *page.values(),
        )  # fmt: skip
        found = _SHARED.get(key)
        if found is None:
            if len(_SHARED) >= _MOST_SHARED:
                _SHARED.clear()
            found = _SHARED[key] = self._document()  # it holds the request, so that no other takes its id
        return found

    def _document(self) -> dict[str, Any]:
        route, last_modified = self.route, self.last_modified
        flags = {
            "managed": route.managed,
            "deleted": route.deleted,
            "localized": route.localized,
            "time_filtered": route.windowed,
            "calendars": len(route.calendars),
        }
        if last_modified is not None:
            flags["last_modified"] = last_modified
        document = {
            "about": "reading",
            "account": self.account,
            "request": self.request,
            "flags": flags,
            "pages": self.pages,
            "items": self.items,
            "expected": self.expected,
            "unmanaged_count": {"listed": self.externals, "before": self.externals_before},
            "page_numbers_consistent": self.counted,
            "all_pages_read": self.finished,
            "listing": self.listing.document(all_known=self.all_known),
        }
        if route.modified:
            document["unmodified_items"] = self.unmodified
        return document


def modification(route: Route, sent: float, *, timed: bool) -> str | None:
    """What the ``last_modified`` of a reading is when it is sent: see `Reading.last_modified`."""
    if not route.modified:
        return "absent"
    if not timed:
        return None
    first = route.modified_from
    return "ahead" if first is not None and first > sent + 2 * MARGIN else "given"


def next_page_kind(value: Any, route: Route, visited: set[str]) -> str:
    """``absent``, ``same-origin``, ``other-origin``, ``relative``, ``repeated`` or ``malformed``."""
    if value is None:
        return "absent"
    if not isinstance(value, str) or not value:
        return "malformed"
    if value in visited:
        return "repeated"
    try:
        parts = urlsplit(value)
        here = urlsplit(route.origin)
        if not parts.scheme or not parts.netloc:
            return "relative"
        same = (parts.scheme.lower(), _host(parts.netloc)) == (here.scheme, _host(here.netloc))
    except ValueError:
        return "malformed"
    return "same-origin" if same else "other-origin"


def _host(netloc: str) -> str:
    host = netloc.lower()
    for name in _LOOPBACK:
        if host == name or host.startswith(name + ":"):
            return "loopback" + host[len(name) :]
    return host
