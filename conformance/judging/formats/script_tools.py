"""The functions of the shell that a script of a failure may need."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["TOOLS", "WAIT", "needed_by"]

#: How often, and every how many seconds, an event is read until it shows the same twice and is not pending.
_TRIES, _PAUSE = 24, 5

#: The time that what was written has to be listed.
WAIT = f'sleep "${{PAUSE:-{_PAUSE}}}"'

#: A moment in seconds as a date or a time.  GNU and busybox read seconds with -d, BSD and macOS with -r.
_UTC = 'utc() { date -u -d "@$1" "$2" 2>/dev/null || date -u -r "$1" "$2"; }'

#: The date in `$1` days, and the time in `$1` seconds: what has begun has begun whenever the script runs.
_DAY = "day() { utc $((NOW + $1 * 86400)) +%F; }"
_AT = "at() { utc $((NOW + $1)) +%FT%T; }"

_STOP = "stop() { printf '\\nstopped: %s\\n' \"$1\"; exit 2; }"

_CALL = """\
call() {  # METHOD PATH TOKEN BODY
  curl -sS -i -g -X "$1" --url "$API$2" -H "Authorization: Bearer $3" \\
    -H 'Content-Type: application/json; charset=utf-8' --data-raw "$4"
}"""

_SEND = """\
send() {  # STATUS METHOD PATH TOKEN BODY: the same, shown, where STATUS is what the run saw
  saw=$1; shift
  printf '\\n# %s %s\\n%s\\n' "$1" "$2" "$4"
  answer=$(call "$@") || stop "no answer from $API"
  printf '%s\\n' "$answer"
  case $(printf %s "$answer" | head -n 1) in
    HTTP/*" ${saw%??}"??*) ;;
    *) now=$(printf %s "$answer" | head -n 1 | cut -d ' ' -f 2)
      stop "answered $now, not $saw as in the run: the failure is gone, or something else is wrong: see the answer" ;;
  esac
}"""

_PAGES = """\
pages() {  # TOKEN PATH [SHOW]: reads all pages of a reading, each where the answer before says; hands each to SHOW
  url="$API$2"; all=; number=0
  while [ -n "$url" ] && [ $number -lt 50 ]; do
    page=$(curl -sS -f -g --url "$url" -H "Authorization: Bearer $1") || stop "events cannot be read"
    all="$all$page"; number=$((number + 1)); ${3:-:} "$page"
    url=$(printf %s "$page" | sed -n 's/.*"next_page" *: *"\\([^"]*\\)".*/\\1/p' | sed 's,\\\\/,/,g')
    case $url in "$API"/*) ;; *) url= ;; esac  # the token goes nowhere else
  done
}"""

_LIST = """\
ids() { if command -v jq >/dev/null 2>&1; then jq -r '.events[]?.event_id'; else cat; fi; }
page_of() { printf '\\n# page %s\\n%s\\n' "$number" "$(printf %s "$1" | ids)"; }
list() {  # TOKEN PATH: the ids on each page of a reading, or the pages without jq
  pages "$1" "$2" page_of
  if [ $number -lt 2 ]; then printf '\\nThere is one page only: it takes more events than these.\\n'; fi
}"""

_READ = f"""\
only() {{  # EVENT: that event of a page, or the whole page without jq
  if command -v jq >/dev/null 2>&1; then jq -c --arg id "$1" '.events[]? | select(.event_id == $id)
    | {{calendar_id, event_id, summary, start, "end", location, conferencing}}'; else cat; fi
}}
settle() {{  # TOKEN EVENT: reads until the event shows the same twice, and is not pending; shows each change
  printf '\\n# %s reads back as\\n' "$2"; now=; tries=0
  while [ $tries -lt {_TRIES} ]; do
    last=$now; pages "$1" "/v1/events?tzid=Etc%2FUTC&only_managed=true"
    now=$(printf %s "$all" | only "$2"); now=${{now:-nothing: it is not listed}}
    if [ "$now" != "$last" ]; then printf '%s\\n' "$now"
    else case $(printf %s "$now" | tr -d ' \\t') in *'"pending":true'*) ;; *) break ;; esac; fi
    tries=$((tries + 1)); sleep "${{PAUSE:-{_PAUSE}}}"
  done
}}"""

#: Functions of the shell, each behind those that it needs.
TOOLS = {"utc": _UTC, "day": _DAY, "at": _AT, "stop": _STOP, "call": _CALL, "send": _SEND}
TOOLS |= {"pages": _PAGES, "list": _LIST, "settle": _READ}


def needed_by(lines: Iterable[str]) -> tuple[str, ...]:
    """The functions that commands use, and those that these need."""
    text, needed = "\n".join(lines), set[str]()
    for name, body in reversed(TOOLS.items()):
        if re.search(rf"\b{name} ", text):
            needed.add(name)
            text += body
    return tuple(name for name in TOOLS if name in needed)
