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


def test_own_options_of_thin_check_are_told(tmp_path: Path) -> None:
    lvm = "# thin_check_options = []\n\tthin_check_options = [ '-q' ] # --clear\n"
    assert thin_checks(tmp_path, lvm) == [("/etc/lvm/lvm.conf:2", "thin_check_options = [ '-q' ]")]


def thin_checks(directory: Path, lvm: str, local: str = "local {\n}\n") -> list[tuple[str, str]]:
    etc = put(directory / "etc", lvm__lvm_dot_conf=lvm, lvm__lvmlocal_dot_conf=local)
    facts = asked("lvm", etc=etc)
    assert facts.thin_checks.error is None
    return [(line.where, line.text) for line in facts.thin_checks.value or ()]


def test_options_of_thin_check_may_take_several_lines(tmp_path: Path) -> None:
    lvm = """\
devices { filter = [ "r|#|", "a|.*|" ]
}
global {
    thin_check_options = [
        "-q", # quiet, and not "--never"
        # "--not-this"
        "--clear-needs-check-flag"
    ]
}
"""
    assert thin_checks(tmp_path, lvm) == [
        ("/etc/lvm/lvm.conf:4", 'thin_check_options = [ "-q", "--clear-needs-check-flag" ]')
    ]


@pytest.mark.parametrize("written", ["global { %s }", "global/%s", "global {\n%s\n}"])
def test_a_section_may_be_written_in_more_than_one_way(tmp_path: Path, written: str) -> None:
    found = thin_checks(tmp_path, written % 'thin_check_options="-q"')
    assert [text for _, text in found] == ['thin_check_options = "-q"']


def test_the_local_file_comes_before_the_other(tmp_path: Path) -> None:
    first, second = (f"thin_check_options = [ {word} ]" for word in ("'-q'", "'--clear'"))
    assert thin_checks(tmp_path, first, second) == [("/etc/lvm/lvmlocal.conf:1", second)]


def test_options_without_an_end_prove_nothing(tmp_path: Path) -> None:
    etc = put(tmp_path / "etc", lvm__lvm_dot_conf="thin_check_options = [\n'-q'\n")
    assert "thin_check_options" in str(asked("lvm", etc=etc).thin_checks.error)


def test_without_lvm_nothing_is_told(tmp_path: Path) -> None:
    assert asked("lvm", etc=tmp_path).thin_checks.value == ()


def test_a_file_that_cannot_be_searched_proves_nothing(tmp_path: Path) -> None:
    etc = put(tmp_path / "etc", lvm__lvm_dot_conf="")
    boot = put(tmp_path / "boot", grub__grub_dot_cfg="")
    tool(tmp_path, "grep", "echo 'grep: Permission denied' >&2; exit 2")
    facts = asked("lvm", "menus", tools=tmp_path, boot=boot, etc=etc)
    assert "Permission denied" in str(facts.thin_checks.error)
    assert "Permission denied" in str(facts.menus.error)


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
