"""What lies below file systems, read by the script itself from directories of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.collect.boot_storage import read_arrays, read_declared_arrays
from blackstart.model.host_storage import Array, Dataset, Exports

from .boot_script import asked
from .local import tool


def put(directory: Path, **files: str) -> Path:
    """Files by their names, in which ``__`` is a directory's end."""
    for name, text in files.items():
        path = directory / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def test_only_a_menu_without_end_and_own_options_of_thin_check_are_told(tmp_path: Path) -> None:
    boot = put(tmp_path / "boot", grub__grub_dot_cfg="set timeout=5\n  set timeout=-1\nset x\n")
    lvm = "# thin_check_options = []\n\tthin_check_options = [ '-q' ]\n"
    etc = put(tmp_path / "etc", lvm__lvm_dot_conf=lvm)
    facts = asked("settings", boot=boot, etc=etc)
    assert [(line.where, line.text) for line in facts.grub_waits.value or ()] == [
        ("/boot/grub/grub.cfg:2", "set timeout=-1")
    ]
    assert [(line.where, line.text) for line in facts.thin_checks.value or ()] == [
        ("/etc/lvm/lvm.conf:2", "thin_check_options = [ '-q' ]")
    ]


def test_without_these_files_nothing_is_told(tmp_path: Path) -> None:
    facts = asked("settings", boot=tmp_path, etc=tmp_path)
    assert (facts.grub_waits.value, facts.thin_checks.value) == ((), ())


def test_a_file_that_cannot_be_searched_proves_nothing(tmp_path: Path) -> None:
    boot = put(tmp_path / "boot", grub__grub_dot_cfg="set timeout=-1\n")
    tool(tmp_path, "grep", "echo 'grep: Permission denied' >&2; exit 2")
    facts = asked("settings", tools=tmp_path, boot=boot, etc=tmp_path)
    assert "Permission denied" in str(facts.grub_waits.error)


def test_keys_of_datasets(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch()
    module = tmp_path / "sys"
    (module / "module/zfs").mkdir(parents=True)
    told = f"none\ttank\n-\ttank/x\nprompt\ttank/my vault\nfile://{key}\ttank/a\nfile:///no\tb"
    tool(tmp_path, "zfs", f"printf '{told}\\n'")
    assert asked("datasets", tools=tmp_path, sys=module).datasets.value == (
        Dataset(name="tank/my vault", key="prompt", key_there=False),
        Dataset(name="tank/a", key=f"file://{key}", key_there=True),
        Dataset(name="b", key="file:///no", key_there=False),
    )
    tool(tmp_path, "zfs", "echo 'internal error' >&2; exit 1")
    assert "internal error" in str(asked("datasets", tools=tmp_path, sys=module).datasets.error)


def test_without_the_module_zfs_is_not_asked(tmp_path: Path) -> None:
    tool(tmp_path, "zfs", f"touch {tmp_path}/asked")
    assert asked("datasets", tools=tmp_path, sys=tmp_path).datasets.value == ()
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(("theirs", "said"), [("one", "same"), ("two", "differs"), (None, None)])
def test_how_the_clusters_file_compares(tmp_path: Path, theirs: str | None, said: str) -> None:
    put(tmp_path, corosync__corosync_dot_conf="one")
    (tmp_path / "pve").mkdir()
    if theirs is not None:
        put(tmp_path, pve__corosync_dot_conf=theirs)
    assert asked("cluster_file", etc=tmp_path).cluster_file.value == said


def test_corosync_without_proxmox_has_no_other_file_beside_its_own(tmp_path: Path) -> None:
    """As a third vote that is no node has it."""
    put(tmp_path, corosync__corosync_dot_conf="one")
    assert asked("cluster_file", etc=tmp_path).cluster_file.value == "alone"


@pytest.mark.parametrize(
    ("cluster", "said"),
    [({"pve__corosync_dot_conf": "one"}, "differs"), ({"pve__storage_dot_cfg": ""}, None)],
    ids=["lost", "not mounted"],
)
def test_a_node_that_lost_its_own_file(
    tmp_path: Path, cluster: dict[str, str], said: str | None
) -> None:
    """It is no node without a cluster: it would start corosync with nothing."""
    put(tmp_path, corosync__uidgid="", **cluster)
    assert asked("cluster_file", etc=tmp_path).cluster_file.value == said


def test_a_node_that_stands_alone_has_no_file(tmp_path: Path) -> None:
    put(tmp_path, corosync__uidgid="", pve__storage_dot_cfg="")
    (tmp_path / "pve" / "local").symlink_to("nodes/a1")
    assert asked("cluster_file", etc=tmp_path).cluster_file.value == "none"


def test_a_host_without_corosync_is_in_no_cluster(tmp_path: Path) -> None:
    assert asked("cluster_file", etc=tmp_path).cluster_file.value == "none"


def test_exports_of_all_files(tmp_path: Path) -> None:
    etc = put(
        tmp_path / "etc",
        exports='# /no\n/a 192.0.2.0/24(rw)\n"/b c" \\\n  *(ro)\n/d\\040e *\n\n',
        exports_dot_d__x_dot_exports="/f *(ro)\n",
        exports_dot_d__x_dot_txt="/g *(ro)\n",
    )
    var = put(tmp_path / "var", lib__nfs__etab="/a\t192.0.2.0/24(rw)\n/a\t*(ro)\n/h\\040i\t*(ro)\n")
    facts = asked("files", etc=etc, var=var)
    assert facts.exports.value == Exports(now=("/a", "/h i"), written=("/a", "/b c", "/d e", "/f"))


def test_arrays_as_the_kernel_lists_them() -> None:
    lines = (
        "Personalities : [raid1] [raid0]",
        "md127 : inactive sdb1[0](S)",
        "      1024 blocks super 1.2",
        "md1 : active (auto-read-only) raid0 sdc1[0]",
        "      1024 blocks",
        "md0 : active raid1 sda1[0](F) sdb2[1]",
        "      1024 blocks [2/1] [_U]",
        "unused devices: <none>",
    )
    assert read_arrays(lines) == (
        Array(name="md127", state="inactive", failed=False),
        Array(name="md1", state="active", failed=False),
        Array(name="md0", state="active", failed=True, disks=2, present=1),
    )


def test_uuids_of_declared_arrays() -> None:
    rows = ((1, "MAILADDR root"), (2, "ARRAY /dev/md/0  metadata=1.2 UUID=AB:cd name=x:0"))
    assert read_declared_arrays(rows) == ("ab:cd",)
