"""The inventories that are shipped: the rack's agrees with the rack, the example is harmless."""

from __future__ import annotations

from pathlib import Path

from blackstart.inventory_file import load, parse
from blackstart.rack.network import BRIDGE
from blackstart.rack.seed import hypervisor
from blackstart.rack.topology import PVE

ROOT = Path(__file__).parents[2]


class TestTheRacksInventory:
    """inventory/rack.yaml is written by hand and the rack is built from its topology."""

    rack = load(ROOT / "inventory/rack.yaml")

    def test_site(self) -> None:
        assert (self.rack.site, self.rack.domain, self.rack.rack) == (
            PVE.site,
            PVE.domain,
            PVE.name,
        )

    def test_machines(self) -> None:
        declared = {
            (name, node.role, node.address, node.out_of_band and node.out_of_band.url)
            for name, node in self.rack.nodes.items()
        }
        assert declared == {
            (machine.name, machine.role, machine.address, f"https://{machine.bmc_address}")
            for machine in PVE.machines
        }
        assert all(
            node.out_of_band is not None and node.out_of_band.system == name
            for name, node in self.rack.nodes.items()
        )

    def test_guests(self) -> None:
        declared = {
            (guest.vmid, name, guest.kind, guest.node, guest.address, guest.mac)
            for name, guest in self.rack.guests.items()
        }
        assert declared == {
            (guest.vmid, guest.name, guest.kind, guest.node, guest.address, guest.mac)
            for guest in PVE.guests
        }

    def test_every_machine_and_guest_has_its_name(self) -> None:
        assert self.rack.dns is not None
        names = {
            name: {str(address) for address in declared.addresses}
            for name, declared in self.rack.dns.names.items()
        }
        machines = {machine.name: machine.address for machine in PVE.machines}
        guests = {guest.name: guest.address for guest in PVE.guests}
        for name, address in {**machines, **guests}.items():
            assert names[f"{name}.{PVE.domain}"] == {str(address)}

    def test_servers_and_certificates(self) -> None:
        assert self.rack.dns is not None
        resolvers = {
            guest.name: guest.address for guest in PVE.guests if guest.role in {"maas", "dns2"}
        }
        declared = {name: server.address for name, server in self.rack.dns.servers.items()}
        assert declared == resolvers
        assert set(self.rack.certificates) == {g.name for g in PVE.guests if g.role == "k3s"}

    def test_a_nas_may_only_fail_to_serve_and_hypervisors_may_lose_power(self) -> None:
        serving = {"nas-stop", "nas-block", "nas-stale"}
        for machine in PVE.machines:
            willing = set(self.rack.nodes[machine.name].may_break)
            if machine.role == "nas":
                assert willing >= serving
                assert not willing & {"reboot", "power-cut"}
            else:
                assert willing >= {"reboot", "power-cut"}
                assert not willing & serving

    def test_every_hypervisor_mounts_every_store(self) -> None:
        declared = {
            (mount.host, mount.path, mount.server, mount.export)
            for mount in self.rack.mounts.values()
        }
        assert declared == {
            (machine.name, f"/mnt/nas/{store}", "nas1", f"/export/{store}")
            for machine in PVE.machines
            for store in hypervisor.STORES
            if machine.role == "hypervisor"
        }

    def test_k3s_and_dhcp(self) -> None:
        assert self.rack.k3s is not None
        servers = {guest.name for guest in PVE.guests if guest.role == "k3s"}
        assert set(self.rack.k3s.servers) == servers
        assert all(self.rack.guests[name].ssh for name in servers)
        (dhcp,) = self.rack.dhcp.values()
        (maas,) = (guest for guest in PVE.guests if guest.role == "maas")
        assert (dhcp.address, dhcp.guest, dhcp.interface) == (maas.address, maas.name, BRIDGE)
        assert dhcp.lease, "here it may be tried whether a lease is really given"

    def test_what_is_no_product_is_said(self) -> None:
        assert self.rack.stand_ins
        stood_in = {name for name, guest in self.rack.guests.items() if guest.stand_ins}
        assert stood_in == {guest.name for guest in PVE.guests if guest.role in {"maas", "k3s"}}


def test_the_example_breaks_nothing_by_default() -> None:
    example = load(ROOT / "inventory/example-homelab.yaml")
    assert not any(server.lease for server in example.dhcp.values())
    assert not any(node.may_break for node in example.nodes.values())
    assert example.rack is None
    addresses = [node.address for node in example.nodes.values()]
    addresses += [guest.address for guest in example.guests.values()]
    assert all(str(address).startswith("192.0.2.") for address in addresses)


def test_the_example_stays_right_when_its_consent_is_uncommented() -> None:
    lines = (ROOT / "inventory/example-homelab.yaml").read_text().splitlines()
    starts = [number for number, line in enumerate(lines) if line.strip() == "# may_break:"]
    for start in starts:
        number = start
        while lines[number].strip().startswith("#"):
            lines[number] = lines[number].replace("# ", "", 1)
            number += 1
    example = parse("\n".join(lines), "example")
    willing = {name: set(node.may_break) for name, node in example.nodes.items()}
    assert willing == {
        "pve-a": {"reboot", "power-cut"},
        "pve-b": set(),
        "nas": {"nas-stop", "nas-block", "nas-stale"},
    }
