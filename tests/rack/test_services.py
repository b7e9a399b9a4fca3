"""What runs inside the machines: guests that can be killed, and the real services in them."""

from __future__ import annotations

import json
import time

import pytest

from blackstart.rack.seed import dhcp
from blackstart.rack.seed import dns as zones
from blackstart.rack.topology import PVE, Guest
from tests.rack.command import eventually, on, rack

GUEST = "/usr/lib/blackstart-rack/guest"
GUEST_BOOT_S = 120.0
READY_S = 300.0
NODES = tuple(machine for machine in PVE.machines if machine.role == "hypervisor")

pytestmark = pytest.mark.usefixtures("pristine_again")


def by_name(name: str) -> Guest:
    return next(guest for guest in PVE.guests if guest.name == name)


def ready(machine: str) -> bool:
    return rack("ssh", machine, "--", "/usr/lib/blackstart-rack/ready", check=False).returncode == 0


def booted(guest: Guest) -> bool:
    asked = rack("ssh", guest.node, "--", f"{GUEST} agent {guest.vmid}", check=False)
    return asked.returncode == 0


@pytest.mark.parametrize("guest", PVE.guests, ids=lambda guest: guest.name)
def test_a_guest_has_nothing_failed_and_the_address_it_should(guest: Guest) -> None:
    assert on(guest.name, "systemctl is-system-running") == "running"
    links = json.loads(on(guest.node, f"{GUEST} interfaces {guest.vmid}"))
    (card,) = (link for link in links if link["ifname"] == "eth0")
    assert card["address"] == guest.mac
    (address,) = (info for info in card["addr_info"] if info["family"] == "inet")
    assert address["local"] == str(guest.address)
    # A lease ends; a fixed address does not.
    assert ("dynamic" in address) is not guest.static


def test_the_secondary_has_the_primarys_zones() -> None:
    for zone in (PVE.domain, zones.reverse_zone(PVE)):
        serials = {
            on("nas1", f"dig +short +time=3 +tries=1 @{by_name(name).address} {zone} SOA")
            for name in ("maas", "dns2")
        }
        assert len(serials) == 1
        assert str(zones.SERIAL) in serials.pop()


def test_a_change_of_the_primary_reaches_the_secondary() -> None:
    dns2 = by_name("dns2")
    zone = f"/etc/bind/zones/{PVE.domain}"
    on(
        "maas",
        f"sed -i 's/{zones.SERIAL}/{zones.SERIAL + 1}/' {zone}; "
        f"echo 'drill IN A 192.0.2.1' >>{zone}; rndc reload",
    )
    eventually(
        lambda: (
            on("nas1", f"dig +short +time=3 +tries=1 @{dns2.address} drill.{PVE.domain}")
            == "192.0.2.1"
        ),
        within=60,
    )


def address_of(guest: Guest) -> str | None:
    """The address of a guest's card, as its node sees it; ``None`` when it has none."""
    links = json.loads(on(guest.node, f"{GUEST} interfaces {guest.vmid}"))
    (card,) = (link for link in links if link["ifname"] == "eth0")
    found = [info["local"] for info in card["addr_info"] if info["family"] == "inet"]
    return found[0] if found else None


def test_a_client_without_reservation_gets_an_address_of_the_pool() -> None:
    app1 = by_name("app1")
    conf = "/var/snap/maas/common/maas/dhcpd.conf"
    entry = app1.mac.replace(":", "-")
    pool = {str(PVE.network[host]) for host in range(dhcp.POOL[0], dhcp.POOL[1] + 1)}
    on(
        "maas",
        f"cp {conf} {conf}.kept; sed -i '/^host {entry} /,/^}}/d' {conf}; "
        "systemctl restart maas-dhcpd",
    )
    try:
        on("app1", "systemctl restart guest-network")
        eventually(lambda: address_of(app1) in pool, 60)
    finally:
        on("maas", f"mv {conf}.kept {conf}; systemctl restart maas-dhcpd")
        on("app1", "systemctl restart guest-network")
    eventually(lambda: address_of(app1) == str(app1.address), 60)


