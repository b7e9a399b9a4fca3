"""The directory that is bound to ``/etc/pve``: noticing changes, and making them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..files import sync_directory, write_atomically
from .entries import MAX_BYTES, Content, is_replicated

NODE_DIRECTORIES = ("qemu-server", "lxc", "openvz", "priv")
_PRIVATE = "priv"


@dataclass(frozen=True, slots=True)
class _Signature:
    inode: int
    modified_ns: int
    size: int
    mode: int


class Tree:
    """Regular files below a directory; links and dot files at the top stay on this node."""

    def __init__(self, root: Path, node: str, nodes: tuple[str, ...]) -> None:
        self._root = root
        self._node = node
        self._nodes = nodes
        self._seen: dict[str, tuple[_Signature, Content]] = {}

    def prepare(self) -> None:
        """Make the directories every node has, and the links to this node's own."""
        (self._root / _PRIVATE).mkdir(mode=0o700, parents=True, exist_ok=True)
        for node in self._nodes:
            for name in NODE_DIRECTORIES:
                mode = 0o700 if name == _PRIVATE else 0o755
                (self._root / "nodes" / node / name).mkdir(mode=mode, parents=True, exist_ok=True)
        own = f"nodes/{self._node}"
        links = {"local": own, "qemu-server": f"{own}/qemu-server", "lxc": f"{own}/lxc"}
        for name, target in links.items():
            link = self._root / name
            if not link.is_symlink():
                link.symlink_to(target)

    def scan(self) -> dict[str, Content]:
        """Every file as it is now; a file is read only when its inode has changed."""
        seen: dict[str, tuple[_Signature, Content]] = {}
        for path, entry in self._walk(self._root, ""):
            try:
                found = self._look(path, entry)
            except FileNotFoundError:
                continue  # replaced while we looked: the next scan sees what came of it
            if found:
                seen[path] = found
        self._seen = seen
        return {path: content for path, (_, content) in seen.items()}

    def is_untouched(self, path: str) -> bool:
        """Whether a file is as the last scan saw it."""
        try:
            signature = _signature((self._root / path).lstat())
        except FileNotFoundError:
            return path not in self._seen
        return path in self._seen and self._seen[path][0] == signature

    def write(self, path: str, content: Content | None) -> None:
        """Make a file what it should be, durably; raises ``Died`` or ``OSError``."""
        target = self._root / path
        self._seen.pop(path, None)
        if content is None:
            target.unlink(missing_ok=True)
            self._remove_empty(target.parent)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, content.data, content.mode)
            self._seen[path] = (_signature(target.lstat()), content)

    def lay_out(self, contents: Mapping[str, Content]) -> None:
        """Make the whole tree what it should be, after a boot."""
        present = self.scan()
        for path in present.keys() - contents.keys():
            self.write(path, None)
        for path, content in contents.items():
            if present.get(path) != content:
                self.write(path, content)

    def put_local(self, name: str, data: bytes) -> None:
        """Write one of the files at the top that stay on this node, as ``.members``."""
        write_atomically(self._root / name, data)

    def _walk(self, directory: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        try:
            entries = list(os.scandir(directory))
        except FileNotFoundError:
            return  # removed while we walked
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path), f"{path}/")
            elif entry.is_file(follow_symlinks=False) and is_replicated(path):
                yield path, entry

    def _look(self, path: str, entry: os.DirEntry[str]) -> tuple[_Signature, Content] | None:
        signature = _signature(entry.stat(follow_symlinks=False))
        if path in self._seen and self._seen[path][0] == signature:
            return self._seen[path]
        if signature.size > MAX_BYTES:
            print(f"{path}: larger than {MAX_BYTES} bytes, not replicated", flush=True)
            return None
        data = Path(entry.path).read_bytes()
        return signature, Content(signature.mode, data)

    def _remove_empty(self, directory: Path) -> None:
        kept = {self._root, self._root / _PRIVATE, self._root / "nodes"}
        kept |= {self._root / "nodes" / node for node in self._nodes}
        kept |= {self._root / "nodes" / node / n for node in self._nodes for n in NODE_DIRECTORIES}
        while directory not in kept and directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()
            directory = directory.parent
        if directory.is_dir():
            sync_directory(directory)


def _signature(status: os.stat_result) -> _Signature:
    return _Signature(
        status.st_ino, status.st_mtime_ns, status.st_size, stat.S_IMODE(status.st_mode)
    )
