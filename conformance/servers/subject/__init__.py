"""What is under test, and the way to it: HTTP at a polite pace, what is looked at first, how its events are read."""

from conformance.http.hosts import DATA_CENTRES
from conformance.servers.subject.subject import EPOCH, ConfigurationError, Subject, in_process, parse

__all__ = ["DATA_CENTRES", "EPOCH", "ConfigurationError", "Subject", "in_process", "parse"]
