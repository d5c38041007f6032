"""Personal data replaced by stand-ins: equal texts stay equal, different ones differ, and verdicts stay the same."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from typing import Any

from msgspec.structs import replace

from conformance.http.display import UNSEEN
from conformance.http.exchange import Exchange, load_json

__all__ = ["PersonalData"]

#: Members of JSON objects whose texts are personal, wherever they stand.
_MEMBERS = frozenset(
    {
        "summary",
        "description",
        "address",
        "display_name",
        "name",
        "first_name",
        "last_name",
        "full_name",
        "email",
        "phone",
    }
    | {
        "phone_number",
        "comment",
        "note",
        "notes",
        "subject",
        "title",
        "company",
        "profile_name",
        "calendar_name",
        "long",
    }
    | {"lat", "sub_name", "picture"}
)

#: Members in which nothing but addresses is replaced: what a refusal says, and the names of services.
_PUBLIC = frozenset({"errors", "error", "conferencing"})

#: The ends of members that the API works with.
_IDS = ("_id", "_ids", "_uid", "next_page", "_url", "sub")

_ADDRESS = re.compile(r"[A-Za-z0-9._+'-]{1,64}(?:@|%40)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_MEMBER = re.compile(rf'("(?:{"|".join(sorted(_MEMBERS))})"\s*:\s*")((?:[^"\\]|\\.)*)')
_URL = re.compile(r"(https?://\S+)")
_TEXT = re.compile(r"\A(\s*)(.*?)(\s*)\Z", re.DOTALL)

#: The shortest stand-in: enough for different texts to differ.
_SHORTEST = 12


class PersonalData:
    """Replaces names, addresses, summaries, descriptions, locations and attendees in exchanges.

    A stand-in is as long as what it stands for, if that is not too short, and is made with a key that is nowhere
    written.  Blank texts, URLs and ids stay as they are.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = secrets.token_bytes(32) if key is None else key

    def exchange(self, exchange: Exchange) -> Exchange:
        """The exchange with stand-ins, in the bodies and the notes; URLs and ids are what the API works with."""
        request, response = exchange.request, exchange.response
        return replace(
            exchange,
            request=replace(request, body=self._body(request.body)),
            response=response and replace(response, body=self._body(response.body)),
            notes=tuple((name, self._addresses(value)) for name, value in exchange.notes),
        )

    def _body(self, body: bytes) -> bytes:
        if not body:
            return body
        try:
            value = load_json(body)
        except ValueError:
            text = body.decode("utf-8", "surrogateescape")
            text = _MEMBER.sub(lambda match: match[1] + self._words(match[2]), text)  # JSON that was cut off, perhaps
            return self._addresses(text).encode("utf-8", "surrogateescape")
        changed = self._value(value, personal=False, public=False)
        if changed == value:
            return body
        return json.dumps(changed, separators=(",", ":")).encode("ascii")

    def _value(self, value: Any, *, personal: bool, public: bool) -> Any:
        if isinstance(value, str):
            return self._text(value) if personal and not public else self._addresses(value)
        if isinstance(value, dict):
            return {
                name: item
                if name.endswith(_IDS)
                else self._value(item, personal=name in _MEMBERS, public=public or name in _PUBLIC)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self._value(item, personal=personal, public=public) for item in value]
        return value

    def _text(self, text: str) -> str:
        if _ADDRESS.fullmatch(text):
            return self._addresses(text)
        parts = _URL.split(text)
        return "".join(part if number % 2 else self._words(part) for number, part in enumerate(parts))

    def _words(self, text: str) -> str:
        match = _TEXT.match(text)
        if match is None or not match[2]:
            return text
        length = max(len(match[2]), _SHORTEST)
        digest = self._digest(match[2])
        stand_in = list((digest * (length // len(digest) + 1))[:length])
        for odd in UNSEEN.finditer(match[2]):  # what no validator takes for text stays what it is
            stand_in[odd.start()] = odd[0]
        return match[1] + "".join(stand_in) + match[3]

    def _addresses(self, text: str) -> str:
        if "@" not in text and "%40" not in text:
            return text
        return _ADDRESS.sub(self._address, text)

    def _address(self, match: re.Match[str]) -> str:
        at = "%40" if "%40" in match[0] else "@"
        return f"person-{self._digest(match[0].replace('%40', '@').lower())[:12]}{at}example.invalid"

    def _digest(self, text: str) -> str:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).hexdigest()
