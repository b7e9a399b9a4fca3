"""The whole snapshot: complete, parallel, and never held up by what does not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from blackstart.collect import site as module
from blackstart.collect.site import SiteCollector
from blackstart.drivers.absent import NoClusterView, NoGuestControl
from blackstart.drivers.base import CommandResult
from blackstart.drivers.clock import SystemClock
from blackstart.errors import Unreachable
from blackstart.model.addressing import DhcpServer, Maas
from blackstart.model.facts import (
    CertificateFacts,
    GuestFacts,
    HostFacts,
    Observed,
    Record,
    SiteFacts,
    unread,
)
from blackstart.model.inventory import Inventory, NfsMount
from blackstart.model.maas_facts import MaasFacts

from .local import ScriptedRunner

INVENTORY = Inventory.model_validate(
    {
        "site": "lab",
        "domain": "lab.test",
        "nodes": {
            "pve1": {"address": "10.0.0.11", "api": "proxmox"},
            "pve2": {"address": "10.0.0.12", "api": "proxmox"},
            "nas1": {"address": "10.0.0.20", "role": "nas"},
        },
        "guests": {
            "box": {
                "vmid": 101,
                "kind": "qemu",
                "node": "pve1",
                "address": "10.0.0.101",
                "mac": "bc:24:11:00:00:01",
                "names": ["box.lab.test"],
                "ssh": True,
            }
        },
        "dns": {
            "servers": {"one": {"address": "10.0.0.53"}, "two": {"address": "10.0.0.54"}},
            "names": {"box.lab.test": {"addresses": ["10.0.0.101"]}},
        },
        "compose": {
            "web": {
                "guest": "box",
                "directory": "/opt/web",
                "services": ["web"],
                "sentinel": "data/s",
            }
        },
        "certificates": {"api": {"guest": "box", "port": 6443, "ca": "file:/ca.crt"}},
    }
)
THERE = "/mnt/nas/vms"
HEALTHY = (Path(__file__).parent / "hosts" / "proxmox-healthy.txt").read_text()


def healthy(script: str) -> CommandResult:
    """A hypervisor that answers; the token is the script's own."""
    token = script.partition("@@")[2].partition("\n")[0].strip("'")
    return CommandResult(0, HEALTHY.replace("TOKEN", token), "")


def gone(_: str) -> CommandResult:
    """A host that is away."""
    raise Unreachable("No route to host")


class Names:
    """Every server knows every name."""

    def ask(self, server: str, name: str) -> Observed[tuple[str, ...]]:
        return Observed(source=f"dns @{server}", value=("10.0.0.101",))

    def pointers(self, server: str, address: str) -> Observed[tuple[str, ...]]:
        return Observed(source=f"dns @{server}", value=("box.lab.test",))


class Certificates:
    """Remembers what it was asked to look at."""

    def __init__(self) -> None:
        self.looked: list[tuple[str, int, Path | None]] = []

    def look(self, host: str, port: int, ca: Path | None) -> CertificateFacts:
        self.looked.append((host, port, ca))
        return unread(CertificateFacts, "tls", "none here")


class Offers:
    """One server offers, on whatever interface."""

    def look(self, interface: str) -> Observed[tuple[str, ...]]:
        return Observed(source=f"dhcp {interface}", value=("10.0.0.53",))


class Guests(NoGuestControl):
    """An API that shows the guest running."""

    def observe(self) -> Mapping[str, GuestFacts]:
        facts = unread(GuestFacts, "api", "not asked")
        return {"box": facts.model_copy(update={"status": Observed(source="api", value="running")})}


def collector(**changes: Any) -> SiteCollector:
    """A collector of the lab, with parts changed by a test."""
    hosts = dict.fromkeys(("pve1", "pve2", "nas1", "box"), healthy)
    parts: dict[str, Any] = {
        "inventory": INVENTORY,
        "clock": SystemClock(),
        "runner": ScriptedRunner(hosts),
        "guests": Guests({}),
        "cluster": NoClusterView(),
        "names": Names(),
        "certificates": Certificates(),
        "authorities": {"api": Path("/ca.crt")},
        "offers": Offers(),
    }
    return SiteCollector(**(parts | changes))


def complete(facts: SiteFacts) -> None:
    """Every declared thing has an entry, seen or not."""
    assert set(facts.hosts) == {"pve1", "pve2", "nas1"}
    assert set(facts.guests) == {"box"}
    assert set(facts.names) == {"one/box.lab.test", "two/box.lab.test"}
    assert set(facts.reverse) == {"one/10.0.0.101", "two/10.0.0.101"}
    assert set(facts.compose) == {"web"}
    assert set(facts.certificates) == {"api"}
    assert facts.cluster is not None


