"""Which version wins: two replicas, any order of writes, isolation and rejoining.

Generated histories. A node that has lost the other may go on writing until it
notices; what the quorate side wrote in the meantime must survive that.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from blackstart.rack.standins.pve.replication.database import Database
from blackstart.rack.standins.pve.replication.entries import Content
from blackstart.rack.standins.pve.replication.replica import Replica
from blackstart.rack.standins.pve.replication.tree import Tree

FILES = ("a.cfg", "b.cfg")
NODES = ("pve1", "pve2")
writes = st.lists(st.tuples(st.sampled_from(FILES), st.booleans()), max_size=4)


class Machine:
    """A replica that can be restarted, on a directory of its own."""

    def __init__(self, directory: Path, number: int) -> None:
        self.directory = directory
        self.number = number
        self.counter = 0
        self.boots = 0
        (directory / "config").mkdir(parents=True)
        self.boot()

    def boot(self) -> None:
        """Come up after a power cut (or for the first time)."""
        self.boots += 1
        self.database = Database(self.directory / "config.db")
        tree = Tree(self.directory / "config", NODES[self.number - 1], NODES)
        self.replica = Replica(tree, self.database, self.number)
        self.replica.begin(f"boot-{self.boots}")

    def cut(self) -> None:
        """Lose power."""
        self.database.close()

    def write(self, name: str, delete: bool) -> str | None:
        """Write or delete a file, and let the service notice."""
        path = self.directory / "config" / name
        self.counter += 1
        content = None if delete else f"{self.number}-{self.counter}"
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(content)
        self.replica.notice_changes(settled=False)
        return content

    def files(self) -> dict[str, str]:
        """What stands in the directory."""
        config = self.directory / "config"
        return {n: (config / n).read_text() for n in FILES if (config / n).exists()}


def exchange(one: Machine, other: Machine) -> None:
    """Both hear of everything that the other has."""
    for here, there in ((one, other), (other, one)):
        registry = here.replica.registry
        there.replica.receive(registry.newer_than(there.replica.registry.vector()))
        registry.confirm(there.replica.registry.vector())


@settings(max_examples=60, deadline=None)
@given(before=writes, quorate=writes, unnoticed=writes, noticed=writes, cut=st.booleans())
def test_quorate_sides_writes_survive(
    before: list[tuple[str, bool]],
    quorate: list[tuple[str, bool]],
    unnoticed: list[tuple[str, bool]],
    noticed: list[tuple[str, bool]],
    cut: bool,
) -> None:
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        alone, other = Machine(home / "1", 1), Machine(home / "2", 2)
        cleanup.callback(alone.cut)
        cleanup.callback(other.cut)
        for machine in (alone, other):
            machine.replica.set_writable(True)
        for name, delete in before:
            alone.write(name, delete)
        exchange(alone, other)
        assert alone.files() == other.files()

        for name, delete in unnoticed:  # isolated, and still believing to be quorate
            other.write(name, delete)
        if cut:
            other.cut()
            other.boot()
        other.replica.set_writable(False)
        for name, delete in noticed:
            other.write(name, delete)
        shared = alone.files()
        mine: dict[str, str | None] = {}
        for name, delete in quorate:
            if delete and name not in {**shared, **{n: "" for n, c in mine.items() if c}}:
                continue  # deleting nothing is no write
            mine[name] = alone.write(name, delete)

        exchange(alone, other)
        other.replica.set_writable(True)
        other.replica.notice_changes(settled=False)
        exchange(alone, other)

        assert alone.files() == other.files()
        for name, content in mine.items():
            assert alone.files().get(name) == content


def test_own_version_that_comes_back_is_no_foreign_write(tmp_path: Path) -> None:
    """Killed after the other node took a version, before that was confirmed."""
    killed, other = Machine(tmp_path / "1", 1), Machine(tmp_path / "2", 2)
    for machine in (killed, other):
        machine.replica.set_writable(True)
    killed.write("a.cfg", delete=False)
    other.replica.receive(killed.replica.registry.newer_than({}))
    killed.cut()
    (tmp_path / "1/config/a.cfg").write_text("while it was down")
    killed.boots -= 1
    killed.boot()
    exchange(other, killed)
    killed.replica.set_writable(True)
    killed.replica.notice_changes(settled=False)
    exchange(killed, other)
    assert other.files() == killed.files() == {"a.cfg": "while it was down"}
    for machine in (killed, other):
        machine.cut()


def test_a_restart_in_the_same_boot_keeps_what_was_written_meanwhile(tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1)
    machine.replica.set_writable(True)
    machine.write("a.cfg", delete=False)
    machine.cut()
    (tmp_path / "config/a.cfg").write_text("while it was down")
    machine.boots -= 1
    machine.boot()
    machine.replica.set_writable(True)
    machine.replica.notice_changes(settled=False)
    assert machine.replica.registry.contents()["a.cfg"] == Content(0o644, b"while it was down")
    machine.cut()
