"""The driver: what it answers wrong is one sentence, and no process of it stays."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conformance.clients.driver import Driver, DriverFault, group_memory, read_answer

ANSWER = "import json,sys,os,time\nfor line in sys.stdin:\n  ask=json.loads(line)\n  "


def driven(program: str, *messages: dict[str, Any], stop: bool = False, **options: Any) -> list[dict[str, Any]]:
    async def run() -> list[dict[str, Any]]:
        async with Driver([sys.executable, "-c", program], dict(os.environ), **options) as driver:
            answers = [await driver.ask(message) for message in messages]
            if stop:
                await driver.stop()
            return answers

    return asyncio.run(run())


def test_answers_come_back_in_order_past_blank_lines_and_crlf() -> None:
    program = (
        ANSWER
        + 'answer=json.dumps({"id":ask["id"],"ok":{"do":ask["do"]}})\n'
        + '  sys.stdout.write("\\r\\n\\n" + answer + "\\r\\n")\n  sys.stdout.flush()'
    )
    answers = driven(program, {"do": "list_calendars"}, {"do": "ü"})
    assert answers == [{"id": 1, "ok": {"do": "list_calendars"}}, {"id": 2, "ok": {"do": "ü"}}]


def test_a_driver_that_stops_when_told_is_gone() -> None:
    program = ANSWER + 'print(json.dumps({"id":ask["id"],"ok":{}}),flush=True)\n  if ask["do"]=="stop": break'
    assert driven(program, {"do": "list_calendars"}, stop=True) == [{"id": 1, "ok": {}}]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "import sys; sys.stdin.readline(); sys.exit('boom')",
            r"ended before it answered request 1 \(exit code 1\).*boom",
        ),
        ("import os; os.kill(os.getpid(), 9)", r"ended before it answered request 1 \(killed by signal 9\)"),
        (ANSWER + "print('hello', flush=True)", r"no JSON in UTF-8: 'hello'"),
        (ANSWER + 'sys.stdout.buffer.write(b\'{"id":1,"ok":{}}\\xff\\n\'); sys.stdout.flush()', r"no JSON in UTF-8"),
        (ANSWER + "print('[]', flush=True)", r"expected a JSON object"),
        (ANSWER + 'print(\'{"id":7,"ok":{}}\', flush=True)', r"the id 7"),
        (ANSWER + 'print(\'{"id":"1","ok":{}}\', flush=True)', r"the id '1'"),
        (ANSWER + "print('{\"id\":1}', flush=True)", r"one of ok, error and unsupported"),
        (ANSWER + 'print(\'{"id":1,"ok":[]}\', flush=True)', r"expected an object"),
        (ANSWER + 'print(\'{"id":1,"unsupported":true}\', flush=True)', r"expected the reason"),
        (ANSWER + 'print(\'{"id":1,"error":{"status":"422"}}\', flush=True)', r"status '422'"),
        (ANSWER + "sys.stdout.write('{\"id\":1,'); sys.stdout.flush(); sys.exit(0)", r"in the middle of the answer"),
        (ANSWER + "sys.stdout.write('x'*(17*2**20)); sys.stdout.flush()", r"more than 16 MiB"),
        (ANSWER + "os.close(1); time.sleep(60)", r"closed its output"),
    ],
)
def test_what_is_no_answer_is_a_fault_in_one_sentence(
    program: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.clients.driver.STOP_TIMEOUT", 0.3)
    with pytest.raises(DriverFault, match=f"(?s)^the driver .*{expected}"):
        driven(program, {"do": "list_calendars"})


def test_a_driver_that_hangs_is_given_up_after_its_time() -> None:
    with pytest.raises(DriverFault, match=r"did not answer request 1 \(list_calendars\) in 0.3 s"):
        driven("import time; time.sleep(60)", {"do": "list_calendars"}, timeout=0.3)


def test_a_driver_that_stays_after_stop_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.clients.driver.STOP_TIMEOUT", 0.3)
    program = ANSWER + 'print(json.dumps({"id":ask["id"],"ok":{}}),flush=True)\ntime.sleep(60)'
    with pytest.raises(DriverFault, match=r"was still there 0\.3 s after it had answered stop"):
        driven(program, stop=True)


def test_a_command_that_cannot_be_run_is_a_fault() -> None:
    async def run() -> None:
        async with Driver(["/no/such/driver"], {}):
            pass

    with pytest.raises(DriverFault, match="could not be started"):
        asyncio.run(run())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the memory of processes is read in /proc")
def test_a_driver_that_leaks_memory_is_stopped() -> None:
    program = ANSWER + "hold=[bytearray(2**20) for _ in range(400)]\n  time.sleep(30)"
    with pytest.raises(DriverFault, match=r"holds \d+ MiB of memory at request 1, allowed are 100 MiB"):
        driven(program, {"do": "list_calendars"}, memory_limit=100 * 2**20)
    assert group_memory(os.getpgid(0)) > 0


def test_no_process_of_the_driver_stays(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = (
        "import subprocess,sys,time\n"
        f"child=subprocess.Popen([sys.executable,'-c','import time; time.sleep(60)'])\n"
        f"open({str(note)!r},'w').write(str(child.pid))\nprint('garbage',flush=True)\ntime.sleep(60)"
    )
    with pytest.raises(DriverFault):
        driven(program, {"do": "list_calendars"})
    child = int(note.read_text())
    deadline = time.monotonic() + 5
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
    except OSError:
        return False


def test_a_long_tale_on_stderr_does_not_block_the_driver() -> None:
    program = ANSWER + 'sys.stderr.write("x"*10**6 + "\\n")\n  print(json.dumps({"id":ask["id"],"ok":{}}),flush=True)'
    assert driven(program, {"do": "a"}, {"do": "b"}) == [{"id": 1, "ok": {}}, {"id": 2, "ok": {}}]


def test_an_answer_keeps_its_kind_only() -> None:
    line = b'{"id":3,"error":{"status":422,"errors":{}},"note":1}'
    assert read_answer(line, 3) == {"id": 3, "error": {"status": 422, "errors": {}}}