def known(record: Record) -> list[bool]:
    """Which of a record's facts are known."""
    return [getattr(record, name).known for name in type(record).model_fields]


def test_a_whole_site() -> None:
    certificates = Certificates()
    began = time.time()
    facts = collector(certificates=certificates)()
    complete(facts)
    assert began <= facts.taken_at <= time.time()
    assert all(all(known(host)) for host in facts.hosts.values())
    assert facts.guests["box"].status.value == "running"
    assert facts.names["two/box.lab.test"].source == "dns @10.0.0.54"
    assert certificates.looked == [("10.0.0.101", 6443, Path("/ca.crt"))]
    assert facts.cluster is not None
    assert (facts.cluster.votes.value, facts.cluster.quorum.value) == (3, 2)
    assert SiteFacts.model_validate_json(facts.model_dump_json()) == facts


def test_a_host_that_is_away_is_an_error_and_votes_come_from_another() -> None:
    hosts = {"pve1": gone, "pve2": healthy, "nas1": healthy, "box": gone}
    facts = collector(runner=ScriptedRunner(hosts))()
    complete(facts)
    assert not any(known(facts.hosts["pve1"]))
    assert facts.hosts["pve1"].boot_id.error == "No route to host"
    assert all(known(facts.hosts["pve2"]))
    assert facts.compose["web"].containers.error == "No route to host"
    assert facts.cluster is not None
    assert facts.cluster.votes.value == 3
    assert facts.cluster.votes.source.startswith("ssh pve2")


def mount(host: str, path: str) -> NfsMount:
    return NfsMount(host=host, path=path, server="nas1", export="/export/vms")


WITH_MOUNTS = INVENTORY.model_copy(
    update={
        "mounts": {
            "there": mount("pve1", THERE),
            "gone": mount("pve1", "/mnt/gone"),
            "guests": mount("box", THERE),
            "unseen": mount("pve2", THERE),
        }
    }
)


def test_a_declared_mount_is_what_is_at_its_path_on_a_node_and_in_a_guest() -> None:
    hosts = {"pve1": healthy, "pve2": gone, "nas1": healthy, "box": healthy}
    facts = collector(inventory=WITH_MOUNTS, runner=ScriptedRunner(hosts))()
    assert set(facts.mounts) == set(WITH_MOUNTS.mounts)
    for name, host in (("there", "pve1"), ("guests", "box")):
        (seen,) = facts.mounts[name].value or ()
        assert seen.target == THERE
        assert facts.mounts[name].source.startswith(f"ssh {host}: /proc/self/mounts")
    assert facts.mounts["gone"].value == ()
    assert facts.mounts["unseen"].error == "No route to host"


WITH_MAAS = INVENTORY.model_copy(
    update={"maas": Maas(url="https://10.0.0.101:5443/MAAS", key="env:KEY", guest="box")}
)


def test_the_dhcp_server_is_read_on_the_guest_of_maas() -> None:
    hosts = {**dict.fromkeys(("pve1", "pve2", "nas1"), healthy), "box": gone}
    facts = collector(inventory=WITH_MAAS, runner=ScriptedRunner(hosts))()
    assert facts.dhcp["box"].leases.error == "No route to host"
    assert collector()().dhcp == {}


def test_a_dhcp_server_that_nobody_may_log_in_to_is_unknown() -> None:
    closed = INVENTORY.guests["box"].model_copy(update={"ssh": False})
    inventory = WITH_MAAS.model_copy(update={"guests": {"box": closed}})
    facts = collector(inventory=inventory)()
    assert "add ssh: true to guests.box" in str(facts.dhcp["box"].declared.error)


def test_a_guest_that_is_away_hides_its_mounts_only() -> None:
    hosts = {**dict.fromkeys(("pve1", "pve2", "nas1"), healthy), "box": gone}
    facts = collector(inventory=WITH_MOUNTS, runner=ScriptedRunner(hosts))()
    assert facts.mounts["guests"].error == "No route to host"
    assert facts.mounts["there"].known


def test_without_any_hypervisor_votes_are_unknown() -> None:
    hosts = {"pve1": gone, "pve2": gone, "nas1": healthy, "box": healthy}
    facts = collector(runner=ScriptedRunner(hosts))()
    assert facts.cluster is not None
    assert (facts.cluster.votes.value, facts.cluster.votes.error) == (None, "No route to host")


class Alone(NoClusterView):
    """A node that is in no cluster."""

    def standalone(self) -> Observed[bool]:
        return Observed(source="api GET cluster/status", value=True)


