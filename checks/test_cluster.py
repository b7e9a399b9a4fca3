"""Does the cluster find itself again: votes, clocks, certificates, services, what moves?"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from blackstart.checking import expect, known
from blackstart.checking_guests import config_of, managed, node_facts, opened_by, row_of
from blackstart.errors import Unproven
from blackstart.model.facts import SiteFacts
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.mounting import is_address
from blackstart.model.proxmox_facts import ProxmoxFacts
from blackstart.model.whereabouts import inside, meanings

pytestmark = pytest.mark.check

DAY_S = 86_400.0
CERTIFICATE_DAYS = 14
"""The vendor's own are renewed two weeks before their end, ACME's thirty days (pveupdate)."""
CLOCK_APART_S = 2.0
SYNC_LATE_S = 26 * 3600.0
NEEDED = ("pve-cluster", "pvedaemon", "pveproxy", "pvestatd")
STARTED_AT_BOOT = ("enabled", "alias", "static", "indirect", "generated")
QUIET_DEVICE = ("", "Connected")


@pytest.mark.claim(severity="critical", breaks="boot")
def test_quorum_survives_without_it(
    hypervisor: str, proxmox: ProxmoxFacts, facts: SiteFacts
) -> None:
    """Without quorum no guest starts, on any node (pvecm(1), Cluster Cold Start)."""
    votes = known(proxmox.votes)
    if len(votes.nodes) < 2:
        pytest.skip(f"{hypervisor} is no part of a cluster ({proxmox.votes.source})")
    if hypervisor not in votes.nodes:
        raise Unproven(f"{proxmox.votes.source}: {hypervisor} has no votes there")
    left, needed, source = _without(hypervisor, proxmox, facts)
    expect(
        left >= needed,
        f"without {hypervisor} {left} votes are left and {needed} are needed",
        evidence=source,
        fix="pvecm qdevice setup ADDRESS, of a machine that is no guest of this cluster",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_quorum_device_is_connected(proxmox: ProxmoxFacts) -> None:
    """A quorum device that is declared and not heard costs the vote that it was added for."""
    votes = known(proxmox.votes)
    if votes.device is None:
        pytest.skip(f"there is no quorum device ({proxmox.votes.source})")
    expect(
        votes.device.state in QUIET_DEVICE,
        f"the quorum device is {votes.device.state}",
        evidence=proxmox.votes.source,
        fix="systemctl status corosync-qnetd where it runs; corosync-qdevice-tool -s on a node",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_quorum_device_is_no_guest(
    proxmox: ProxmoxFacts,
    inventory: Inventory,
    facts: SiteFacts,
    host_boots: Mapping[str, HostBootFacts],
) -> None:
    """A quorum device that is a guest or a node of the cluster is away at the only time that it
    is for."""
    votes = known(proxmox.votes)
    if votes.device is None:
        pytest.skip(f"there is no quorum device ({proxmox.votes.source})")
    host = votes.device.host
    if not host:
        raise Unproven(f"{proxmox.votes.source}: it is not said where the quorum device is")
    tables = {node: host_boots[node] for node in votes.nodes if node in host_boots}
    meant = meanings(host, inventory, facts, tables)
    owners = inside(inventory, facts, proxmox)
    found = {
        owner: f"{source}: {it}"
        for it, source in meant.items()
        for owner in (owners.get(it, ()) if not it.is_loopback else tuple(votes.nodes))
    }
    expect(
        not found,
        f"the quorum device is on {host}, which is {', '.join(found)}",
        evidence=(proxmox.votes.source, *dict.fromkeys(found.values())),
        fix="pvecm qdevice setup ADDRESS, of a machine that starts without the cluster",
        touches=tuple(found),
    )
    if not meant:
        read = ", ".join(node for node, boot in tables.items() if boot.hosts_file.known)
        raise Unproven(
            f"{proxmox.votes.source}: which machine {host} is, neither the inventory says nor a "
            f"name server that was asked nor /etc/hosts of {read or 'a node: none was read'}"
        )


@pytest.mark.claim(severity="warning", breaks="boot")
def test_cluster_links_are_addresses(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """corosync's links are addresses: a name is resolved once, when it starts (pvecm(1))."""
    votes = known(proxmox.votes)
    if len(votes.nodes) < 2:
        pytest.skip(f"{hypervisor} is no part of a cluster ({proxmox.votes.source})")
    if not votes.links.get(hypervisor):
        raise Unproven(f"{proxmox.votes.source}: {hypervisor} has no link there")
    named = [link for link in votes.links[hypervisor] if not is_address(link)]
    expect(
        not named,
        f"corosync finds {hypervisor} by name: {', '.join(named)}",
        evidence=proxmox.votes.source,
        fix="write its address into /etc/pve/corosync.conf (a copy, config_version one more)",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_node_is_online(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """With a node away already, the next one takes quorum and its stand-in along."""
    online = known(proxmox.online)
    expect(
        online.get(hypervisor, False),
        f"{hypervisor} is {'offline' if hypervisor in online else 'no node of the cluster'}",
        evidence=proxmox.online.source,
        fix=f"look at {hypervisor}: systemctl status corosync pve-cluster",
    )


@pytest.mark.claim(severity="warning", breaks="visibility")
def test_certificates_outlive_the_window(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """Whoever verifies certificates, this harness too, is locked out by one that has expired."""
    certificates = node_facts(proxmox, hypervisor).certificates
    ending = []
    for certificate in known(certificates):
        if certificate.expires_at is None:
            raise Unproven(f"{certificates.source}: {certificate.file} tells no end")
        days = (certificate.expires_at - proxmox.taken_at) / DAY_S
        if days < CERTIFICATE_DAYS:
            ending.append(f"{certificate.file} ({days:.0f} days)")
    expect(
        not ending,
        f"certificates of {hypervisor} end: {', '.join(ending)}",
        evidence=certificates.source,
        fix="pvecm updatecerts --force; for ACME: pvenode acme cert renew",
    )


@pytest.mark.claim(severity="warning", breaks="address")
def test_clock_is_right(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """TLS, DNSSEC and MAAS' keys fail with a wrong clock (compared with this machine's)."""
    ahead = node_facts(proxmox, hypervisor).clock_ahead_s
    seconds: float = known(ahead)
    expect(
        -CLOCK_APART_S <= seconds <= CLOCK_APART_S,
        f"the clock of {hypervisor} is {seconds:+.0f} s off this machine's",
        evidence=ahead.source,
        fix=f"on {hypervisor}: chronyc tracking, or timedatectl; look at this machine's, too",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_services_start_with_the_node(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """What guests need to start is enabled for the next boot, and not only running now."""
    services = node_facts(proxmox, hypervisor).services
    found = {item.name: item for item in known(services)}
    needed = (*NEEDED, "corosync") if len(known(proxmox.votes).nodes) > 1 else NEEDED
    lacking = [name for name in needed if name not in found]
    if lacking:
        raise Unproven(f"{services.source} does not tell of {', '.join(lacking)}")
    also = [name for name in ("pvescheduler",) if name in found]
    wrong = [
        f"{name} ({found[name].enabled}, {found[name].active})"
        for name in (*needed, *also)
        if found[name].enabled not in STARTED_AT_BOOT or found[name].active != "active"
    ]
    expect(
        not wrong,
        f"on {hypervisor}: {', '.join(wrong)}",
        evidence=services.source,
        fix="systemctl enable --now UNIT; journalctl -u UNIT says why it does not run",
    )


@pytest.mark.claim(severity="warning", breaks="delay")
def test_high_availability_is_at_work(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """Maintenance outlasts a reboot, and what is disarmed starts nobody (ha-manager(1))."""
    ha = proxmox.high_availability
    seen = known(ha)
    if not seen.managed and hypervisor not in seen.maintenance:
        pytest.skip(f"high availability manages no guest ({ha.source})")
    wrong = ["high availability is disarmed"] if seen.disarmed else []
    if hypervisor in seen.maintenance:
        wrong.append(f"{hypervisor} is in maintenance")
    expect(
        not wrong,
        " and ".join(wrong),
        evidence=ha.source,
        fix=f"ha-manager crm-command node-maintenance disable {hypervisor}, or arm it again",
    )


@pytest.mark.claim(severity="warning", breaks="redundancy")
def test_managed_guest_can_move(guest: str, proxmox: ProxmoxFacts, inventory: Inventory) -> None:
    """What is tied to a node starts nowhere else, and with policy migrate stops the shutdown."""
    row = row_of(proxmox, inventory, guest)
    if not managed(proxmox, row):
        pytest.skip(f"{guest} is not managed ({proxmox.high_availability.source})")
    shared = {store.name for store in known(proxmox.stores) if store.shared}
    local = [item for item in opened_by(proxmox, row) if item.store not in shared]
    jobs = known(node_facts(proxmox, row.node).replication) if local else ()
    replicated = {job.id.partition("-")[0] for job in jobs}
    tied = [f"{item.key} on {item.store}" for item in local if str(row.vmid) not in replicated]
    tied += [
        key for key in config_of(proxmox, row) if key.startswith(("hostpci", "usb", "virtiofs"))
    ]
    policy = known(proxmox.shutdown_policy)
    expect(
        not tied,
        f"{guest} is tied to {row.node} by {', '.join(tied)} (shutdown policy {policy})",
        evidence=(proxmox.high_availability.source, proxmox.shutdown_policy.source),
        fix=f"put it on a shared store, replicate it, or take it out: ha-manager remove {row.sid}",
    )


@pytest.mark.claim(severity="warning", breaks="data")
def test_replication_is_fresh(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """A job that fails or is disabled leaves an old copy to start from (pvesr(1))."""
    jobs = node_facts(proxmox, hypervisor).replication
    if not known(jobs):
        pytest.skip(f"{hypervisor} replicates no guest ({jobs.source})")
    off = known(proxmox.disabled_replication)
    wrong = []
    for job in known(jobs):
        late = proxmox.taken_at - job.last_sync > SYNC_LATE_S
        if job.failures or job.error:
            wrong.append(f"{job.id} failed {job.failures} times: {job.error or 'no reason given'}")
        elif job.id in off:
            wrong.append(f"{job.id} is disabled")
        elif late:
            wrong.append(f"{job.id} was not copied for a day")
    expect(
        not wrong,
        f"on {hypervisor}: {'; '.join(wrong)}",
        evidence=(jobs.source, proxmox.disabled_replication.source),
        fix="pvesr status; pvesr schedule-now JOB",
    )


def _without(
    hypervisor: str, proxmox: ProxmoxFacts, facts: SiteFacts
) -> tuple[int, int, tuple[str, ...]]:
    """Votes that are left without it and that are needed: as corosync counts, else as configured.

    The count knows what no configuration tells the API: two_node, a device that is silent.
    """
    votes, source = known(proxmox.votes), proxmox.votes.source
    seen = facts.cluster
    if seen is not None and seen.votes.known and seen.quorum.known:
        left = known(seen.votes) - votes.nodes[hypervisor]
        return left, known(seen.quorum), (source, seen.votes.source)
    online = known(proxmox.online)
    expected = sum(votes.nodes.values())
    left = sum(
        count
        for node, count in votes.nodes.items()
        if node != hypervisor and online.get(node, False)
    )
    if votes.device is not None:
        # ffsplit has one vote, lms one less than there are nodes (corosync-qdevice(8)).
        own = len(votes.nodes) - 1 if "LMS" in votes.device.algorithm else 1
        expected += own
        left += own if votes.device.state in QUIET_DEVICE else 0
    return left, expected // 2 + 1, (source, proxmox.online.source)
