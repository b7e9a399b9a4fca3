"""Collection only looks: every command that it runs on a host is on the list below.

A program that is not on it, or is used in a way that is not, fails. Whoever adds one makes sure
that it changes nothing, and says here how it is used: what only looks read-only (a ``docker`` or
``virsh`` whose socket starts the daemon and its guests, ``sort -o``, ``sed -i``) is told apart.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart import collect
from blackstart.collect import configuration_copy, dhcp, host_files
from blackstart.collect.circumstances import HostCircumstances
from blackstart.collect.sections import Section
from blackstart.drivers.base import CommandResult

from .shell_text import Command, commands

HERE = Path(collect.__file__).parent
ANY = r".*"
ALLOWED: dict[str, str] = {
    # The shell's own, which change nothing but the shell that ends with the section.
    **dict.fromkeys((":", "[", "test", "true", "break", "continue", "exit", "return"), ANY),
    **dict.fromkeys(("cd", "echo", "printf", "pwd", "read", "set", "unset", "wait"), ANY),
    # Reading files.
    **dict.fromkeys(("cat", "cut", "grep", "head", "ls", "readlink", "sha256sum"), ANY),
    **dict.fromkeys(("stat", "tail", "tr", "wc"), ANY),
    "find": r"(?!.*-(delete|exec(dir)?|ok(dir)?|fprint\S*|fls)\b)" + ANY,
    "sed": r"-E s/(\\.|[^/])*/(\\.|[^/])*/ \S+",  # no flag: `w` writes, `e` runs
    "sort": r"-[nu]+",
    "base64": r"",
    "cmp": r"-s \S+ \S+",
    "tar": r"-(tvf|tf|xOf) \S+( -T -)?",  # `-O`: to standard output, nothing is unpacked
    # Asking the system.
    "command": r"-v \S+",
    **dict.fromkeys(("findmnt", "getent", "id", "lsblk", "uname"), ANY),
    "date": r"\+.*",
    "ip": r"(-\S+ )*(addr|link|route)( show)?",
    "bridge": r"(-\S+ )*(vlan|link) show",
    "journalctl": r"(?!.*--(rotate|vacuum|flush|sync|setup|update|relinquish))" + ANY,
    "systemctl": r"(cat|is-\S+|list-\S+|show|status)( .*)?",
    "timedatectl": r"show( .*)?",
    "corosync-quorumtool": r"-s",
    # Storage.
    "zpool": r"(get|list|status)( .*)?",
    "zfs": r"(get|list)( .*)?",
    "btrfs": r"(scrub status|device stats) \S+",
    "ceph": r"health",
    "upsc": ANY,
    # Behind `systemctl is-active` only.
    "docker": r"(compose .*\bconfig|container ls|inspect|network ls|ps|volume ls)\b.*",
    "virsh": r"(list|dominfo|domblklist|dumpxml|net-list|pool-list)\b.*",
}
WAKES_A_DAEMON = ("docker", "virsh")
# `find ... -exec` is allowed for looking alone.
ALLOWED["find"] += r"|.* -exec stat -c .* \{\} \+"
MAKERS = {"program", "shell", "builtin", "Section"}
RAW = {("circumstances", "newest_file"), ("circumstances", "ups")}
"""Commands that are no sections: by module and function."""


def objections(text: str) -> list[str]:
    """What a shell text does that nobody allowed."""
    found = commands(text)
    said = [f"{' '.join(command.words)}" for command in found if not _allowed(command)]
    said += [
        f"writes {file}"
        for command in found
        for file in command.written
        if file not in ("/dev/null", "&2")
    ]
    if any(command.program in WAKES_A_DAEMON for command in found) and not _asks_first(found):
        said.append("does not ask `systemctl is-active` first, and stop where it is not")
    return said


def _allowed(command: Command) -> bool:
    words = " ".join(command.words[1:])
    pattern = ALLOWED.get(command.words[0])
    return pattern is not None and re.fullmatch(pattern, words, re.DOTALL) is not None


def _asks_first(found: list[Command]) -> bool:
    """Whether a section that may wake a daemon asks for it, and can end, before anything else."""
    programs = [command.program for command in found]
    first = min(programs.index(name) for name in WAKES_A_DAEMON if name in programs)
    asked = [
        number
        for number, command in enumerate(found)
        if command.words[:2] == ("systemctl", "is-active")
    ]
    return bool(asked) and "exit" in programs[asked[0] : first]


def modules() -> list[str]:
    return [item.name for item in pkgutil.iter_modules(collect.__path__)]


def sections_of(module: str) -> Iterator[Section]:
    """All that a module has, or makes when it is asked."""
    loaded = importlib.import_module(f"blackstart.collect.{module}")
    for value in vars(loaded).values():
        yield from _within(value)
    if module == "dhcp":
        yield from dhcp._sections(dhcp.PLACES)
    elif module == "configuration_copy":
        yield configuration_copy.copy_section("/srv/backups of mine")
    elif module == "host_files":
        yield from host_files.file_sections(["/srv/images of mine"])


def _within(value: object) -> Iterator[Section]:
    if isinstance(value, Section):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _within(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _within(item)


@pytest.mark.parametrize("module", modules())
def test_every_section_only_looks(module: str) -> None:
    for section in sections_of(module):
        assert objections(section.line) == [], f"{module}: section {section.name}"


def test_every_other_command_only_looks() -> None:
    ran: list[str] = []

    class Recording:
        def run(
            self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
        ) -> CommandResult:
            ran.append(command)
            return CommandResult(1, "", "")

        def forget(self, host: str) -> None:
            """There is no connection."""

    asking = HostCircumstances(Recording())
    asking.newest_file("box", "/srv/backups of mine")
    asking.ups("box", "apc")
    assert len(ran) == len(RAW)
    for command in ran:
        assert objections(command) == []


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a file, with the function that it is in."""
    tree = ast.parse(path.read_text())
    for owner in ast.walk(tree):
        if isinstance(owner, ast.FunctionDef):
            for node in ast.walk(owner):
                if isinstance(node, ast.Call):
                    yield owner.name, node
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield "", node


