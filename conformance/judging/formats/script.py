"""A failure as a shell script of curl: paste it, and it writes the same events anew, reads them until they rest,
and deletes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from conformance.facts.routes import Route, route
from conformance.facts.seen import body_of
from conformance.http.curl import curl, quoted, variable_of
from conformance.http.display import UNSEEN, visible, without_userinfo
from conformance.http.exchange import UNKNOWN_TOKEN
from conformance.judging.formats.script_tools import TOOLS, WAIT, needed_by

if TYPE_CHECKING:
    from conformance.facts import Evidence
    from conformance.http.exchange import Request

__all__ = ["LONGEST_BODY", "About", "Script", "script"]

#: From how many characters on a body stands in several lines.
_LONGEST_LINE = 160

#: The longest body that a script holds, in bytes: shells limit the length of an argument.
LONGEST_BODY = 64_000

#: A time of day, without its offset from UTC.
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})")

#: How near to the first write a time is near, in seconds.
_NEAR = 93_600

#: The line after a script that is pasted.
_END = "END_OF_SCRIPT"

#: An event id that may stand in the text of a shell and of JSON as it is.
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:@+~-]{1,200}\Z")

_DATE = re.compile(r"(?<![0-9])([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])")

#: What stands around an expression of the shell in the text of a body, where nothing else has these characters.
_OPEN, _CLOSE = "\ue000", "\ue001"
_SPLICE = re.compile(r"(?:\ue000|\\ue000)(.*?)(?:\ue001|\\ue001)")

#: Seconds between two writes of an event from which on it was read between them: steps that are sent at once, or while
#: the event is pending, come sooner.
_RESTED = 2.0


#: How many events are made at most so that a reading has two pages; all are EVENT1, one after the other.
_MOST = 40
_NONE_YET = "FIRST=$EVENT1; made=0"
_EACH = ("  while [ $made -gt 0 ]; do", '    EVENT1="$FIRST-$made"; made=$((made - 1))')

#: What shows a failure.
About = Literal["event", "request", "pages"]


@dataclass(frozen=True)
class Script:
    """A script in its parts: comments, what the user may change, the functions that it needs by name, its commands."""

    comments: tuple[str, ...]
    settings: tuple[str, ...]
    tools: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def whole(self) -> str:
        """The script as a file."""
        return "\n".join(["#!/bin/sh", *self._lines()]) + "\n"

    @property
    def pasted(self) -> str:
        """What to paste: any interactive shell passes it on to sh as it is, and stays open."""
        return "\n".join([f"sh <<'{_END}'", *self._lines(), _END]) + "\n"

    def _lines(self) -> list[str]:
        tools = [TOOLS[name] for name in self.tools]
        return [*(f"# {comment}" for comment in self.comments), *self.settings, *tools, *self.commands]


def script(
    headline: str,
    exchanges: Sequence[Evidence],
    variables: Mapping[str, str],
    where: str = "",
    *,
    expected: str = "",
    got: str = "",
    about: About = "event",
) -> Script:
    """A POSIX script that sends the writes of `exchanges` again, with ids and times of their own.

    What is `about` an event reads it where it was read, polls until it rests and shows every change; about a request,
    each reading is sent as it was, its dates moved like those of the events; about pages, it makes so many events that
    there are several, and goes on where the answers say.  The script ends with `expected`, in words, and with what the
    run `got`, and deletes what it made.  Where nothing answers, or a write is answered otherwise than it was, it stops,
    says so and exits with 2.  It needs curl, and jq to show one event rather than whole pages.
    `where` says in a comment where the server is, if it has no address of its own: the user sets it then.
    """
    writer = _Writer(exchanges, variables, about)
    lines = list(writer.lines())
    if expected and lines:
        texts = visible(expected), f"{visible(got)} (in the run; what came now is above)"
        lines.append(f"printf '\\nexpected: %s\\ngot:      %s\\n' {' '.join(map(quoted, texts))}")
    return Script(
        (f"{visible(headline)}.", *([visible(where)] if where else [])),
        tuple(writer.settings(has_address=not where)),
        needed_by(lines),
        (*writer.clean_up(), *lines),
    )


class _Writer:
    """Writes the commands of a script, one after the other."""

    def __init__(self, exchanges: Sequence[Evidence], variables: Mapping[str, str], about: About) -> None:
        self._exchanges = exchanges
        self._is_of_one_event = about == "event"
        self._variables = variables
        self._routes = [route(one.request.method, one.request.url) for one in exchanges]
        names = [at.name for at in self._routes]
        is_known = all(one.request.account not in (None, UNKNOWN_TOKEN) for one in exchanges)
        self._has_pages = about == "pages" and is_known and "read" in names
        self._writes = any(name in ("write", "delete", "batch") for name in names)
        self._has_days = False
        self._names: dict[str, str] = {}
        self._events: dict[tuple[str, str, str], str] = {}
        self._paths: dict[tuple[str, str, str], str] = {}
        times = [one.at for one in exchanges if one.at is not None]
        self._now = datetime.fromtimestamp(times[0], UTC).replace(tzinfo=None) if times else None
        self._origin = _origin(exchanges[0].request.url) if exchanges else ""

    def settings(self, *, has_address: bool) -> Iterator[str]:
        """What the user may change, and the tokens that are needed."""
        accounts = dict.fromkeys(one.request.account for one in self._exchanges)
        yield (
            f"API=${{API:-{quoted(self._origin)}}}"
            if has_address
            else ': "${API:?set it to the address of the server}"'
        )
        for account in accounts:
            if account is not None and account != UNKNOWN_TOKEN:
                name = variable_of(account, self._variables)
                yield f': "${{{name}:?set it to an access token}}"'
        if self._names or self._has_days:
            yield "NOW=$(date +%s)"
        for event_id, name in self._names.items():
            start = event_id if _PLAIN_ID.match(event_id) else f"reproduction-{name.lower()}"
            yield f'{name}="{start}-$NOW"'

    def clean_up(self) -> Iterator[str]:
        """The commands that let the script delete what it made, however it ends."""
        if self._events:
            deletions = [f"  {self._deletion(event)}" for event in self._events]
            yield "clean_up() {"
            yield from (*_EACH, *(f"  {line}" for line in deletions), "  done") if self._has_pages else deletions
            yield "}"
            yield from [_NONE_YET] if self._has_pages else []
            yield "trap clean_up EXIT"

    def lines(self) -> Iterator[str]:
        """The commands: writes and readings in order."""
        open_events: dict[tuple[str, str, str], bool] = {}
        written: dict[tuple[str, str, str], float | None] = {}
        sent: set[str] = set()
        for one, at in zip(self._exchanges, self._routes, strict=True):
            events, command = self._written(one, at)
            if events:
                rested = [event for event in events if open_events.get(event) and _rested(written.get(event), one.at)]
                yield from self._settle(rested)
                written |= dict.fromkeys(events, one.at)
                yield from self._until_two_pages(command, events[0][0]) if self._has_pages else [command]
                open_events |= dict.fromkeys(events, at.name != "delete" and (one.status or 500) < 500)
                continue
            if at.name in ("read", "page"):
                unread = [event for event, is_open in open_events.items() if is_open]
                yield from self._settle(unread) if self._is_of_one_event else [WAIT] if unread else []
                open_events |= dict.fromkeys(unread, False)
            if self._is_shown(at):
                command = self._reading(one.request) if at.name == "read" else self._raw(one.request)
                if command not in sent:
                    yield command
                sent.add(command)
        if self._is_of_one_event:
            yield from self._settle([event for event, is_open in open_events.items() if is_open])

    def _is_shown(self, at: Route) -> bool:
        """Whether what is no plain write is sent as it was: not what polling, or what reading all pages, sends."""
        if not self._is_of_one_event:
            return at.name != "page"
        if at.name in ("calendars", "userinfo", "page"):
            return not self._writes and at.name != "page"
        return at.name != "read" or not self._writes or not _is_plain(at)

    def _until_two_pages(self, command: str, account: str) -> Iterator[str]:
        """A write of many events, until there are so many that a reading has two pages."""
        known = zip(self._exchanges, self._routes, strict=True)
        path = next(quoted(_target(one.request)) for one, at in known if at.name == "read")
        yield f"while [ $made -lt {_MOST} ]; do"
        yield '  made=$((made + 1)); EVENT1="$FIRST-$made"'
        yield command
        yield f"  pages {self._token(account)} {path}; if [ $number -gt 1 ]; then break; fi"
        yield "done"

    def _written(self, one: Evidence, at: Route) -> tuple[list[tuple[str, str, str]], str]:
        """The events that a plain write or a batch names, by account, calendar and id, and the command that writes."""
        request = one.request
        if at.name not in ("write", "delete", "batch") or request.account in (None, UNKNOWN_TOKEN):
            return [], ""
        if len(request.body) > LONGEST_BODY or _OPEN in request.body.decode("utf-8", "replace"):
            return [], ""
        if not (request.header("content-type") or "").lower().startswith("application/json"):
            return [], ""
        body, account, path = body_of(request), str(request.account), urlsplit(request.url).path
        if at.name == "batch":
            entries = body.get("batch") if isinstance(body, dict) else None
            listed = [self._entry(account, entry) for entry in (entries if isinstance(entries, list) else ())]
            events = [event for event, _ in listed if event is not None]
            return events, self._sending(one, path, account, {"batch": [entry for _, entry in listed]})
        event, body = self._event(account, path, at, body)
        return ([], "") if event is None else ([event], self._sending(one, path, account, body))

    def _entry(self, account: str, entry: Any) -> tuple[tuple[str, str, str] | None, Any]:
        """The event that an entry of a batch names, and the entry anew."""
        path = entry.get("relative_url") if isinstance(entry, dict) else None
        if not isinstance(path, str) or not isinstance(entry.get("method"), str):
            return None, entry
        event, data = self._event(account, path, route(entry["method"], self._origin + path), entry.get("data"))
        return event, entry if event is None else {**entry, "data": data}

    def _event(self, account: str, path: str, at: Route, body: Any) -> tuple[tuple[str, str, str] | None, Any]:
        """The event that a write names, and its body anew."""
        event_id = body.get("event_id") if isinstance(body, dict) else None
        if at.calendar_id is None or not isinstance(event_id, str):
            return None, body
        event = account, at.calendar_id, event_id
        name = self._events[event] = self._names.setdefault(event_id, f"EVENT{len(self._names) + 1}")
        self._paths.setdefault(event, path)
        return event, self._anew(body, event_id, name)

    def _deletion(self, event: tuple[str, str, str]) -> str:
        body = _word(_json({"event_id": f"{_OPEN}${self._events[event]}{_CLOSE}"}))
        return f"call DELETE {quoted(visible(self._paths[event]))} {self._token(event[0])} {body} >/dev/null"

    def _sending(self, one: Evidence, path: str, account: str, body: Any) -> str:
        method, status = quoted(one.request.method), one.status or 500
        start = f"send {status} {method} {quoted(visible(path))} {self._token(account)}"
        text = _json(body)
        if len(start) + len(text) > _LONGEST_LINE and isinstance(body, dict):
            text = "{\n" + ",\n".join(f"  {_json(name)}:{_json(value)}" for name, value in body.items()) + "\n}"
        return f"{start} {_word(text)}"

    def _settle(self, events: Iterable[tuple[str, str, str]]) -> list[str]:
        """The commands that read events until they rest, once for an id on several calendars."""
        return [*dict.fromkeys(f'settle {self._token(event[0])} "${self._events[event]}"' for event in events)]

    def _token(self, account: str) -> str:
        return f'"${variable_of(account, self._variables)}"'

    def _anew(self, value: Any, event_id: str, name: str) -> Any:
        """A body with the script's own event id, and with times as far from its own as they were from the writes."""
        if not isinstance(value, dict):
            return value
        times = [value[key] for key in ("start", "end") if key in value]
        is_near = any(abs(seconds) < _NEAR for time in times if (seconds := self._seconds(time)) is not None)
        return {
            key: f"{_OPEN}${name}{_CLOSE}"
            if key == "event_id" and part == event_id
            else self._moved(part, is_near=is_near)
            if key in ("start", "end")
            else part
            for key, part in value.items()
        }

    def _seconds(self, value: Any) -> int | None:
        """How far a time is from the first write, in seconds; None for a date, or what is no time."""
        text = value.get("time") if isinstance(value, dict) else value
        moment = _TIME.match(text) if isinstance(text, str) else None
        with suppress(ValueError):
            if moment is not None and self._now is not None:
                return round((datetime.fromisoformat(moment[1]) - self._now).total_seconds())
        return None

    def _moved(self, value: Any, *, is_near: bool) -> Any:
        """A time that is as far from now as it was: by seconds if the event `is_near`, else by days."""
        if isinstance(value, dict):
            return {key: self._moved(part, is_near=is_near) for key, part in value.items()}
        if not isinstance(value, str) or self._now is None:
            return value
        seconds = self._seconds(value)
        if is_near and seconds is not None:
            return f"{_OPEN}$(at {seconds}){_CLOSE}{_TIME.sub('', value, count=1)}"
        return _DATE.sub(lambda day: f"{_OPEN}{self._day(day)}{_CLOSE}", value)

    def _reading(self, request: Request) -> str:
        """A reading with its dates as far from now as they were; with all its pages, if it had several."""
        if self._has_pages:
            command = f"list {self._token(str(request.account))} {quoted(_target(request))}"
        else:
            command = self._raw(request)
        start, sign, query = command.rpartition("?")
        return start + sign + _DATE.sub(lambda day: f"'\"{self._day(day)}\"'", query) if sign else command

    def _day(self, day: re.Match[str]) -> str:
        """A date as an expression of the shell: as many days from now as it was from the first exchange."""
        with suppress(ValueError):
            if self._now is not None:
                self._has_days = True
                return f"$(day {(_date(day) - self._now.date()).days})"
        return day[0]

    def _raw(self, request: Request) -> str:
        """A request that is no plain write, as it was, but for its origin."""
        if len(request.body) + len(request.url) > LONGEST_BODY:
            return f"# {request.method} {visible(request.path[:_LONGEST_LINE])} had a body of {len(request.body)} bytes"
        command = curl(request, self._variables)
        for start in (f"--url {self._origin}", f"--url '{self._origin}"):
            command = command.replace(start, '--url "$API"' + start.removeprefix("--url ").removesuffix(self._origin))
        return command


def _json(value: Any) -> str:
    """A value as JSON; characters that cannot be seen are escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(value, separators=(",", ":")) if UNSEEN.search(text) else text


def _date(match: re.Match[str]) -> date:
    return date(int(match[1]), int(match[2]), int(match[3]))


def _target(request: Request) -> str:
    """The path and query of a request."""
    parts = urlsplit(request.url)
    return visible(f"{parts.path}?{parts.query}")


def _rested(before: float | None, at: float | None) -> bool:
    """Whether a write came so long after the one before that the event was read until it had settled."""
    return before is not None and at is not None and at - before >= _RESTED


def _is_plain(at: Route) -> bool:
    """Whether a reading asks for managed events and for nothing else."""
    return {name for name, _ in at.query} <= {"tzid", "only_managed", "include_managed"}


def _origin(url: str) -> str:
    parts = urlsplit(without_userinfo(url))
    return visible(f"{parts.scheme}://{parts.netloc}")


def _word(text: str) -> str:
    """Text as one word of a shell script, within which the expressions between marks are expanded."""
    return _SPLICE.sub(lambda match: f"'\"{match[1]}\"'", "'" + text.replace("'", "'\\''") + "'")
