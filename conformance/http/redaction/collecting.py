"""The credentials in recordings, replaced in everything that is judged and written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from urllib.parse import urlsplit

from msgspec.structs import replace

from conformance.http.exchange import NOT_RECORDED, Exchange, Headers, Request, Response, account_of_token
from conformance.http.redaction.concealing import concealed
from conformance.http.redaction.decodings import unescaped
from conformance.http.redaction.encodings import REDACTED, Secret, hidden_in, redacted
from conformance.http.redaction.locations import SHORTEST, is_secret
from conformance.http.redaction.redactor import Redactor

__all__ = ["SecretCollector"]

#: Secrets that are collected at most.
_MOST = 1_000
#: Exchanges that are read ahead of the first that is judged, so that their credentials are known by then.
_AHEAD = 1_000
#: Results for bodies up to this size, in bytes, are cached.
_SMALL = 65_536
#: So many requests are known again as the very objects that they are.
_MOST_REQUESTS = 1024
#: Bytes of the n-grams by which all secrets are searched for at once, unless they have few forms.
_GRAM, _FEW = 6, 24
_TOO_DEEP = REDACTED.encode()


class SecretCollector:
    """The credentials of recordings: collected while they are read (`collect`), and replaced in what is judged.

    Each is replaced by its stable name (`account_of_token`), which is valid in a URL too.  `known` maps names to
    tokens that are secret from the start.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._secrets: dict[str, Secret] = {}
        self._needles = _PatternIndex()
        self._known = dict(known)
        self._deep = False
        self._forget()
        for token in known.values():
            self._add(token)

    @property
    def known(self) -> Mapping[str, str]:
        """The tokens that are secret from the start, by their names."""
        return self._known

    @property
    def is_deep(self) -> bool:
        """Whether everything is searched for secrets that are encoded several times over."""
        return self._deep

    @property
    def collected(self) -> tuple[str, ...]:
        """The credentials that were found, without those that were known."""
        return tuple(token for token in self._secrets if token not in self._known.values())

    def __len__(self) -> int:
        return len(self._secrets)

    def collect(self, token: str) -> None:
        """Adds a credential that is replaced from here on."""
        if token not in self._secrets:
            self._add(token)

    def redact_stream(self, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
        """`exchanges` without the credentials in them and in the next thousand."""
        rest = iter(exchanges)
        held = deque(islice(rest, _AHEAD))
        for exchange in rest:
            first = held.popleft()
            yield concealed(first, self.redacted) if self._secrets else first
            held.append(exchange)
        while held:
            yield concealed(held.popleft(), self.redacted)

    def enable_deep_scan(self) -> None:
        """From here on search everything for secrets that are encoded several times over, which is slower."""
        self._deep = True
        self._forget()

    def redactor(self) -> Redactor:
        """A redactor of all collected credentials."""
        return Redactor({**{secret.account: token for token, secret in self._secrets.items()}, **self._known})

    def leaks_into(self, text: str) -> bool:
        """Whether `text` contains one of them, in any encoding."""
        return bool(hidden_in(self._secrets.values(), text.encode("utf-8", "surrogatepass")))

    def redacted(self, exchange: Exchange) -> Exchange:
        """`exchange` with every credential replaced; a body where that is impossible counts as not recorded."""
        if not self._secrets:
            return exchange
        response, notes = exchange.response, exchange.notes
        request, is_too_deep = self._request(exchange.request)
        if is_too_deep:
            notes += (("request-body", NOT_RECORDED),)
        if response is not None:
            headers, body = self._headers(response.headers), self._body(response.body)
            if body == _TOO_DEEP:
                # As for any body that was not recorded: such a response is no evidence.
                notes += (("response-body", NOT_RECORDED), ("response-status", str(response.status)))
                response = None
            elif headers is not None or body is not None:
                response = Response(
                    response.status,
                    response.headers if headers is None else headers,
                    response.body if body is None else body,
                )
        label = self._label(exchange.label)
        if notes:
            notes = self._headers(notes) or notes
        if label is None and request is exchange.request and response is exchange.response and notes == exchange.notes:
            return exchange
        return replace(
            exchange,
            request=request,
            response=response,
            label=exchange.label if label is None else label,
            notes=notes,
        )

    def _request(self, request: Request) -> tuple[Request, bool]:
        """A request without secrets, and whether its body cannot be had without them."""
        known = self._requests.get(id(request))
        if known is not None and known[0] is request:
            return known[1], False
        url, headers, body = self._url(request.url), self._headers(request.headers), self._body(request.body)
        clean = request
        if url is not None or headers is not None or body is not None:
            clean = Request(
                request.method,
                request.url if url is None else url,
                request.headers if headers is None else headers,
                request.body if body is None else body.replace(_TOO_DEEP, b""),
            )
        if not request.body:
            if len(self._requests) >= _MOST_REQUESTS:
                self._requests.clear()
            self._requests[id(request)] = request, clean  # with the request, so that no other takes its id
        return clean, body == _TOO_DEEP

    def _add(self, token: str) -> None:
        if len(self._secrets) >= _MOST or not is_secret(token):
            return
        name = account_of_token(token)
        secret = Secret(name, token.encode("utf-8", "surrogatepass"), name)
        self._secrets[token] = secret
        self._needles.add(secret)
        self._forget()

    def _forget(self) -> None:
        """Clears the caches: what contained no known secret may contain the new one."""
        self._requests: dict[int, tuple[Request, Request]] = {}
        self._text = lru_cache(maxsize=1024)(self._text_without)
        self._headers = lru_cache(maxsize=256)(self._headers_without)
        self._small = lru_cache(maxsize=64)(self._without)

    def _url(self, url: str) -> str | None:
        clean = self._text(url)
        return f"{urlsplit(url).scheme}://redacted/" if clean == REDACTED else clean

    def _label(self, label: str) -> str | None:
        place, _, number = label.rpartition("#")
        if len(number) < SHORTEST and number.isdigit():  # one cached text for all labels of a file
            clean = self._text(place)
            return None if clean is None else f"{clean}#{number}"
        return self._text(label)

    def _body(self, body: bytes) -> bytes | None:
        if not body:
            return None
        return self._small(body) if len(body) <= _SMALL else self._without(body)

    def _headers_without(self, headers: Headers) -> Headers | None:
        if not self._deep and not self._needles.in_(_bytes("\n".join(map("\n".join, headers)))):
            return None
        clean = tuple((self._text(name) or name, self._text(value) or value) for name, value in headers)
        return None if clean == headers else clean

    def _text_without(self, text: str) -> str | None:
        clean = self._without(_bytes(text))
        return None if clean is None else clean.decode("utf-8", "surrogatepass")

    def _without(self, data: bytes) -> bytes | None:
        """`data` without secrets; None if it has none."""
        if not self._deep and not self._needles.in_(data):
            return None
        return redacted(self._secrets.values(), data)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


class _PatternIndex:
    """A fast test for secrets in plain, escaped, base64 and hexadecimal form; a match may be none."""

    def __init__(self) -> None:
        self._needles: list[bytes] = []
        self._grams: set[bytes] = set()
        self._stride = SHORTEST

    def add(self, secret: Secret) -> None:
        encoded = {core.lower() for core in secret.base64_cores}
        encoded |= {core.replace(b"+", b"-").replace(b"/", b"_") for core in encoded}
        for needle in (secret.lower, secret.hex, *encoded):
            self._needles.append(needle)
            self._grams.update(needle[at : at + _GRAM] for at in range(len(needle) - _GRAM + 1))
        self._stride = min(map(len, self._needles)) - _GRAM + 1

    def in_(self, data: bytes) -> bool:
        lower = data.lower()
        if self._are_in(lower):
            return True
        if b"%" not in lower and b"&" not in lower and b"\\" not in lower:
            return False
        return any(self._are_in(view.lower()) for view in unescaped(lower))

    def _are_in(self, data: bytes) -> bool:
        if len(self._needles) > _FEW:
            # Every needle covers at least one stride: a single pass rules out all of them.
            touched = (data[at : at + _GRAM] for at in range(0, len(data), self._stride))
            if self._grams.isdisjoint(touched):
                return False
        for needle in self._needles:  # noqa: SIM110 - `any` over a generator takes twice as long
            if needle in data:
                return True
        return False
