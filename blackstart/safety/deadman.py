"""The dead-man: what undoes a fault from the target itself when the harness is gone.

Armed before the fault and proven armed; the harness renews a lease while it lives. A
monotonic systemd timer (systemd.timer(5)) looks every few seconds: once the lease is older
than its term, or the machine has booted again, every undo line runs until its proof holds,
and then the dead-man removes itself wholly. It needs systemd and a POSIX shell, nothing
else; it undoes our own change only: it never reboots a host or restarts a guest that runs.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from blackstart.drivers.base import CommandRunner
from blackstart.errors import Rejected
from blackstart.model.deadman import HOME, UNIT_PREFIX, DeadMan
from blackstart.model.undo import Action

UNITS = "/etc/systemd/system"
TICK_S = 3
"""Each look costs an emulated machine over a second of its processor."""
ACTION_TIMEOUT_S = 30
LOG_TIMEOUT_S = 5
COMMAND_TIMEOUT_S = 20.0
RELOAD_TIMEOUT_S = 60.0
"""For commands that make systemd read all units anew: a loaded hypervisor took over 20 s."""
CHECK = """\
#!/bin/sh
here={home}
read -r this </proc/sys/kernel/random/boot_id
read -r now _ </proc/uptime
now=${{now%.*}}
alive() {{
  [ ! -e "$here/fired" ] && read -r boot at <"$here/lease" || return 1
  case $at in ''|*[!0-9]*|0?*) return 1 ;; esac
  [ "$boot" = "$this" ] && [ "$at" -le "$now" ] && [ "$((now - at))" -le {lease} ]
}}
say() {{ timeout {log} logger -t blackstart-deadman "{id}: $1"; }}
if alive; then exit 0; fi
echo "$now" >"$here/fired"
say "the harness is gone, undoing its fault"
if ! sh "$here/undo.sh"; then
  say "not undone yet, trying again"; exit 0
fi
say "undone and proven"
{remove}
"""
"""It ends early only where the harness lives. So nothing before the undo may end the shell:
arithmetic on what is no number does, and a redirection of ``:`` that fails (POSIX, 2.8.1).
journald may be starved: a full socket would hold the logger for ever."""
SERVICE = """\
[Unit]
Description=Undo the fault of drill {id} when its harness is gone
[Service]
Type=oneshot
ExecStart=/bin/sh {home}/check.sh
OOMScoreAdjust=-1000
TimeoutStartSec=300
"""
TIMER = """\
[Unit]
Description=Look every {tick} s whether the harness of drill {id} lives
[Timer]
OnActiveSec={tick}s
OnUnitInactiveSec={tick}s
AccuracySec=200ms
[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True, slots=True)
class DeadMen:
    """Arms, renews and takes away dead-men over a command runner."""

    runner: CommandRunner

    def arm(self, deadman: DeadMan, actions: Sequence[Action]) -> None:
        """Put the dead-man on its host and see it armed; what runs elsewhere is not its own.

        Raises ``DriverError`` when it cannot be proven armed; nothing may be broken then.
        """
        here = [action for action in actions if action.on(deadman.host) == deadman.host]
        if not here:
            raise ValueError("a dead-man without an undo guards nothing")
        lines = ["set -eu", "umask 077", f"mkdir -p {deadman.home}"]
        for path, content in files(deadman, here).items():
            lines.append(f"printf %s {shlex.quote(content)} >{path}")
        lines += [
            f"chmod 0644 {UNITS}/{deadman.unit}.timer {UNITS}/{deadman.unit}.service",
            f"sync -f {deadman.home} {UNITS}",
            # One reload and not two: on a busy hypervisor each takes many seconds, and the
            # lease begins only once they are over.
            f"systemctl --quiet --no-reload enable {deadman.unit}.timer",
            "systemctl daemon-reload",
            deadman.renewal(),
            f"systemctl start {deadman.unit}.timer",
            f"systemctl is-active --quiet {deadman.unit}.timer",
            "echo armed",
        ]
        script = "\n".join([*lines, ""])
        result = self.runner.run(deadman.host, "sh -s", timeout_s=RELOAD_TIMEOUT_S, stdin=script)
        if not result.ok or "armed" not in result.stdout:
            said = result.stderr.strip()
            raise Rejected(f"{deadman.host}: the dead-man could not be armed: {said}")

    def renew(self, deadman: DeadMan) -> None:
        """Say that the harness lives.

        Raises ``Rejected`` when the dead-man has fired: the fault is no longer what the
        drill thinks it is; another ``DriverError`` when the host cannot be asked.
        """
        result = self.runner.run(
            deadman.host, deadman.guarding("true"), timeout_s=COMMAND_TIMEOUT_S
        )
        if not result.ok:
            raise Rejected(f"{deadman.host}: the dead-man {deadman.id} has fired")

    def disarm(self, deadman: DeadMan) -> tuple[str, ...]:
        """Take it away, after the proof of revert; safe to repeat. Raises ``DriverError``.

        Returns what is left of it all the same, which should be nothing.
        """
        self.runner.run(deadman.host, _removal(deadman), timeout_s=RELOAD_TIMEOUT_S)
        return self.traces(deadman.host, deadman.id)

    def traces(self, host: str, only: str = "*") -> tuple[str, ...]:
        """Files and units of dead-men on a host, of one or of all. Raises ``DriverError``."""
        look = (
            f"ls -d {HOME}/{only} {HOME}/{only}.gone {UNITS}/{UNIT_PREFIX}{only}.* "
            f"{UNITS}/timers.target.wants/{UNIT_PREFIX}{only}.* 2>/dev/null; "
            f"systemctl list-units --all --plain --no-legend '{UNIT_PREFIX}{only}.*' "
            "| cut -d' ' -f1"
        )
        result = self.runner.run(host, look, timeout_s=COMMAND_TIMEOUT_S)
        if not result.ok:
            raise Rejected(f"{host}: cannot look for dead-men: {result.stderr.strip()}")
        return tuple(result.stdout.split())


