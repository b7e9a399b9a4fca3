"""What ``qm`` and ``pct`` have in common: they work on this node's own files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from ..accounts import ROOT
from ..configchange import Change, change_config
from ..configkeys import KEYS, GuestKind
from ..errors import BadParameters, Died
from ..guests import Guest
from ..node import Node, this_node
from ..parameters import BOOLEAN, STRING, verify
from ..power import Work, shutdown, start, stop, task_kind, vitals_of
from ..tasks import OK

FAILED = 255
"""Exit code of Perl's ``die``, which is the vendor's for every failure."""
Options = argparse.Namespace
Action = Callable[[Node, Guest, Options], None]


def run(kind: GuestKind, program: str, own: Mapping[str, Action], arguments: list[str]) -> int:
    """Run one command; a refusal is printed, exit code 255."""
    actions = {**COMMON, **own}
    if arguments[:2] == ["guest", "cmd"]:
        arguments = ["agent", *arguments[2:]]
    if arguments[:1] == ["set"]:
        arguments, changes = arguments[:2], arguments[2:]
    else:
        changes = []
    parser = argparse.ArgumentParser(prog=program)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in actions:
        _declare(commands.add_parser(name), name)
    options = parser.parse_args(arguments)
    options.changes = changes
    node = this_node()
    guest = node.guests.local(getattr(options, "vmid", 0), kind)
    try:
        actions[options.command](node, guest, options)
    except BadParameters as error:
        for name, text in error.errors.items():
            print(f"400 Parameter verification failed.\n{name}: {text.strip()}", file=sys.stderr)
        return FAILED
    except Died as error:
        print(error.text, file=sys.stderr)
        return FAILED
    return 0


def _declare(parser: argparse.ArgumentParser, command: str) -> None:
    if command == "list":
        return
    parser.add_argument("vmid", type=int)
    if command == "agent":
        parser.add_argument("request", choices=("ping", "network-get-interfaces"))
    if command in ("shutdown", "reboot"):
        parser.add_argument("--timeout", type=int)
    if command == "shutdown":
        parser.add_argument("--forceStop", dest="force", type=int, choices=(0, 1), default=0)
    if command in ("start", "stop"):
        parser.add_argument("--skiplock", type=int, choices=(0, 1), default=0)


def as_task(node: Node, guest: Guest, verb: str, work: Work) -> None:
    """Run the work as a task; raises ``Died`` with its exit status when it failed."""
    kind = task_kind(guest, verb)
    status = node.tasks.run(kind, str(guest.vmid), ROOT, work, _print)
    if status.startswith("WARNINGS: "):
        _print(f"Task finished with {status.removeprefix('WARNINGS: ')} warning(s)!")
    elif status != OK:
        raise Died(status)


def _print(line: str) -> None:
    print(line, flush=True)


def _start(node: Node, guest: Guest, options: Options) -> None:
    node.membership().require_quorum()
    as_task(node, guest, "start", start(node, guest, skip_lock=bool(options.skiplock)))


def _stop(node: Node, guest: Guest, options: Options) -> None:
    as_task(node, guest, "stop", stop(node, guest, skip_lock=bool(options.skiplock)))


def _shutdown(node: Node, guest: Guest, options: Options) -> None:
    work = shutdown(node, guest, timeout_s=options.timeout, force=bool(options.force))
    as_task(node, guest, "shutdown", work)


def _reboot(node: Node, guest: Guest, options: Options) -> None:
    if not vitals_of(node, guest).running:
        raise Died(f"VM {guest.vmid} not running")
    as_task(node, guest, "shutdown", shutdown(node, guest, timeout_s=options.timeout))
    as_task(node, guest, "start", start(node, guest))


def _status(node: Node, guest: Guest, _options: Options) -> None:
    node.guests.config(guest)
    print(f"status: {'running' if vitals_of(node, guest).running else 'stopped'}")


def _config(node: Node, guest: Guest, _options: Options) -> None:
    config = node.guests.config(guest).with_pending_applied()
    for key in sorted(config.values):
        print(f"{key}: {config.values[key]}")


def _set(node: Node, guest: Guest, options: Options) -> None:
    given = _pairs(options.changes)
    shown = " ".join(f"-{key} {value}" for key, value in given.items())
    print(f"update {guest.title}: {shown}", flush=True)
    request = {"delete": STRING, "revert": STRING, "digest": STRING, "skiplock": BOOLEAN}
    values = verify(given, {**KEYS[guest.kind], **request})
    change_config(node, guest, Change.from_parameters(guest.kind, values))


def _unlock(node: Node, guest: Guest, _options: Options) -> None:
    change_config(node, guest, Change({}, delete=("lock",), skip_lock=True))


def _pairs(words: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    rest = list(words)
    while rest:
        key, equals, value = rest.pop(0).lstrip("-").partition("=")
        if not equals:
            if not rest:
                raise BadParameters({key: "option needs a value"})
            value = rest.pop(0)
        given[key] = value
    return given


COMMON: Mapping[str, Action] = {
    "start": _start,
    "stop": _stop,
    "shutdown": _shutdown,
    "reboot": _reboot,
    "status": _status,
    "config": _config,
    "set": _set,
    "unlock": _unlock,
}
