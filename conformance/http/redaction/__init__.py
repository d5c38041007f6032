"""Secrets stay out of everything that is written: by place (`scrub`), by value in any encoding (`Redactor`).

The layers complement each other: `scrub` removes credentials by where they are, without knowing any token; a
`Redactor` knows the tokens of a run, and finds them wherever a server echoes them; a `SecretCollector` learns the
tokens in recordings from `scrub`, and replaces them everywhere else.
"""

from __future__ import annotations

from conformance.http.redaction.encodings import REDACTED
from conformance.http.redaction.redactor import Redactor, SecretLeakError
from conformance.http.redaction.scrubbing import Scrubber, scrub

__all__ = ["REDACTED", "Redactor", "Scrubber", "SecretLeakError", "scrub"]
