"""The contract's version and digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from conformance.contract.rules import Rule

__all__ = ["contract_of"]


def contract_of(
    rules: Iterable[Rule], clauses: Mapping[str, Any], shared: Mapping[str, Any], version: str
) -> dict[str, str]:
    """The contract's version, and the SHA-256 of its rules, shared schemas and clauses as canonical JSON."""
    text = json.dumps(
        {"rules": {rule.id: rule.schema for rule in rules}, "shared": dict(shared), "clauses": dict(clauses)},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return {"version": version, "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest()}
