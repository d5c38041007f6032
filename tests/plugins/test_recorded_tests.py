"""A team's own tests, judged as they end: by pytest-recording's cassettes, or by the recorder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

TEAM = Path(__file__).parent / "team"
BROKEN = "test_our_own_room_can_be_joined"


def run_pytest(folder: Path, *args: str, plugins: tuple[str, ...] = ("pytest_recording.plugin",), **env: str) -> str:
    """What pytest prints in `folder`, with the exit code before it."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **env}
    environment.pop("PYTEST_ADDOPTS", None)
    environment.pop("CI", None)  # where it is set, pytest repeats whole messages in its summary
    named = [part for plugin in ("conformance.plugins.pytest_plugin", *plugins) for part in ("-p", plugin)]
    command = [sys.executable, "-m", "pytest", *named, *args]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def failed_in(output: str) -> set[str]:
    return set(re.findall(r"^FAILED \S+::(\w+)", output, re.MULTILINE))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The team's project, recorded from a server with a bug, and what pytest said as it was recorded."""
    folder = tmp_path_factory.mktemp("team") / "team"
    shutil.copytree(TEAM, folder)
    output = run_pytest(folder, "test_booking.py", "--record-mode=rewrite", "--junitxml=junit.xml", BOOKING_BROKEN="1")
    return folder, output


def test_a_server_that_is_right_is_green(tmp_path: Path) -> None:
    output = run_pytest(TEAM, "test_booking.py", "-p", "no:cacheprovider")
    assert output.startswith("0\n"), output
    assert "conformance: tests that are recorded are judged by " in output
    assert "conformance: 3 tests judged, 7 exchanges, " in output
    assert " failed" not in output


def test_a_bug_fails_the_right_test_by_the_right_rule_as_it_is_recorded(broken: tuple[Path, str]) -> None:
    folder, output = broken
    assert output.startswith("1\n"), output
    assert failed_in(output) == {BROKEN}
    assert "explicit-is-kept (must): Explicit conferencing reads back with the join URL that was sent" in output
    assert "1 failed (explicit-is-kept)" in output
    assert "booking-token" not in output
    cases = {case.attrib["name"]: case for case in ET.parse(folder / "junit.xml").iter("testcase")}
    messages = {
        name: found.attrib["message"] for name, case in cases.items() if (found := case.find("failure")) is not None
    }
    assert messages.keys() == {BROKEN}
    assert "explicit-is-kept" in messages[BROKEN].splitlines()[0]
    assert "curl" not in output  # the test itself shows it again
    properties = {one.attrib["name"]: one.attrib["value"] for one in cases[BROKEN].iter("property")}
    assert (properties["conformance_exchanges"], properties["conformance_failed"]) == ("2", "explicit-is-kept")


def test_the_same_fails_in_replay_in_several_processes_and_again_alone(broken: tuple[Path, str]) -> None:
    folder, _ = broken
    output = run_pytest(folder, "test_booking.py", "-n", "2", plugins=("pytest_recording.plugin", "xdist"))
    assert (output[0], failed_in(output)) == ("1", {BROKEN}), output
    assert "conformance: 3 tests judged, 7 exchanges, " in output
    again = run_pytest(folder, "test_booking.py", "--lf")
    assert (again[0], failed_in(again)) == ("1", {BROKEN}), again
    assert "conformance: 1 test judged, 2 exchanges, " in again
    other = run_pytest(folder, "test_booking.py", "-k", "pending", "--conformance-fail-on", "inferred")
    assert other.startswith("0\n"), other


def test_markers_choose_rules_level_and_side_and_say_what_is_wrong_with_them(broken: tuple[Path, str]) -> None:
    folder, _ = broken
    (folder / "cassettes" / "test_marked").mkdir()  # the names of cassettes are relative to it
    (folder / "test_marked.py").write_text(
        "import pytest\n"
        "from test_booking import test_our_own_room_can_be_joined as room\n\n"
        "kept = pytest.mark.default_cassette('../test_booking/test_our_own_room_can_be_joined.yaml')\n"
        "marked = pytest.mark.conformance\n\n\n"
        "@kept\n@pytest.mark.vcr\n"
        "@pytest.mark.parametrize('n', [\n"
        "    pytest.param(1, marks=marked(rules=['explicit-is-kept']), id='named'),\n"
        "    pytest.param(2, marks=marked(rules=['none-removes-conferencing']), id='another'),\n"
        "    pytest.param(3, marks=marked(side='client'), id='client'),\n"
        "    pytest.param(4, marks=marked(skip='shows a bug'), id='skipped'),\n"
        "    pytest.param(5, marks=marked(rules=['explicit-is-kep']), id='unknown'),\n"
        "    pytest.param(6, marks=marked(level='must'), id='misspelt'),\n"
        "    pytest.param(7, marks=marked(fail_on='shall'), id='level'),\n"
        "])\n"
        "def test_it(n, client):\n"
        "    room(client)\n"
    )
    output = run_pytest(folder, "test_marked.py")
    assert set(re.findall(r"^FAILED \S+\[(\w+)\]", output, re.MULTILINE)) == {"named", "unknown", "misspelt", "level"}
    assert "there is no rule 'explicit-is-kep'; did you mean 'explicit-is-kept'" in output
    assert "it has no argument 'level'" in output
    assert "fail_on 'shall' is unknown" in output
    assert "1 test not judged, as marked" in output


