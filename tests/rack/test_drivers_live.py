"""Our drivers on the rack's machines: every fact is really read, and what hangs is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drivers.base import Site
from blackstart.drivers.clock import SystemClock
from blackstart.drivers.proxmox import ProxmoxGuests
from blackstart.drivers.proxmox_api import ProxmoxApi, parse_token
from blackstart.drivers.ssh import SshRunner
from blackstart.drivers.ssh_connection import LoginRefused, SshTarget
from blackstart.drivers.testinfra_host import as_testinfra
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected, TimedOut
from blackstart.model.facts import Observed, Record, SiteFacts

COMMAND_S = 30.0
GUEST_BOOT_S = 180.0
NFS_BACK_S = 120.0
SNAPSHOT_S = 40.0
NAS = "10.77.0.20"

pytestmark = pytest.mark.usefixtures("inside")


def unknown(path: str, record: Record) -> Iterator[str]:
    """Facts of a record that were not read, and why."""
    for name in type(record).model_fields:
        fact = getattr(record, name)
        if isinstance(fact, Observed) and not fact.known:
            yield f"{path}/{name}: {fact.error} ({fact.source})"


def missing(facts: SiteFacts) -> list[str]:
    """All facts of a snapshot that were not read; of MAAS and its files other tests ask."""
    found = [line for name, host in facts.hosts.items() for line in unknown(name, host)]
    found += [line for name, guest in facts.guests.items() for line in unknown(name, guest)]
    found += [line for name, web in facts.compose.items() for line in unknown(name, web)]
    found += [line for name, cert in facts.certificates.items() for line in unknown(name, cert)]
    for answers in (facts.names, facts.offers):
        found += [f"{name}: {answer.error}" for name, answer in answers.items() if answer.error]
    if facts.k3s is None:
        found.append("no k3s")
    else:
        found += unknown("k3s", facts.k3s)
        found += [line for n, server in facts.k3s.servers.items() for line in unknown(n, server)]
    return found + (list(unknown("cluster", facts.cluster)) if facts.cluster else ["no cluster"])


def test_a_healthy_rack_is_known_to_the_last_fact(site: Site) -> None:
    began = time.monotonic()
    facts = site.facts()
    print(f"snapshot in {time.monotonic() - began:.1f} s")
    assert missing(facts) == []
    inventory = site.inventory
    for name, guest in inventory.guests.items():
        seen = facts.guests[name]
        assert (seen.node.value, seen.status.value, seen.booted.value) == (
            guest.node,
            "running",
            True,
        )
        assert seen.interfaces.value is not None
        assert str(guest.address) in seen.interfaces.value[guest.mac]
    assert inventory.dns is not None
    for answer, answered in facts.names.items():
        declared = inventory.dns.names[answer.partition("/")[2]]
        assert answered.value == tuple(sorted(str(address) for address in declared.addresses))
    assert all(certificate.verified.value for certificate in facts.certificates.values())
    assert {host.system_state.value for host in facts.hosts.values()} == {"running"}
    for host in facts.hosts.values():
        assert host.mounts.value
        assert all(mount.answers for mount in host.mounts.value)
    (web,) = facts.compose["web"].containers.value or ()
    assert (web.service, web.state) == ("web", "running")
    assert facts.compose["web"].sentinel_sha256.value
    assert facts.cluster is not None
    assert facts.cluster.online.value == ("pve1", "pve2")
    assert (facts.cluster.votes.value, facts.cluster.quorum.value) == (3, 2)


def test_a_second_snapshot_costs_no_login(site: Site) -> None:
    site.facts()
    logins = "journalctl -b -q -u ssh --no-pager | grep -c 'Accepted publickey'"
    before = site.runner.run("pve1", logins, timeout_s=COMMAND_S).stdout
    site.facts()
    assert site.runner.run("pve1", logins, timeout_s=COMMAND_S).stdout == before


def test_testinfra_speaks_to_a_machine(site: Site) -> None:
    host = as_testinfra(site.runner, "pve1")
    assert host.service("ssh").is_running
    assert host.file("/srv/local").is_directory
    assert host.mount_point("/srv/local").filesystem == "ext4"


def test_a_command_that_hangs_is_bounded_on_the_machine(site: Site) -> None:
    with pytest.raises(TimedOut):
        site.runner.run("nas1", "sleep 543.21", timeout_s=3)
    gone = site.runner.run("nas1", "pgrep -f '[s]leep 543.21'", timeout_s=COMMAND_S)
    assert gone.exit_code == 1


def test_an_impostors_host_key_is_refused(secrets: Path, tmp_path: Path) -> None:
    known = (secrets / "known_hosts").read_text().splitlines()
    keys = {line.split()[0].split(",")[0]: line.split()[1:3] for line in known}
    (tmp_path / "known_hosts").write_text(f"10.77.0.11 {' '.join(keys['pve2'])}\n")
    target = SshTarget("10.77.0.11", 22, "root", secrets / "id_ed25519", tmp_path / "known_hosts")
    runner = SshRunner({"pve1": target})
    with pytest.raises(LoginRefused, match="shows another host key"):
        runner.run("pve1", "true", timeout_s=COMMAND_S)


def test_a_token_that_sees_nothing_proves_nothing(site: Site, secrets: Path) -> None:
    token = (secrets / "pve-api-token").read_text()
    wrong = parse_token(token.replace("!drill=", "!nobody="))
    nodes = {name: str(node.address) for name, node in site.inventory.nodes.items() if node.api}
    api = ProxmoxApi(nodes, token=wrong, ca=secrets / "ca.crt")
    facts = ProxmoxGuests(api, site.inventory.guests, SystemClock()).observe()
    api.close()
    for guest in facts.values():
        assert guest.status.value is None
        assert "401" in str(guest.status.error)


def test_management_controllers_tell_the_power(site: Site) -> None:
    for name in site.inventory.nodes:
        assert site.power.supports(name)
        assert site.power.state(name) == "on"
        assert site.power.restore_policy(name) in ("AlwaysOn", "AlwaysOff", "LastState")


def test_a_name_nobody_knows_is_answered(site: Site) -> None:
    seen = site.names.ask("10.77.0.53", "nobody.rack.test")
    assert (seen.value, seen.source[-8:]) == ((), "NXDOMAIN")


def test_a_guest_is_stopped_and_started_by_tasks(site: Site) -> None:
    guests = site.guests
    assert isinstance(guests, ProxmoxGuests)
    assert guests.stop("app1", timeout_s=60) == "OK"
    try:
        assert guests.status("app1") == "stopped"
        assert guests.observe()["app1"].booted.value is False
    finally:
        guests.start("app1", timeout_s=60)

    def booted() -> bool | None:
        return guests.observe()["app1"].booted.value or None

    assert wait_for(site.clock, booted, bound_s=GUEST_BOOT_S, poll_s=3)
    with pytest.raises(Rejected, match="already running"):
        guests.start("app1", timeout_s=60)


def test_a_dead_nas_is_told_and_holds_nobody_up(site: Site) -> None:
    """pve1 loses its way to the NAS: its NFS mounts really hang, and the snapshot does not."""
    way = f"ip route {{}} blackhole {NAS}/32"

    def answering() -> dict[str, bool] | None:
        mounts = site.facts().hosts["pve1"].mounts
        return {mount.target: mount.answers for mount in mounts.value or ()} or None

    site.runner.run("pve1", way.format("add"), timeout_s=COMMAND_S)
    try:
        began = time.monotonic()
        seen = answering()
        took = time.monotonic() - began
    finally:
        undone = site.runner.run("pve1", way.format("del"), timeout_s=COMMAND_S)
    assert undone.ok
    print(f"snapshot with a dead NAS in {took:.1f} s")
    assert took < SNAPSHOT_S
    assert seen is not None
    assert not seen["/mnt/nas/vms"]
    assert not seen["/mnt/nas/backups"]
    assert seen["/"]
    assert seen["/srv/local"]

    def well() -> bool | None:
        try:
            return all((answering() or {"none": False}).values()) or None
        except DriverError:
            return None

    assert wait_for(site.clock, well, bound_s=NFS_BACK_S, poll_s=3)