def test_a_node_without_a_cluster_has_the_one_vote_it_needs() -> None:
    """corosync does not run there, and its votes would be unread in every drill."""
    without = HEALTHY.replace("Total votes", "x").replace("Quorum:", "x:")

    def host(script: str) -> CommandResult:
        token = script.partition("@@")[2].partition("\n")[0].strip("'")
        return CommandResult(0, without.replace("TOKEN", token), "")

    runner = ScriptedRunner(dict.fromkeys(("pve1", "pve2", "nas1", "box"), host))
    unread_votes = collector(runner=runner)().cluster
    assert unread_votes is not None
    assert unread_votes.votes.value is None
    cluster = collector(runner=runner, cluster=Alone())().cluster
    assert cluster is not None
    assert (cluster.votes.value, cluster.quorum.value) == (1, 1)
    assert "no cluster" in cluster.votes.source


class Hanging:
    """Every driver at once, each of which never comes back until the test ends."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def hang(self, *_: Any, **__: Any) -> Any:
        self.over.wait(60)
        raise Unreachable("the test is over")

    run = observe = ask = pointers = look = quorate = online = hang


@pytest.mark.parametrize("which", ["runner", "guests", "cluster", "names", "certificates", "maas"])
def test_what_hangs_is_left_behind(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.2)
    hanging = Hanging()
    began = time.monotonic()
    facts = collector(**{which: hanging}, deadline_s=0.5)()
    took = time.monotonic() - began
    hanging.over.set()
    assert took < 30  # it hangs for 60 s
    complete(facts)
    lost: dict[str, Callable[[], Record]] = {
        "runner": lambda: facts.hosts["pve1"],
        "guests": lambda: facts.guests["box"],
        "cluster": lambda: facts.cluster or unread(HostFacts, "", "no cluster"),
        "certificates": lambda: facts.certificates["api"],
        "maas": lambda: facts.maas or unread(HostFacts, "", "no maas"),
    }
    if which in lost:
        seen = known(lost[which]())
        assert not any(seen[:2])
    if which == "names":
        assert facts.names["one/box.lab.test"].error == "no answer within 1 s"
        assert facts.reverse["one/10.0.0.101"].error == "no answer within 1 s"
    if which != "runner":
        assert facts.hosts["pve1"].boot_id.known


def test_hosts_are_asked_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)

    def waits_for_the_others(script: str) -> CommandResult:
        together.wait()
        return healthy(script)

    hosts = dict.fromkeys(("pve1", "pve2", "nas1"), waits_for_the_others)
    facts = collector(runner=ScriptedRunner({**hosts, "box": gone}))()
    assert all(host.boot_id.known for host in facts.hosts.values())


def test_a_defect_is_raised_and_not_taken_for_a_fact() -> None:
    def broken(_: str) -> CommandResult:
        raise ZeroDivisionError

    hosts = {"pve1": broken, "pve2": healthy, "nas1": healthy, "box": healthy}
    with pytest.raises(ZeroDivisionError):
        collector(runner=ScriptedRunner(hosts))()


def test_a_site_without_an_api_has_unknown_guests_and_no_cluster() -> None:
    facts = collector(guests=NoGuestControl(INVENTORY.guests), cluster=None)()
    assert facts.cluster is None
    assert not any(known(facts.guests["box"]))


class Addresses:
    """A MAAS of which one fact is known."""

    def observe(self) -> MaasFacts:
        known_one = {"importing": Observed(source="maas", value=False)}
        return unread(MaasFacts, "maas", "not asked").model_copy(update=known_one)


def test_what_maas_says_is_in_the_snapshot_where_there_is_one() -> None:
    facts = collector(maas=Addresses())()
    assert facts.maas is not None
    assert facts.maas.importing.value is False
    assert collector()().maas is None


WITH_DHCP = INVENTORY.model_copy(
    update={"dhcp": {"maas": DhcpServer(address=IPv4Address("10.0.0.53"), interface="eno1")}}
)


def test_who_offers_is_asked_on_every_declared_interface() -> None:
    facts = collector(inventory=WITH_DHCP)()
    assert facts.offers["eno1"].value == ("10.0.0.53",)
    assert facts.offers["eno1"].source == "dhcp eno1"
    assert collector()().offers == {}


def test_an_interface_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    class Stuck(Offers):
        def look(self, interface: str) -> Observed[tuple[str, ...]]:
            over.wait(30)
            return super().look(interface)

    monkeypatch.setattr(module, "GRACE_S", 0.2)
    facts = collector(inventory=WITH_DHCP, offers=Stuck(), deadline_s=0.5)()
    over.set()
    assert facts.offers["eno1"].error == "no answer within 1 s"
    assert facts.hosts["pve1"].boot_id.known
