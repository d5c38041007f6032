"""The hooks of the pytest plugin, which a conftest may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from conformance.servers.inventory import Inventory
    from conformance.servers.scenarios.added_scenarios import Source


def pytest_conformance_scenarios(config: pytest.Config, inventory: Inventory) -> Source:  # type: ignore[empty-body]
    """Scenarios of your own for a campaign, beside those of the core table.

    Scenario values, a Hypothesis strategy of them, or a list of either; for the calendars in `inventory.targets`.
    """
