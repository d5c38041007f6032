"""Secrets stay out of what is kept: by place (`scrub`), by value in any encoding (`Redactor`), and at a gate.

Layers, because each catches what the others cannot: `scrub` removes what is secret because of where it stands, and
needs to know no token; a `Redactor` knows the tokens of a run and finds them wherever a server echoes them; and
`concealment` learns those of others' traffic by their place, and hides them wherever else they are.
"""

from __future__ import annotations

from conformance.http.redaction.encodings import REDACTED
from conformance.http.redaction.redactor import Redactor, SecretLeakError
from conformance.http.redaction.scrubbing import scrub

__all__ = ["REDACTED", "Redactor", "SecretLeakError", "scrub"]
