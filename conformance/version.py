"""The suite's version, which is the contract's."""

__all__ = ["NAME", "VERSION"]

NAME = "cronofy-conformance"
VERSION = "0.1.0"
