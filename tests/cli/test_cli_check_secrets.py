"""Credentials that a recording carries are in nothing that check writes, wherever else the recording has them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cli_samples import call, har
from click.testing import Result

from conformance import recordings
from conformance.http.exchange import account_of_token

TOKEN = "CRN_q7+Zk3/pXw9~vB2mT8.dLr5_sY1"
PLAIN = "Meeting room on the second floor"
WRONG = "https://other.example.com/"
FORMATS = ("json", "xml", "md", "html", "py")

JournalEntry = dict[str, Any]


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    encoded,
    lambda text: encoded("a" + text + "bc"),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    percent,
    lambda text: quote(text, safe=""),
    lambda text: text.encode().hex(),
    lambda text: json.dumps("".join(f"\\u{ord(character):04x}" for character in text)),
    lambda text: "".join(f"&#{ord(character)};" for character in text),
]


def set_header(entry: JournalEntry, name: str, value: str) -> None:
    entry["request"]["headers"] = [
        header for header in entry["request"]["headers"] if header["name"].lower() != name.lower()
    ] + [{"name": name, "value": value}]


def recorded(path: Path, text: str, change: Callable[[list[JournalEntry]], object] = lambda entries: None) -> Path:
    """A recording of a server that loses the join URL; `text` is in the summary of what is written and read."""
    har(path, WRONG)
    document = json.loads(path.read_text().replace("Board", json.dumps(json.dumps(text)[1:-1])[1:-1]))
    for entry in document["log"]["entries"]:
        set_header(entry, "Authorization", f"Bearer {TOKEN}")
    change(document["log"]["entries"])
    path.write_text(json.dumps(document))
    return path


def as_ndjson(path: Path) -> Path:
    """The same exchanges, a line each, as written by a tool that knows nothing of secrets."""
    lines = []
    for entry in json.loads(path.read_text())["log"]["entries"]:
        request, response = entry["request"], entry["response"]
        seconds = float(entry["startedDateTime"][17:23])
        lines.append(
            {
                "sent_at": 1_790_000_000 + seconds,
                "answered_at": 1_790_000_000.02 + seconds,
                "request": {
                    "method": request["method"],
                    "url": request["url"],
                    "headers": [[header["name"], header["value"]] for header in request["headers"]],
                    "body": request.get("postData", {}).get("text", ""),
                },
                "response": {
                    "status": response["status"],
                    "headers": [[header["name"], header["value"]] for header in response["headers"]],
                    "body": response["content"]["text"],
                },
            }
        )
    other = path.with_suffix(".ndjson")
    other.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return other


def checked(folder: Path, path: Path) -> tuple[Result, str]:
    """The result of a check, and all that it wrote: reports in every format, and both streams."""
    reports = [folder / f"report-of-{path.stem}-{path.suffix[1:]}.{suffix}" for suffix in FORMATS]
    result = call("check", path, "--report", "-", *(word for report in reports for word in ("--report", report)))
    assert result.exit_code in (0, 1, 3), result.output
    return result, "\n".join([result.output, result.stderr, *(report.read_text() for report in reports)])


def assert_gone(secret: str, output: str) -> None:
    cores = [encoded("x" * shift + secret)[4:-8] for shift in range(3)]
    for spelling in (secret, secret.upper(), quote(secret, safe=""), percent(secret), secret.encode().hex(), *cores):
        assert spelling.lower() not in output.lower()


def counts(folder: Path, path: Path) -> dict[str, Any]:
    report = json.loads((folder / f"report-of-{path.stem}-{path.suffix[1:]}.json").read_text())
    return {rule["id"]: (rule["outcome"], rule["counts"]) for rule in report["rules"]}


CONVERSIONS: dict[str, Callable[[Path], Path]] = {"har": lambda path: path, "ndjson": as_ndjson}


@pytest.fixture(scope="module")
def counts_of_plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What is judged of a recording that holds no secret but the token in its header, by the recording's kind."""
    folder = tmp_path_factory.mktemp("plain")
    paths = {kind: convert(recorded(folder / "a.har", PLAIN)) for kind, convert in CONVERSIONS.items()}
    assert {kind: checked(folder, path)[0].exit_code for kind, path in paths.items()} == {"har": 1, "ndjson": 1}
    return {kind: counts(folder, path) for kind, path in paths.items()}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", CONVERSIONS)
def test_a_token_that_is_echoed_is_in_no_report(
    tmp_path: Path, spelling: Callable[[str], str], kind: str, counts_of_plain: dict[str, dict[str, Any]]
) -> None:
    echoed = CONVERSIONS[kind](recorded(tmp_path / "b.har", spelling(TOKEN)))
    result, output = checked(tmp_path, echoed)
    assert_gone(TOKEN, output)
    assert result.exit_code == 1
    assert counts(tmp_path, echoed) == counts_of_plain[kind]


def test_a_token_as_an_event_id_is_the_same_placeholder_everywhere(
    tmp_path: Path, counts_of_plain: dict[str, dict[str, Any]]
) -> None:
    plain = recorded(tmp_path / "a.har", PLAIN)
    named = tmp_path / "b.har"
    named.write_text(plain.read_text().replace("evt-1", TOKEN))
    result, output = checked(tmp_path, named)
    assert_gone(TOKEN, output)
    assert re.search(rf"(?m)^   event +{account_of_token(TOKEN)}$", result.stdout)
    assert counts(tmp_path, named) == counts_of_plain["har"]  # one that was two names would be two events


def answer(entries: list[JournalEntry], text: str, number: int = 2) -> None:
    entries[number]["response"]["content"]["text"] = text


