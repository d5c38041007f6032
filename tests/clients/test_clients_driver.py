"""The driver: a broken protocol is one sentence, and no process of it stays."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conformance.clients.certificate import CertifyOptions
from conformance.clients.driver import adapters
from conformance.clients.driver.driver_check import check_driver
from conformance.clients.driver.process import Driver, DriverError, group_memory
from conformance.clients.driver.protocol import read_response, report_of

ADAPTERS = str(adapters.__path__[0])

ANSWER = "import json,sys,os,time\nfor line in sys.stdin:\n  request=json.loads(line)\n  "
OK = 'print(json.dumps({"jsonrpc":"2.0","id":request["id"],"result":{}}),flush=True)\n  '


def line_with(**members: Any) -> str:
    """A program that answers every request with the same response, `members` in place of its own."""
    line = json.dumps({name: value for name, value in ({"jsonrpc": "2.0", "id": 1} | members).items() if value != "no"})
    return f"{ANSWER}print({line!r}, flush=True)"


def driven(program: str, *methods: str, stop: bool = False, **options: Any) -> list[dict[str, Any]]:
    async def run() -> list[dict[str, Any]]:
        async with Driver([sys.executable, "-c", program], dict(os.environ), **options) as driver:
            answers = [await driver.call(method, {}) for method in methods]
            if stop:
                await driver.stop()
            return answers

    return asyncio.run(run())


def test_answers_come_back_in_order_past_blank_lines_and_crlf() -> None:
    program = (
        ANSWER
        + 'answer=json.dumps({"jsonrpc":"2.0","id":request["id"],"result":{"method":request["method"]}})\n'
        + '  sys.stdout.write("\\r\\n\\n" + answer + "\\r\\n")\n  sys.stdout.flush()'
    )
    answers = driven(program, "delete_event", "ü")
    assert answers == [{"result": {"method": "delete_event"}}, {"result": {"method": "ü"}}]


def test_a_driver_that_stops_when_told_is_gone() -> None:
    program = ANSWER + OK + 'if request["method"]=="stop": break'
    assert driven(program, "delete_event", stop=True) == [{"result": {}}]


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
        (ANSWER + "print('hello', flush=True)", r"not JSON in UTF-8: 'hello'"),
        (ANSWER + "sys.stdout.buffer.write(b'{}\\xff\\n'); sys.stdout.flush()", r"not JSON in UTF-8"),
        (ANSWER + "print('[]', flush=True)", r"expected a JSON object"),
        (line_with(jsonrpc="no", result={}), r'expected "jsonrpc": "2.0"'),
        (line_with(jsonrpc=2.0, result={}), r'expected "jsonrpc": "2.0"'),
        (line_with(id=7, result={}), r"the id 7, expected 1"),
        (line_with(id="1", result={}), r"the id '1', expected 1"),
        (line_with(id="no", result={}), r"the id None, expected 1"),
        (line_with(), r"expected either result or error"),
        (line_with(result={}, error=None), r"expected either result or error"),
        (line_with(result=[]), r"expected an object"),
        (line_with(error={"code": "-32601", "message": "no"}), r"error.code: '\"-32601\"', expected integer"),
        (line_with(error={"code": 1}), r"expected it to have message"),
        (line_with(error={"code": 1, "message": "no", "data": {"status": "422"}}), r"error.data.status: .*, expected"),
        (
            line_with(error={"code": 1, "message": "no", "data": {"status": 42}}),
            r"status: '42', expected an HTTP status",
        ),
        (line_with(id=None, error={"code": -32700, "message": "what?"}), r"with a parse error: what\?"),
        (line_with(error={"code": -32600, "message": "what?"}), r"with an invalid request: what\?"),
        (ANSWER + "sys.stdout.write('{\"id\":1,'); sys.stdout.flush(); sys.exit(0)", r"in the middle of the answer"),
        (ANSWER + "sys.stdout.write('x'*(17*2**20)); sys.stdout.flush()", r"more than 16 MiB"),
        (ANSWER + "os.close(1); time.sleep(60)", r"closed its output"),
    ],
)
def test_what_breaks_the_protocol_is_one_sentence(program: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "sleep" in program:
        monkeypatch.setattr("conformance.clients.driver.process.STOP_TIMEOUT", 0.3)
    with pytest.raises(DriverError, match=f"(?s)^the driver .*{expected}"):
        driven(program, "list_calendars")


@pytest.mark.parametrize(
    ("method", "answer", "expected"),
    [
        ("read_events", {"result": {}}, "result: '{}', expected it to have events"),
        ("read_events", {"result": {"items": []}}, "result: .*, expected it to have events"),
        ("read_events", {"result": {"events": {}}}, "result.events: '{}', expected array"),
        ("read_events", {"result": {"events": None}}, "result.events: 'null', expected array"),
        ("read_events", {"result": {"events": [{}, "x"]}}, r"result.events\[1\]: .*, expected object"),
        ("read_events", {"result": {"events": [{"event_id": 7}]}}, r"events\[0\].event_id: '7', expected string"),
        ("list_calendars", {"result": {}}, "result: '{}', expected it to have calendars"),
        ("list_calendars", {"result": {"calendars": None}}, "result.calendars: 'null', expected array"),
        ("list_calendars", {"result": {"calendars": ["cal"]}}, r"result.calendars\[0\]: .*, expected object"),
        ("start", {"result": {"client": 5}}, "result.client: '5', expected string or null"),
        ("upsert_event", {"error": {"code": 1, "message": 5}}, "error.message: '5', expected string"),
        (
            "upsert_event",
            {"error": {"code": 1, "message": "", "data": {"errors": [1]}}},
            r"error.data.errors: '\[1\]', expected object or null",
        ),
        ("upsert_event", {"result": {"x": float("nan")}}, "not JSON in UTF-8: .*NaN"),
    ],
    ids=str,
)
def test_an_answer_of_the_wrong_type_is_named(method: str, answer: Any, expected: str) -> None:
    line = json.dumps({"jsonrpc": "2.0", "id": 3, **answer}).encode()
    with pytest.raises(DriverError, match=rf"answered request 3 \({method}\) with .*{expected}"):
        read_response(line, 3, method)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("start", {"result": {}}),
        ("start", {"result": {"client": "a", "version": None, "x": 1}}),
        ("upsert_event", {"result": {"events": 7}}),
        ("read_events", {"result": {"events": [{}, {"event_id": None, "conferencing": None, "x": [1]}], "x": 1}}),
        ("read_events", {"result": {"events": [{"event_id": "a", "conferencing": "text"}]}}),
        ("read_events", {"result": {"events": [{"event_id": "\ud800"}]}}),
        ("list_calendars", {"result": {"calendars": [{"calendar_integrated_conferencing_available": "True"}]}}),
        ("read_events", {"error": {"code": 0, "message": "", "data": {"status": None, "errors": None, "x": 1}}}),
        ("read_events", {"error": {"code": -32603, "message": "m", "data": "a trace"}}),
        ("read_events", {"error": {"code": -32601, "message": ""}}),
    ],
    ids=ascii,
)
def test_an_answer_may_say_more_or_give_back_what_the_client_made_of_it(method: str, answer: Any) -> None:
    assert read_response(json.dumps({"jsonrpc": "2.0", "id": 3, "note": 1, **answer}).encode(), 3, method) == answer


@pytest.mark.parametrize(
    ("answer", "report"),
    [
        ({"result": {"events": []}}, {"ok": {"events": []}}),
        ({"error": {"code": -32601, "message": "no batch"}}, {"unsupported": "no batch"}),
        ({"error": {"code": 7, "message": "boom"}}, {"error": {"message": "boom"}}),
        ({"error": {"code": 7, "message": "boom", "data": "a trace"}}, {"error": {"message": "boom"}}),
        (
            {"error": {"code": -32000, "message": "m", "data": {"status": 422, "errors": {"start": []}, "x": 1}}},
            {"error": {"message": "m", "status": 422, "errors": {"start": []}}},
        ),
    ],
    ids=str,
)
def test_an_answer_becomes_a_report_in_the_terms_of_facts(answer: Any, report: Any) -> None:
    assert report_of(answer) == report


def test_a_driver_that_ended_is_noticed_at_once_though_its_child_holds_its_output() -> None:
    program = (
        "import os,subprocess,sys\nsubprocess.Popen(['sleep','30'])\n"
        "sys.stderr.write('forked\\n'); sys.stderr.flush(); os._exit(9)"
    )
    began = time.monotonic()
    with pytest.raises(DriverError, match=r"ended before it answered request 1 \(start\) \(exit code 9\).*forked"):
        driven(program, "start")
    assert time.monotonic() - began < 20, "the child holds it for 30 s"


def test_a_driver_that_fails_after_stop_is_named() -> None:
    program = ANSWER + OK + "sys.exit(3)"
    with pytest.raises(DriverError, match=r"failed after it had answered stop \(exit code 3\)"):
        driven(program, stop=True)


def test_a_stop_that_is_not_answered_is_called_so() -> None:
    with pytest.raises(DriverError, match=r"ended before it answered stop \(exit code 0\)"):
        driven("import sys; sys.stdin.readline()", stop=True)


def test_a_driver_that_hangs_is_given_up_after_its_time() -> None:
    with pytest.raises(DriverError, match=r"did not answer request 1 \(list_calendars\) in 0.3 s: does it flush"):
        driven("import time; time.sleep(60)", "list_calendars", timeout=0.3)


def test_a_driver_that_stays_after_stop_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.clients.driver.process.STOP_TIMEOUT", 0.3)
    program = ANSWER + OK + "\ntime.sleep(60)"
    with pytest.raises(DriverError, match=r"still ran 0\.3 s after it had answered stop"):
        driven(program, stop=True)


def test_a_command_that_cannot_be_run_is_named() -> None:
    async def run() -> None:
        async with Driver(["/no/such/driver"], {}):
            pass

    with pytest.raises(DriverError, match="could not be started"):
        asyncio.run(run())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the memory of processes is read in /proc")
def test_a_driver_that_leaks_memory_is_stopped() -> None:
    program = ANSWER + "hold=[bytearray(2**20) for _ in range(400)]\n  time.sleep(30)"
    with pytest.raises(DriverError, match=r"holds \d+ MiB of memory at request 1 .*, allowed are 100 MiB"):
        driven(program, "list_calendars", memory_limit=100 * 2**20)
    assert group_memory(os.getpgid(0)) > 0


def test_no_process_of_the_driver_stays(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = (
        "import subprocess,sys,time\n"
        f"child=subprocess.Popen([sys.executable,'-c','import time; time.sleep(60)'])\n"
        f"open({str(note)!r},'w').write(str(child.pid))\nprint('garbage',flush=True)\ntime.sleep(60)"
    )
    with pytest.raises(DriverError):
        driven(program, "list_calendars")
    child = int(note.read_text())
    deadline = time.monotonic() + 20
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


def test_a_long_line_on_stderr_does_not_block_the_driver() -> None:
    program = ANSWER + 'sys.stderr.write("x"*10**6 + "\\n")\n  ' + OK
    assert driven(program, "a", "b") == [{"result": {}}, {"result": {}}]


MISTAKEN = """
import json, sys
from driver_httpx import HttpxAdapter

