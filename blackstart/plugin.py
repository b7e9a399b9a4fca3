"""The pytest plugin: options, fixtures, exit codes. Installed with the package.

Exit codes: 0 good, 1 fail (fail outranks unproven), 2 usage or inventory, 3 unproven.
An unproven drill is a failure in pytest and ``broken`` in Allure.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

import pytest
from rich.console import Console

from blackstart.drill import Drill
from blackstart.drivers.base import Clock, Site
from blackstart.errors import BlackstartError, Unproven, UsageError
from blackstart.evidence.allure_live import AllureObserver
from blackstart.evidence.files import EvidenceFiles
from blackstart.evidence.terminal import TerminalSummary
from blackstart.inventory_file import load
from blackstart.model.inventory import Inventory
from blackstart.model.quantities import parse_duration
from blackstart.observers import Progress, Together, Uncaptured
from blackstart.pytest_boot_graph import boot_graph, boot_prediction
from blackstart.pytest_checks import Findings
from blackstart.pytest_facts import facts, host_boots, looks, proxmox, readiness
from blackstart.pytest_outcome import Outcomes
from blackstart.pytest_signals import Signals
from blackstart.pytest_targets import (
    node,
    parametrize,
    parametrize_servers,
    tour,
    whole_site,
    willing_guest,
)
from blackstart.rack import enter, status
from blackstart.safety.guard import check_waivers
from blackstart.safety.lease import lease_directory
from blackstart.terms import Terms
from blackstart.wiring import connect

__all__ = [
    "boot_graph",
    "boot_prediction",
    "facts",
    "host_boots",
    "looks",
    "node",
    "proxmox",
    "readiness",
    "whole_site",
    "willing_guest",
]
INVENTORY = pytest.StashKey[Inventory]()
WAIVED = pytest.StashKey[Mapping[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of drills and checks."""
    group = parser.getgroup("blackstart", "drills on a cluster")
    group.addoption("--inventory", metavar="FILE", help="the site: what it is and what may break")
    group.addoption("--arm", metavar="SITE", help="the site's name: leave to break things there")
    group.addoption(
        "--plan", action="store_true", help="show targets, blast radius and guards; touch nothing"
    )
    group.addoption(
        "--tour", action="store_true", help="one drill for each kind of fault, not every target"
    )
    group.addoption(
        "--waive",
        action="append",
        default=[],
        metavar="GUARD=REASON",
        help="overrule one guard in this run, with the reason that goes into the journal",
    )
    group.addoption(
        "--attended",
        action="store_true",
        help="a person stands beside the machines and can switch them on",
    )
    group.addoption(
        "--findings",
        metavar="FILE",
        help="write what the checks found into this file, as JSON; not if -k or -m left some out",
    )
    group.addoption(
        "--drills",
        metavar="DIR",
        default="reports/drills",
        help="where drills keep their evidence (default: %(default)s)",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Load the inventory, and enter the rack's network when it is the rack's.

    Before pytest captures output: the process is replaced by one inside the network.
    """
    given = early_config.known_args_namespace
    try:
        early_config.stash[WAIVED] = _waived(given.waive)
        if given.inventory is not None:
            inventory = early_config.stash[INVENTORY] = load(Path(given.inventory))
            if inventory.rack is not None:
                words = [str(word) for word in early_config.invocation_params.args]
                enter.ensure_inside([sys.executable, "-m", "pytest", *words])
    except BlackstartError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    yield


def pytest_configure(config: pytest.Config) -> None:
    """Markers, and a place to collect outcomes."""
    config.addinivalue_line(
        "markers", "drill(fault, budget): breaks things; budget from injection to held recovery"
    )
    config.addinivalue_line("markers", "check: a read-only claim that predicts what a reboot does")
    config.addinivalue_line(
        "markers", "claim(severity, breaks, incident): what it costs when a check does not hold"
    )
    config.addinivalue_line("markers", "rack: needs the rack's real machines")
    config.pluginmanager.register(Outcomes(), "blackstart-outcomes")
    file = config.getoption("findings")
    collected = Findings(config.stash.get(INVENTORY, None), Path(file) if file else None)
    config.pluginmanager.register(collected, "blackstart-findings")
    config.pluginmanager.register(Signals(), "blackstart-signals")


def _waived(given: list[str]) -> dict[str, str]:
    parts = [text.partition("=") for text in given]
    waived = {name: reason.strip() for name, _, reason in parts}
    check_waivers(waived)
    return waived


def _inventory_of(config: pytest.Config) -> Inventory:
    inventory = config.stash.get(INVENTORY, None)
    if inventory is None:
        raise pytest.UsageError("this needs a site: add --inventory FILE (inventory/rack.yaml)")
    return inventory


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One drill a target that opted in to its fault; one check a guest, or a server."""
    if metafunc.definition.get_closest_marker("check") and "guest" in metafunc.fixturenames:
        guests = _inventory_of(metafunc.config).guests
        running: list[str | None] = [name for name, guest in guests.items() if guest.running]
        metafunc.parametrize("guest", running or [None], indirect=True)
    parametrize_servers(metafunc, lambda: _inventory_of(metafunc.config))
    parametrize(metafunc, lambda: _inventory_of(metafunc.config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tour's choice, and what is different for drills and checks.

    A drill bounds itself: pytest-timeout would leave a fault half way. And what a library
    warns of is no verdict on the site, also where the tests beside them make it an error.
    """
    if config.getoption("tour"):
        items[:], left_out = tour(items)
        config.hook.pytest_deselected(items=left_out)
    bounded = config.pluginmanager.hasplugin("timeout")
    for item in items:
        drills = item.get_closest_marker("drill") is not None
        if drills and bounded:
            item.add_marker(pytest.mark.timeout(0))
        if drills or item.get_closest_marker("check") is not None:
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture
def guest(request: pytest.FixtureRequest) -> str:
    """The guest that a check is about."""
    if request.param is None:
        raise Unproven("the inventory declares no guest that is meant to run")
    return str(request.param)


@pytest.fixture(scope="session")
def inventory(pytestconfig: pytest.Config) -> Inventory:
    """The site's inventory."""
    return _inventory_of(pytestconfig)


@pytest.fixture(scope="session")
def site(inventory: Inventory) -> Iterator[Site]:
    """The site's drivers, connected once for the whole session."""
    home = enter.rack_home() if inventory.rack is not None else None
    with connect(inventory, rack_secrets=home / "secrets" if home else None) as connected:
        yield connected


@pytest.fixture
def drill(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Drill:
    """A drill of this scenario on this site."""
    marker = request.node.get_closest_marker("drill")
    if marker is None or "budget" not in marker.kwargs:
        raise UsageError(f"{request.node.nodeid}: add @pytest.mark.drill(fault=..., budget='5m')")
    config = request.config
    drills = config.rootpath / str(config.getoption("drills"))
    plan_only = bool(config.getoption("plan"))
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = f"{stamp}-{request.node.name}".translate(str.maketrans("[]/", "--_")).rstrip("-")
    terms = Terms(
        scenario=request.node.name,
        budget_s=parse_duration(marker.kwargs["budget"]),
        armed=config.getoption("arm"),
        directory=fresh((tmp_path if plan_only else drills) / name),
        drills=drills,
        leases=lease_directory(),
        plan_only=plan_only,
        waive=config.stash[WAIVED],
        attended=bool(config.getoption("attended")),
        test=request.node.nodeid,
        environment=_environment(site.inventory),
    )
    return Drill(site, terms, _observers(config, site.clock))


def fresh(directory: Path) -> Path:
    """A directory that no other drill has, not even one of the same second."""
    names = (directory.with_name(f"{directory.name}-{turn}") for turn in count(2))
    return next(path for path in chain([directory], names) if not path.exists())


def _environment(inventory: Inventory) -> dict[str, str]:
    if inventory.rack is None:
        return {}
    accelerated = status.observe().kvm
    return {"machines": "QEMU, hardware virtualisation" if accelerated else "QEMU, emulated"}


def _observers(config: pytest.Config, clock: Clock) -> Together:
    """The terminal as it happens, the files, Allure, and the summary, in this order."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    capture = config.pluginmanager.getplugin("capturemanager")

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line)
            reporter.flush()  # who reads a log sees it as it happens, too

    summary = Uncaptured(TerminalSummary(Console()), capture.global_and_fixture_disabled)
    return Together((Progress(clock, write), EvidenceFiles(write), AllureObserver(), summary))
