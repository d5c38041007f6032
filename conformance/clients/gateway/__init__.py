"""The server that a client under test talks to: HTTP, TLS and forward proxy, with answers made by a stub."""
