"""Clients driven by an adapter: the protocol, the process, and the adapters that are shipped."""
