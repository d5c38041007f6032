"""`cronofy_server`: the tests of an application run on the reference server, and what they send is judged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

APPLICATION = Path(__file__).parent / "application"
README = Path(__file__).parents[2] / "README.md"
OURS = "test_a_meeting_in_our_own_room"

CORNERS = """
import threading
from email.utils import parsedate_to_datetime

import httpx
import pytest

BEARER = {"Authorization": "Bearer reference-ours-token"}
EVENTS = "/v1/events?tzid=Etc/UTC&include_managed=true"
pytestmark = pytest.mark.cronofy_server(inventory="inventory.toml")


def write(server, event_id, **conferencing):
    body = {"event_id": event_id, "summary": "s", "start": "2031-05-05T10:00:00Z", "end": "2031-05-05T11:00:00Z"}
    path = f"{server.url}/v1/calendars/{server.calendar_id}/events"
    return httpx.post(path, json={**body, "conferencing": conferencing}, headers=BEARER)


def test_the_inventory_is_ours(cronofy_server, cronofy_server_url):
    assert cronofy_server.url == cronofy_server_url
    assert (cronofy_server.token, cronofy_server.calendar_id) == ("reference-ours-token", "cal_ours")
    assert write(cronofy_server, "a", profile_id="pro_zoom").status_code == 202
    cronofy_server.advance(29)
    assert httpx.get(cronofy_server.url + EVENTS, headers=BEARER).json()["events"][0]["conferencing"] == {
        "pending": True
    }
    cronofy_server.advance(2)
    answer = httpx.get(cronofy_server.url + EVENTS, headers=BEARER)
    assert answer.json()["events"][0]["conferencing"]["provider_name"] == "zoom"
    assert answer.json()["pages"]["total"] == 1
    assert abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - cronofy_server.now) < 5
    assert [exchange.response.status for exchange in cronofy_server.exchanges] == [202, 200, 200]


@pytest.mark.cronofy_server(page_size=1, variation=["answers-200"])
def test_each_test_has_a_server_of_its_own(cronofy_server):
    assert httpx.get(cronofy_server.url + EVENTS, headers=BEARER).json()["events"] == []
    assert [write(cronofy_server, name, profile_id="none").status_code for name in "ab"] == [200, 200]
    assert httpx.get(cronofy_server.url + EVENTS, headers=BEARER).json()["pages"]["total"] == 2


@pytest.mark.cronofy_server(latency=30)
def test_what_the_client_gives_up_keeps_nobody(cronofy_server):
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(cronofy_server.url + EVENTS, headers=BEARER, timeout=0.2)
    assert cronofy_server.exchanges == []


@pytest.mark.conformance(skip="sends no token on purpose")
def test_as_marked(cronofy_server):
    assert httpx.get(cronofy_server.url + EVENTS).status_code == 401


def test_no_token(cronofy_server):
    assert httpx.get(cronofy_server.url + EVENTS).status_code == 401


@pytest.mark.cronofy_server(fault="explicit-url-lower-case")
def test_unknown(cronofy_server): ...


@pytest.mark.cronofy_server(delay=1)
def test_misspelt(cronofy_server): ...


@pytest.mark.cronofy_server(settling="long")
def test_no_number(cronofy_server): ...


@pytest.mark.cronofy_server(inventory="nowhere.toml")
def test_no_file(cronofy_server): ...


def test_the_recorded_are_not_judged_where_nobody_asked(conformance_recorder):
    with conformance_recorder.watch(httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(401)))) as http:
        http.get("https://api.cronofy.com/v1/calendars")


def test_afterwards_nobody_answers(cronofy_server_url):
    assert httpx.get(cronofy_server_url).status_code == 503
"""

INVENTORY = """
settling = 30
[[accounts]]
name = "ours"
[[accounts.calendars]]
calendar_id = "cal_ours"
name = "Work"
provider_name = "google"
[[accounts.profiles]]
profile_id = "pro_zoom"
provider_name = "zoom"
"""


def run_pytest(folder: Path, *args: str, plugins: tuple[str, ...] = (), **env: str) -> str:
    """What pytest prints in `folder`, with the exit code before it."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **env}
    environment.pop("PYTEST_ADDOPTS", None)
    environment.pop("CI", None)  # where it is set, pytest repeats whole messages in its summary
    named = [part for plugin in ("conformance.plugins.pytest_plugin", *plugins) for part in ("-p", plugin)]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *named, *args]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def failed_in(output: str) -> set[str]:
    return set(re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)", output, re.MULTILINE))


def test_the_tests_of_an_application_run_on_the_reference_server() -> None:
    output = run_pytest(APPLICATION, "--strict-markers")
    assert output.startswith("0\n"), output
    assert re.search(r"^conformance: 3 tests judged, 6 exchanges, \d+ rules passed$", output, re.MULTILINE), output


def test_a_request_that_breaks_a_rule_fails_the_test_that_sent_it() -> None:
    output = run_pytest(APPLICATION, "-k", OURS, ROOMS_BROKEN="1")
    assert (output[0], failed_in(output)) == ("1", {OURS}), output
    assert "an-explicit-join-url-is-http (must): The join_url of explicit conferencing" in output
    assert "1 failed (an-explicit-join-url-is-http)" in output


def test_markers_and_inventories_choose_the_server_of_a_test(tmp_path: Path) -> None:
    (tmp_path / "test_corners.py").write_text(CORNERS)
    (tmp_path / "inventory.toml").write_text(INVENTORY)
    output = run_pytest(tmp_path, "-n", "1", plugins=("xdist",))
    expected = {"test_no_token", "test_unknown", "test_misspelt", "test_no_number", "test_no_file"}
    assert (output[0], failed_in(output)) == ("1", expected), output
    assert "requests-carry-a-bearer-token (must)" in output
    assert "there is no fault 'explicit-url-lower-case'; did you mean 'explicit-url-lower-cased'" in output
    assert "it has no argument 'delay'" in output
    assert "settling is 'long'; expected a number of 0 or more" in output
    assert "nowhere.toml: No such file or directory; name a TOML file" in output
    # By the first of the two processes:
    assert "conformance: 3 tests judged, 8 exchanges, " in output
    assert "1 test not judged, as marked" in output
    assert "reference-ours-token" not in output


def test_the_readme_shows_the_tests_of_the_application() -> None:
    shown = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    _, _, tests = (APPLICATION / "test_rooms.py").read_text(encoding="utf-8").partition('"""\n\n')
    assert tests in shown


@pytest.mark.parametrize("name", ["rooms.py", "test_rooms.py"])
def test_the_application_needs_nothing_of_ours(name: str) -> None:
    assert "import conformance" not in (APPLICATION / name).read_text(encoding="utf-8")
