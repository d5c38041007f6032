"""All variants of the small servers: BROKEN ones, each wrong in one documented thing, and LEGAL ones."""

from . import broken_around, broken_asgi, broken_wsgi
from .legal import LEGAL
from .variants import BROKEN, Broken

__all__ = ["BROKEN", "LEGAL", "Broken", "broken_around", "broken_asgi", "broken_wsgi"]
