"""The boot script on this machine, with files and programs of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from blackstart.collect.boot_parse import understand
from blackstart.collect.boot_script import BOOT_SECTIONS
from blackstart.collect.host_boot import HostBoots, look_at_boot
from blackstart.collect.sections import Answer, run, script
from blackstart.drivers.base import CommandResult
from blackstart.errors import Unreachable
from blackstart.model.host_boot import EmergencyShell, HostBootFacts
from tests.unit.invariants.site import document, site

from .boot_script import asked
from .local import LocalRunner, ScriptedRunner, tool

SECRET = "$6$geheim"


def lines(directory: Path, *names: str) -> str:
    """What the script itself sends of these sections."""
    sections = [
        replace(item, line=item.line.replace("/etc/", f"{directory}/"))
        for item in BOOT_SECTIONS
        if item.name in names
    ]
    return LocalRunner().run("here", "sh -s", stdin=script(sections, "T"), timeout_s=60).stdout


def test_this_machine_is_read() -> None:
    runner = LocalRunner()
    facts = look_at_boot(runner, "here", timeout_s=90)
    assert runner.ran == ["here"]
    assert facts.kernels.value is not None
    assert facts.kernels.value.running == os.uname().release
    assert facts.own_name.value is not None
    assert facts.own_name.value.name == os.uname().nodename
    assert facts.mounted.value
    assert facts.content.value is not None
    assert facts.content.value["/"] == "something"
    assert {room.path for room in facts.rooms.value or ()} >= {"/"}
    for name in ("cards", "devices", "links", "unit_files", "hosts_file", "emergency"):
        assert getattr(facts, name).known, getattr(facts, name).error


def test_the_script_is_plain_posix_shell() -> None:
    for shell in ("dash", "bash --posix"):
        done = subprocess.run(
            [*shell.split(), "-n"],
            input=script(BOOT_SECTIONS, "T"),
            check=False,
            capture_output=True,
            text=True,
            timeout=10,
        )
        assert (done.returncode, done.stderr) == (0, "")
    # What is quoted once more is only read by the shell that it is for.
    for section in BOOT_SECTIONS:
        done = subprocess.run(
            ["dash", "-n", "-c", section.line], check=False, capture_output=True, timeout=10
        )
        assert done.returncode == 0, section.name


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """A configuration with things that must not leave the host."""
    etc = tmp_path / "etc"
    (etc / "network/interfaces.d").mkdir(parents=True)
    (etc / "systemd/network").mkdir(parents=True)
    (etc / "systemd/system/emergency.service.d").mkdir(parents=True)
    (etc / "hosts").write_text("192.0.2.1 a1")
    (etc / "fstab").write_bytes(
        b"//nas/passwords /mnt cifs user=a,password=geheim,password2=geheim,nofail 0 0\r\n"
        b"//nas/s /mnt/s cifs pass=geheim"
    )
    (etc / "network/interfaces").write_text(
        "auto wlan0\niface wlan0 inet dhcp\n  wpa-psk geheim\n  bridge-ports a \\\n    b\n"
    )
    (etc / "systemd/network/10.link").write_text("[Link]\nName=lan0\n")
    (etc / "systemd/system/emergency.service.d/x.conf").write_text(
        "[Service]\nEnvironment=KEY=geheim\nEnvironment=SYSTEMD_SULOGIN_FORCE=1\n"
    )
    (etc / "shadow").write_text(f"daemon:*:1:::::\nroot:{SECRET}:1::::::\n")
    return etc


def test_files_come_over_whole_and_with_their_ends(etc: Path) -> None:
    facts = asked("files", "root", etc=etc)
    assert facts.fstab.value is not None
    assert [line.path for line in facts.fstab.value] == ["/mnt", "/mnt/s"]
    assert [line.where for line in facts.misread.value or ()] == ["/etc/fstab:1"]
    assert [line.where for line in facts.hosts_file.value or ()] == ["/etc/hosts:1"]
    (wireless,) = facts.interfaces.value or ()
    assert (wireless.auto, wireless.ports) == (True, ("a", "b"))
    assert facts.pinned_names.value == ("lan0",)
    assert facts.emergency.value == EmergencyShell(root_locked=False, forced=True)


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    facts = asked("files", "crypt_keys", etc=tmp_path)
    assert (facts.fstab.value, facts.crypttab.value, facts.boot_partitions.value) == ((), (), ())
    assert (facts.interfaces.value, facts.pinned_names.value) == ((), ())


def test_keys_of_encrypted_volumes(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    (tmp_path / "crypttab").write_text("# a b /etc/key\na b /etc/key\nc d /etc/gone\ne f none")
    facts = asked("files", "crypt_keys", etc=tmp_path)
    # The key's own path is that of the test, too.
    assert facts.crypttab.value is not None
    assert [entry.key for entry in facts.crypttab.value] == ["/etc/key", "/etc/gone", ""]
    assert not any(entry.key_there for entry in facts.crypttab.value)
    (tmp_path / "crypttab").write_text(f"a b {tmp_path}/key\n")
    (entry,) = asked("files", "crypt_keys", etc=tmp_path).crypttab.value or ()
    assert entry.key_there


def test_nothing_secret_leaves_the_host(etc: Path) -> None:
    sent = lines(etc, "files", "root")
    assert "geheim" not in sent
    assert "//nas/passwords /mnt cifs user=a,password=hidden,password2=hidden,nofail" in sent
    assert "2://nas/s /mnt/s cifs pass=hidden|" in sent
    assert "1:192.0.2.1 a1|" in sent
    assert "5:    b|" in sent
    assert "3:forced|" in sent
    assert "\nopen\n" in sent


@pytest.mark.parametrize(
    ("hash_", "word"), [("!", "locked"), ("*", "locked"), ("!$6$x", "locked"), ("", "open")]
)
def test_a_locked_root_is_seen(hash_: str, word: str, etc: Path) -> None:
    (etc / "shadow").write_text(f"root:{hash_}:1::::::\n")
    assert f"\n{word}\n" in lines(etc, "root")


def test_a_file_that_may_not_be_read_is_no_empty_one(tmp_path: Path) -> None:
    facts = asked("root", etc=tmp_path)
    assert "exit" in str(facts.emergency.error)


def test_what_is_in_a_mount(tmp_path: Path) -> None:
    for name in ("full", "empty", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "full/a file").touch()
    (tmp_path / "new/lost+found").mkdir()
    table = tmp_path / "mounts"
    table.write_text(
        "".join(f"x {tmp_path}/{name} ext4 rw 0 0\n" for name in ("full", "empty", "new", "gone"))
        + f"nas:/x {tmp_path}/full/a\\040file nfs4 rw 0 0\n"
    )
    section = next(item for item in BOOT_SECTIONS if item.name == "content")
    section = replace(section, line=section.line.replace("/proc/self/mounts", str(table)))
    answers = {item.name: Answer(error="not asked") for item in BOOT_SECTIONS}
    answers |= run(LocalRunner(), "here", [section], timeout_s=60)
    assert understand("here", answers).content.value == {
        f"{tmp_path}/full": "something",
        f"{tmp_path}/empty": "nothing",
        f"{tmp_path}/new": "nothing",
        f"{tmp_path}/gone": "no answer",
        f"{tmp_path}/full/a file": "nothing",
    }


def test_scripts_that_name_disks(tmp_path: Path) -> None:
    etc, usr = tmp_path / "etc", tmp_path / "local"
    (etc / "cron.d").mkdir(parents=True)
    (usr / "bin").mkdir(parents=True)
    (etc / "cron.d/job").write_text("# dd if=/dev/sda\n1 2 * * * pw=geheim mount /dev/sdb1 /x\n")
    (usr / "bin/blob").write_bytes(b"\0/dev/sda")
    (usr / "bin/good").write_text("mount /dev/disk/by-id/x /dev/mapper/sda\n")
    section = next(item for item in BOOT_SECTIONS if item.name == "device_names")
    line = section.line.replace("/etc/", f"{etc}/").replace("/usr/local/", f"{usr}/")
    answers = {item.name: Answer(error="not asked") for item in BOOT_SECTIONS}
    answers |= run(LocalRunner(), "here", [replace(section, line=line)], timeout_s=60)
    found = understand("here", answers).device_names.value
    assert found is not None
    assert [(Path(item.file).name, item.line, item.text) for item in found] == [
        ("job", 2, "/dev/sdb1")
    ]


JOURNAL = 'case "$*" in *UNIT=shutdown.target*) {down} ;; *) {last} ;; esac'


@pytest.mark.parametrize(
    ("down", "last", "end"),
    [
        ("echo 'Reached target'", "echo x", "ordered"),
        (":", "echo 'Journal stopped'", "ordered"),
        (":", "echo 'a guest wrote this'", "abrupt"),
        ("echo 'No such boot ID in journal' >&2; exit 1", "exit 1", "no earlier boot"),
        (
            "echo 'No journal boot entry found from the specified boot offset (-1).'; exit 1",
            "exit 1",
            "no earlier boot",
        ),
    ],
)
def test_how_the_boot_before_ended(tmp_path: Path, down: str, last: str, end: str) -> None:
    (tmp_path / "log/journal").mkdir(parents=True)
    tool(tmp_path, "journalctl", JOURNAL.format(down=down, last=last))
    section = next(item for item in BOOT_SECTIONS if item.name == "last_end")
    line = section.line.replace("/var/log/journal", f"{tmp_path}/log/journal")
    answers = {item.name: Answer(error="not asked") for item in BOOT_SECTIONS}
    answers |= run(LocalRunner(tmp_path), "here", [replace(section, line=line)], timeout_s=60)
    assert understand("here", answers).last_end.value == end


def test_a_journal_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "log/journal").mkdir(parents=True)
    tool(tmp_path, "journalctl", "echo 'Permission denied' >&2; exit 1")
    facts = asked("last_end", tools=tmp_path, var=tmp_path)
    assert "Permission denied" in str(facts.last_end.error)


ENGINE = """\
case "$1 $2" in
"volume ls") echo data ;;
"ps -aq") echo one ;;
"ps -a") echo 'web|{home}|{home}/a.yaml,{home}/b.yaml' ;;
"inspect --type") echo '{record}' ;;
"compose -p") {compose} ;;
esac"""


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """An active engine with one container of two Compose files, one of which is gone."""
    tool(tmp_path, "systemctl", "exit 0")
    record = ["/web-1", "running", "always", "web", "web", "a.yaml,b.yaml", "False", ""]
    text = ENGINE.format(home=tmp_path, record=json.dumps(record), compose="echo web; echo db")
    tool(tmp_path, "docker", text)
    (tmp_path / "a.yaml").touch()
    return tmp_path


def test_an_engine_and_its_definitions(engine: Path) -> None:
    docker = asked("docker", "definitions", tools=engine).docker.value
    assert docker is not None
    assert docker.volumes == ("data",)
    assert [item.name for item in docker.containers] == ["web-1"]
    (lost,) = docker.definitions
    assert (lost.missing, lost.services) == ((f"{engine}/b.yaml",), None)
    (engine / "b.yaml").touch()
    docker = asked("docker", "definitions", tools=engine).docker.value
    assert docker is not None
    assert docker.definitions[0].services == ("db", "web")


def test_a_definition_that_cannot_be_read_is_no_empty_one(engine: Path) -> None:
    (engine / "b.yaml").touch()
    text = (engine / "docker").read_text().replace("echo web; echo db", "echo geheim >&2; exit 1")
    (engine / "docker").write_text(text)
    docker = asked("docker", "definitions", tools=engine).docker.value
    assert docker is not None
    assert docker.definitions[0].services is None


def test_an_engine_that_is_down_is_not_asked(engine: Path) -> None:
    tool(engine, "systemctl", "exit 3")
    tool(engine, "docker", f"touch {engine}/started")
    docker = asked("docker", "definitions", tools=engine).docker.value
    assert docker is not None
    assert docker.engine == "down"
    assert not (engine / "started").exists()


def test_an_engine_that_fails_is_an_error(engine: Path) -> None:
    tool(engine, "docker", "echo 'Cannot connect' >&2; exit 1")
    assert "Cannot connect" in str(asked("docker", "definitions", tools=engine).docker.error)


def test_a_tool_that_hangs_costs_its_bound_only(tmp_path: Path) -> None:
    tool(tmp_path, "getent", "exec sleep 60")
    facts = asked("own_name", "mounted", tools=tmp_path)
    assert facts.own_name.error == "no answer within 6 s"
    assert facts.mounted.known


def test_nodes_are_asked_and_guests_with_leave(tmp_path: Path) -> None:
    guests = document()["guests"]
    guests["box"]["ssh"] = guests["lab"]["ssh"] = True  # lab is meant to be off
    inventory = site(guests=guests)

    def gone(_: str) -> CommandResult:
        raise Unreachable("No route to host")

    def mute(_: str) -> CommandResult:
        return CommandResult(0, "", "")

    runner = ScriptedRunner({"a1": gone, "a2": mute, "nas": mute, "box": mute})
    facts = HostBoots(inventory, runner)()
    assert sorted(facts) == ["a1", "a2", "box", "nas"]
    for name in HostBootFacts.model_fields:
        assert getattr(facts["a1"], name).error == "No route to host"
        assert getattr(facts["a2"], name).error == "the host did not get to it"
        assert getattr(facts["a2"], name).source.startswith("ssh a2: ")
