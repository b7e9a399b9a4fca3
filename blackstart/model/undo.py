"""Undo as data: a closed set of actions, each with its command and the proof that it held.

The journal keeps them, the dead-man on the target runs them, ``recover`` runs them again:
all three from the same lines. Every command is idempotent and undoes our own change only.
krkn keeps undo as source code; a closed set cannot be tricked into anything else.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Unit = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9@._:\\-]{1,120}\.(service|socket|timer|mount|scope)$")
]
OwnUnit = Annotated[str, Field(pattern=r"^blackstart-[a-z0-9-]{1,60}\.service$")]
OwnTable = Annotated[str, Field(pattern=r"^blackstart_[a-z0-9_]{1,40}$")]
OwnPath = Annotated[str, Field(pattern=r"^/run/blackstart/[a-z0-9-]{1,60}$")]
ExportPath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9/._-]{1,200}$")]
ExportClient = Annotated[str, Field(pattern=r"^[A-Za-z0-9*?@._:/\[\]-]{1,200}$")]
ExportOptions = Annotated[str, Field(pattern=r"^[A-Za-z0-9_=,:.@/+-]{1,400}$")]
Vmid = Annotated[int, Field(ge=100, le=999_999_999)]
HostName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
ServiceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class Step(BaseModel):
    """Base of every action and change: strict, immutable, and safe to put into a shell line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def on(self, host: str) -> str:
        """Where it runs: on the fault's own ``host``, unless it says otherwise."""
        return host


class StartUnit(Step):
    """Start a unit that we stopped (systemctl(1)); it was active before."""

    kind: Literal["start-unit"] = "start-unit"
    unit: Unit

    def command(self) -> str:
        """The undo."""
        return f"systemctl start '{self.unit}'"

    def proof(self) -> str:
        """Exits with 0 when it held."""
        return f"systemctl is-active --quiet '{self.unit}'"


class EndOwnUnit(Step):
    """End a transient unit that we started (systemd-run(1)); ours by its name."""

    kind: Literal["end-own-unit"] = "end-own-unit"
    unit: OwnUnit

    def command(self) -> str:
        """The undo; a unit that is gone already is fine."""
        return f"systemctl --quiet stop {self.unit} 2>/dev/null || true"

    def proof(self) -> str:
        """Exits with 0 when it held: systemd answers, and the unit does not run."""
        return f'[ "$(systemctl show --property=ActiveState --value {self.unit})" = inactive ]'


class DropTable(Step):
    """Delete the nftables table that we added (nft(8)); ours by its name."""

    kind: Literal["drop-nft-table"] = "drop-nft-table"
    table: OwnTable

    def command(self) -> str:
        """The undo; a table that is gone already is fine."""
        return f"nft delete table inet {self.table} 2>/dev/null || true"

    def proof(self) -> str:
        """Exits with 0 when it held: the table cannot be listed, and nft itself works."""
        return f"nft list tables >/dev/null && ! nft list table inet {self.table} >/dev/null 2>&1"


class Unmount(Step):
    """Unmount our own tmpfs, which gives back the memory that it held (umount(8))."""

    kind: Literal["unmount"] = "unmount"
    path: OwnPath

    def command(self) -> str:
        """The undo; nothing mounted there is fine."""
        return (
            f"if mountpoint -q {self.path}; then umount {self.path}; fi; "
            f"rmdir {self.path} /run/blackstart 2>/dev/null; true"
        )

    def proof(self) -> str:
        """Exits with 0 when it held."""
        return f"! mountpoint -q {self.path} && ! [ -e {self.path} ]"


class Reexport(Step):
    """Export a path to a client again, with the options it had (exportfs(8), exports(5)).

    Not ``exportfs -r``: that takes away what somebody exported by hand. ``client`` and
    ``options`` are as ``exportfs -s`` prints them; read back they give the same export.
    """

    kind: Literal["reexport"] = "reexport"
    path: ExportPath
    client: ExportClient
    options: ExportOptions

    @property
    def named(self) -> str:
        """The export as exportfs(8) takes it: an IPv6 client stands in brackets."""
        address, slash, prefix = self.client.partition("/")
        client = f"[{address}]{slash}{prefix}" if ":" in address else self.client
        return f"{client}:{self.path}"

    def command(self) -> str:
        """The undo."""
        return f"exportfs -i -o '{self.options}' '{self.named}'"

    def proof(self) -> str:
        """Exits with 0 when it held: this very export is in the table again."""
        return (
            f'exportfs -s | awk \'$1 == "{self.path}" && $2 == "{self.client}({self.options})" '
            "{found = 1} END {exit !found}'"
        )


class StartGuest(Step):
    """Start a guest that our fault stopped (qm(1), pct(1)); one that runs is left alone."""

    kind: Literal["start-guest"] = "start-guest"
    vmid: Vmid
    tool: Literal["qm", "pct"]

    def command(self) -> str:
        """The undo; nothing happens to a guest that runs, or that somebody starts meanwhile."""
        return f"{self.proof()} || {self.tool} start {self.vmid} || {self.proof()}"

    def proof(self) -> str:
        """Exits with 0 when it held."""
        return f"{self.tool} status {self.vmid} | grep -q 'status: running'"


class Redeploy(Step):
    """Apply a Compose project's definition again, where our fault removed its containers.

    It runs inside the guest, by ``recover`` or by a person: a drill waits for the site's own
    redeployment first, so that this can never hide that there is none.
    """

    kind: Literal["redeploy"] = "redeploy"
    guest: HostName
    directory: ExportPath
    services: Annotated[tuple[ServiceName, ...], Field(min_length=1)]

    def on(self, host: str) -> str:  # noqa: ARG002 - it has one of its own
        """In the guest; its hypervisor has no containers."""
        return self.guest

    def command(self) -> str:
        """The undo; containers that run are left as they are (docker compose up)."""
        return f"docker compose --project-directory {self.directory} up --detach"

    def proof(self) -> str:
        """Exits with 0 when it held: every service has a running container.

        The engine is asked only where it runs: a bare question would start it.
        """
        label = "--filter label=com.docker.compose"
        project = f"{label}.project.working_dir={self.directory}"
        asked = (
            f"docker ps --quiet {project} {label}.service={service} | grep -q ."
            for service in self.services
        )
        return " && ".join(["systemctl is-active --quiet docker.service", *asked])


Action = Annotated[
    StartUnit | EndOwnUnit | DropTable | Unmount | Reexport | StartGuest | Redeploy,
    Field(discriminator="kind"),
]
ACTIONS: TypeAdapter[tuple[Action, ...]] = TypeAdapter(tuple[Action, ...])
"""Reads actions back from a journal; raises ``pydantic.ValidationError`` on anything else."""
