"""The contract as data: where the schema files are, and registries that resolve their references.

A *name* is a file's path under ``schemas/`` without ``.json``: ``api/event-as-read``, ``clauses``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jsonschema_rs
    import referencing

__all__ = ["BASE", "folder", "is_schema", "names", "read", "registry", "rs_registry", "text_only", "uri", "validity"]

#: What every ``$id`` starts with.
BASE = "https://cronofy-conformance.invalid/schemas/"


@cache
def folder() -> Path:
    """The folder of the schema files: the wheel's copy, else the checkout's ``schemas/``.

    Raises FileNotFoundError if neither exists.
    """
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "_schemas", package.parent / "schemas"):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(
        f"no schema files in {package / '_schemas'} (a wheel) or {package.parent / 'schemas'} (a checkout): "
        "install cronofy-conformance again"
    )


def names(inside: str = "") -> tuple[str, ...]:
    """The names of all files in the folder `inside` and below, sorted; empty for a folder that does not exist."""
    root = folder()
    return tuple(sorted(path.relative_to(root).with_suffix("").as_posix() for path in (root / inside).rglob("*.json")))


def read(name: str) -> dict[str, Any]:
    """The JSON object in a file, a new one at each call; raises FileNotFoundError for an unknown name."""
    contents: dict[str, Any] = json.loads((folder() / f"{name}.json").read_text(encoding="utf-8"))
    return contents


def uri(name: str) -> str:
    """The absolute URI of a file: the ``$id`` of a schema."""
    return f"{BASE}{name}.json"


def is_schema(contents: Any) -> bool:
    """Whether the contents of a file declare themselves a JSON Schema."""
    return isinstance(contents, dict) and "$schema" in contents


@cache
def registry() -> referencing.Registry[Any]:
    """Every schema by its URI, for jsonschema, which adds the metaschemas itself."""
    from referencing import Registry, Resource

    loaded: Registry[Any] = Registry().with_resources(
        (address, Resource.from_contents(contents)) for address, contents in _schemas()
    )
    return loaded.crawl()


@cache
def rs_registry() -> jsonschema_rs.Registry:
    """Every schema by its URI, for jsonschema-rs."""
    import jsonschema_rs

    return jsonschema_rs.Registry(list(_schemas()), draft=jsonschema_rs.Draft202012)


def validity(schema: dict[str, Any]) -> Callable[[Any], bool]:
    """Whether a value is valid by a schema, whatever text is in it; it may refer to every schema here."""
    import jsonschema_rs

    is_valid = jsonschema_rs.validator_for(schema, registry=rs_registry()).is_valid

    def checked(value: Any) -> bool:
        try:
            return is_valid(value)
        except UnicodeEncodeError:
            return is_valid(text_only(value))

    return checked


def text_only(value: Any) -> Any:
    """A value with a question mark for each half of a surrogate pair: no validator of another language takes those."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {text_only(name): text_only(part) for name, part in value.items()}
    return [text_only(part) for part in value] if isinstance(value, list) else value


@cache
def _schemas() -> tuple[tuple[str, dict[str, Any]], ...]:
    loaded = ((name, read(name)) for name in names() if not name.startswith("examples/"))
    return tuple((uri(name), contents) for name, contents in loaded if is_schema(contents))
