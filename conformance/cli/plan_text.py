"""The plan of a run in words: what it would send, what it is expected to take, and what it can take at most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conformance.http.webhooks import IN_PROCESS
from conformance.servers.scenarios import RunContext, Step
from conformance.servers.scenarios.plan import PROBES

if TYPE_CHECKING:
    from conformance.servers.campaign import RunResult
    from conformance.servers.scenarios import Plan

__all__ = ["limit_warning", "plan_text"]


def limit_warning(plan: Plan, max_requests: int | None) -> str | None:
    """That the plan needs more requests than the limit, as a sentence; None where it fits."""
    if max_requests is None or max_requests >= plan.expected:
        return None
    return (
        f"--max-requests {max_requests:,} is too small for this plan, which is expected to take about "
        f"{plan.expected:,} requests: the run would end early and prove nothing of what is left"
    )


def plan_text(result: RunResult, max_requests: int | None = None, *, virtual: bool = False) -> str:
    """What a run would send and what it could not test, with each scenario on a line.

    `virtual`: the subject's clock is virtual, so that waiting takes no time.
    """
    plan = result.plan
    of_clock = " of a virtual clock" if virtual else ""
    ours = RunContext(result.run["id"], 0.0, result.inventory)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(plan.kinds.items()))
    lines = [
        f"{len(plan.scenarios)} scenarios in {len(plan.waves)} waves, each a sequence of writes to one event:",
        "",
        *(
            f"  {scenario.account}  {scenario.calendar_id}  {ours.event_id(scenario)}  "
            f"{scenario.family or 'scenarios'}: {' > '.join(map(_step_text, scenario.steps))}"
            for scenario in plan.scenarios
        ),
        "",
        *(
            [f"Malformed requests after them: {', '.join(one.name for one in plan.malformed)}.", ""]
            if plan.malformed
            else []
        ),
        *_left_out(plan),
        *_receiver(result.receiver),
        f"Writes: {kinds}; {plan.generated} of them request a generated conference.",
        f"Expected: about {plan.expected:,} requests, {_duration(plan.expected_seconds)}{of_clock}, "
        "where conferencing settles within 5 s.",
        f"At most {plan.requests:,} requests, {plan.objects:,} events at a time, {_duration(plan.seconds)}{of_clock}.",
        *_limit(plan, max_requests),
        f"Sent to make this plan: {result.run['requests']} reads.",
        *(f"Not tested: {lack}" for lack in plan.lacking),
    ]
    return "\n".join(lines) + "\n"


def _receiver(receiver: str | None) -> Iterator[str]:
    if receiver is not None:
        where = "a receiver in this process" if receiver == IN_PROCESS else f"a receiver at {receiver}"
        yield from (
            f"Push notifications come to {where}; writes subscribe once a first write with subscriptions is accepted.",
            "",
        )


def _left_out(plan: Plan) -> Iterator[str]:
    """What of the whole plan is left out, as the chosen rules do not need it."""
    whole = plan.reduced_from
    if whole is None:
        return
    left = [words for name, words in PROBES.items() if name not in plan.probes]
    left += ["malformed requests"] * bool(whole.malformed and not plan.malformed)
    also = f"; left out too: {', '.join(left)}" if left else ""
    yield (
        f"This is what the chosen rules need: {len(plan.scenarios)} of {len(whole.scenarios)} scenarios, and about "
        f"{plan.expected:,} of {whole.expected:,} requests{also}."
    )
    yield ""


def _limit(plan: Plan, max_requests: int | None) -> Iterator[str]:
    warning = limit_warning(plan, max_requests)
    if warning is not None:
        yield f"{warning}."
    elif max_requests is not None and max_requests < plan.requests:
        yield f"--max-requests {max_requests:,} is enough for what is expected, and less than it can take at most."


def _step_text(step: Step) -> str:
    """A step by its kind and what in it has not its default."""
    usual = Step(step.kind)
    differences = [
        str(getattr(step, name))
        for name in ("defect", "extra_fields", "start", "time_format", "text_variant", "url_variant", "subscriptions")
        if getattr(step, name) != getattr(usual, name)
    ]
    differences += ["in a batch"] * step.batched
    timing = "" if step.timing == "settled" else f" {step.timing}"
    return f"{step.kind}{timing}" + (f" ({' '.join(differences)})" if differences else "")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
