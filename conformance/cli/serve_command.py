"""The reference server on a socket, for clients and for trying things out; the list of its faults."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conformance.cli.evidence import EvidenceFile, run_metadata
from conformance.cli.output import echo, format_utc
from conformance.clients.emulator import Emulator
from conformance.clients.held_exchanges import known_secrets
from conformance.errors import UsageError, nearest
from conformance.facts import Settings
from conformance.facts.seen import answer_of, body_of
from conformance.http.curl import variable_of
from conformance.http.display import visible
from conformance.http.exchange import Exchange
from conformance.http.redaction.collecting import SecretCollector

if TYPE_CHECKING:
    from conformance.reference import ReferenceApp

__all__ = ["ServeOptions", "list_faults", "print_inventory", "serve"]


def list_faults(word: str) -> None:
    """Print the faults that have each word of `word` in their name, title or clauses: name, clauses and title.

    An empty word prints all.  Raises UsageError if no fault matches.
    """
    from conformance.reference import FAULTS

    found = [
        fault
        for fault in FAULTS.values()
        if all(
            part.upper() in fault.clauses or part.lower() in f"{fault.name} {fault.title}".lower()
            for part in word.split()
        )
    ]
    if not found:
        parts = {part for name in FAULTS for part in name.split("-")}
        near = nearest(word, parts)
        hint = f"{near} " if near.endswith("?") else ""
        raise UsageError(f"no fault has {word!r} in its name, title or clauses; {hint}--list-faults alone lists all")
    echo("".join(f"{fault.name}  [{' '.join(fault.clauses)}]\n    {fault.title}\n" for fault in found))


@dataclass(frozen=True)
class ServeOptions:
    """What is served and where, and what is told of the requests; `settle` None: as `inventory` has it."""

    host: str
    port: int
    faults: tuple[str, ...] = ()
    inventory: Path | None = None
    settle: float | None = None
    latency: float = 0.0
    log: bool = False
    evidence: Path | None = None


def print_inventory() -> None:
    """Print the inventory that is served by default, as a file for ``--inventory``."""
    from conformance.reference.inventory_file import ServedInventory, inventory_text

    echo(inventory_text(ServedInventory()))


def serve(options: ServeOptions) -> None:
    """Serve until Ctrl-C, after printing the base URL and the accounts' tokens; port 0 takes a free one.

    Raises UsageError for an unknown fault, for an inventory or evidence that cannot be read or written, and for an
    address that cannot be listened on.
    """
    import uvicorn  # slow to import, and only needed here

    from conformance.reference import FAULTS, reference_app
    from conformance.reference.inventory_file import ServedInventory, read_inventory

    for fault in options.faults:
        if fault not in FAULTS:
            raise UsageError(f"there is no fault {fault!r}; {nearest(fault, FAULTS)}")
    served = ServedInventory() if options.inventory is None else read_inventory(options.inventory)
    settle = served.settling if options.settle is None else options.settle
    app = reference_app(settle=settle, faults=options.faults, page_size=served.page_size, inventory=served.inventory)
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(options.host, options.port))
        emulator = Emulator(app, _observers(options, app, stack), latency=options.latency)
        shown_host = f"[{options.host}]" if ":" in options.host else options.host
        echo(f"The reference server answers at http://{shown_host}:{listener.getsockname()[1]} until Ctrl-C.\n")
        echo("Its tokens are public test values:\n")
        for account, token in app.tokens.items():
            echo(f"  export {variable_of(account)}={token}\n")
        for fault in options.faults:
            echo(f"It is broken on purpose: {fault} ({FAULTS[fault].title}).\n")
        # The listener carries the address; what uvicorn would say of it is said above.
        config = uvicorn.Config(emulator, log_level="warning", lifespan="off", date_header=False)
        uvicorn.Server(config).run(sockets=[listener])


def _observers(options: ServeOptions, app: ReferenceApp, stack: ExitStack) -> Callable[[Exchange], None]:
    """What is done with each exchange: it is logged, and written as evidence, without secrets."""
    secrets = SecretCollector({**known_secrets(), **app.tokens})
    file = None
    if options.evidence is not None:
        metadata = run_metadata(uuid.uuid4().hex[:12], "an application at serve", app.tokens, Settings(), "client")
        file = stack.enter_context(EvidenceFile(options.evidence, metadata, secrets.redactor()))

    def seen(exchange: Exchange) -> None:
        if not options.log and file is None:
            return
        clean = secrets.redacted(exchange)
        if file is not None:
            file.add(clean)
        if options.log:
            with suppress(UsageError):  # a log that cannot be written takes nobody's answer
                echo(f"{log_line(clean)}\n")

    return seen


def log_line(exchange: Exchange) -> str:
    """When, who, what with which conferencing, and the answer, with the fields that it finds wrong.

    >>> from conformance.http.exchange import Request, Response
    >>> log_line(Exchange(Request("GET", "http://127.0.0.1/v1/events?tzid=Etc/UTC"), Response(401), "#1", 1.5))
    '00:00:01.500  nobody  GET /v1/events?tzid=Etc/UTC → 401'
    """
    request, response = exchange.request, exchange.response
    parts = urlsplit(request.url)
    columns = [f"{request.method} {parts.path}" + (f"?{parts.query}" if parts.query else "")]
    body = body_of(request)
    if isinstance(body, dict):
        columns += [str(body["event_id"])] if "event_id" in body else []
        columns += [json.dumps(body["conferencing"], ensure_ascii=False)] if "conferencing" in body else []
    columns += ["→", str(response.status)] if response is not None else ["→ no answer"]
    answer = answer_of(response, "log")
    errors = answer.get("errors") if isinstance(answer, dict) else None
    columns += [", ".join(map(str, errors))] if errors else []
    at = (format_utc(exchange.sent_at) or "")[11:-1]
    return visible(f"{at}  {request.account or 'nobody'}  {' '.join(columns)}")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()  # before the address is told: a client may connect the moment it reads it
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot listen on {host} port {port}: {reason}; choose others with --host and --port"
        ) from None
    return listener
