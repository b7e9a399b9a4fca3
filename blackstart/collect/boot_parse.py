"""From what the boot script printed to facts: strict, so that a surprise is never a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from blackstart.collect import (
    boot_answers,
    boot_loader,
    boot_storage,
    ip_json,
    systemd_units,
    tables,
)
from blackstart.collect.boot_docker import read_engine
from blackstart.collect.boot_script import LINK_DIRECTORIES, SOURCES
from blackstart.collect.host_parse import read_failed, read_oom
from blackstart.collect.ifupdown import GENERATED, MAIN, read_generated, read_interfaces
from blackstart.collect.numbered import Rows, read_files
from blackstart.collect.sections import Answer
from blackstart.model.host_boot import (
    CryptLine,
    EmergencyShell,
    HostBootFacts,
    Kernels,
)
from blackstart.model.host_docker import DockerFacts
from blackstart.model.observed import Observed

T = TypeVar("T")
P = TypeVar("P")
Lines = boot_answers.Lines
Files = boot_answers.Files
_SURPRISES = (ValueError, KeyError, IndexError, TypeError, AttributeError)
_PARTITIONS = "/etc/kernel/proxmox-boot-uuids"


def understand(host: str, answers: Mapping[str, Answer]) -> HostBootFacts:
    """The facts of one host; each that cannot be had says why."""
    reader = _Reader(host, answers)
    files = reader.fact("files", read_files)
    fstab = reader.of_file(files, tables.FSTAB, tables.read_fstab)
    kind = reader.fact("container", boot_answers.read_container)
    return HostBootFacts(
        container=kind,
        hosts_file=reader.of_file(files, tables.HOSTS, tables.read_hosts),
        own_name=reader.fact("own_name", boot_answers.read_own_name),
        fstab=_part(fstab, lambda found: found[0]),
        misread=_part(fstab, lambda found: found[1]),
        crypttab=reader.crypttab(files),
        mounted=reader.fact("mounted", lambda lines: tuple(tables.read_mounted(lines))),
        content=reader.fact("content", boot_answers.read_content),
        devices=reader.fact("devices", boot_answers.read_devices),
        links=reader.fact("links", boot_answers.read_links),
        rooms=reader.fact("rooms", lambda lines: tuple(map(boot_answers.read_room, lines))),
        units=reader.fact("units", systemd_units.read_units),
        unit_files=reader.fact("unit_files", systemd_units.read_unit_files),
        runtime_only=reader.fact("runtime", lambda lines: lines),
        failed=reader.fact("failed", read_failed),
        kernels=reader.kernels(files),
        boot_partitions=reader.of_file(files, _PARTITIONS, boot_answers.read_words),
        emergency=reader.emergency(files),
        interfaces=reader.of_all(files, MAIN, read_interfaces),
        staged_network=reader.fact(
            "staged", lambda lines: boot_answers.either(lines, "staged", "none")
        ),
        cards=reader.fact("cards", ip_json.read_cards),
        bridging=reader.fact("bridging", ip_json.read_bridging),
        pinned_names=reader.of_all(
            files, f"{LINK_DIRECTORIES[0]}/*.link", boot_answers.read_pinned
        ),
        resolvers=reader.of_all(files, boot_answers.STUB, boot_answers.read_resolvers),
        clock_in_sync=reader.fact("clock", boot_answers.read_clock),
        killed=reader.killed(kind),
        last_end=reader.fact("last_end", boot_answers.read_last_end),
        crash_records=reader.fact("crashes", lambda lines: lines),
        device_names=reader.fact(
            "device_names", lambda lines: tuple(map(boot_answers.read_device_name, lines))
        ),
        listening=reader.fact("listening", boot_answers.read_ports),
        controller_device=reader.fact(
            "controller", lambda lines: boot_answers.either(lines, "yes", "no")
        ),
        docker=reader.docker(),
        arrays=reader.fact("arrays", boot_storage.read_arrays),
        declared_arrays=reader.of_file(
            files, boot_storage.MDADM, boot_storage.read_declared_arrays
        ),
        datasets=reader.fact("datasets", boot_storage.read_datasets),
        loader=reader.fact("loader", boot_loader.read_loader),
        menus=reader.fact("menus", boot_loader.read_menus),
        thin_checks=reader.fact("lvm", boot_storage.read_thin_checks),
        exports=reader.of_all(files, boot_storage.ETAB, boot_storage.read_exports),
        cluster_file=reader.fact("cluster_file", boot_answers.read_cluster_file),
        generated_network=reader.of_all(files, GENERATED, read_generated),
    )


class _Reader:
    def __init__(self, host: str, answers: Mapping[str, Answer]) -> None:
        self._host = host
        self._answers = answers

    def fact(self, section: str, understand: Callable[[Lines], T]) -> Observed[T]:
        """One section as a fact."""
        source = f"ssh {self._host}: {SOURCES[section]}"
        answer = self._answers[section]
        if answer.error is not None:
            return Observed(source=source, error=answer.error)
        return _understood(source, lambda: understand(answer.lines))

    def of_file(
        self, files: Observed[Files], path: str, understand: Callable[[Rows], T]
    ) -> Observed[T]:
        """What one file says; a file that is not there says what an empty one says."""
        return self.of_all(files, path, lambda found: understand(found.get(path, ())))

    def of_all(
        self, files: Observed[Files], named: str, understand: Callable[[Files], T]
    ) -> Observed[T]:
        """What several files say together."""
        source = f"ssh {self._host}: {named}"
        if files.value is None:
            return Observed(source=source, error=files.error)
        found = files.value
        return _understood(source, lambda: understand(found))

    def crypttab(self, files: Observed[Files]) -> Observed[tuple[CryptLine, ...]]:
        """Encrypted volumes, and which of their keys are there."""
        keys = self.fact("crypt_keys", frozenset)
        if keys.value is None:
            return Observed(source=keys.source, error=keys.error)
        there = keys.value
        return self.of_file(files, tables.CRYPTTAB, lambda rows: tables.read_crypttab(rows, there))

    def kernels(self, files: Observed[Files]) -> Observed[Kernels]:
        """Kernels on disk, and which of them is pinned."""
        seen = self.fact("kernels", boot_answers.read_kernels)
        pinned = self.of_all(files, boot_answers.PINS[1], boot_answers.read_pin)
        if seen.value is None or pinned.value is None:
            return Observed(source=seen.source, error=seen.error or pinned.error)
        kernels = seen.value.model_copy(update={"pinned": pinned.value})
        return Observed(source=seen.source, value=kernels)

    def emergency(self, files: Observed[Files]) -> Observed[EmergencyShell]:
        """Whether somebody can log in when a required mount fails."""
        locked = self.fact("root", lambda lines: boot_answers.either(lines, "locked", "open"))
        forced = self.of_all(
            files, "/etc/systemd/system/emergency.service.d", boot_answers.read_forced
        )
        if locked.value is None or forced.value is None:
            return Observed(source=locked.source, error=locked.error or forced.error)
        shell = EmergencyShell(root_locked=locked.value, forced=forced.value)
        return Observed(source=f"{locked.source}; {forced.source}", value=shell)

    def killed(self, container: Observed[str]) -> Observed[Lines]:
        """Kills for want of memory, and scopes that failed; a container sees no kernel's lines.

        A kernel that counts none has none to tell, however far back the journal reaches.
        """
        failures = self.fact("failures", boot_answers.read_failures)
        kernels = self.fact("oom", read_oom)
        if container.value:
            return failures
        count = self.fact("oom_count", boot_answers.read_count)
        if kernels.value is None and count.value == 0:
            kernels = Observed(source=count.source, value=())
        if failures.value is None or kernels.value is None:
            return kernels if kernels.value is None else failures
        source = f"{kernels.source}; {failures.source}"
        return Observed(source=source, value=(*kernels.value, *failures.value))

    def docker(self) -> Observed[DockerFacts]:
        """The engine, its containers, their definitions."""
        definitions = self._answers["definitions"]
        seen = self.fact("docker", lambda lines: read_engine(lines, definitions.lines))
        if definitions.error is not None:
            return Observed(source=seen.source, error=definitions.error)
        return seen


def _understood(source: str, understand: Callable[[], T]) -> Observed[T]:
    try:
        return Observed(source=source, value=understand())
    except _SURPRISES as error:
        return Observed(source=source, error=f"not understood: {error or type(error).__name__}")


def _part(whole: Observed[T], part: Callable[[T], P]) -> Observed[P]:
    if whole.value is None:
        return Observed(source=whole.source, error=whole.error)
    return Observed(source=whole.source, value=part(whole.value))
