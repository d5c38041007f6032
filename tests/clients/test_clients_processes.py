"""What a driver or a watched program starts ends with it, its ports are free, and the user's tokens stay at home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.clients.processes import end_processes, marked

#: Starts a process in a session of its own, whose parent ends at once, and which listens; then lists its environment.
DETACHING = """
import json, os, socket, subprocess, sys, time
child = '''
import os, socket, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
listener = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1] + ".new", "w").write(f"{os.getpid()} {os.fstat(listener.fileno()).st_ino}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
'''
subprocess.Popen([sys.executable, "-c", child, sys.argv[1]], stdout=subprocess.DEVNULL)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
json.dump(dict(os.environ), open(sys.argv[1] + ".environment", "w"))
"""


def assert_gone(note: Path) -> None:
    process, listener = note.read_text().split()
    for _ in range(2000):
        state = Path(f"/proc/{process}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.01)
    else:
        pytest.fail(f"process {process} still runs")
    # Not by its port, which anybody may have been given since.
    assert listener not in {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")
@pytest.mark.parametrize("watched", [True, False], ids=["watched", "driver"])
def test_detached_children_end_and_no_token_of_the_user_is_in_their_environment(watched: bool, tmp_path: Path) -> None:
    note = tmp_path / "note"
    environment = {"CRONOFY_ACCESS_TOKEN": "the-users-own-token", "MY_COPY": "the-users-own-token"}
    options = ["--watch"] if watched else ["--driver-timeout", "5"]
    command = [
        sys.executable,
        "-m",
        "conformance",
        "certify",
        *options,
        "--",
        sys.executable,
        "-c",
        DETACHING,
        str(note),
    ]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert_gone(note)
    inherited = json.loads(Path(f"{note}.environment").read_text())
    assert "the-users-own-token" not in repr(inherited)


def test_only_processes_with_the_mark_end() -> None:
    environment = marked(os.environ)
    one = subprocess.Popen(["sleep", "60"], env=environment, start_new_session=True)
    detached = subprocess.Popen(["sleep", "60"], env=environment, start_new_session=True)
    other = subprocess.Popen(["sleep", "60"], env=marked(os.environ), start_new_session=True)
    end_processes(one.pid, environment)
    assert (one.wait(30), detached.wait(30), other.poll()) == (-9, -9, None)
    other.kill()
    other.wait()
