"""The server under test, and HTTP to it: rate-limited requests, the preflight, and readings of its events."""

from conformance.http.hosts import DATA_CENTRES
from conformance.servers.subject.subject import EPOCH, ConfigurationError, Subject, in_process, parse

__all__ = ["DATA_CENTRES", "EPOCH", "ConfigurationError", "Subject", "in_process", "parse"]
