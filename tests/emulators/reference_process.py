"""The reference server in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from conformance.reference import reference_app


@dataclass(frozen=True)
class ReferenceProcess:
    """`tokens` are those that it prints, by the environment variable of each."""

    process: subprocess.Popen[str]
    url: str
    tokens: Mapping[str, str]


@contextmanager
def reference_process(*options: str) -> Iterator[ReferenceProcess]:
    """While the block runs, ``serve`` listens with `options`."""
    command = [sys.executable, "-m", "conformance", "serve", "--port", "0", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[5]
        process.stdout.readline()
        exports = (process.stdout.readline().strip().removeprefix("export ") for _ in reference_app().tokens)
        tokens = dict(line.split("=", 1) for line in exports)
        try:
            yield ReferenceProcess(process, url, tokens)
        finally:
            process.kill()