def oauth(entries: list[JournalEntry], secrets: list[str], form: bool) -> None:
    client, refresh, access, new = secrets
    fields = {"client_id": "app", "client_secret": client, "grant_type": "refresh_token", "refresh_token": refresh}
    sent = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items()) if form else json.dumps(fields)
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    entry = json.loads(json.dumps(entries[0]))
    entry["request"] |= {"method": "POST", "url": "https://api.cronofy.com/oauth/token"}
    entry["request"]["headers"] = [{"name": "Content-Type", "value": kind}]
    entry["request"]["postData"] = {"mimeType": kind, "text": sent}
    entry["response"]["content"]["text"] = json.dumps({"access_token": access, "refresh_token": new})
    entries.insert(0, entry)


@pytest.mark.parametrize("form", [True, False])
def test_what_a_token_endpoint_takes_and_gives_is_secret(tmp_path: Path, form: bool) -> None:
    secrets = ["cs_kJ8sdfQ2xw", "rt_SECRETSECRET", "at+Zx/8Qk20==", "new_Refresh1"]
    path = recorded(tmp_path / "a.har", " ".join(secrets), lambda entries: oauth(entries, secrets, form))
    _, output = checked(tmp_path, path)
    for secret in secrets:
        assert_gone(secret, output)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("Authorization", "rawZk3pXw9vB2mT8dLr5", "rawZk3pXw9vB2mT8dLr5"),
        ("Authorization", "Basic " + encoded("app:Zk3pXw9vB2mT8"), "Zk3pXw9vB2mT8"),
        ("Authorization", 'Token token="Zk3pXw9vB2mT8", realm="here"', "Zk3pXw9vB2mT8"),
        ("Proxy-Authorization", "Basic " + encoded("app:Zk3pXw9vB2mT8"), "Zk3pXw9vB2mT8"),
        ("Cookie", "theme=dark; session=Zk3pXw9vB2mT8", "Zk3pXw9vB2mT8"),
        ("X-Api-Key", "SECRETSECRETapikey", "SECRETSECRETapikey"),
        ("X-Session-Token", "Zk3pXw9vB2mT8", "Zk3pXw9vB2mT8"),
    ],
)
def test_other_credentials_are_secret_too(tmp_path: Path, name: str, value: str, secret: str) -> None:
    def in_all(entries: list[JournalEntry]) -> None:
        for entry in entries:
            set_header(entry, name, value)

    _, output = checked(tmp_path, recorded(tmp_path / "a.har", f"see {secret}", in_all))
    assert_gone(secret, output)
    assert value not in output


@pytest.mark.parametrize(
    ("before", "after"),
    [("https://", "https://app:Zk3pXw9vB2mT8@"), ("only_managed", "access_token=Zk3pXw9vB2mT8&only_managed")],
)
def test_credentials_in_urls_are_secret(
    tmp_path: Path, before: str, after: str, counts_of_plain: dict[str, dict[str, Any]]
) -> None:
    def in_url(entries: list[JournalEntry]) -> None:
        for entry in entries:
            entry["request"]["url"] = entry["request"]["url"].replace(before, after)

    path = recorded(tmp_path / "b.har", "see Zk3pXw9vB2mT8", in_url)
    _, output = checked(tmp_path, path)
    assert_gone("Zk3pXw9vB2mT8", output)
    assert "app:" not in output
    assert counts(tmp_path, path) == counts_of_plain["har"]


def test_a_token_that_was_echoed_before_it_was_recognised_is_redacted(tmp_path: Path) -> None:
    later = "CRN_later_Zk3pXw9vB2mT8"
    path = recorded(
        tmp_path / "a.har", later, lambda entries: set_header(entries[-1], "Authorization", f"Bearer {later}")
    )
    for recording in (path, as_ndjson(path)):
        assert_gone(later, checked(tmp_path, recording)[1])


def test_a_secret_that_is_encoded_too_deeply_costs_the_text_that_holds_it_alone(tmp_path: Path) -> None:
    hidden = encoded(encoded(encoded(TOKEN)))
    result, output = checked(tmp_path, recorded(tmp_path / "a.har", hidden))
    assert hidden not in output
    assert result.exit_code == 1  # the join URL beside it is lost all the same


@pytest.mark.parametrize(
    "value", ["Bearer REDACTED", "Bearer <default>", "Bearer [FILTERED]", "Bearer DUMMY_TOKEN", "Bearer short"]
)
def test_a_placeholder_in_place_of_a_token_changes_nothing(tmp_path: Path, value: str) -> None:
    def in_all(entries: list[JournalEntry]) -> None:
        for entry in entries:
            set_header(entry, "Authorization", value)

    text = f"{value}: conferencing, REDACTED, DUMMY_TOKEN, short"
    result, _ = checked(tmp_path, recorded(tmp_path / "a.har", text, in_all))
    assert text in result.stdout


def test_an_error_quotes_no_credentials(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(
        json.dumps({"request": {"method": "GET", "url": "/", "headers": [f"Authorization: Bearer {TOKEN}"]}})
    )
    result = call("check", path)
    assert result.exit_code == 2
    assert_gone(TOKEN, result.output + result.stderr)
    assert "found a string" in result.stderr


def test_no_more_than_a_thousand_secrets_are_held(tmp_path: Path) -> None:
    from conformance.http.redaction.collecting import SecretCollector

    many = recorded(
        tmp_path / "a.har",
        PLAIN,
        lambda entries: [set_header(entries[0], f"X-Token-{n}", f"Zk3pXw9vB2mT8{n}") for n in range(1_200)],
    )
    credentials = SecretCollector({})
    assert len(list(credentials.redact_stream(recordings.read(many, credentials.collect)))) == 22
    assert len(credentials) == 1_000