def files(deadman: DeadMan, actions: Sequence[Action]) -> dict[str, str]:
    """What goes onto the target, by path."""
    check = CHECK.format(
        home=deadman.home,
        lease=deadman.lease_s,
        id=deadman.id,
        log=LOG_TIMEOUT_S,
        remove=_removal(deadman),
    )
    return {
        f"{deadman.home}/undo.sh": undo_script(actions),
        f"{deadman.home}/check.sh": check,
        f"{UNITS}/{deadman.unit}.service": SERVICE.format(id=deadman.id, home=deadman.home),
        f"{UNITS}/{deadman.unit}.timer": TIMER.format(id=deadman.id, tick=TICK_S),
    }


def undo_script(actions: Sequence[Action]) -> str:
    """Every undo, each bounded; one that fails never stops the next. Ends with 0 once proven."""
    lines = ["#!/bin/sh", "held=0"]
    for action in actions:
        lines.append(f"timeout {ACTION_TIMEOUT_S} sh -c {shlex.quote(action.command())}")
    for action in actions:
        lines.append(f"timeout {ACTION_TIMEOUT_S} sh -c {shlex.quote(action.proof())} || held=1")
    return "\n".join([*lines, "exit $held", ""])


def _removal(deadman: DeadMan) -> str:
    """Takes away every trace of it; safe to repeat."""
    units = f"{deadman.unit}.timer {deadman.unit}.service"
    paths = f"{UNITS}/{deadman.unit}.timer {UNITS}/{deadman.unit}.service"
    wanted = f"{UNITS}/timers.target.wants/{deadman.unit}.timer"
    # Renamed first: a renewal that is under way finds no directory to write into.
    gone = f"{deadman.home}.gone"
    return (
        f"systemctl --quiet stop {deadman.unit}.timer 2>/dev/null; "
        f"rm -rf {wanted} {paths}; mv {deadman.home} {gone} 2>/dev/null; rm -rf {gone}; "
        f"rmdir {HOME} 2>/dev/null; "
        f"systemctl daemon-reload; systemctl --quiet reset-failed {units} 2>/dev/null; true"
    )
