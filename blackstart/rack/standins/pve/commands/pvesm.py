"""``pvesm``: the stores of this node."""

from __future__ import annotations

import argparse
import sys

from ..errors import Died
from ..layout import Layout
from ..sections import Section
from ..storage import Storage
from .guestcommand import FAILED

_KIB = 1024


def main(arguments: list[str]) -> int:
    """Entry point of ``pvesm``."""
    parser = argparse.ArgumentParser(prog="pvesm")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("status").add_argument("--storage")
    listing = commands.add_parser("list")
    listing.add_argument("storage")
    listing.add_argument("--vmid", type=int)
    listing.add_argument("--content")
    commands.add_parser("path").add_argument("volume")
    options = parser.parse_args(arguments)
    storage = Storage(Layout.here())
    try:
        if options.command == "status":
            _status(storage, options.storage)
        elif options.command == "list":
            _list(storage, options)
        else:
            print(storage.volume_path(options.volume))
    except Died as error:
        print(error.text, file=sys.stderr)
        return FAILED
    return 0


def _status(storage: Storage, only: str | None) -> None:
    sections = [s for s in storage.declared() if only in (None, s.name)]
    rows = [(section, *_figures(storage, section)) for section in sections]
    width = max((len(section.name) for section in sections), default=0) + 1
    row = f"{{:<{width}}} {{:>10}} {{:>10}} {{:>15}} {{:>15}} {{:>15}} {{:>8}}"
    print(row.format("Name", "Type", "Status", "Total (KiB)", "Used (KiB)", "Available (KiB)", "%"))
    for section, state, total, used, available in rows:
        share = f"{100 * used / total if total else 0:.2f}%" if state != "disabled" else "N/A"
        sizes = (total // _KIB, used // _KIB, available // _KIB)
        print(row.format(section.name, section.kind, state, *sizes, share))


def _figures(storage: Storage, section: Section) -> tuple[str, int, int, int]:
    if section.switch("disable"):
        return ("disabled", 0, 0, 0)
    problem = storage.problem(section)
    if problem:
        print(problem, file=sys.stderr)
    usage = storage.usage(section)
    if usage is None:
        return ("inactive", 0, 0, 0)
    return ("active", usage.total, usage.used, usage.available)


def _list(storage: Storage, options: argparse.Namespace) -> None:
    volumes = [
        volume
        for volume in storage.volumes(options.storage)
        if options.vmid in (None, volume.vmid) and options.content in (None, volume.content)
    ]
    if not volumes:
        return
    width = max(len(volume.volid) for volume in volumes)
    print(f"{'Volid':<{width}} {'Format':<7} {'Type':<9} {'Size':>10} VMID")
    for volume in sorted(volumes, key=lambda each: each.volid):
        vmid = "" if volume.vmid is None else str(volume.vmid)
        print(
            f"{volume.volid:<{width}} {volume.form:<7} {volume.content:<9} "
            f"{volume.size:>10} {vmid}".rstrip()
        )
