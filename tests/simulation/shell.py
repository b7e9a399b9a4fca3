"""A shell on a simulated host: it understands the lines that production code sends.

``lines.py`` reads actions, changes and guards backwards; what a fault asks by itself it keeps
in module constants, which are looked up here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from blackstart.drivers.base import CommandResult
from blackstart.faults.guest_stop import wiping
from blackstart.faults.lease_look import FOR_EVER
from blackstart.faults.lease_look import LOOK as LEASE
from blackstart.faults.memory_look import KILLS, MEMORY, RUNNING_GUESTS, SSHD
from blackstart.faults.nas import DECLARED, EXPORTS, UNITS
from blackstart.faults.reboot import LOOK
from blackstart.model.deadman import FIRED
from blackstart.model.inventory import ComposeProject
from blackstart.model.mount_answer import KILLED, MountState
from blackstart.model.undo import Redeploy

from .host import RETURNS_S, SimulatedHost, Unit
from .leases import CLIENT
from .lines import guarded, invocation_of, meaning, units_of
from .world import WATCHED_S, World

OK = CommandResult(0, "", "")
NO = CommandResult(1, "", "")
Values = Mapping[str, str]
CHANGES = frozenset(
    {"stop-unit", "restart-unit", "drop-port", "unexport", "fill-memory", "stop-guest"}
)


def _said(text: str) -> CommandResult:
    return CommandResult(0, text, "")


def _whether(held: bool) -> CommandResult:
    return OK if held else NO


@dataclass(frozen=True)
class Shell:
    """Runs lines on hosts of one world, whoever asks: the harness or a dead-man."""

    world: World

    def run(self, host: str, line: str) -> CommandResult:
        """What the line answers on a host that is up."""
        guard = guarded(line)
        if guard is not None:
            return self._guarded(host, *guard)
        asked = self._asked(host).get(line)
        if asked is not None:
            return asked()
        if line.startswith(f"{LEASE} && "):
            held, done = self._lease(host), self.run(host, line.removeprefix(f"{LEASE} && "))
            return held if done.ok else done
        units = units_of(line)
        if units is not None:
            return _said("\n\n".join(self._block(host, unit) for unit in units) + "\n")
        unit = invocation_of(line)
        if unit is not None:
            known = self.world.hosts[host].units.get(unit)
            return _said(f"{unit}-{known.invocation}\n" if known else "\n")
        known_line = meaning(line)
        if known_line is None:
            raise AssertionError(f"the simulation knows no command {line!r}")
        return self._mean(host, *known_line)

    def holds(self, host: str, line: str) -> bool:
        """Whether a line exits with 0."""
        return self.run(host, line).ok

    def _guarded(self, host: str, deadman: str, line: str) -> CommandResult:
        armed = self.world.deadmen.get(deadman)
        if armed is None or armed.fired or armed.host != host:
            return CommandResult(FIRED, "", "")
        armed.renewed_at = self.world.clock.now
        result = OK if line == "true" else self.run(host, line)
        still = self.world.deadmen.get(deadman)
        gone = still is None or still.fired
        return CommandResult(FIRED, "", "") if result.ok and gone else result

    def _asked(self, host: str) -> Mapping[str, Callable[[], CommandResult]]:
        lines = {
            LOOK: lambda: self._look(host),
            "systemctl reboot --no-block": lambda: self._reboot(host),
            UNITS: lambda: self._units(host),
            EXPORTS: lambda: _said("".join(map(_exported, self.world.hosts[host].exported))),
            DECLARED: lambda: _said(
                "".join(map(_exported, self.world.hosts[host].declared_exports))
            ),
            MEMORY: lambda: self._memory(self.world.hosts[host]),
            SSHD: lambda: _said("-1000\n"),
            KILLS: lambda: self._kills(host),
            LEASE: lambda: self._lease(host),
            RUNNING_GUESTS: lambda: _said("".join(self._running(host))),
        }
        for project in self.world.inventory.compose.values():
            lines |= self._compose(host, project)
        return lines

    def _block(self, host: str, name: str) -> str:
        machine = self.world.hosts[host]
        state = "active" if machine.active(name) else "inactive"
        return f"Id={name}\nActiveState={state}\nConsistsOf={' '.join(machine.parts(name))}"

    def _lease(self, guest: str) -> CommandResult:
        """As ``ip -j address show`` and the uptime have it."""
        world, declared = self.world, self.world.inventory.guests[guest]
        ends, address = world.leases.ends.get(guest), world.guests[guest].address
        held = {"family": "inet", "local": address, "valid_life_time": FOR_EVER}
        if ends is not None:
            held["valid_life_time"] = int(ends - world.clock.now)
        cards = [{"address": declared.mac, "addr_info": [held] if address else []}]
        return _said(f"{json.dumps(cards)}\n{world.clock.now:.2f}\n")

    def _look(self, host: str) -> CommandResult:
        state = "running" if self.world.settled(host) else "starting"
        return _said(f"{self.world.nodes[host].boot_id}\n{state}\n")

    def _reboot(self, host: str) -> CommandResult:
        if self.world.lies.reboot_refused:
            return CommandResult(1, "", "Access denied")
        if not self.world.lies.reboot_swallowed:
            self.world.restart(host)
        return OK

    def _units(self, host: str) -> CommandResult:
        active = self.world.hosts[host].active("nfs-server.service")
        block = f"Id=nfs-server.service\nActiveState={'active' if active else 'inactive'}\n"
        return _said(f"{block}\n{block}")

    def _memory(self, host: SimulatedHost) -> CommandResult:
        return _said(
            f"MemTotal: {host.memory_mib * 1024} kB\nMemAvailable: {host.available_mib * 1024} kB\n"
            "SwapFree: 0 kB\n"
        )

    def _kills(self, host: str) -> CommandResult:
        records = self.world.hosts[host].kernel_log
        kills = [record for record in records if " oom-kill:" in record]
        newest = records[-1] if records else "100 booted"
        return _said("\n".join([f"boot-{self.world.boot_of(host)}", *kills, newest, ""]))

    def _running(self, node: str) -> list[str]:
        return [
            f"{'qm' if declared.kind == 'qemu' else 'pct'} {declared.vmid}\n"
            for name, declared in self.world.inventory.guests.items()
            if self.world.guests[name].node == node and self.world.guests[name].up_at is not None
        ]

    def _compose(
        self, host: str, project: ComposeProject
    ) -> Mapping[str, Callable[[], CommandResult]]:
        directory, machine = project.directory, self.world.hosts[host]
        again = Redeploy(guest=project.guest, directory=directory, services=project.services)

        def wipe() -> CommandResult:
            machine.wiped.add(directory)
            self.world.bitten.append(f"wipe {host}")
            return OK

        def redeploy() -> CommandResult:
            machine.wiped.discard(directory)
            return OK

        if project.guest != host:
            missing = CommandResult(127, "", "docker: not found")
            return {again.command(): lambda: missing, again.proof(): lambda: missing}
        runs = machine.active("docker.service") and directory not in machine.wiped
        return {
            wiping(directory): wipe,
            again.command(): redeploy,
            again.proof(): lambda: _whether(runs),
        }

    # -- actions and changes -----------------------------------------------------------

    def _mean(self, host: str, kind: str, values: Values) -> CommandResult:
        if kind == "mount":
            return self._mount(host, values)
        if kind == "guest-status":
            running = self.world.guests[self._guest(values)].up_at is not None
            return _said(f"status: {'running' if running else 'stopped'}\n")
        step, role = kind.split()
        lies = self.world.lies
        if role == "command" and step in CHANGES and step in lies.swallowed:
            return OK
        if role == "command" and step not in CHANGES:
            if lies.undo_fails.get(step, 0) > 0:
                lies.undo_fails[step] -= 1
                return CommandResult(1, "", "Device or resource busy")
            if step in lies.undo_swallowed:
                return OK
        name = f"_{step.replace('-', '_')}_{role}"
        answer: CommandResult = getattr(self, name)(host, values)
        if role == "command" and step in CHANGES and answer.ok:
            self.world.bitten.append(f"{step} {host}")
        return answer

    def _start_unit_command(self, host: str, values: Values) -> CommandResult:
        return _whether(self.world.hosts[host].start(values["unit"]))

    def _start_unit_proof(self, host: str, values: Values) -> CommandResult:
        return _whether(self.world.hosts[host].active(values["unit"]))

    def _stop_unit_command(self, host: str, values: Values) -> CommandResult:
        machine, name = self.world.hosts[host], values["unit"]
        stopped = machine.stop(name)
        if name in self.world.lies.watched:
            machine.units[name].returns_at = self.world.clock.now + WATCHED_S
            machine.returning.add(name)
        return _whether(stopped)

    def _restart_unit_command(self, host: str, values: Values) -> CommandResult:
        stays = values["unit"] in self.world.lies.stays_down
        returns_at = None if stays else self.world.clock.now + RETURNS_S
        self.world.hosts[host].restart(values["unit"], returns_at)
        if values["unit"] == CLIENT:
            self.world.leases.asks_anew(self.world, host)
        return OK

    def _end_own_unit_command(self, host: str, values: Values) -> CommandResult:
        self.world.hosts[host].stop(values["own"])
        return OK

    def _end_own_unit_proof(self, host: str, values: Values) -> CommandResult:
        return _whether(not self.world.hosts[host].active(values["own"]))

    def _drop_port_command(self, host: str, values: Values) -> CommandResult:
        self.world.hosts[host].tables[values["table"]] = int(values["port"])
        return OK

    def _drop_nft_table_command(self, host: str, values: Values) -> CommandResult:
        self.world.hosts[host].tables.pop(values["table"], None)
        return OK

    def _drop_nft_table_proof(self, host: str, values: Values) -> CommandResult:
        return _whether(values["table"] not in self.world.hosts[host].tables)

    def _unexport_command(self, host: str, values: Values) -> CommandResult:
        exported, named = self.world.hosts[host].exported, (values["path"], values["client"])
        exported -= {export for export in exported if export[:2] == named}
        return OK

    def _reexport_command(self, host: str, values: Values) -> CommandResult:
        export = (values["path"], values["client"], values["options"])
        self.world.hosts[host].exported.add(export)
        return OK

    def _reexport_proof(self, host: str, values: Values) -> CommandResult:
        export = (values["path"], values["client"], values["options"])
        return _whether(export in self.world.hosts[host].exported)

    def _fill_memory_command(self, host: str, values: Values) -> CommandResult:
        machine = self.world.hosts[host]
        if values["own_path"] in machine.tmpfs:
            return CommandResult(32, "", "already mounted")
        machine.tmpfs[values["own_path"]] = int(values["size"])
        machine.units[f"blackstart-fill-{values['name']}.service"] = Unit(transient=True)
        if int(values["size"]) > machine.memory_mib:
            self.world.out_of_memory(host)
        return OK

    def _fill_memory_possible(self, host: str, values: Values) -> CommandResult:
        return self._unmount_proof(host, values)

    def _unmount_command(self, host: str, values: Values) -> CommandResult:
        self.world.hosts[host].tmpfs.pop(values["own_path"], None)
        return OK

    def _unmount_proof(self, host: str, values: Values) -> CommandResult:
        return _whether(values["own_path"] not in self.world.hosts[host].tmpfs)

    def _guest(self, values: Values) -> str:
        guests = self.world.inventory.guests.items()
        return next(name for name, guest in guests if guest.vmid == int(values["vmid"]))

    def _stop_guest_command(self, host: str, values: Values) -> CommandResult:
        self.world.stop_guest(self._guest(values))
        return OK

    def _start_guest_command(self, host: str, values: Values) -> CommandResult:
        self.world.start_guest(self._guest(values))
        return OK

    def _start_guest_proof(self, host: str, values: Values) -> CommandResult:
        guest = self.world.inventory.guests[self._guest(values)]
        tool = "qm" if guest.kind == "qemu" else "pct"
        running = self.world.guests[self._guest(values)].up_at is not None
        return _whether(running and values.get("tool", tool) == tool)

    def _mount(self, host: str, values: Values) -> CommandResult:
        mounts = self.world.inventory.mounts.values()
        mount = next(m for m in mounts if m.host == host and m.path == values["path"])
        state = self.world.mount_state(mount)
        if state is MountState.HANGS:
            self.world.clock.sleep(float(values["vmid"]))
            return CommandResult(KILLED, "", "")
        if state is MountState.STALE:
            path = values["path"]
            return CommandResult(1, "", f"stat: cannot statfs '{path}': Stale file handle\n")
        return _said("nfs\n")


def _exported(export: tuple[str, str, str]) -> str:
    path, client, options = export
    return f"{path}  {client}({options})\n"
