"""What a fault does to a host, as data: each change knows its command and its own undo.

A change is possible only where its undo would lead back to what was there before:
``possible`` is asked while planning, and a no refuses the drill.
"""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from blackstart.model.filling import CHUNK_MIB, writer
from blackstart.model.undo import (
    Action,
    DropTable,
    EndOwnUnit,
    ExportClient,
    ExportOptions,
    ExportPath,
    OwnPath,
    OwnTable,
    Reexport,
    StartGuest,
    StartUnit,
    Step,
    Unit,
    Unmount,
    Vmid,
)

FILL_BOUND_S = 600


class StopUnit(Step):
    """Stop a unit that is active (systemctl(1))."""

    kind: Literal["stop-unit"] = "stop-unit"
    unit: Unit

    def possible(self) -> str:
        """Exits with 0 when the unit is active: there is something to stop, and to start."""
        return f"systemctl is-active --quiet '{self.unit}'"

    def command(self) -> str:
        """The change."""
        return f"systemctl stop '{self.unit}'"

    def undo(self) -> tuple[Action, ...]:
        """What leads back."""
        return (StartUnit(unit=self.unit),)


class RestartUnit(Step):
    """Restart a unit that is active (systemctl(1)); it comes back by itself or is started."""

    kind: Literal["restart-unit"] = "restart-unit"
    unit: Unit

    def possible(self) -> str:
        """Exits with 0 when the unit is active."""
        return f"systemctl is-active --quiet '{self.unit}'"

    def command(self) -> str:
        """The change; it does not wait for the unit, so that a slow start is seen as one."""
        return f"systemctl restart --no-block '{self.unit}'"

    def undo(self) -> tuple[Action, ...]:
        """What leads back."""
        return (StartUnit(unit=self.unit),)


class DropPort(Step):
    """Drop every packet to a TCP port of the host: who uses it hangs (nft(8)).

    A table of our own, before all others (priority -300), so that nobody else's rules are
    touched and one deletion takes all of it away.
    """

    kind: Literal["drop-port"] = "drop-port"
    table: OwnTable
    port: Annotated[int, Field(ge=1, le=65535)]

    def possible(self) -> str:
        """Exits with 0 when nft works and the table is not there yet."""
        return DropTable(table=self.table).proof()

    def command(self) -> str:
        """The change, in one transaction."""
        rules = (
            f"table inet {self.table} {{ chain input {{ type filter hook input priority -300; "
            f"tcp dport {self.port} drop; }}; }}"
        )
        return f"printf '%s\\n' '{rules}' | nft -f -"

    def undo(self) -> tuple[Action, ...]:
        """What leads back."""
        return (DropTable(table=self.table),)


class Unexport(Step):
    """Take one export away while the server runs: handles of clients go stale (exportfs(8))."""

    kind: Literal["unexport"] = "unexport"
    path: ExportPath
    client: ExportClient
    options: ExportOptions

    @property
    def _back(self) -> Reexport:
        return Reexport(path=self.path, client=self.client, options=self.options)

    def possible(self) -> str:
        """Exits with 0 when the path is exported to the client, with these options."""
        return self._back.proof()

    def command(self) -> str:
        """The change."""
        return f"exportfs -u '{self._back.named}'"

    def undo(self) -> tuple[Action, ...]:
        """What leads back."""
        return (self._back,)


class FillMemory(Step):
    """Fill memory with a tmpfs until ``mib`` are held or the OOM killer acted.

    A tmpfs belongs to no process, so that the kernel kills somebody else (proc(5):
    ``oom_score``), as when memory is really short.
    """

    kind: Literal["fill-memory"] = "fill-memory"
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    mib: Annotated[int, Field(ge=1, le=16_777_216)]

    @property
    def path(self) -> OwnPath:
        """Where the tmpfs is mounted."""
        return f"/run/blackstart/{self.name}"

    @property
    def unit(self) -> str:
        """The transient unit that writes."""
        return f"blackstart-fill-{self.name}.service"

    def possible(self) -> str:
        """Exits with 0 when none of ours is there and systemd-run exists."""
        return f"{Unmount(path=self.path).proof()} && command -v systemd-run >/dev/null"

    def command(self) -> str:
        """The change; it returns at once, the unit writes on, at most 600 s."""
        # systemd expands $ in a unit's command line before the shell sees it; $$ is its $
        # (systemd.service(5)). systemd-run's --expand-environment=no is newer than Debian 12.
        quoted = shlex.quote(writer(self.path, self.mib).replace("$", "$$"))
        return (
            f"mkdir -p {self.path} && "
            f"mount -t tmpfs -o size={self.mib + CHUNK_MIB}M,mode=0700 "
            f"blackstart {self.path} && "
            f"systemd-run --quiet --collect --unit={self.unit} --property=OOMScoreAdjust=-1000 "
            f"--property=RuntimeMaxSec={FILL_BOUND_S} sh -c {quoted}"
        )

    def undo(self) -> tuple[Action, ...]:
        """What leads back, last in first out: the writer ends, then the memory is free."""
        return (EndOwnUnit(unit=self.unit), Unmount(path=self.path))


class StopGuest(Step):
    """Stop a running guest hard, as pulling its plug (qm(1), pct(1): ``stop``)."""

    kind: Literal["stop-guest"] = "stop-guest"
    vmid: Vmid
    tool: Literal["qm", "pct"]

    def possible(self) -> str:
        """Exits with 0 when the guest runs."""
        return StartGuest(vmid=self.vmid, tool=self.tool).proof()

    def command(self) -> str:
        """The change."""
        return f"{self.tool} stop {self.vmid}"

    def undo(self) -> tuple[Action, ...]:
        """What leads back."""
        return (StartGuest(vmid=self.vmid, tool=self.tool),)


Change = Annotated[
    StopUnit | RestartUnit | DropPort | Unexport | FillMemory | StopGuest,
    Field(discriminator="kind"),
]
CHANGES: TypeAdapter[tuple[Change, ...]] = TypeAdapter(tuple[Change, ...])
"""Reads changes back from a plan; raises ``pydantic.ValidationError`` on anything else."""


def undo_of(changes: tuple[Change, ...]) -> tuple[Action, ...]:
    """What leads back from all of them, last in first out."""
    return tuple(action for change in reversed(changes) for action in change.undo())