def test_the_volume_is_what_the_web_serves() -> None:
    docker1 = by_name("docker1")
    mark = f"served at {time.time()}"
    on("docker1", f"echo '{mark}' >/opt/web/data/mark")
    assert on("nas1", f"curl -sf --max-time 5 http://{docker1.address}/mark") == mark


def test_lost_containers_are_deployed_again_and_stopped_ones_are_not() -> None:
    on("docker1", "docker stop web-web-1; systemctl restart web-redeploy")
    assert on("docker1", "docker ps --quiet") == ""
    on("docker1", "docker rm web-web-1; systemctl restart web-redeploy")
    assert "web-web-1" in on("docker1", "docker ps --format '{{.Names}}'")


def test_k3s_is_known_by_its_address_and_knows_its_members() -> None:
    k3s1 = by_name("k3s1")
    here = "/usr/lib/blackstart-rack"
    token = f"printf 'Authorization: Bearer %s\\n' \"$(cat {here}/k3s-token)\""
    ask = f"curl -s --max-time 5 --cacert {here}/ca.crt https://{k3s1.address}:6443"
    assert on("pve1", f"{token} | {ask}/readyz --header @-") == "ok"
    assert json.loads(on("pve1", f"{ask}/readyz"))["code"] == 401
    nodes = json.loads(on("pve1", f"{token} | {ask}/api/v1/nodes --header @-"))
    ready_nodes = {
        node["metadata"]["name"]
        for node in nodes["items"]
        for condition in node["status"]["conditions"]
        if (condition["type"], condition["status"]) == ("Ready", "True")
    }
    assert ready_nodes == {"k3s1", "k3s2", "k3s3"}


@pytest.mark.parametrize("name", ["k3s2", "app1"])
def test_a_killed_guest_starts_again(name: str) -> None:
    guest = by_name(name)
    tool = "pct" if guest.kind == "lxc" else "qm"
    on(guest.node, f"{GUEST} stop {guest.vmid}")
    assert not booted(guest)
    on(guest.node, f"{tool} start {guest.vmid}")
    eventually(lambda: booted(guest), GUEST_BOOT_S)


def test_memory_that_a_guest_exhausts_kills_a_process_in_it_and_not_the_guest() -> None:
    k3s2 = by_name("k3s2")
    group = f"/sys/fs/cgroup/qemu.slice/{k3s2.vmid}.scope"
    assert on(k3s2.node, f"cat {group}/memory.oom.group") == "1"
    assert on(k3s2.node, f"cat {group}/payload/memory.max") == str(k3s2.memory_mib << 20)
    unit = "[Service]\\nType=oneshot\\nExecStart=tail /dev/zero\\n"
    end = on(
        "k3s2",
        f"printf '{unit}' >/run/systemd/system/hog.service; systemctl daemon-reload; "
        "systemctl start hog; systemctl show --property=Result hog",
    )
    assert end == "Result=oom-kill"
    assert on(k3s2.node, f"grep '^oom_kill ' {group}/payload/memory.events") != "oom_kill 0"
    assert booted(k3s2)


def test_a_fresh_site_has_backups() -> None:
    for node in NODES:
        names = on("nas1", f"tar -tf /export/backups/etc-pve/{node.name}/*/etc-pve.tar")
        assert f"etc/pve/nodes/{node.name}/qemu-server/" in names
        assert "etc/pve/priv/token.cfg" in names
    dumps = on("nas1", "ls /export/backups/dump")
    for guest in PVE.guests:
        assert f"vzdump-{guest.kind}-{guest.vmid}-" in dumps
    archive = f"/export/backups/dump/vzdump-qemu-{by_name('docker1').vmid}-*.tar.zst"
    listed = on("nas1", f"tar --zstd -tf {archive}")
    assert "./upper/opt/web/data/index.html" in listed
    assert "GUEST.conf" in listed


def test_everything_comes_back_from_cold_with_the_nas_last() -> None:
    for machine in PVE.machines:
        rack("power", machine.name, "off")
    for node in NODES:
        rack("power", node.name, "on")
    time.sleep(60)  # the fault itself: a NAS that is a minute late
    rack("power", "nas1", "on")
    eventually(lambda: all(ready(machine.name) for machine in PVE.machines), READY_S)
