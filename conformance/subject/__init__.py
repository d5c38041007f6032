"""What is under test, and the way to it: HTTP at a polite pace, what is looked at first, how its events are read."""

from conformance.subject.subject import DATA_CENTRES, EPOCH, Misconfigured, Subject, in_process, parse

__all__ = ["DATA_CENTRES", "EPOCH", "Misconfigured", "Subject", "in_process", "parse"]
