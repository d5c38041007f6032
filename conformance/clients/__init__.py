"""Clients judged from outside: driven by a small adapter, watched at a gateway, or observed before a real server."""
