"""One node's copy of the configuration: its directory, its database, and their rules.

Quorate and caught up: local changes are committed. Otherwise nothing is, and
what the quorate side has written meanwhile replaces what stands here.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..members import Membership, format_membership
from .database import Database
from .entries import Content, Entry
from .registry import Registry
from .tree import Tree

_BOOT = "boot"


class Replica:
    """See the module; all methods are called from one thread."""

    def __init__(self, tree: Tree, database: Database, writer: int) -> None:
        self._tree = tree
        self._database = database
        self.registry = Registry(database, writer)
        self._before: dict[str, Content | None] = {}
        self._writable = False
        self._members: Membership | None = None
        self._members_version = 0

    def begin(self, boot_id: str) -> None:
        """Prepare the directory: imported at the very first start, laid out after a boot.

        After a mere restart of the service the directory is left alone: what was
        written to it while nobody looked is a change like any other.
        """
        self._tree.prepare()
        known_boot = self._database.value(_BOOT)
        if known_boot is None:
            self.registry.commit(self._tree.scan())
        elif known_boot != boot_id:
            self._tree.lay_out(self.registry.contents())
        self.registry.note(_BOOT, boot_id)

    @property
    def writable(self) -> bool:
        """Whether local changes count."""
        return self._writable

    def set_writable(self, writable: bool) -> None:
        """Quorum gained and caught up, or lost."""
        if writable and not self._writable:
            self.registry.commit(self.registry.fallen())
        elif self._writable and not writable:
            self.registry.fall_back()
        self._writable = writable

    def notice_changes(self, *, settled: bool = True) -> bool:
        """Look for local changes and commit them; whether there was one.

        A change counts once two looks in a row saw the same, so that a file is
        not caught half written; ``settled=False`` takes it as it is, for the end.
        """
        changes = self._changes()
        steady = {
            path: content
            for path, content in changes.items()
            if not settled or (path in self._before and self._before[path] == content)
        }
        if not self._writable:
            self._before = changes
            return False
        self.registry.commit(steady)
        self._before = {p: content for p, content in changes.items() if p not in steady}
        return bool(steady)

    def receive(self, entries: Iterable[Entry]) -> None:
        """Take over newer versions from another node.

        A file that has just been changed here, by a node that may change it, is
        left to become the next version: the later write wins.
        """
        received = list(entries)
        self.registry.acknowledge(received)
        newer = self.registry.newer(received)
        for entry in newer:
            if not (self._writable and self._changed_here(entry.path)):
                self._tree.write(entry.path, entry.content)
        # Only now: were the process killed in between, the directory would hold
        # the new content and the database the old, and the new one would win.
        self.registry.take(newer)

    def publish_members(self, members: Membership) -> None:
        """Write ``.members``, when it says something new."""
        if members != self._members:
            self._members = members
            self._members_version += 1
            content = format_membership(members, self._members_version)
            self._tree.put_local(".members", content)

    def close(self) -> None:
        """Commit what was written last, and close the database."""
        self.notice_changes(settled=False)
        self._database.close()

    def _changed_here(self, path: str) -> bool:
        return path in self._before or not self._tree.is_untouched(path)

    def _changes(self) -> dict[str, Content | None]:
        present = self._tree.scan()
        wanted = self.registry.contents()
        changes: dict[str, Content | None] = {
            path: content for path, content in present.items() if wanted.get(path) != content
        }
        changes.update(dict.fromkeys(wanted.keys() - present.keys()))
        return changes
