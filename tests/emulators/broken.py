"""All variants of the small servers: BROKEN ones, each wrong in one documented thing, and LEGAL ones."""

from . import broken_around, broken_asgi, broken_asgi_results, broken_wsgi, broken_wsgi_results
from .legal import LEGAL
from .variants import BROKEN, Broken

MODULES = (broken_around, broken_asgi, broken_asgi_results, broken_wsgi, broken_wsgi_results)

__all__ = ["BROKEN", "LEGAL", "MODULES", "Broken"]
