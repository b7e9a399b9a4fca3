"""Readers of fstab, crypttab, hosts, resolv.conf, interfaces and mounts on what people write."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.collect.ifupdown import MAIN, read_interfaces
from blackstart.collect.numbered import NotWhole, Rows, read_files
from blackstart.collect.tables import (
    read_crypttab,
    read_fstab,
    read_hosts,
    read_mounted,
    read_resolvers,
)
from blackstart.model.host_boot import FstabLine

NASTY = Path(__file__).parent / "fstab-nasty.txt"


def rows(text: str) -> Rows:
    return tuple(enumerate(text.split("\n"), 1))


@pytest.fixture(scope="module")
def nasty() -> dict[int, FstabLine]:
    entries, _ = read_fstab(rows(NASTY.read_bytes().decode()))
    return {entry.line: entry for entry in entries}


def test_comments_are_no_entries_and_numbers_are_the_files(nasty: dict[int, FstabLine]) -> None:
    assert sorted(nasty) == [*range(3, 14), *range(15, 20)]
    assert nasty[3].where == "/etc/fstab:3"


def test_tabs_quotes_and_octal_escapes(nasty: dict[int, FstabLine]) -> None:
    assert nasty[3].spec == "UUID=6f1c0c4e-53a2-4a6e-8a3b-0d3f1c2b4a5d"
    assert (nasty[4].spec, nasty[4].path) == ("LABEL=my data", "/mnt/my data")
    assert nasty[4].options == ("nofail", "x-systemd.device-timeout=10")


def test_what_is_left_out_is_the_default(nasty: dict[int, FstabLine]) -> None:
    assert nasty[13].options == ("defaults",)
    assert nasty[8].options == ("_netdev", "nofail")


def test_passwords_are_not_kept(nasty: dict[int, FstabLine]) -> None:
    assert "geheim" not in repr(nasty)
    assert "user=backup" in nasty[9].options
    assert nasty[10].spec == "https://cloud/dav"


def test_the_last_line_needs_no_end(nasty: dict[int, FstabLine]) -> None:
    assert nasty[19].path == "/tmp"


def test_lines_that_readers_take_otherwise_are_told() -> None:
    _, misread = read_fstab(rows(NASTY.read_bytes().decode()))
    assert [(line.line, line.text) for line in misread] == [
        (14, "broken line"),
        (15, "UUID=1 / ext4 errors=remount-ro zero 1"),
        (18, "UUID=3 /cr ext4 defaults,nofail\\r"),
    ]


def test_an_option_with_a_carriage_return_is_not_that_option(nasty: dict[int, FstabLine]) -> None:
    assert "nofail" not in nasty[18].options


def test_crypttab() -> None:
    text = "# c\nroot UUID=1 none luks,discard\nkept /dev/sdb1 /etc/keys/kept\nswap /dev/vg/s"
    first, second, third = read_crypttab(rows(text), {"/etc/keys/kept"})
    assert (first.key, first.options, first.where) == ("", ("luks", "discard"), "/etc/crypttab:2")
    assert (second.key, second.key_there) == ("/etc/keys/kept", True)
    assert (third.key, third.key_there) == ("", False)


def test_half_a_line_of_crypttab_is_not_understood() -> None:
    with pytest.raises(ValueError):
        read_crypttab(rows("root"), ())


def test_hosts_and_resolvers() -> None:
    entries = read_hosts(rows("127.0.0.1\tlocalhost # this\n# no\n\n::1\n192.0.2.1 a a.lab"))
    assert [(item.line, item.address, item.names) for item in entries] == [
        (1, "127.0.0.1", ("localhost",)),
        (5, "192.0.2.1", ("a", "a.lab")),
    ]
    assert read_resolvers(rows("nameserver 192.0.2.1\n;nameserver 192.0.2.2\nnameserver\n")) == (
        "192.0.2.1",
    )


def test_mounts_over_one_another() -> None:
    lines = ["a /mnt/x\\040y ext4 rw,relatime 0 0", "nas:/b /mnt/x\\040y nfs4 rw 0 0"]
    assert [item.target for item in read_mounted(lines)] == ["/mnt/x y", "/mnt/x y"]
    with pytest.raises(ValueError):
        tuple(read_mounted(["nonsense"]))


INTERFACES = """\
# bridges
auto lo vmbr0
iface lo inet loopback

iface eno1 inet manual

allow-hotplug eno2
iface eno2 inet dhcp
iface vmbr0 inet static
\taddress 192.0.2.11/24
\tbridge_ports eno1 \\
\t\teno3
\tbridge-vlan-aware yes
\tbridge-vids 2-100 200
\tbridge-pvid 7
iface vmbr0 inet6 auto
iface vmbr1 inet manual
\tbridge-ports none
iface eno1.30 inet manual
iface vlan40 inet manual
iface dmz inet manual
\tvlan-id 50
source /etc/network/interfaces.d/*"""


def test_interfaces() -> None:
    files = {MAIN: rows(INTERFACES), f"{MAIN}.d/sdn": rows("auto v1\niface v1\n")}
    found = {item.name: item for item in read_interfaces(files)}
    assert {name for name, item in found.items() if item.auto} == {"vmbr0", "eno2", "v1"}
    bridge = found["vmbr0"]
    assert (bridge.where, bridge.ports) == (f"{MAIN}:9", ("eno1", "eno3"))
    assert (bridge.vlan_aware, bridge.vlans, bridge.vlan_default) == (True, "2-100 200", 7)
    assert found["vmbr1"].ports == ()
    ids = {name: item.vlan_id for name, item in found.items() if item.vlan_id}
    assert ids == {"eno1.30": 30, "vlan40": 40, "dmz": 50}
    assert found["v1"].where == f"{MAIN}.d/sdn:2"


def test_a_file_that_is_not_sourced_does_not_count() -> None:
    files = {MAIN: rows("auto lo"), f"{MAIN}.d/sdn": rows("iface v1")}
    assert read_interfaces(files) == ()


@pytest.mark.parametrize(
    "lines",
    [
        ["1:a|"],
        ["file /etc/x", "1:a|", "3:b|"],
        ["file /etc/x", "1:a"],
        ["file /etc/x", "nonsense|"],
        ["file /etc/x", "cut: not readable"],
        ["file /etc/x", "1:a|", "cut: too long"],
    ],
)
def test_half_a_file_is_no_file(lines: list[str]) -> None:
    with pytest.raises(NotWhole):
        read_files(lines)


def test_a_carriage_return_survives() -> None:
    assert read_files(["file /etc/x", "1:a", "|", "2:|"]) == {"/etc/x": ((1, "a\r"), (2, ""))}
