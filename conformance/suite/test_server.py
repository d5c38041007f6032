"""A server follows the contract: one campaign a session, one test for each rule.

To test an application in your own suite, import `test_rule` there, and override the fixture `conformance_subject` with
``conformance.in_process(app, tokens)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conformance.plugins.results import CampaignResults


def test_rule(conformance_rule: str, conformance_results: CampaignResults) -> None:
    """No exchange contradicts the rule, and a `must` rule is conclusive; other open rules are skipped."""
    result = conformance_results.rules.get(conformance_rule)
    if result is None:
        pytest.skip("the campaign did not judge by this rule")
    if result.outcome == "passed":
        return
    if result.is_fatal:
        pytest.fail(result.message, pytrace=False)
    if result.outcome == "failed":
        pytest.xfail(f"of a weaker level than --fail-on names\n{result.message}")
    pytest.skip(result.message)
