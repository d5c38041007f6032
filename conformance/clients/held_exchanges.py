"""What passes is held for a while: credentials in it are learnt, and concealed in all of it, before it is judged."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping

from conformance.clients.gateway.environment import user_tokens
from conformance.http.exchange import Exchange, account_of_token
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.concealing import concealed
from conformance.http.redaction.personal import PersonalData
from conformance.http.redaction.scrubbing import scrub
from conformance.reference import INVENTORY

__all__ = ["HeldExchanges", "account_names", "known_secrets"]

#: Exchanges, and bytes of their bodies, that are held at most: a credential may be repeated before it is recognised.
_MOST, _BYTES = 1_000, 64 * 1024 * 1024


class HeldExchanges:
    """Holds exchanges, in the order sent, and delivers them without credentials when more have come, or at the end.

    What stands in the place of a credential is secret everywhere.  Taking one in costs next to nothing: it is looked
    at when it is delivered, and most often that is when the run is over.  `account_of` names the account of a token;
    `personal` puts stand-ins for personal data.
    """

    def __init__(
        self,
        deliver: Callable[[Exchange], None],
        secrets: SecretCollector,
        account_of: Callable[[str], str] = account_of_token,
        personal: PersonalData | None = None,
    ) -> None:
        self._deliver = deliver
        self._personal = personal
        self._secrets = secrets
        self._account_of = account_of
        self._new: deque[Exchange] = deque()
        self._learnt: deque[Exchange] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._known: int | None = None

    @property
    def learnt_late(self) -> bool:
        """Whether a credential was learnt after something had been delivered, which may hold it."""
        return self._known not in (None, len(self._secrets))

    def add(self, exchange: Exchange) -> None:
        """Take one more."""
        self._new.append(exchange)
        self._sizes.append(_size(exchange))
        self._bytes += self._sizes[-1]
        while len(self._sizes) > _MOST or self._bytes > _BYTES:
            self._learn()
            self._release()

    def close(self) -> None:
        """No more come: deliver all."""
        self._learn()
        while self._learnt:
            self._release()

    def _learn(self) -> None:
        while self._new:
            scrubbed = concealed(self._new.popleft(), lambda one: scrub(one, self._account_of, self._secrets.collect))
            self._learnt.append(scrubbed)

    def _concealed(self, exchange: Exchange) -> Exchange:
        clean = self._secrets.redacted(exchange)
        return clean if self._personal is None else self._personal.exchange(clean)

    def _release(self) -> None:
        if self._known is None:
            self._known = len(self._secrets)
        self._bytes -= self._sizes.popleft()
        self._deliver(concealed(self._learnt.popleft(), self._concealed))


def account_names(tokens: Mapping[str, str]) -> Callable[[str], str]:
    """Names the account of a token: by `tokens`, account names to tokens, or else by a digest."""
    names = {token: account for account, token in tokens.items()}
    return lambda token: names.get(token) or account_of_token(token)


def known_secrets() -> dict[str, str]:
    """What is secret before anything passes: the reference server's tokens, and the user's own."""
    return {account.name: account.token for account in INVENTORY.accounts} | user_tokens(os.environ)


def _size(exchange: Exchange) -> int:
    return len(exchange.request.body) + (len(exchange.response.body) if exchange.response else 0)
