"""Notes for a person: what is needed is in them, and nothing private is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackstart.collect import rescue
from blackstart.collect.rescue import LEFT_OUT, NEEDED, SECTIONS, by_hand, text_of, without_private
from blackstart.collect.sections import Answer, run
from blackstart.drivers.base import CommandResult
from blackstart.errors import Unreachable

from .local import LocalRunner, ScriptedRunner

PRIVATE = [
    "cipassword: hunter2",
    "sshkeys: ssh-ed25519%20hunter2",
    "args: -vnc 0.0.0.0:77,password=hunter2",
    "//nas/media /mnt cifs username=me,password=hunter2,vers=3 0 0",
    "    wpa-psk hunter2",
    "    wpa-passphrase hunter2",
    "\twireless-key1 hunter2",
    "PrivateKey = hunter2",
    "PresharedKey=hunter2",
    "lxc.environment: FOO=hunter2",
    "lxc.environment.runtime: FOO=hunter2",
    "env: FOO=hunter2",
    "API_KEY=hunter2",
    "apikey: hunter2",
    "client_secret: hunter2",
    "MY_TOKEN=hunter2",
    "token: hunter2",
    "password:\thunter2",
    '  password: "hunter2"',
    "#root: hunter2",
    "  # hunter2",
    "; hunter2",
]
KEPT = [
    "iface vmbr0 inet static",
    "scsi0: local-lvm:vm-100-disk-0,size=32G",
    "net0: virtio=BC:24:11:00:00:35,bridge=vmbr0,tag=20",
    "UUID=9b1c /srv ext4 defaults,nofail 0 2",
    "smbios1: uuid=4e2c",
    "environment: production",
    "keyboard: de",
]


@pytest.mark.parametrize("line", PRIVATE)
def test_what_is_private_is_left_out(line: str) -> None:
    assert "hunter2" not in "".join(without_private([line]))


@pytest.mark.parametrize("line", KEPT)
def test_what_leads_back_is_kept_as_it_is(line: str) -> None:
    assert without_private([line]) == [line]


def test_a_key_in_a_block_is_left_out_and_what_follows_is_not() -> None:
    lines = ["a", "-----BEGIN OPENSSH PRIVATE KEY-----", "aGk=", "-----END OPENSSH x-----", "b"]
    assert without_private(lines) == ["a", "b"]


def test_a_block_without_an_end_takes_the_rest() -> None:
    assert without_private(["a", "-----BEGIN X-----", "secret stuff"]) == ["a"]


@given(
    st.sampled_from(["password", "PASSWD", "cipassword", "secret", "token", "wpa-psk", "api-key"]),
    st.sampled_from([":", "=", " = ", ": ", " "]),
    st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1),
)
def test_no_value_of_a_private_key_is_kept(key: str, sign: str, value: str) -> None:
    assert without_private([f"iface {key}{sign}{value}"]) == [f"iface {key} {LEFT_OUT}"]


def read(tmp_path: Path, vmids: str) -> dict[str, Answer]:
    """The guests' section in a real shell, on files of the test."""
    (section,) = [item for item in SECTIONS if item.name == "guests"]
    section = replace(section, line=section.line.replace("/etc/pve", str(tmp_path)))
    arguments = (vmids, "")
    return dict(run(LocalRunner(), "here", [section], arguments=arguments, timeout_s=30))


def test_configurations_of_the_wanted_guests(tmp_path: Path) -> None:
    for kind, vmid in (("qemu-server", 100), ("lxc", 101), ("qemu-server", 102)):
        (tmp_path / "nodes/a1" / kind).mkdir(parents=True, exist_ok=True)
        (tmp_path / "nodes/a1" / kind / f"{vmid}.conf").write_text(f"name: g{vmid}\n#my note\n")
    lines = read(tmp_path, "100 101")["guests"].lines
    assert [line for line in lines if line.startswith("name")] == ["name: g100", "name: g101"]
    assert read(tmp_path, "")["guests"] == Answer()
    assert "guest 999 has no configuration here" in str(read(tmp_path, "999")["guests"].error)


def test_this_machine_is_written_down() -> None:
    seen = by_hand(LocalRunner(), "here", ())
    assert seen.value is not None, seen.error
    assert seen.value.startswith("# here, as it was before the drill.")
    for section in SECTIONS:
        assert f"\n## {section.name}\n" in seen.value
    assert "127.0.0.1" in seen.value


def test_everything_goes_through_the_filter() -> None:
    answers = {item.name: Answer(lines=tuple(PRIVATE + KEPT)) for item in SECTIONS}
    text = text_of("a1", answers)
    assert "hunter2" not in text
    assert text.count("UUID=9b1c /srv ext4") == len(SECTIONS)


@pytest.mark.parametrize("name", NEEDED)
def test_without_what_is_needed_nothing_is_saved(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {item.name: Answer() for item in SECTIONS} | {name: Answer(error="exit 1")}
    monkeypatch.setattr(rescue, "run", lambda *_, **__: answers)
    assert by_hand(LocalRunner(), "a1", ()).error == f"{name}: exit 1"


def test_what_is_not_needed_says_why_it_is_missing() -> None:
    answers = {item.name: Answer() for item in SECTIONS}
    answers["devices"] = Answer(error="exit 127: lsblk: not found")
    assert "could not be read: 'exit 127: lsblk: not found'" in text_of("a1", answers)


def test_a_host_that_does_not_answer() -> None:
    def refuse(_: str) -> CommandResult:
        raise Unreachable("a1: no route to host")

    assert by_hand(ScriptedRunner({"a1": refuse}), "a1", ()).error == "a1: no route to host"
