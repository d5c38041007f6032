"""What a wrong or legal variant of a small server is, and the register of the wrong ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

App = Any  # an ASGI or WSGI application with `interface`, `tokens` and `default_profiles`
Level = Literal["must", "should", "inferred"]
Shows = Literal["failed", "inconclusive"]
Kind = TypeVar("Kind", bound=type[Any])


@dataclass(frozen=True)
class Broken:
    """One wrong server: `make(settle=, now=, **choices)` builds it.

    `shows` is "inconclusive" where all that is wrong is that something stays pending: time alone accuses nobody.
    """

    title: str
    clause: str
    make: Callable[..., App]
    level: Level = "must"
    interface: Literal["asgi", "wsgi"] = "asgi"
    shows: Shows = "failed"


BROKEN: dict[str, Broken] = {}


def wrong(clause: str, title: str, level: Level = "must", shows: Shows = "failed") -> Callable[[Kind], Kind]:
    """Registers a subclass of a small server under its name in kebab-case."""

    def register(kind: Kind) -> Kind:
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()
        assert name not in BROKEN, f"two wrong servers are called {name}"
        BROKEN[name] = Broken(title, clause, kind, level, kind.interface, shows)
        return kind

    return register