MISTAKE = sys.argv[1]

class Mistaken(HttpxAdapter):
    def upsert_event(self, params):
        if MISTAKE == "latin":
            params = json.loads(json.dumps(params, ensure_ascii=False).encode().decode("latin-1"))
        return super().upsert_event(params)

    def batch(self, params):
        return {"responses": super().batch(params)["responses"][MISTAKE == "batch":]}

    def verify_notification(self, params):
        return {"valid": MISTAKE != "signature"}

Mistaken().run()
"""


@pytest.mark.parametrize(
    ("mistake", "problem"),
    [
        ("", None),
        ("latin", "problem  upsert_event                 'Größe 会議' was sent as 'GrÃ¶"),
        (
            "batch",
            "problem  batch                        expected result.responses to have an entry for each of 2, got 1",
        ),
        ("signature", "problem  verify_notification          expected result.valid true for a right signature"),
    ],
)
def test_checking_an_adapter_names_its_mistake(mistake: str, problem: str | None, tmp_path: Path) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(f"import sys; sys.path.insert(0, {ADAPTERS!r})\n{MISTAKEN}", encoding="utf-8")
    told: list[str] = []
    options = CertifyOptions((sys.executable, str(driver), mistake))
    well = asyncio.run(check_driver(options, lambda finding: told.append(str(finding))))
    problems = [line for line in told if line.startswith("problem")]
    assert (well, [line[: len(problem or line)] for line in problems]) == (
        problem is None,
        [problem] if problem else [],
    )
