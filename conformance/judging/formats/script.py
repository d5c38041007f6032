"""A failure as a shell script of curl: paste it, and it writes the same events anew, reads them until they rest,
and deletes them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from conformance.facts.routes import Route, route
from conformance.facts.seen import body_of
from conformance.http.curl import curl, quoted, variable_of
from conformance.http.display import UNSEEN, visible, without_userinfo
from conformance.http.exchange import UNKNOWN_TOKEN

if TYPE_CHECKING:
    from conformance.facts import Evidence
    from conformance.http.exchange import Request

__all__ = ["LONGEST_BODY", "Script", "script"]

#: How often, and every how many seconds, an event is read until it shows the same twice and is not pending.
_TRIES, _PAUSE = 24, 5

#: From how many characters on a body stands in several lines.
_LONGEST_LINE = 160

#: The longest body that a script holds, in bytes: shells limit the length of an argument.
LONGEST_BODY = 64_000

#: A time of day, without its offset from UTC.
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})")

#: How near to the first write a time is near, in seconds.
_NEAR = 93_600

#: An event id that may stand in the text of a shell and of JSON as it is.
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:@+~-]{1,200}\Z")

_DATE = re.compile(r"(?<![0-9])([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])")

#: What stands around an expression of the shell in the text of a body, where nothing else has these characters.
_OPEN, _CLOSE = "\ue000", "\ue001"
_SPLICE = re.compile(r"(?:\ue000|\\ue000)(.*?)(?:\ue001|\\ue001)")

#: The date in `$1` days.  GNU and busybox read seconds with -d, BSD and macOS with -r.
_DAY = """\
day() { set -- $(( $(date +%s) + $1 * 86400 )); date -u -d "@$1" +%F 2>/dev/null || date -u -r "$1" +%F; }"""

#: Times near now keep their distance from it: what has begun has begun whenever the script runs.
_AT = """\
at() { set -- $(( $(date +%s) + $1 )); date -u -d "@$1" +%FT%T 2>/dev/null || date -u -r "$1" +%FT%T; }"""

_CALL = """\
call() {  # METHOD PATH TOKEN BODY
  curl -sS -i -g -X "$1" --url "$API$2" -H "Authorization: Bearer $3" \\
    -H 'Content-Type: application/json; charset=utf-8' --data-raw "$4"
}"""

_SEND = """\
send() {  # the same, shown
  printf '\\n# %s %s\\n%s\\n' "$1" "$2" "$4"
  answer=$(call "$@"); printf '%s\\n' "$answer"
}"""

_READ = f"""\
only() {{  # EVENT: that event of a page, or the whole page without jq
  if command -v jq >/dev/null 2>&1; then jq -c --arg id "$1" '.events[]? | select(.event_id == $id)
    | {{calendar_id, event_id, summary, start, "end", location, conferencing}}'; else cat; fi
}}
settle() {{  # TOKEN EVENT: reads until the event shows the same twice, and is not pending
  now=; tries=0
  while :; do
    url="$API/v1/events?tzid=Etc%2FUTC&only_managed=true"; last=$now; now=; pages=0
    while [ -n "$url" ] && [ $pages -lt 50 ]; do
      page=$(curl -sS -g --url "$url" -H "Authorization: Bearer $1"); pages=$((pages + 1))
      now="$now$(printf %s "$page" | only "$2")"
      url=$(printf %s "$page" | sed -n 's/.*"next_page" *: *"\\([^"]*\\)".*/\\1/p' | sed 's,\\\\/,/,g')
      case $url in "$API"/*) ;; *) url= ;; esac  # the token goes nowhere else
    done
    case $now in *'"pending":true'*) ;; *) if [ $tries -gt 0 ] && [ "$now" = "$last" ]; then break; fi ;; esac
    tries=$((tries + 1)); if [ $tries -ge {_TRIES} ]; then break; fi
    sleep "${{PAUSE:-{_PAUSE}}}"
  done
  now=${{now:-nothing: it is not listed}}
  printf '\\n# %s reads back as\\n%s\\n' "$2" "$now"
}}"""


#: Seconds between two writes of an event from which on it was read between them: steps that are sent at once, or while
#: the event is pending, come sooner.
_RESTED = 2.0


_TOOLS = {"day": _DAY, "at": _AT, "call": _CALL, "send": _SEND, "settle": _READ}


Got = Literal["answer", "event", "page"]

#: What came, as a word of the shell, by what shows it and by the command that must be there: else it stands above.
_ABOVE = "'the answer above'"
_GOT: Mapping[Got, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "answer": (("send", """"$(printf %s "$answer" | head -n 1 | tr -d '\\r')\""""),),
        "event": (("settle", '"$now"'),),
        "page": (),
    }
)


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
        return "\n".join(["#!/bin/sh", *self._lines(())]) + "\n"

    def after(self, defined: Collection[str]) -> str:
        """What to paste into a shell that has the functions in `defined` already."""
        return "\n".join(self._lines(defined)) + "\n"

    def _lines(self, defined: Collection[str]) -> list[str]:
        tools = [_TOOLS[name] for name in self.tools if name not in defined]
        return [*(f"# {comment}" for comment in self.comments), *self.settings, *tools, *self.commands]


def script(
    headline: str,
    exchanges: Sequence[Evidence],
    variables: Mapping[str, str],
    where: str = "",
    *,
    expected: str = "",
    got: Got = "answer",
) -> Script:
    """A POSIX script that sends the writes of `exchanges` again, with ids and times of their own.

    It reads each event where it was read, polls until it rests, and deletes what it made.  It ends with `expected`, in
    words, and with what came; it does not compare them, and a shell into which it is pasted stays open.  It needs curl,
    and jq to show one event rather than whole pages.  `where` says in a comment where the server is.
    """
    writer = _Writer(exchanges, variables)
    lines = list(writer.lines())
    if expected and lines:
        shown = next((word for name, word in _GOT[got] if any(line.startswith(f"{name} ") for line in lines)), _ABOVE)
        lines.append(f"printf '\\nexpected: %s\\ngot:      %s\\n' {quoted(visible(expected))} {shown}")
    needs = "\n".join(lines)
    return Script(
        (f"{visible(headline)}.", *([visible(where)] if where else [])),
        tuple(writer.settings()),
        tuple(name for name in _TOOLS if re.search(rf"\b{name} ", needs)),
        tuple(lines),
    )


class _Writer:
    """Writes the commands of a script, one after the other."""

    def __init__(self, exchanges: Sequence[Evidence], variables: Mapping[str, str]) -> None:
        self._exchanges = exchanges
        self._variables = variables
        self._routes = [route(one.request.method, one.request.url) for one in exchanges]
        self._writes = any(at.name in ("write", "delete", "batch") for at in self._routes)
        self._names: dict[str, str] = {}
        self._events: dict[tuple[str, str, str], str] = {}
        self._paths: dict[tuple[str, str, str], str] = {}
        times = [one.at for one in exchanges if one.at is not None]
        self._now = datetime.fromtimestamp(times[0], UTC).replace(tzinfo=None) if times else None
        self._origin = _origin(exchanges[0].request.url) if exchanges else ""

    def settings(self) -> Iterator[str]:
        """What the user may change, and the tokens that are needed."""
        accounts = dict.fromkeys(one.request.account for one in self._exchanges)
        yield f"API=${{API:-{quoted(self._origin)}}}"
        for account in accounts:
            if account is not None and account != UNKNOWN_TOKEN:
                name = variable_of(account, self._variables)
                yield f': "${{{name}:?set it to an access token}}"'
        for event_id, name in self._names.items():
            start = event_id if _PLAIN_ID.match(event_id) else f"reproduction-{name.lower()}"
            yield f'{name}="{start}-$(date +%s)"'

    def lines(self) -> Iterator[str]:
        """The commands: writes and readings in order, and at the end the deletion of what was written."""
        open_events: dict[tuple[str, str, str], bool] = {}
        written: dict[tuple[str, str, str], float | None] = {}
        sent: set[str] = set()
        for one, at in zip(self._exchanges, self._routes, strict=True):
            events, command = self._written(one.request, at)
            if events:
                rested = [event for event in events if open_events.get(event) and _rested(written.get(event), one.at)]
                yield from self._settle(rested)
                written |= dict.fromkeys(events, one.at)
                yield command
                open_events |= dict.fromkeys(events, at.name != "delete" and (one.status or 500) < 500)
            elif at.name == "page" or (at.name == "read" and self._writes and _is_plain(at)):
                unread = [event for event, is_open in open_events.items() if is_open]
                yield from self._settle(unread)
                open_events |= dict.fromkeys(unread, False)
            else:
                command = self._raw(one.request)
                if command not in sent:
                    yield command
                sent.add(command)
        yield from self._settle([event for event, is_open in open_events.items() if is_open])
        for event in self._events:
            yield self._deletion(event)

    def _written(self, request: Request, at: Route) -> tuple[list[tuple[str, str, str]], str]:
        """The events that a plain write or a batch names, by account, calendar and id, and the command that writes."""
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
            return events, self._sending(request.method, path, account, {"batch": [entry for _, entry in listed]})
        event, body = self._event(account, path, at, body)
        return ([], "") if event is None else ([event], self._sending(request.method, path, account, body))

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
        path = self._paths[event]
        body = {"event_id": f"{_OPEN}${self._events[event]}{_CLOSE}"}
        return self._sending("DELETE", path, event[0], body, "call") + " >/dev/null"

    def _sending(self, method: str, path: str, account: str, body: Any, tool: str = "send") -> str:
        start = f"{tool} {quoted(method)} {quoted(visible(path))} {self._token(account)}"
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
        """A body with the script's own event id, and its dates as days from today."""
        if isinstance(value, dict):
            return {
                key: f"{_OPEN}${name}{_CLOSE}"
                if key == "event_id" and part == event_id
                else self._moved(part)
                if key in ("start", "end")
                else part
                for key, part in value.items()
            }
        return value

    def _moved(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._moved(part) for key, part in value.items()}
        return value if not isinstance(value, str) or self._now is None else self._time(value, self._now)

    def _time(self, text: str, now: datetime) -> str:
        """A time that is as far from the time of the script as it was from `now`: by seconds if near, else by days."""
        moment = _TIME.match(text)
        with suppress(ValueError):
            if moment is not None:
                seconds = round((datetime.fromisoformat(moment[1]) - now).total_seconds())
                if abs(seconds) < _NEAR:
                    return f"{_OPEN}$(at {seconds}){_CLOSE}{text[moment.end() :]}"
            return _DATE.sub(lambda day: f"{_OPEN}$(day {(_date(day) - now.date()).days}){_CLOSE}", text)
        return text

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
