"""The cluster file system between two processes: carried over, kept, and closed without quorum."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from blackstart.rack.standins.pve.broadcast import Broadcast
from blackstart.rack.standins.pve.layout import Layout
from blackstart.rack.standins.pve.replication import daemon
from blackstart.rack.standins.pve.replication.corosync import (
    ClusterNode,
    Configuration,
    QuorumState,
)
from blackstart.rack.standins.pve.replication.peers import Credentials
from blackstart.rack.standins.pve.replication.quorumwatch import watch_quorum
from blackstart.rack.standins.pve.replication.service import Service, Setting, Timing
from tests.contract.pve_cluster_fs import ARRIVES_S, CONVERGES_S, NODES, FileSystemNode, await_that

Cluster = tuple[FileSystemNode, FileSystemNode]
VM = "nodes/pve1/qemu-server/100.conf"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def cluster(tmp_path: Path, pve_secrets: Path) -> Iterator[Cluster]:
    """Two nodes, laid out and not yet started; both see both."""
    port = _free_port()
    nodes = []
    for name in NODES:
        directory = tmp_path / name
        keys = directory / "keys"
        keys.mkdir(parents=True)
        for source, target in (
            (f"{name}.crt", "own.crt"),
            (f"{name}.key", "own.key"),
            ("ca.crt", "ca.crt"),
            ("corosync-authkey", "authkey"),
        ):
            shutil.copy(pve_secrets / source, keys / target)
        node = FileSystemNode(directory, name, port)
        node.config.mkdir(parents=True)
        node.quorum(*NODES)
        nodes.append(node)
    yield (nodes[0], nodes[1])
    for node in nodes:
        node.kill()


def _start(cluster: Cluster) -> None:
    for node in cluster:
        node.start()
    await_that(lambda: all(node.mount == "rw" for node in cluster), ARRIVES_S)


def _reads(node: FileSystemNode, path: str, content: str) -> bool:
    return _is(node.config / path, content)


def _is(file: Path, content: str | None) -> bool:
    return (file.read_text() if file.exists() else None) == content


def test_writes_and_deletions_arrive_within_the_promise(cluster: Cluster) -> None:
    for node in cluster:
        node.timing = "real"
    _start(cluster)
    for number, (here, there) in enumerate((cluster, cluster[::-1])):
        file = here.config / f"nodes/{here.name}/qemu-server/10{number}.conf"
        file.write_text("name: a\n")
        file.chmod(0o640)
        arrived = there.config / file.relative_to(here.config)
        took = await_that(arrived.exists, CONVERGES_S)
        assert arrived.read_text() == "name: a\n"
        assert arrived.stat().st_mode & 0o777 == 0o640
        file.write_text("name: b\n")
        changed = await_that(partial(_is, arrived, "name: b\n"), CONVERGES_S)
        file.unlink()
        gone = await_that(partial(_is, arrived, None), CONVERGES_S)
        print(f"{here.name}: created {took:.2f} s, changed {changed:.2f} s, gone {gone:.2f} s")


def test_what_belongs_to_a_node_stays_there(cluster: Cluster) -> None:
    _start(cluster)
    first, second = cluster
    for node in cluster:
        assert (node.config / "qemu-server").readlink() == Path(f"nodes/{node.name}/qemu-server")
        members = json.loads((node.config / ".members").read_text())
        assert members["nodename"] == node.name
        assert members["cluster"]["quorate"] == 1
    (first.config / ".only-here").write_text("x")
    (first.config / "storage.cfg").write_text("dir: local\n")
    await_that((second.config / "storage.cfg").exists, ARRIVES_S)
    assert not (second.config / ".only-here").exists()


def test_seeds_of_both_nodes_are_united(cluster: Cluster) -> None:
    for node in cluster:
        seed = node.config / f"nodes/{node.name}/qemu-server"
        seed.mkdir(parents=True)
        (seed / "100.conf").write_text(f"name: of-{node.name}\n")
        (node.config / "storage.cfg").write_text("dir: local\n")
    _start(cluster)
    for node in cluster:
        for name in NODES:
            path = f"nodes/{name}/qemu-server/100.conf"
            await_that(partial(_reads, node, path, f"name: of-{name}\n"), ARRIVES_S)
        assert (node.config / "storage.cfg").read_text() == "dir: local\n"


def test_without_quorum_it_is_closed_and_says_so(cluster: Cluster) -> None:
    _start(cluster)
    first, second = cluster
    second.kill()
    first.quorum()
    took = await_that(lambda: first.mount == "ro", ARRIVES_S)
    members = json.loads((first.config / ".members").read_text())
    assert members["cluster"]["quorate"] == 0
    assert [m["online"] for m in members["nodelist"].values()] == [1, 0]
    first.quorum(*NODES)
    second.start()
    await_that(lambda: first.mount == "rw", ARRIVES_S)
    print(f"closed {took:.2f} s after quorum was lost")


def test_whoever_finds_it_closed_is_told_why(tmp_path: Path) -> None:
    """``.members`` says that there is no quorum before the mount shows it, not a moment later."""
    told: list[tuple[bool, int]] = []

    class Watched:
        def attach(self) -> None:
            """Nobody looks yet."""

        def set_writable(self, writable: bool) -> bool:
            members = json.loads((tmp_path / "config/.members").read_text())
            told.append((writable, members["cluster"]["quorate"]))
            return True

        def detach(self) -> None:
            """Nobody looks any more."""

    nodes = tuple(ClusterNode(name, at, "127.0.0.1") for at, name in enumerate(NODES, start=1))
    configuration = Configuration("lab", 2, nodes)
    replica = daemon.prepare("pve1", configuration, tmp_path, "boot-1", Watched())
    nowhere = Path("/nonexistent")
    credentials = Credentials("pve1", nowhere, nowhere, nowhere, nowhere)
    at_once = Timing(settle_s=-1.0, patience_s=-1.0)
    setting = Setting(
        *("pve1", configuration, credentials, Watched(), watch_quorum, ("127.0.0.1", 0), at_once)
    )
    layout = Layout("pve1", *[nowhere] * 6)
    service = Service(setting, replica, Broadcast(layout))
    service._take_quorum(QuorumState(True, frozenset({1, 2})))
    service._take_quorum(QuorumState(False, frozenset()))
    replica.close()
    assert told == [(True, 1), (False, 0)]


def test_quorate_sides_write_survives_that_of_a_node_without_quorum(cluster: Cluster) -> None:
    _start(cluster)
    first, second = cluster
    (first.config / VM).write_text("name: before\n")
    await_that(lambda: _reads(second, VM, "name: before\n"), ARRIVES_S)
    second.stop()
    first.quorum("pve1")
    (first.config / VM).write_text("name: quorate\n")
    await_that(lambda: first.committed(VM, "name: quorate\n"), ARRIVES_S)
    (second.config / VM).write_text("name: stray\n")
    (second.config / "datacenter.cfg").write_text("keyboard: de\n")
    second.quorum()
    second.start()
    first.quorum(*NODES)
    second.quorum(*NODES)
    await_that(lambda: _reads(second, VM, "name: quorate\n"), ARRIVES_S)
    assert _reads(first, VM, "name: quorate\n")
    # Nobody else wrote this one, so nothing is lost by keeping it.
    await_that(lambda: _reads(first, "datacenter.cfg", "keyboard: de\n"), ARRIVES_S)


def test_killed_process_loses_nothing(cluster: Cluster) -> None:
    _start(cluster)
    first, second = cluster
    (first.config / VM).write_text("name: noticed\n")
    await_that(lambda: _reads(second, VM, "name: noticed\n"), ARRIVES_S)
    first.kill()
    (first.config / VM).write_text("name: while it was dead\n")
    (second.config / "jobs.cfg").write_text("vzdump: x\n")
    first.start()
    await_that(lambda: _reads(second, VM, "name: while it was dead\n"), ARRIVES_S)
    await_that(lambda: _reads(first, "jobs.cfg", "vzdump: x\n"), ARRIVES_S)


def test_power_cut_leaves_no_torn_file(cluster: Cluster) -> None:
    """ext4 may leave a file empty or old; the database is what counts after a boot."""
    _start(cluster)
    first, second = cluster
    for name in ("a", "b", "c"):
        (first.config / f"{name}.cfg").write_text(f"{name}: whole\n")
    await_that(lambda: all(_reads(second, f"{n}.cfg", f"{n}: whole\n") for n in "abc"), ARRIVES_S)
    first.kill()
    (first.config / "a.cfg").write_bytes(b"")
    (first.config / "b.cfg").unlink()
    (first.config / "half-written").write_text("?")
    first.start("boot-2")
    for name in ("a", "b", "c"):
        for node in cluster:
            assert _reads(node, f"{name}.cfg", f"{name}: whole\n")
    assert not (first.config / "half-written").exists()


def test_last_write_before_an_orderly_stop_is_kept(cluster: Cluster) -> None:
    _start(cluster)
    first, _ = cluster
    (first.config / VM).write_text("name: last words\n")
    first.stop()
    assert first.mount == "detached"
    first.start("boot-2")
    assert _reads(first, VM, "name: last words\n")


def test_stranger_without_corosyncs_key_is_not_heard(cluster: Cluster) -> None:
    first, second = cluster
    (second.directory / "keys/authkey").write_bytes(b"x" * 128)
    for node in cluster:
        node.start()
    (second.config / VM).write_text("name: intruder\n")
    await_that(lambda: second.committed(VM, "name: intruder\n"), ARRIVES_S)
    await_that(lambda: "is no member of this cluster" in first.log(), ARRIVES_S)
    await_that(lambda: second.mount == "rw", ARRIVES_S)  # it goes on without the silent one
    await_that(lambda: second.log().count("connection from another node ends") > 0, ARRIVES_S)
    assert not (first.config / VM).exists()


def test_figures_travel_with_the_configuration(cluster: Cluster) -> None:
    _start(cluster)
    first, second = cluster

    def broadcast(node: FileSystemNode) -> Broadcast:
        nowhere = Path("/nonexistent")
        status = node.directory / "status"
        return Broadcast(Layout(node.name, nowhere, nowhere, status, nowhere, nowhere, nowhere))

    broadcast(first).tell("stats", {"guests": {"100": {"status": "running"}}})
    await_that(lambda: broadcast(second).heard("pve1", "stats") is not None, ARRIVES_S)
    assert broadcast(second).heard("pve1", "stats") == {"guests": {"100": {"status": "running"}}}


def test_it_hangs_while_the_nodes_name_is_a_loopback_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([["127.0.1.1"], ["127.0.1.1", "::1"], ["10.77.0.11"]])
    asked = []

    def getaddrinfo(name: str, *_args: object, **_kwargs: object) -> list[tuple[object, ...]]:
        asked.append(name)
        return [(None, None, None, "", (address, 0)) for address in next(answers)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    daemon.await_address("pve1", poll_s=0)

    assert asked == ["pve1"] * 3
    assert capsys.readouterr().err.count("Unable to resolve node name 'pve1'") == 1
