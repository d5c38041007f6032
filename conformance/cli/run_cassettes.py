"""The cassettes of a run: files that are small enough to read, by account and family of scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.http.exchange import UNKNOWN_TOKEN, Exchange
from conformance.http.webhooks import address
from conformance.recordings import RecordingMetadata
from conformance.recordings.vcr_writer import write_vcr
from conformance.servers.scenarios import RunContext
from conformance.servers.scenarios.malformed_requests import event_after

if TYPE_CHECKING:
    from conformance.http.redaction import Redactor
    from conformance.servers.campaign import RunResult

__all__ = ["write_cassettes"]

#: The size in bytes up to which a cassette is easy to read, and what an exchange takes beside its bodies.
_CASSETTE_SIZE, _EXCHANGE_OVERHEAD = 100_000, 1_000


def write_cassettes(folder: Path, result: RunResult, metadata: RecordingMetadata, redactor: Redactor) -> None:
    """Write a folder for each account, and in it files for each family of scenarios, small enough to read."""
    families = _families(result)
    cassettes: dict[tuple[str, str], list[Exchange]] = {}
    for exchange in result.exchanges:
        cassettes.setdefault(_folder_and_name(exchange, families), []).append(exchange)
    for (account, family), exchanges in cassettes.items():
        parts = list(_parts(exchanges))
        for number, part in enumerate(parts, 1):
            name = family if len(parts) == 1 else f"{family}-{number:02}"
            write_vcr(folder / account / f"{name}.yaml", part, metadata, redactor)


def _parts(exchanges: Iterable[Exchange]) -> Iterator[list[Exchange]]:
    """The exchanges in order, in parts of a size that is easy to read."""
    part: list[Exchange] = []
    size = 0
    for exchange in exchanges:
        bodies = len(exchange.request.body) + (len(exchange.response.body) if exchange.response else 0)
        if part and size + bodies + _EXCHANGE_OVERHEAD > _CASSETTE_SIZE:
            yield part
            part, size = [], 0
        part.append(exchange)
        size += bodies + _EXCHANGE_OVERHEAD
    yield part


def _families(result: RunResult) -> dict[str, str]:
    ours = RunContext(result.run["id"], 0.0, result.inventory)
    malformed = result.plan.malformed
    scenarios = (
        *result.plan.scenarios,
        *(request.scenario for request in malformed),
        *(event_after(request) for request in malformed[:1]),
    )
    return {ours.event_id(scenario): scenario.family or "scenarios" for scenario in scenarios}


def _folder_and_name(exchange: Exchange, families: dict[str, str]) -> tuple[str, str]:
    if address(exchange.request.url) is not None:
        return "receiver", "notifications"
    account = exchange.request.account
    if account is None or account == UNKNOWN_TOKEN:
        return "nobody", "access"
    if exchange.request.method == "GET":
        directory = exchange.request.path.rstrip("/").endswith(("/calendars", "/userinfo"))
        return account, "directory" if directory else "readings"
    body = exchange.request.body.decode("utf-8", "replace")
    family = next((family for event_id, family in families.items() if f'"{event_id}"' in body), "others")
    return account, family
