"""Recordings are named by URLs that fsspec reads, and what such a URL holds of credentials is never shown."""

from __future__ import annotations

import gzip
import json
import pickle
import sys
import zipfile
from pathlib import Path

import fsspec
import pytest
from click.testing import CliRunner, Result

from conformance.cli.main import cli
from conformance.recordings.containers import is_readable_elsewhere
from conformance.recordings.remote import located

SECRET = "Zq8vT3kLm5Xw2RyB"
EXPLICIT = (Path(__file__).parents[2] / "cassettes" / "by-hand" / "explicit.yaml").read_bytes()


class Refusing(fsspec.AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A filesystem that quotes credentials when it refuses."""

    protocol = "refusing"

    def _open(self, path: str, *_: object, **__: object) -> None:
        raise PermissionError(f"{SECRET} may not read {path}")


fsspec.register_implementation("refusing", Refusing, clobber=True)
fsspec.register_implementation("absent", "absent.Absent", clobber=True, errtxt="install absent-package")


@pytest.fixture
def memory() -> object:
    """The filesystem in memory, with nothing in it but what a test puts there."""
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    return filesystem


def check(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


def report_on(tmp_path: Path, *paths: str) -> dict[str, object]:
    result = check(*paths, "--quiet", "--report", tmp_path / "report.json")
    assert (result.exit_code, result.stderr) == (0, "")
    document: dict[str, object] = json.loads((tmp_path / "report.json").read_text())
    return document


@pytest.mark.parametrize(
    "url",
    [
        "memory://day/a.yaml",
        "memory://packed/a.yaml.gz",
        "memory://day/*.yaml",
        "memory://packed/",
        "memory://day/z.zip",
    ],
)
def test_a_url_is_read_like_a_path(memory: fsspec.AbstractFileSystem, tmp_path: Path, url: str) -> None:
    with memory.open("/day/z.zip", "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.yaml", EXPLICIT)
    memory.pipe({"/day/a.yaml": EXPLICIT, "/packed/a.yaml.gz": gzip.compress(EXPLICIT), "/packed/.a.yaml": b"hidden"})
    memory.pipe("/packed/notes.txt", b"no recording")
    local = tmp_path / "a.yaml"
    local.write_bytes(EXPLICIT)
    found, expected = report_on(tmp_path, url), report_on(tmp_path, str(local))
    assert found["rules"] == expected["rules"]
    assert found["subject"]["name"] == url  # type: ignore[index]


def test_nothing_at_a_url_is_said_in_one_line(memory: object) -> None:
    for url in ("memory://nowhere.har", "memory://none/", "memory://none/*.har"):
        result = check(url)
        assert result.exit_code == 2
        assert url in result.stderr
        assert "Traceback" not in result.output


def test_credentials_in_a_url_are_never_shown(tmp_path: Path) -> None:
    result = check(f"refusing://user:{SECRET}@host/a.har?signature={SECRET}", "--report", tmp_path / "report.json")
    assert result.exit_code == 2
    assert "refusing://host/a.har?" in result.stderr
    assert "PermissionError" in result.stderr
    assert SECRET not in result.output + result.stderr


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nonsense" in check("nonsense://host/a.har").stderr
    assert "install absent-package" in check("absent://host/a.har").stderr
    monkeypatch.setitem(sys.modules, "fsspec", None)
    result = check(f"s3://user:{SECRET}@bucket/a.har")
    assert result.exit_code == 2
    assert "install cronofy-conformance[urls]" in result.stderr
    assert SECRET not in result.stderr


def test_a_worker_opens_the_same_file(memory: fsspec.AbstractFileSystem) -> None:
    memory.pipe("/day/a.yaml", EXPLICIT)
    there = located("memory://day/a.yaml")
    again = pickle.loads(pickle.dumps(there))
    assert (again, str(again), again.read_bytes()) == (there, "memory://day/a.yaml", EXPLICIT)
    assert (there.size, is_readable_elsewhere(there)) == (len(EXPLICIT), False), "memory is this process's own"
    assert is_readable_elsewhere(located("refusing://host/a.har"))
