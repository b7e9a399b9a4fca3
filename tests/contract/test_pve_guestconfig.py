"""A guest's configuration file: read, written, and read again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from blackstart.rack.standins.pve.guestconfig import GuestConfig, format_config, parse_config
from blackstart.rack.standins.pve.propertystring import Startup, parse_startup, size_bytes

FILE = b"""\
#what it is for%3A
#second line
agent: 1,fstrim_cloned_disks=1
boot: order=scsi0;net0
cores: 2
ide2: none,media=cdrom
ide3: local:100/vm-100-cloudinit.qcow2,media=cdrom
memory: 256
net0: virtio=BC:24:11:75:39:4C,bridge=vmbr0
scsi0: local:100/vm-100-disk-0.raw,size=1G
unused0: local:100/vm-100-disk-9.raw

[PENDING]
delete: agent,!unused0
memory: 512

[before-upgrade]
cores: 1
memory: 128
"""
words = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20)


def test_sections_and_description() -> None:
    config = parse_config("qemu", FILE)
    assert config.values["description"] == "what it is for:\nsecond line"
    assert config.agent
    assert config.memory_bytes() == 256 * 2**20
    assert config.deletions == {"agent", "unused0"}
    after = config.with_pending_applied()
    assert after.memory_bytes() == 512 * 2**20
    assert "agent" not in after.values
    assert config.values["cores"] == "2"  # not the snapshot's


def test_volumes_in_use() -> None:
    drives = list(parse_config("qemu", FILE).drives())
    assert [drive.key for drive in drives] == ["ide3", "scsi0"]
    assert [drive.cloud_init for drive in drives] == [True, False]
    assert list(parse_config("qemu", FILE).bridges()) == ["vmbr0"]


def test_types_are_the_vendors() -> None:
    config = parse_config("qemu", FILE)
    typed = config.typed(config.values)
    assert (typed["memory"], typed["cores"], typed["agent"]) == (
        "256",
        2,
        "1,fstrim_cloned_disks=1",
    )
    container = parse_config("lxc", b"memory: 192\nonboot: 1\nhostname: a\n")
    assert container.typed(container.values) == {"memory": 192, "onboot": 1, "hostname": "a"}


def test_a_written_file_reads_the_same() -> None:
    config = parse_config("qemu", FILE)
    assert format_config(config) == FILE
    assert parse_config("qemu", format_config(config)) == config


@given(st.lists(words, min_size=1, max_size=3))
def test_any_description_survives(lines: list[str]) -> None:
    text = "\n".join(lines).strip("\n")
    config = GuestConfig("qemu", {"description": text, "memory": "1"})
    again = parse_config("qemu", format_config(config))
    assert again.values.get("description", "") == text


def test_startup_and_sizes() -> None:
    assert parse_startup("order=1,up=5,down=30") == Startup(1, 5, 30)
    assert parse_startup("7") == Startup(7)
    assert (size_bytes("528K"), size_bytes("1.5G"), size_bytes("?")) == (540672, 1610612736, 0)