@pytest.mark.parametrize("module", modules())
def test_no_section_is_made_where_nobody_looks(module: str) -> None:
    """A section made within a function is asked for in ``sections_of``, or it is not seen."""
    if module == "sections":
        return
    seen = {section.name for section in sections_of(module)}
    made = {
        node.args[0].value if isinstance(node.args[0], ast.Constant) else ast.dump(node.args[0])
        for _, node in calls(HERE / f"{module}.py")
        if isinstance(node.func, ast.Name) and node.func.id in MAKERS
    }
    assert made <= seen


def test_no_command_is_run_where_nobody_looks() -> None:
    """By a runner, other than what a section is run by."""
    folders = (HERE, HERE.parent / "doctor")
    raw = {
        (path.stem, owner)
        for folder in folders
        for path in folder.glob("*.py")
        for owner, node in calls(path)
        if owner and isinstance(node.func, ast.Attribute) and node.func.attr == "run"
        if "runner" in ast.unparse(node.func.value)
    }
    assert raw - {("sections", "run")} == RAW


@pytest.mark.parametrize(
    "text",
    [
        "rm -rf /tmp/x",
        "timeout -k 1 5 systemctl restart nfs-server",
        "systemctl is-active --quiet x; systemctl start x",
        "echo 1 >/proc/sysrq-trigger",
        "echo 1 >>/etc/fstab",
        "sh -c 'cat /etc/fstab; reboot'",
        "x=$(mount -a); echo $x",
        "for i in 1 2; do echo `touch /x`; done",
        "case $1 in a|b) ls ;; *) tee /x ;; esac",
        "if [ -e /x ]; then umount /x; fi",
        "sed -i s/a/b/ /etc/hosts",
        "sed -E s/a/reboot/e /etc/hosts",
        "sed -E 's/a/b/w /etc/x' /etc/hosts",
        "find / -delete",
        "find . -exec rm {} +",
        "sort -o /etc/hosts /etc/hosts",
        "date -s 2020-01-01",
        "ip addr add 192.0.2.1/24 dev eno1",
        "journalctl --vacuum-size=1M",
        "zpool scrub tank",
        "zpool clear tank",
        "docker ps -a",
        "docker ps -a; systemctl is-active docker.service || exit 1",
        "systemctl is-active docker.service; docker ps -a",
        "systemctl is-active docker.service || exit 1; docker restart web",
        "systemctl is-active libvirtd || exit 1; virsh start web",
        "virsh list --all",
        "show() { chmod 777 /x; }; show",
        "{ ls; } | dd of=/dev/sda",
        "$tool --now",
        "command reboot",
        "cat /x &\nkill 1",
    ],
)
def test_what_is_not_on_the_list_is_seen(text: str) -> None:
    assert objections(text)


@pytest.mark.parametrize(
    "text",
    [
        "cat /etc/fstab 2>/dev/null || :",
        "systemctl is-active --quiet docker.service || { echo no >&2; exit 1; }\ndocker ps -aq",
        "if ! systemctl is-active -q libvirtd; then exit 0; fi; virsh list --all --autostart",
        'show() { cat "$1"; }\nshow /etc/hosts # rm -rf /',
        "case $x in rm) echo 'rm -rf /' ;; esac",
        '[ -e "${file#*[,"${x%%,*}"]}" ] && echo "$((1 + 2))"',
    ],
)
def test_what_only_looks_passes(text: str) -> None:
    assert objections(text) == []


def test_the_list_of_modules_is_the_folder() -> None:
    assert {"host_script", "upkeep", "compose", "dhcp", "rescue", "login"} <= set(modules())
    names = [section.name for module in modules() for section in sections_of(module)]
    assert len(names) > 25
