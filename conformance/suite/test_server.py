"""A server keeps the contract: one campaign a session, one test a rule.

To test an application in your own suite, import `test_rule` there, and let a fixture `conformance_subject` give what
``conformance.in_process(app, tokens)`` makes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conformance.plugins.results import CampaignResults


def test_rule(conformance_rule: str, conformance_results: CampaignResults) -> None:
    """Nothing that the campaign saw breaks the rule; what was not decided is skipped with the reason."""
    finding = conformance_results.rules.get(conformance_rule)
    if finding is None:
        pytest.skip("the campaign did not judge by this rule")
    if finding.outcome == "passed":
        return
    if finding.counts:
        pytest.fail(finding.told, pytrace=False)
    if finding.outcome == "failed":
        pytest.xfail(f"weaker than what --fail-on names\n{finding.told}")
    pytest.skip(finding.told)
