"""The driver: what it answers wrong is one sentence, and no process of it stays."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conformance.clients.driver.process import Driver, DriverError, group_memory, read_answer

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
    answers = driven(program, {"do": "delete_event"}, {"do": "ü"})
    assert answers == [{"id": 1, "ok": {"do": "delete_event"}}, {"id": 2, "ok": {"do": "ü"}}]


def test_a_driver_that_stops_when_told_is_gone() -> None:
    program = ANSWER + 'print(json.dumps({"id":ask["id"],"ok":{}}),flush=True)\n  if ask["do"]=="stop": break'
    assert driven(program, {"do": "delete_event"}, stop=True) == [{"id": 1, "ok": {}}]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "import sys; sys.stdin.readline(); sys.exit('boom')",
            r"ended before it answered request 1 \(list_calendars\) \(exit code 1\).*boom",
        ),
        (
            "import os; os.kill(os.getpid(), 9)",
            r"before it answered request 1 \(list_calendars\) \(killed by signal 9\)",
        ),
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
    monkeypatch.setattr("conformance.clients.driver.process.STOP_TIMEOUT", 0.3)
    with pytest.raises(DriverError, match=f"(?s)^the driver .*{expected}"):
        driven(program, {"do": "list_calendars"})


@pytest.mark.parametrize(
    ("do", "told", "expected"),
    [
        ("read_events", {"ok": {}}, "with ok: '{}', expected it to have events"),
        ("read_events", {"ok": {"items": []}}, "with ok: .*, expected it to have events"),
        ("read_events", {"ok": {"events": {}}}, "with ok.events: '{}', expected array"),
        ("read_events", {"ok": {"events": None}}, "with ok.events: 'null', expected array"),
        ("read_events", {"ok": {"events": [{}, "x"]}}, r"with ok.events\[1\]: .*, expected object"),
        (
            "read_events",
            {"ok": {"events": [{"event_id": 7}]}},
            r"ok.events\[0\].event_id: '7', expected string",
        ),
        ("list_calendars", {"ok": {}}, "with ok: '{}', expected it to have calendars"),
        ("list_calendars", {"ok": {"calendars": None}}, "with ok.calendars: 'null', expected array"),
        ("list_calendars", {"ok": {"calendars": ["cal"]}}, r"with ok.calendars\[0\]: .*, expected object"),
        ("start", {"ok": {"client": 5}}, "with ok.client: '5', expected string or null"),
        ("upsert_event", {"error": {"errors": [1]}}, r"with error.errors: '\[1\]', expected object or null"),
        ("upsert_event", {"error": {"message": 5}}, "with error.message: '5', expected string or null"),
        ("upsert_event", {"ok": {"x": float("nan")}}, "no JSON in UTF-8: .*NaN"),
    ],
    ids=str,
)
def test_an_answer_of_the_wrong_type_is_a_fault(do: str, told: Any, expected: str) -> None:
    line = json.dumps({"id": 3, **told}).encode()
    with pytest.raises(DriverError, match=rf"answered request 3 \({do}\) with .*{expected.removeprefix('with ')}"):
        read_answer(line, 3, do)


@pytest.mark.parametrize(
    ("do", "told"),
    [
        ("start", {"ok": {}}),
        ("start", {"ok": {"client": "a", "version": None, "x": 1}}),
        ("upsert_event", {"ok": {"events": 7}}),
        ("read_events", {"ok": {"events": [{}, {"event_id": None, "conferencing": None, "x": [1]}], "x": 1}}),
        ("read_events", {"ok": {"events": [{"event_id": "a", "conferencing": "text"}]}}),
        ("read_events", {"ok": {"events": [{"event_id": "\ud800"}]}}),
        ("list_calendars", {"ok": {"calendars": [{"calendar_integrated_conferencing_available": "True"}]}}),
        ("read_events", {"error": {"status": None, "errors": None, "message": None, "x": 1}}),
        ("read_events", {"unsupported": ""}),
    ],
    ids=ascii,
)
def test_an_answer_may_say_more_or_give_back_what_the_client_made_of_it(do: str, told: Any) -> None:
    assert read_answer(json.dumps({"id": 3, **told}).encode(), 3, do) == {"id": 3, **told}


def test_a_driver_that_ended_is_told_at_once_though_its_child_holds_its_output() -> None:
    program = (
        "import os,subprocess,sys\nsubprocess.Popen(['sleep','30'])\n"
        "sys.stderr.write('forked\\n'); sys.stderr.flush(); os._exit(9)"
    )
    began = time.monotonic()
    with pytest.raises(DriverError, match=r"ended before it answered request 1 \(start\) \(exit code 9\).*forked"):
        driven(program, {"do": "start"})
    assert time.monotonic() - began < 10


def test_a_driver_that_ends_badly_after_stop_is_a_fault() -> None:
    program = ANSWER + 'print(json.dumps({"id":ask["id"],"ok":{}}),flush=True)\n  sys.exit(3)'
    with pytest.raises(DriverError, match=r"ended badly after it had answered stop \(exit code 3\)"):
        driven(program, stop=True)


def test_a_stop_that_is_not_answered_is_called_so() -> None:
    with pytest.raises(DriverError, match=r"ended before it answered stop \(exit code 0\)"):
        driven("import sys; sys.stdin.readline()", stop=True)


def test_a_driver_that_hangs_is_given_up_after_its_time() -> None:
    with pytest.raises(DriverError, match=r"did not answer request 1 \(list_calendars\) in 0.3 s"):
        driven("import time; time.sleep(60)", {"do": "list_calendars"}, timeout=0.3)


def test_a_driver_that_stays_after_stop_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.clients.driver.process.STOP_TIMEOUT", 0.3)
    program = ANSWER + 'print(json.dumps({"id":ask["id"],"ok":{}}),flush=True)\ntime.sleep(60)'
    with pytest.raises(DriverError, match=r"was still there 0\.3 s after it had answered stop"):
        driven(program, stop=True)


def test_a_command_that_cannot_be_run_is_a_fault() -> None:
    async def run() -> None:
        async with Driver(["/no/such/driver"], {}):
            pass

    with pytest.raises(DriverError, match="could not be started"):
        asyncio.run(run())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the memory of processes is read in /proc")
def test_a_driver_that_leaks_memory_is_stopped() -> None:
    program = ANSWER + "hold=[bytearray(2**20) for _ in range(400)]\n  time.sleep(30)"
    with pytest.raises(DriverError, match=r"holds \d+ MiB of memory at request 1 .*, allowed are 100 MiB"):
        driven(program, {"do": "list_calendars"}, memory_limit=100 * 2**20)
    assert group_memory(os.getpgid(0)) > 0


def test_no_process_of_the_driver_stays(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = (
        "import subprocess,sys,time\n"
        f"child=subprocess.Popen([sys.executable,'-c','import time; time.sleep(60)'])\n"
        f"open({str(note)!r},'w').write(str(child.pid))\nprint('garbage',flush=True)\ntime.sleep(60)"
    )
    with pytest.raises(DriverError):
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
