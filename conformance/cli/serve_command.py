"""The reference server on a socket, for clients and for trying things out; the list of its faults."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from conformance.cli.output import echo
from conformance.errors import UsageError, nearest
from conformance.http.curl import variable_of

__all__ = ["list_faults", "serve"]


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
        raise UsageError(
            f"no fault has {word!r} in its name, title or clauses; {nearest(word, parts)} --list-faults alone lists all"
        )
    echo("".join(f"{fault.name}  [{' '.join(fault.clauses)}]\n    {fault.title}\n" for fault in found))


def serve(host: str, port: int, settle: float, faults: Sequence[str]) -> None:
    """Serve until Ctrl-C, after printing the base URL and the accounts' tokens; port 0 takes a free one.

    Raises UsageError for an unknown fault, and for an address that cannot be listened on.
    """
    import uvicorn  # slow to import, and only needed here

    from conformance.reference import FAULTS, reference_app

    for fault in faults:
        if fault not in FAULTS:
            raise UsageError(f"there is no fault {fault!r}; {nearest(fault, FAULTS)}")
    app = reference_app(settle=settle, faults=faults)
    listener = _listen(host, port)
    shown_host = f"[{host}]" if ":" in host else host
    echo(f"The reference server answers at http://{shown_host}:{listener.getsockname()[1]} until Ctrl-C.\n")
    echo("Its tokens are public test values:\n")
    for account, token in app.tokens.items():
        echo(f"  export {variable_of(account)}={token}\n")
    for fault in faults:
        echo(f"It is broken on purpose: {fault} ({FAULTS[fault].title}).\n")
    # The listener carries the address; what uvicorn would say of it is said above.
    uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run(sockets=[listener])


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
