"""The command line ``blackstart rack``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from blackstart.rack import client, enter, host, lifecycle, record, ssh, status
from blackstart.rack.errors import HostError, RackError
from blackstart.rack.phases import Phases
from blackstart.rack.topology import TOPOLOGIES

P = ParamSpec("P")
R = TypeVar("R")
PASS_THROUGH = {"ignore_unknown_options": True, "allow_interspersed_args": False}


def _guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Show a rack's error as it is, without a traceback, and end with its exit code."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except RackError as error:
            click.echo(f"rack: {error}", err=True)
            sys.exit(error.exit_code)

    return guarded


@click.group()
def rack() -> None:
    """A small cluster of real virtual machines on this host."""


@rack.command()
@click.option("--replace", "take_over", is_flag=True, help="End another clone's rack first.")
@click.option("--fresh", is_flag=True, help="Forget disks and saved state, boot cold.")
@click.option("--topology", type=click.Choice(sorted(TOPOLOGIES)), default="pve", show_default=True)
@_guarded
def up(take_over: bool, fresh: bool, topology: str) -> None:
    """Bring the rack up: from its saved state, else cold, building what is missing."""
    host.require_root()
    phases = Phases()
    done = lifecycle.up(TOPOLOGIES[topology], phases, take_over=take_over, fresh=fresh)
    click.echo(f"{done} ({phases.summary()})")


@rack.command()
@_guarded
def down() -> None:
    """End the rack and remove all that it left on this host but its cache."""
    host.require_root()
    click.echo("the rack is down" if lifecycle.down() else "no rack was up")


@rack.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON on standard output.")
@_guarded
def show_status(as_json: bool) -> None:
    """What runs; exit code 1 unless the rack is up, ready and every machine is on.

    It is 1 as well while the drift of an incident is applied, or was left applied.
    """
    host.require_root()
    now = status.look_for_drift(status.observe())
    click.echo(json.dumps(now.as_json(), indent=1) if as_json else now.as_text())
    sys.exit(0 if now.healthy else 1)


@rack.command("ssh", context_settings=PASS_THROUGH)
@click.argument("name", metavar="HOST")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@_guarded
def open_ssh(name: str, command: tuple[str, ...]) -> None:
    """Root's shell on a machine or guest, or one command, its exit code passed through."""
    running, machine, guest = status.running_host(name)
    if not enter.inside():
        host.require_root()
    command = command[1:] if command[:1] == ("--",) else command
    words = ssh.arguments(
        running.files(),
        machine.address,
        ssh.in_guest(guest, command) if guest else command,
        terminal=not command,
    )
    sys.stdout.flush()
    os.execvp(words[0], words)  # noqa: S606 - ssh takes this place


@rack.command("exec", context_settings=PASS_THROUGH)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@_guarded
def execute(command: tuple[str, ...]) -> None:
    """Run a command inside the rack's network, same directory and environment."""
    words = command[1:] if command[0] == "--" else command
    if not words:
        raise HostError("no command is given", "blackstart rack exec -- CMD ...")
    enter.execute(words)


@rack.command()
@click.argument("name", metavar="HOST")
@click.argument("verb", type=click.Choice(["on", "off", "cycle"]))
@_guarded
def power(name: str, verb: str) -> None:
    """Switch a machine's power: off really cuts it, without any sync."""
    _, machine, guest = status.running_host(name)
    if guest:
        raise HostError(f"'{name}' is a guest", f"switch its machine: {machine.name}")
    host.require_root()
    client.call("POST", f"/machines/{name}/{verb}", timeout=30.0)
    click.echo(f"{name}: {'off' if verb == 'off' else 'on'}")


@rack.command()
@_guarded
def reset() -> None:
    """Every machine back to the pristine saved state, also one that is off."""
    host.require_root()
    running = record.read()
    if running is None:
        raise HostError("no rack is up", "blackstart rack up")
    phases = Phases()
    lifecycle.reset(TOPOLOGIES[running.topology], phases)
    click.echo(f"the rack is as new ({phases.summary()})")