RECORDED = """
import asyncio
import httpx
import requests
import requests.adapters

SENT = {"event_id": "e", "summary": "s", "start": "2031-05-05T10:00:00Z", "end": "2031-05-05T11:00:00Z",
        "conferencing": {"profile_id": "explicit", "provider_description": "R", "join_url": "https://r.example/R7"}}
SHOWN = {"pages": {"current": 1, "total": 1}, "events": [{**SENT, "event_uid": "u", "calendar_id": "cal_1",
         "conferencing": {"provider_name": None, "join_url": "https://r.example/r7"}}]}
URL = "https://api.cronofy.com/v1/"
WRITE, READ = URL + "calendars/cal_1/events", URL + "events?tzid=Etc/UTC&only_managed=true"
HEADERS = {"Authorization": "Bearer a-token-of-ours"}


def answer(request):
    return httpx.Response(202) if request.method == "POST" else httpx.Response(200, json=SHOWN)


def test_httpx(conformance_recorder):
    with conformance_recorder.watch(httpx.Client(transport=httpx.MockTransport(answer), headers=HEADERS)) as client:
        client.post(WRITE, json=SENT)
        client.get(READ)


def test_async_httpx(conformance_recorder):
    async def run():
        transport = httpx.MockTransport(answer)
        async with conformance_recorder.watch(httpx.AsyncClient(transport=transport, headers=HEADERS)) as client:
            await client.post(WRITE, json=SENT)
            await client.get(READ)

    asyncio.run(run())


class Canned(requests.adapters.BaseAdapter):
    def send(self, request, **kwargs):
        told = answer(request)
        response = requests.Response()
        response.status_code, response._content, response.request = told.status_code, told.content, request
        response.headers.update(told.headers)
        return response

    def close(self):
        pass


def test_requests(conformance_recorder):
    session = conformance_recorder.watch(requests.Session())
    session.mount("https://", Canned())
    session.post(WRITE, json=SENT, headers=HEADERS)
    session.get(READ, headers=HEADERS)


def test_something_else(conformance_recorder):
    try:
        conformance_recorder.watch(object())
    except TypeError as error:
        assert "expected a client of httpx or a Session of requests, got object" in str(error)


def test_its_own_failure_is_shown_with_what_is_broken(conformance_recorder):
    test_httpx(conformance_recorder)
    assert 1 == 2
"""


def test_what_clients_of_httpx_and_requests_do_is_judged_too(tmp_path: Path) -> None:
    (tmp_path / "test_recorded.py").write_text(RECORDED)
    output = run_pytest(tmp_path, "--conformance", "--conformance-complete-recording", "--conformance-side", "server")
    own = "test_its_own_failure_is_shown_with_what_is_broken"
    assert failed_in(output) == {"test_httpx", "test_async_httpx", "test_requests", own}, output
    assert (
        output.count("explicit-is-kept (must): Explicit conferencing reads back with the join URL that was sent") == 4
    )
    assert "assert 1 == 2" in output
    assert "a-token-of-ours" not in output
    without = run_pytest(tmp_path, "-k", "something_else or httpx")
    assert without.startswith("0\n"), without


def test_where_nothing_is_recorded_the_summary_says_so(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text("def test_nothing():\n    pass\n")
    assert "conformance: no test was judged; no cassette, recorder or server saw one" in run_pytest(
        tmp_path, "--conformance", plugins=()
    )


def test_the_suite_judges_recordings_whoever_recorded_them(broken: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = broken
    suite = ("--pyargs", "conformance.suite", "-p", "no:cacheprovider", "-rs")
    output = run_pytest(
        tmp_path, *suite, "--recording", str(folder / "cassettes"), "--complete-recording", "--junitxml", "j.xml"
    )
    cases = {case.attrib["name"]: case for case in ET.parse(tmp_path / "j.xml").iter("testcase")}
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert (output[0], failed) == ("1", {"test_rule[explicit-is-kept]"}), output
    assert "test_rule[join-url-is-sent-as-requested]" in cases or "test_rule[a-join-url-is-http]" in cases
    nothing = run_pytest(tmp_path, *suite, "--conformance", "--recording", "nowhere")
    assert nothing.startswith("2\n"), nothing
    assert "conformance: nowhere is judged, one test a rule" in nothing
    assert "no test was judged" not in nothing


def test_the_subject_comes_from_the_ini_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "test_options.py").write_text(
        "def test_it(conformance_options):\n    print(conformance_options.subject, conformance_options.fail_on)\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nconformance_fail_on = should\n")
    assert "http://127.0.0.1:1 should" in run_pytest(
        tmp_path, "-s", CRONOFY_CONFORMANCE_SUBJECT="http://127.0.0.1:1", CRONOFY_ACCESS_TOKEN="t"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nconformance_subject = http://127.0.0.1:2\n")
    output = run_pytest(tmp_path, "-s", CRONOFY_CONFORMANCE_SUBJECT="http://127.0.0.1:1", CRONOFY_ACCESS_TOKEN="t")
    assert "http://127.0.0.1:2 must" in output


def test_the_readme_shows_the_teams_project() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert (TEAM / "pytest.ini").read_text() in readme
    machine = (TEAM / "test_booking_machine.py").read_text().partition('"""\n\n')[2]
    assert machine in readme
