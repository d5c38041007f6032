"""The HTML report in a real browser, where one is installed: nothing runs, nothing overflows, axe finds nothing.

axe-core is taken from the file that AXE_PATH names (``npm install axe-core``, ``node_modules/axe-core/axe.min.js``).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from report_samples import VERDICTS, hostile, run_report

from conformance.judging.comparison import comparison_of
from conformance.judging.formats import renderer
from conformance.judging.formats.side_by_side_html import html
from conformance.judging.summary import RunReport, document

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--virtual-time-budget=20000", "--dump-dom",
)  # fmt: skip

pytestmark = pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")


def evaluated(folder: Path, page: str, script: str, *flags: str) -> Any:
    """What a promise in the page comes to; the page's own policy, which forbids scripts, is left out for that."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    show = f"""<script>(async () => {{ const value = await ({script});
      const out = document.createElement("pre"); out.id = "result"; out.textContent = JSON.stringify(value);
      document.body.replaceChildren(out); }})()</script>"""
    file = folder / "page.html"
    file.write_text(page.replace("</body>", f"{show}</body>"), encoding="utf-8")
    done = subprocess.run(
        [str(BROWSER), *FLAGS, *flags, file.as_uri()], capture_output=True, text=True, timeout=300, check=True
    )
    found = re.search(r'<pre id="result">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:]
    return json.loads(unescape(found[1]))


@pytest.mark.parametrize("report", [run_report(), hostile()], ids=["plain", "hostile"])
def test_nothing_runs_and_nothing_is_wider_than_a_telephone(report: RunReport, tmp_path: Path) -> None:
    page = renderer(".html")(report).replace("<head>", "<head><script>window.alert = () => {window.ran = 1}</script>")
    opened = 'document.querySelectorAll("details").forEach(one => {one.open = true})'
    measured = "({ran: window.ran || 0, over: document.documentElement.scrollWidth - window.innerWidth})"
    result = evaluated(tmp_path, page, f"({opened}, {measured})", "--window-size=390,900")
    assert result["ran"] == 0
    assert result["over"] <= 0


def test_a_comparison_is_read_on_a_telephone_without_scrolling_aside(tmp_path: Path) -> None:
    right = run_report(tuple(verdict for verdict in VERDICTS if verdict.outcome != "failed"))
    shown = html(comparison_of([document(run_report()), document(right)], ["a-broken-emulator", "a-right-emulator"]))
    measured = "[...document.querySelectorAll('.matrix')].map(one => one.scrollWidth - one.clientWidth)"
    assert set(evaluated(tmp_path, shown, measured, "--window-size=390,900")) == {0}


@pytest.mark.skipif("AXE_PATH" not in os.environ, reason="AXE_PATH does not name axe.min.js")
@pytest.mark.parametrize("scheme", ["0", "1"], ids=["dark", "light"])
@pytest.mark.parametrize("page", ["report", "comparison"])
def test_axe_finds_nothing(page: str, scheme: str, tmp_path: Path) -> None:
    axe = Path(os.environ["AXE_PATH"]).read_text(encoding="utf-8").replace("</script", "<\\/script")
    right = run_report(tuple(verdict for verdict in VERDICTS if verdict.outcome != "failed"))
    compared = comparison_of([document(run_report()), document(right)], ["broken", "right"])
    shown = renderer(".html")(run_report()) if page == "report" else html(compared)
    script = "axe.run().then(found => found.violations.map(one => one.id))"
    flag = f"--blink-settings=preferredColorScheme={scheme}"
    assert evaluated(tmp_path, shown.replace("<head>", f"<head><script>{axe}</script>"), script, flag) == []
