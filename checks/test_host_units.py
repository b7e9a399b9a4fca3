"""Would systemd start again what it runs now, as it runs now?"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from blackstart.checking import boot_facts, expect, known
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.host_units import NEEDED_UNITS, Unit

pytestmark = pytest.mark.check

HostBoots = Mapping[str, HostBootFacts]
MOST_NAMED = 6
NOT_BY_SOCKET = ("docker.service", "libvirtd.service", "virtqemud.service")
"""They start guests or containers when they start: at the first client is too late."""

GENERATED_ANEW = "/run/systemd/system/netplan-"
"""Units that netplan makes and starts at every boot (netplan-generate(8))."""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


@pytest.mark.claim(severity="warning", breaks="boot")
def test_no_unit_has_failed(host: str, host_boots: HostBoots) -> None:
    """No unit of systemd is failed now: what is ill before a reboot does not come back from it."""
    facts = boot_facts(host_boots, host)
    failed = [*known(facts.failed)]
    expect(
        not failed,
        f"failed: {_listed(failed)}",
        evidence=facts.failed.source,
        fix=f"journalctl -b -u {failed[0] if failed else ''}; mend it, then: systemctl restart",
    )


def _comes_back(unit: Unit, runtime_only: tuple[str, ...]) -> bool:
    """Whether something starts it at boot: its own enabling, another unit, a trigger."""
    if unit.file.startswith(GENERATED_ANEW):
        return True
    if unit.enabled == "enabled-runtime" and unit.name in runtime_only:
        return False
    if unit.enabled not in ("disabled", "linked"):
        return True
    triggered = bool(unit.triggered_by) and unit.name not in NOT_BY_SOCKET
    return bool(unit.wanted_by) or triggered


@pytest.mark.claim(severity="critical", breaks="boot")
def test_what_runs_is_enabled(host: str, host_boots: HostBoots) -> None:
    """Every service that runs now is started at boot: enabled, or started by something that is.

    Docker and libvirt must be so by themselves: their sockets start them at the first client.
    """
    facts = boot_facts(host_boots, host)
    wrong = [
        unit.name
        for unit in known(facts.units)
        if unit.name.endswith(".service")
        and unit.active == "active"
        and not _comes_back(unit, known(facts.runtime_only))
    ]
    expect(
        not wrong,
        f"runs and would not be started: {_listed(wrong)}",
        evidence=(facts.units.source, facts.runtime_only.source),
        fix=f"systemctl enable {' '.join(wrong)}",
    )


@pytest.mark.claim(severity="critical", breaks="boot", incident="hypervisor-down")
def test_no_needed_unit_is_masked(host: str, host_boots: HostBoots) -> None:
    """Nothing that a host is there for is masked, as after an emergency boot."""
    facts = boot_facts(host_boots, host)
    states = known(facts.unit_files)
    wrong = [name for name in NEEDED_UNITS if states.get(name) == "masked"]
    expect(
        not wrong,
        f"masked: {_listed(wrong)}",
        evidence=facts.unit_files.source,
        fix=f"systemctl unmask {' '.join(wrong)}",
    )


@pytest.mark.claim(severity="warning", breaks="boot")
def test_no_unit_file_waits_for_a_reload(host: str, host_boots: HostBoots) -> None:
    """systemd runs units as their files are now: a reboot would apply changes nobody tried."""
    facts = boot_facts(host_boots, host)
    stale = [unit.name for unit in known(facts.units) if unit.stale]
    expect(
        not stale,
        f"changed and not reloaded: {_listed(stale)}",
        evidence=facts.units.source,
        fix="systemctl daemon-reload, then restart what changed while you watch it",
    )
