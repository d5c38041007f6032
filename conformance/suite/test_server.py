"""A server follows the contract: one campaign a session, one test for each rule.

To test an application in your own suite, import `test_rule` there, and override the fixture `conformance_subject` with
``conformance.in_process(app, tokens)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conformance.plugins.results import CampaignResults


def test_rule(conformance_rule: str, conformance_results: CampaignResults, request: pytest.FixtureRequest) -> None:
    """No exchange contradicts the rule, and a `must` rule is conclusive; other open rules are skipped.

    What the baseline knows is a strict xfail with its reason.
    """
    result = conformance_results.rules.get(conformance_rule)
    if result is None:
        pytest.skip("the campaign did not judge by this rule")
    if result.known is not None and not result.is_fatal:
        request.node.add_marker(pytest.mark.xfail(reason=result.known, strict=True))
        if not result.stale:
            pytest.fail(f"known failure: {result.known}", pytrace=False)
        return
    if result.outcome == "passed":
        return
    if result.is_fatal:
        pytest.fail(result.message, pytrace=False)
    if result.outcome == "failed":
        pytest.xfail(f"of a weaker level than --fail-on names\n{result.message}")
    pytest.skip(result.message)
