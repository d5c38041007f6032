"""A broad script of requests, and the answers of a server to it, to compare servers by."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import product
from typing import Any
from urllib.parse import urlencode

from conformance.reference import (
    INVENTORY,
    Fault,
    ReferenceAccount,
    ReferenceApp,
    ReferenceCalendar,
    Variation,
    reference_app,
)
from conformance.reference.calls import Answer, Call
from conformance.reference.hooks import Hooks
from conformance.reference.timestamps import utc

START = 1_800_000_000.0
HOUR, DAY = 3600.0, 86400.0
SETTLE = 10.0
ORIGIN = "https://reference.test:8443"


class StandingClock:
    """A virtual clock that the probe advances."""

    virtual = True

    def __init__(self) -> None:
        self.at = START

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class Probe:
    """Sends calls to a fresh server without a network, and collects its answers."""

    def __init__(self, **settings: Any) -> None:
        self.clock = StandingClock()
        self.app: ReferenceApp = reference_app(**{"clock": self.clock, "settle": SETTLE, **settings})
        self.answers: list[tuple[int, Any]] = []

    def wait(self, settlings: float) -> None:
        self.clock.at += settlings * SETTLE

    def call(
        self,
        method: str,
        path: str,
        account: str | None = "default",
        body: Any = None,
        query: Any = (),
        token: str | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        token = token if token is not None else self.app.tokens.get(account or "")
        headers = {"content-type": content_type, **({"authorization": f"Bearer {token}"} if token else {})}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        encoded = query if isinstance(query, str) else urlencode(query)
        answer = self.app.server.answer(Call(method, path, encoded, headers, content, ORIGIN))
        self.answers.append((answer.status, answer.body))
        return answer

    def write(self, account: str, calendar: ReferenceCalendar | str, body: Any, **more: Any) -> Answer:
        return self.call("POST", _events_of(calendar), account, body, **more)

    def delete(self, account: str, calendar: ReferenceCalendar | str, event_id: str, **more: Any) -> Answer:
        return self.call("DELETE", _events_of(calendar), account, {"event_id": event_id}, **more)

    def notified(self) -> list[tuple[str, bytes, str]]:
        """What is due to be notified: URI, body and signature of each; an answer like the others."""
        notices = self.app.server.notifications
        due = notices.take(self.clock.now())
        found = [(each.uri, each.body, notices.headers(each)["Cronofy-HMAC-SHA256"]) for each in due]
        self.answers.append((0, [[uri, body.decode(), signature] for uri, body, signature in found]))
        return found

    def read(self, account: str = "default", **query: Any) -> list[dict[str, Any]]:
        """All pages of a read: the managed events, unless another flag is given."""
        calendar_ids = [("calendar_ids[]", each) for each in query.pop("calendar_ids", ())]
        pairs = [("tzid", "Etc/UTC"), *({"only_managed": "true"} | query).items(), *calendar_ids]
        answer = self.call("GET", "/v1/events", account, query=pairs)
        found: list[dict[str, Any]] = []
        for _ in range(200):
            if answer.status != 200:
                break
            found += answer.body["events"]
            link = answer.body.get("pages", {}).get("next_page")
            if not isinstance(link, str) or not link.startswith(ORIGIN):
                break
            path, _, encoded = link.removeprefix(ORIGIN).partition("?")
            answer = self.call("GET", path, account, query=encoded)
        return found

    def event(self, event_id: str, account: str = "default", **query: Any) -> dict[str, Any]:
        """The one event with that id."""
        (found,) = [each for each in self.read(account, **query) if each.get("event_id") == event_id]
        return found

    def conferencing(self, event_id: str, account: str = "default") -> Any:
        """The conferencing of an event once all has settled; None for none."""
        self.wait(5)
        return self.event(event_id, account).get("conferencing")


def _events_of(calendar: ReferenceCalendar | str) -> str:
    return f"/v1/calendars/{calendar if isinstance(calendar, str) else calendar.calendar_id}/events"


def calendar_of(account: str, name: str) -> ReferenceCalendar:
    """A calendar of the inventory by its name."""
    return next(each for each in INVENTORY.by_name[account].calendars if each.name == name)


def explicit(url: str = "https://meet.example.com/Rooms/A?x=1&y=%2F#now", **more: Any) -> dict[str, Any]:
    """Explicit conferencing."""
    return {"profile_id": "explicit", "provider_description": "Video room", "join_url": url, **more}


def event(event_id: str, conferencing: Any = ..., starts_in: float = 3 * DAY, **more: Any) -> dict[str, Any]:
    """The body of an upsert; conferencing is omitted unless it is given."""
    body = {
        "event_id": event_id,
        "summary": "Planning",
        "description": "About the plan",
        "start": utc(START + starts_in),
        "end": utc(START + starts_in + HOUR),
        **more,
    }
    return body if conferencing is ... else {**body, "conferencing": conferencing}


Step = Mapping[str, Any] | str


@dataclass(frozen=True)
class ProbeScenario:
    """The writes of one event: changes to its body, or DELETE; `immediate` does not wait between them."""

    account: str
    calendar: ReferenceCalendar
    event_id: str
    steps: tuple[Step, ...]
    immediate: bool = field(default=False)


Section = Callable[[Probe], None]


def _run(probe: Probe, scenarios: list[ProbeScenario]) -> None:
    """Runs scenarios in parallel, and reads at once, when settled and long after."""
    bodies = {scenario.event_id: event(scenario.event_id) for scenario in scenarios}
    accounts = sorted({scenario.account for scenario in scenarios})
    for number in range(max(len(scenario.steps) for scenario in scenarios)):
        for scenario in scenarios:
            if number >= len(scenario.steps):
                continue
            step = scenario.steps[number]
            if isinstance(step, str):
                probe.delete(scenario.account, scenario.calendar, scenario.event_id)
                continue
            bodies[scenario.event_id] = {
                name: each for name, each in bodies[scenario.event_id].items() if name != "conferencing"
            } | dict(step)
            probe.write(scenario.account, scenario.calendar, bodies[scenario.event_id])
        for times in (0.0, 0.5, 0.6) if scenarios[0].immediate else (0.0, 1.5):
            probe.wait(times)
            for account in accounts:
                probe.read(account)
            if scenarios[0].immediate:
                break
    for times in (0.5, 1.0, 2.0, 3.0):
        probe.wait(times)
        for account in accounts:
            probe.read(account)


def _kinds(account: ReferenceAccount, number: int) -> dict[str, Step]:
    kinds: dict[str, Step] = {
        "omitted": {},
        "none": {"conferencing": {"profile_id": "none"}},
        "explicit": {"conferencing": explicit(f"https://meet.example.com/Rooms/{number}?x=1")},
        "default": {"conferencing": {"profile_id": "default"}},
        "integrated": {"conferencing": {"profile_id": "integrated"}},
        "8x8": {"conferencing": {"profile_id": "8x8"}},
    }
    for index, profile in enumerate(account.profiles):
        kinds[f"profile-{index}"] = {"conferencing": {"profile_id": profile.profile_id}}
    return kinds


def _pairs(account: str, calendar: str, *, immediate: bool = False) -> Section:
    def section(probe: Probe) -> None:
        first, second = _kinds(INVENTORY.by_name[account], 1), _kinds(INVENTORY.by_name[account], 2)
        scenarios = [
            ProbeScenario(account, calendar_of(account, calendar), f"Pair-{a}-{b}", (first[a], second[b]), immediate)
            for a, b in product(first, second)
        ]
        _run(probe, scenarios)

    return section


def _sequences(account: str, calendar: str) -> Section:
    def section(probe: Probe) -> None:
        kinds = _kinds(INVENTORY.by_name[account], 1)
        other = _kinds(INVENTORY.by_name[account], 2)
        none, omitted, room, default = kinds["none"], kinds["omitted"], kinds["explicit"], kinds["default"]
        renamed, moved = {"summary": "Renamed"}, {"start": utc(START + 4 * DAY), "end": utc(START + 4 * DAY + HOUR)}
        past = {"start": utc(START - 2 * DAY), "end": utc(START - 2 * DAY + HOUR)}
        running = {"start": utc(START - 2 * DAY), "end": utc(START + 2 * DAY)}
        day = {"start": utc(START + 4 * DAY)[:10], "end": utc(START + 5 * DAY)[:10]}
        stray = {"conferencing": {"profile_id": "default", "join_url": "https://stray.example.com/x"}}
        sequences: list[tuple[Step, ...]] = []
        for kind in [each for name, each in kinds.items() if name not in ("omitted", "none", "8x8")]:
            sequences += [
                (kind, omitted, omitted, none),
                (kind, none, omitted, renamed),
                (kind, none, kind, none),
                (kind, none, other["explicit"], none),
                (kind, {"description": "Another, https://zoom.us/j/1"}, renamed, moved),
                (kind, past, default),
                (kind, {**kind, **past}),
                ({**kind, **past}, moved, day),
                ({**kind, **past}, {**default, **moved}, room),
                ({**past}, kind, none),
                (kind, "DELETE", omitted),
                (kind, "DELETE", other["default"]),
                ({**kind, "location": {"description": "Room 1"}}, omitted, none),
                (omitted, omitted, kind, renamed),
                (kind, stray),
                (running, {**kind, **running}),
            ]
        sequences.append((room, *[omitted] * 10))
        for name, immediate in (("Settled", False), ("Immediate", True)):
            target = calendar_of(account, calendar)
            _run(
                probe,
                [
                    ProbeScenario(account, target, f"{name}-{number}", steps, immediate)
                    for number, steps in enumerate(sequences)
                ],
            )

    return section


def _starts(account: str, calendar: str) -> Section:
    def section(probe: Probe) -> None:
        kinds = _kinds(INVENTORY.by_name[account], 1)
        scenarios = []
        for ahead in (-2 * DAY, 25 * HOUR, 366 * DAY):
            for lasts in (HOUR, 5 * DAY):
                first, last = START + ahead, START + ahead + lasts
                forms: dict[str, tuple[Any, Any]] = {
                    "utc": (utc(first), utc(last)),
                    "offset": (utc(first)[:-1] + "+02:00", utc(last)[:-1] + "+02:00"),
                    "zone": (
                        {"time": utc(first)[:-1], "tzid": "America/New_York"},
                        {"time": utc(last), "tzid": "America/New_York"},
                    ),
                    "date": (utc(first)[:10], utc(last + DAY)[:10]),
                }
                for (form, (start, end)), (kind, step) in product(forms.items(), kinds.items()):
                    if kind in ("omitted", "none"):
                        continue
                    name = f"Start-{ahead:.0f}-{lasts:.0f}-{form}-{kind}"
                    scenarios.append(
                        ProbeScenario(
                            account, calendar_of(account, calendar), name, ({**step, "start": start, "end": end},)
                        )
                    )
        for ahead, hours, zone in ((5 * HOUR, -11, "Pacific/Pago_Pago"), (-5 * HOUR, 13, "Pacific/Kiritimati")):
            times = [START + ahead + lasts for lasts in (0, HOUR)]
            forms = {
                "offset": tuple(
                    datetime.fromtimestamp(at, timezone(timedelta(hours=hours))).isoformat() for at in times
                ),
                "zone": tuple({"time": utc(at), "tzid": zone} for at in times),
            }
            for (form, (start, end)), (kind, step) in product(forms.items(), kinds.items()):
                near = ({**step, "start": start, "end": end},)
                name = f"Near-{ahead:.0f}-{form}-{kind}"
                scenarios.append(ProbeScenario(account, calendar_of(account, calendar), name, near))
        _run(probe, scenarios)
        probe.read(account, only_managed="true", localized_times="true")

    return section


URLS = (
    "http://meet.example.com/room",
    "https://meet.example.com:8443/Room/A%2Fb?token=A%26b&next=%2Fx#Part",
    "https://meet.example.com/" + "a" * 300,
    "https://meet.example.com/" + "b" * 2100,
    "HTTPS://Meet.Example.com/room/%7euser",
)
BAD = (
    {},
    {"profile_id": "explicit"},
    {"profile_id": "explicit", "join_url": "https://meet.example.com/x"},
    {"profile_id": "explicit", "provider_description": "Room"},
    {"profile_id": "explicit", "provider_description": "Room", "join_url": "ftp://meet.example.com/x"},
    {"profile_id": "explicit", "provider_description": "Room", "join_url": "not a URL"},
    {"profile_id": "pro_unknown"},
    {"provider_description": "Room", "join_url": "https://meet.example.com/x"},
    {"profile_id": INVENTORY.by_name["profiles"].profiles[0].profile_id},
    "default",
    None,
)


def _bodies(account: str, calendar: str) -> Section:
    def section(probe: Probe) -> None:
        target = calendar_of(account, calendar)
        for number, url in enumerate(URLS):
            probe.write(account, target, event(f"Url-{number}", explicit(url)))
        for url in ("https://meet.example.com/Rooms/A", "https://meet.example.com/rooms/a"):
            probe.write(account, target, event("Url-case", explicit(url)))
        extra_fields = {"provider_description": "Extra", "join_url": "https://extra.example.com/x"}
        for name, step in _kinds(INVENTORY.by_name[account], 1).items():
            if isinstance(step, Mapping) and "conferencing" in step and name != "explicit":
                for field_name in (*extra_fields, None):
                    more = {field_name: extra_fields[field_name]} if field_name else extra_fields
                    probe.write(account, target, event(f"Extra-{name}-{field_name}", {**step["conferencing"], **more}))
        probe.read(account)
        for number, bad in enumerate(BAD):
            probe.write(account, target, event(f"Bad-{number}", bad))
            probe.write(account, target, event(f"Was-{number}", explicit()))
        bare = event("Bare", ..., summary="Bare")
        probe.write(account, target, event("Bare", explicit(), location={"description": "Room 1"}))
        probe.wait(2)
        for number, bad in enumerate((*BAD, {"profile_id": "integrated"})):
            probe.write(account, target, event(f"Was-{number}", bad, summary="Changed"))
        probe.write(account, target, {name: value for name, value in bare.items() if name != "description"})
        for missing in ("event_id", "summary", "description", "start", "end"):
            body = event(f"Without-{missing}", {"profile_id": "none"})
            del body[missing]
            probe.write(account, target, body)
        probe.write(account, target, event("Text", summary="Pläne für später " * 5, description="  spaced  "))
        probe.write(account, target, event("Long", summary="x" * 1025))
        probe.write(account, target, event("Full", explicit(), location={"description": "Room 1"}, color="#ff0000"))
        probe.write(account, target, event("Full", ...))
        probe.write(account, target, event("Info", include_userinfo=True))
        probe.write(account, target, b"no JSON")
        form = urlencode({"event_id": "Form", "summary": "s", "start": utc(START), "end": utc(START), "tzid": "UTC"})
        probe.write(account, target, form.encode(), content_type="application/x-www-form-urlencoded")
        for times in (0.0, 2.0, 4.0):
            probe.wait(times)
            probe.read(account)

    return section


def _isolation(probe: Probe) -> None:
    targets = [
        ("default", calendar_of("default", "Work")),
        ("default", calendar_of("default", "Home")),
        ("profiles", calendar_of("profiles", "Work")),
        ("profiles", calendar_of("profiles", "Home")),
        ("several", calendar_of("several", "Work")),
    ]
    for number, (account, target) in enumerate(targets):
        probe.write(
            account, target, event("Shared", explicit(f"https://meet.example.com/{number}"), summary=str(number))
        )
        probe.write(account, target, event(f"Only-{number}", {"profile_id": "default"}))
        probe.write(account, target, event(f"Plain-{number}"))
        probe.wait(2)
        probe.read(account)
    probe.write("default", targets[0][1], event("Shared", {"profile_id": "none"}, summary="Changed"))
    probe.write("several", targets[4][1], event("Turn", {"profile_id": "default"}))
    probe.delete("default", targets[1][1], "Shared")
    probe.delete("profiles", targets[3][1], "Only-3")
    probe.delete("profiles", targets[3][1], "Plain-3")
    probe.delete("profiles", targets[3][1], "Unknown")
    for times in (0.0, 2.0, 4.0):
        probe.wait(times)
        for account in ("default", "profiles", "several"):
            probe.read(account)


def _reads(probe: Probe) -> None:
    work, home = calendar_of("default", "Work"), calendar_of("default", "Home")
    for number, starts_in in enumerate((-60 * DAY, -2 * DAY, 2 * DAY, 3 * DAY, 300 * DAY)):
        for name, target in (("Work", work), ("Home", home)):
            start = {"time": utc(START + starts_in), "tzid": "Europe/Berlin"}
            end = {"time": utc(START + starts_in + 2 * HOUR), "tzid": "Europe/Berlin"}
            probe.write("default", target, event(f"{name}-{number}", explicit(), start=start, end=end))
    probe.wait(3)
    modified = utc(START + 2 * SETTLE)
    probe.write("default", work, event("Work-3", summary="Moved", starts_in=9 * DAY))
    probe.delete("default", work, "Work-2")
    probe.wait(3)
    near = {"from": utc(START + 2 * DAY + HOUR / 2), "to": utc(START + 3 * DAY + HOUR)}
    flags: tuple[dict[str, Any], ...] = (
        {"only_managed": "false"},
        {"only_managed": "", "include_managed": "True"},
        {"only_managed": "true"},
        {"only_managed": "true", "localized_times": "true"},
        {"only_managed": "true", "include_deleted": "true"},
        {"include_managed": "true", "include_deleted": "1", "only_managed": "0"},
        {"only_managed": "true", "last_modified": modified},
        {"only_managed": "true", "calendar_ids": (work.calendar_id,)},
        {"only_managed": "true", "calendar_ids": (work.calendar_id, home.calendar_id)},
        {"only_managed": "false", "calendar_ids": (work.calendar_id,)},
        {"only_managed": "true", "calendar_ids": ("cal_unknown",)},
        {"only_managed": "true", **near},
        {"include_managed": "true", "only_managed": "false", **near},
        {"include_managed": "true", "only_managed": "false", "include_moved": "true", **near},
        {"only_managed": "true", "from": "tomorrow"},
        {"only_managed": "perhaps"},
        {"only_managed": "true", "tzid": ""},
    )
    for query in flags:
        probe.read("default", **query)
    probe.call("GET", "/v1/events", "default", query=[("only_managed", "true")])


def _access(probe: Probe) -> None:
    home = calendar_of("default", "Home")
    probe.write("default", home, event("Own", explicit()))
    probe.write("default", home, event("Own-2", explicit()))
    probe.write("default", home, event("Own-3", explicit()))
    first = probe.call("GET", "/v1/events", "default", query=[("tzid", "Etc/UTC"), ("include_managed", "true")])
    link = str(first.body["pages"].get("next_page") or "").removeprefix(ORIGIN).partition("?")
    for account, token in ((None, ""), (None, "unknown-token"), ("profiles", None), ("default", None)):
        if link[0]:
            probe.call("GET", link[0], account, token=token, query=link[2])
        for path in ("/v1/calendars", "/v1/userinfo"):
            probe.call("GET", path, account, token=token)
        probe.call("GET", "/v1/events", account, token=token, query=[("tzid", "Etc/UTC"), ("only_managed", "true")])
        probe.write(account or "", home, event(f"By-{account}-{token}", explicit()), token=token)
        probe.read("default")
        probe.delete(account or "", home, "Own-2" if token is None else "Own", token=token)
        probe.read("default")
    for name in ("Holidays", "Old project"):
        probe.write("default", calendar_of("default", name), event("Refused", explicit()))
        probe.delete("default", calendar_of("default", name), "Refused")
    probe.write("default", "cal_unknown", event("Nowhere", explicit()))
    probe.delete("default", "cal_unknown", "Nowhere")
    probe.call("GET", "/v1/nothing")
    probe.call("PUT", "/v1/calendars")
    probe.call("GET", "/v1/events/pages/none")
    probe.wait(3)
    for account in INVENTORY.by_name:
        probe.read(account)
        probe.call("GET", "/v1/calendars", account)
        probe.call("GET", "/v1/userinfo", account)


def webhook(name: str, *interactions: str, host: str = "https://app.example.io") -> dict[str, Any]:
    """A subscription of an event."""
    return {"type": "webhook", "uri": f"{host}/{name}", "interactions": [{"type": each} for each in interactions]}


def _subscriptions(probe: Probe) -> None:
    for account, name in (("disconnected", "Work"), ("default", "Work")):
        target = calendar_of(account, name)
        for number, conferencing in enumerate(
            (..., *({"profile_id": one} for one in ("default", "integrated", "none")))
        ):
            hooks = [webhook(f"{account}-{number}", "conferencing_assigned", "conferencing_failing")]
            for summary in ("Created", "Updated"):
                body = event(f"Told-{number}", conferencing, summary=summary, subscriptions=hooks)
                probe.write(account, target, body)
                probe.notified()
                for settlings in (0.5, 0.6, 3.0):
                    probe.wait(settlings)
                    probe.notified()
        local = [webhook("local", "conferencing_assigned", host="http://127.0.0.1:9")]
        probe.write(account, target, event("Told-explicit", explicit(), subscriptions=local))
        probe.wait(3)
        probe.read(account)


def _batch(probe: Probe) -> None:
    profiles = calendar_of("profiles", "Work")
    path = _events_of(profiles)
    for name in ("Kept", "Bare", "Gone"):
        probe.write("profiles", profiles, event(name, explicit()))
    bodies = (
        event("One", explicit()),
        event("Two", {"profile_id": "integrated"}),
        event("Three", {"profile_id": "explicit"}),
        event("Kept"),
        event("Bare", {"profile_id": "none"}),
    )
    entries = [{"method": "POST", "relative_url": path, "data": body} for body in bodies]
    entries.append({"method": "DELETE", "relative_url": path, "data": {"event_id": "Gone"}})
    probe.call("POST", "/v1/batch", "profiles", {"batch": entries})
    probe.wait(3)
    probe.read("profiles")


def sections() -> Iterator[tuple[str, Section, dict[str, Any]]]:
    """The script in sections: name, what to send, settings of the server."""
    yield "batch", _batch, {}
    yield "subscriptions", _subscriptions, {}
    yield "access", _access, {"page_size": 2}
    yield "isolation", _isolation, {}
    yield "bodies", _bodies("profiles", "Work"), {}
    for account, calendar in (("default", "Work"), ("default", "Home")):
        yield f"pairs-{account}-{calendar}", _pairs(account, calendar), {}
    yield "bodies-home", _bodies("default", "Home"), {}
    yield "reads", _reads, {"page_size": 3}
    yield "immediate-pairs", _pairs("profiles", "Work", immediate=True), {}
    for account, calendar in (
        ("disconnected", "Work"),
        ("profiles", "Without Meet"),
        ("chosen", "Home"),
        ("default", "Graph"),
        ("several", "Work"),
    ):
        yield f"pairs-{account}-{calendar}", _pairs(account, calendar), {}
    yield "starts", _starts("profiles", "Work"), {}
    yield "sequences", _sequences("default", "Work"), {}
    yield "sequences-profiles", _sequences("profiles", "Work"), {}


class DifferentAnswerError(Exception):
    """A server answers differently from the one that it is compared with."""


class Comparing(list[tuple[int, Any]]):
    """A list of answers that raises at the first one that is not as expected."""

    def __init__(self, expected: list[tuple[int, Any]]) -> None:
        super().__init__()
        self._expected = expected

    def append(self, answer: tuple[int, Any]) -> None:
        index = len(self)
        if index >= len(self._expected) or self._expected[index] != answer:
            raise DifferentAnswerError
        super().append(answer)


class WatchingHooks(Hooks):
    """The decisions of the clean server; notes which faults and variations would change one."""

    def __init__(self, *, faults: Mapping[str, Fault], variations: Mapping[str, Variation]) -> None:
        super().__init__((), ())
        self.would_change: set[str] = set()
        self._watched: dict[Any, list[tuple[str, Any]]] = defaultdict(list)
        for name, each in (faults | variations).items():
            for override in each.overrides:
                self._watched[override.hook].append((name, override.alter))

    def __call__(self, hook: Any, right: Any, situation: Any) -> Any:
        for name, alter in self._watched[hook]:
            if name not in self.would_change and alter(right, situation) != right:
                self.would_change.add(name)
        return right


@dataclass(frozen=True)
class Clean:
    """The answers of the clean server in a section, and the faults and variations that would change a decision."""

    section: Section
    settings: Mapping[str, Any]
    answers: list[tuple[int, Any]]
    would_change: frozenset[str]


def clean_sections(faults: Mapping[str, Fault], variations: Mapping[str, Variation]) -> dict[str, Clean]:
    """All sections on the clean server, short ones first."""
    clean = {}
    for name, section, settings in sections():
        watching = WatchingHooks(faults=faults, variations=variations)
        probe = Probe(**settings)
        probe.app.server.hooks = probe.app.server.store.hooks = watching
        section(probe)
        clean[name] = Clean(section, settings, probe.answers, frozenset(watching.would_change))
    return dict(sorted(clean.items(), key=lambda item: len(item[1].answers)))


def first_difference(clean: Mapping[str, Clean], name: str, **settings: Any) -> tuple[str, Probe] | None:
    """The first section in which a server with that fault or variation answers differently; None if there is none."""
    for section, expected in clean.items():
        if name not in expected.would_change:
            continue
        probe = Probe(**{**expected.settings, **settings})
        probe.answers = Comparing(expected.answers)
        try:
            expected.section(probe)
        except DifferentAnswerError:
            return section, probe
    return None
