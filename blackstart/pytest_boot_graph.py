"""What checks and scenarios say of the boot graph: it is built once, of what was looked at."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from blackstart.boot_look import look
from blackstart.drivers.base import Site
from blackstart.evidence.earlier import comebacks_of
from blackstart.graph.build import boot_graph as built
from blackstart.graph.inputs import boot_inputs
from blackstart.graph.predicting import predict
from blackstart.model.boot_graph import BootGraph
from blackstart.model.boot_schedule import Prediction
from blackstart.model.facts import SiteFacts
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.readiness import Readiness


@pytest.fixture(scope="session")
def boot_graph(
    inventory: Inventory,
    facts: SiteFacts,
    host_boots: Mapping[str, HostBootFacts],
    readiness: Readiness,
) -> BootGraph:
    """What waits for what after a cold start."""
    return built(boot_inputs(inventory, facts, host_boots, readiness.proxmox))


@pytest.fixture
def boot_prediction(site: Site, pytestconfig: pytest.Config) -> Prediction:
    """What a cold start would be like, looked at now and from earlier drills."""
    drills = pytestconfig.rootpath / str(pytestconfig.getoption("drills"))
    inventory = site.inventory
    measured = [(item.drill, item.back_s) for item in comebacks_of(inventory.site, drills)]
    return predict(built(look(site)), inventory, measured)
