"""Accounts that are judged apart give the report of the whole, also where what is wrong crosses accounts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from matrix_runs import run_reference

from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.facts.share import Crossing, Share, are_entangled, unmet
from conformance.judging.check import examine
from conformance.judging.judge import Judge
from conformance.judging.report import Report

RULES = load()

#: Defects that one account shows of another.
CROSSING = (
    "another-accounts-calendar-writable",
    "created-for-another-account-too",
    "delete-removes-same-id-in-other-accounts",
    "profiles-of-another-account",
)


@cache
def judge() -> Judge:
    return Judge(RULES)


@pytest.mark.parametrize("fault", CROSSING)
def test_the_shares_of_a_run_with_a_fault_give_its_report(fault: str) -> None:
    exchanges = run_reference(fault).exchanges
    names = sorted({one.request.account for one in exchanges if one.request.account is not None})
    shares = [Share(frozenset(names[n::3]), frozenset(names) - frozenset(names[n::3]), n == 0) for n in range(3)]
    settings = Settings(quiet=0.1)
    crossings: list[Crossing] = []
    parts = [examine(exchanges, RULES, settings, judge=judge(), share=one, crossed=crossings.append) for one in shares]
    for number, told in unmet(crossings, settings).items():
        share = replace(shares[number], settled=told)
        parts[number] = examine(exchanges, RULES, settings, judge=judge(), share=share)
    whole = examine(exchanges, RULES, settings, judge=judge())
    assert not are_entangled(crossings)
    assert Report.together(parts) == whole
    assert any(tally.failed for tally in whole.tallies.values())
