"""What loads a host's kernel, read by the script itself from directories of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.model.host_boot import BootLoader

from .boot_script import asked

VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
DEBIAN = """\
if [ "${recordfail}" = 1 ] ; then
  set timeout=30
else
  if [ x$feature_timeout_style = xy ] ; then
    set timeout_style=menu
    set timeout=5
  # Fallback normal timeout code, not: set timeout=-1
  else
    set timeout=5; set x="timeout=-1"
  fi
fi
"""


def menu(directory: Path, where: str, text: str) -> Path:
    """A directory for /boot with one menu in it."""
    path = directory / "boot" / where / "grub.cfg"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return directory / "boot"


@pytest.mark.parametrize("where", ["grub", "grub2", "efi/EFI/fedora"])
def test_a_menu_is_found_wherever_a_distribution_has_it(tmp_path: Path, where: str) -> None:
    facts = asked("menus", boot=menu(tmp_path, where, "set timeout=-1\n"))
    assert [(line.where, line.seconds) for line in facts.menus.value or ()] == [
        (f"/boot/{where}/grub.cfg:1", -1)
    ]


def test_timeouts_as_grub_mkconfig_writes_them(tmp_path: Path) -> None:
    facts = asked("menus", boot=menu(tmp_path, "grub", DEBIAN))
    assert [(line.line, line.seconds) for line in facts.menus.value or ()] == [
        (2, 30),
        (6, 5),
        (9, 5),
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("timeout=-1", [-1]),
        ("if true; then set timeout='-1'; else set timeout=5; fi", [-1, 5]),
        ("set timeout=${saved}", []),
        ('\tset timeout="10"\n', [10]),
        ("configfile /boot/grub/grub.cfg", []),
    ],
)
def test_timeouts_as_people_write_them(tmp_path: Path, text: str, seconds: list[int]) -> None:
    facts = asked("menus", boot=menu(tmp_path, "grub", text))
    assert [line.seconds for line in facts.menus.value or ()] == seconds


def test_what_named_itself_to_the_firmware(tmp_path: Path) -> None:
    variables = tmp_path / "sys/firmware/efi/efivars"
    variables.mkdir(parents=True)
    named = b"\x06\0\0\0" + "systemd-boot 257.9-1".encode("utf-16-le") + b"\0\0"
    (variables / f"LoaderInfo-{VENDOR}").write_bytes(named)
    facts = asked("loader", sys=tmp_path / "sys", boot=tmp_path, usr=tmp_path)
    assert facts.loader.value == BootLoader(named="systemd-boot 257.9-1", grub=())


def test_signs_of_grub(tmp_path: Path) -> None:
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/grub2-install").touch()
    boot = menu(tmp_path, "grub2", "")
    facts = asked("loader", sys=tmp_path / "sys", boot=boot, usr=tmp_path / "usr")
    assert facts.loader.value is not None
    assert facts.loader.value.grub == ("/boot/grub2", "/usr/sbin/grub2-install")


def test_where_there_is_neither_nothing_is_told(tmp_path: Path) -> None:
    facts = asked("loader", "menus", sys=tmp_path, boot=tmp_path, usr=tmp_path)
    assert facts.loader.value == BootLoader(named="", grub=())
    assert facts.menus.value == ()


def test_a_name_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    variables = tmp_path / "sys/firmware/efi/efivars"
    variables.mkdir(parents=True)
    (variables / f"LoaderInfo-{VENDOR}").touch()
    facts = asked("loader", sys=tmp_path / "sys", boot=tmp_path, usr=tmp_path)
    assert facts.loader.error is not None
