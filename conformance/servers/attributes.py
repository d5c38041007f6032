"""Objects that an option names as MODULE:ATTRIBUTE."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from conformance.errors import ConfigurationError

__all__ = ["load_attribute"]


def load_attribute(named: str, given: str, form: str, what: str) -> Any:
    """The object that `named`, MODULE:ATTRIBUTE, is about; modules of the current folder are found.

    Messages quote what was `given`, the `form` to write and `what` is meant.  Raises ConfigurationError.
    """
    module_name, colon, attribute = named.partition(":")
    if not (module_name and colon and attribute):
        raise ConfigurationError(f"{given!r} names no {what}: write {form}")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        target: Any = importlib.import_module(module_name)
    except Exception as error:  # noqa: BLE001 - a user's module raises errors of its own
        raise ConfigurationError(
            f"module {module_name!r} of {given!r} cannot be imported ({type(error).__name__}: {error}): "
            "run from its folder or set PYTHONPATH"
        ) from None
    for part in attribute.split("."):
        if not hasattr(target, part):
            raise ConfigurationError(f"{module_name!r} has no {attribute!r}: name the {what} object in {given!r}")
        target = getattr(target, part)
    return target
