"""The same Compose services run as before, with their restart policy and their data.

After a hard stop an engine may know no container any more while every bind-mounted
volume is intact: nothing was lost, and nothing starts by itself either. And an engine
starts only what its restart policy covers: ``no`` never is (Docker, "Start containers
automatically").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.model.facts import ABSENT, Container
from blackstart.model.inventory import ComposeProject
from blackstart.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class ContainersRun:
    """The promise for every declared Compose project."""

    name: str = "containers-run"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each project."""
        projects = evidence.inventory.compose
        if not projects:
            site = evidence.inventory.site
            return nothing_to_judge(self.name, site, "the inventory declares no Compose project")
        return tuple(self._project(evidence, name, project) for name, project in projects.items())

    def _project(self, evidence: Evidence, name: str, project: ComposeProject) -> Judgement:
        findings = Findings(self.name, name)
        before, after = evidence.before.compose.get(name), evidence.after.compose.get(name)
        what, kept = f"containers of {name}", f"sentinel {project.sentinel}"
        was = findings.before(before.containers if before else None, what)
        digest_was = findings.before(before.sentinel_sha256 if before else None, kept)
        now = findings.after(after.containers if after else None, what)
        digest_now = findings.after(after.sentinel_sha256 if after else None, kept)
        if was is not None:
            _well_before(findings, project, was)
        if digest_was == ABSENT:
            findings.ill_before(f"{kept} was not there before the fault; write one")
        intact = digest_now is not None and digest_now == digest_was
        if digest_now == ABSENT:
            findings.failed(f"{kept} is gone: the volume was wiped or is not mounted")
        elif digest_now is not None and digest_was is not None and not intact:
            findings.failed(f"{kept} has other content than before the fault")
        if was is not None and now is not None:
            _compare(findings, project, (was, now), intact=intact)
        services = ", ".join(project.services)
        return findings.judgement(f"{services} as before, sentinel unchanged")


def _running(containers: Iterable[Container]) -> Counter[str]:
    return Counter(item.service for item in containers if item.state == "running")


def _well_before(findings: Findings, project: ComposeProject, was: tuple[Container, ...]) -> None:
    for service in project.services:
        if not _running(was)[service]:
            findings.ill_before(f"{service} did not run before the fault")


def _compare(
    findings: Findings,
    project: ComposeProject,
    containers: tuple[tuple[Container, ...], tuple[Container, ...]],
    *,
    intact: bool,
) -> None:
    was, now = containers
    if not now:
        data = "its data is intact" if intact else "its data was not seen intact"
        findings.failed(
            f"the engine knows no container of it, {data}; re-apply the definition: "
            f"docker compose --project-directory {project.directory} up -d"
        )
        return
    running_was, running_now = _running(was), _running(now)
    for service in sorted({*running_was, *running_now}):
        if running_was[service] != running_now[service]:
            findings.failed(_count(service, (was, now)))
        elif _policies(was, service) != _policies(now, service):
            findings.failed(
                f"{service} has restart policy {_policies(now, service)}; "
                f"before the fault {_policies(was, service)}"
            )


def _policies(containers: tuple[Container, ...], service: str) -> str:
    found = {item.restart_policy or "no" for item in containers if item.service == service}
    return ", ".join(sorted(found)) or "none"


def _count(service: str, containers: tuple[tuple[Container, ...], ...]) -> str:
    was, now = containers
    ran, runs = _running(was)[service], _running(now)[service]
    states = ", ".join(sorted(item.state for item in now if item.service == service)) or "gone"
    text = f"{service}: {runs} of {ran} run ({states})"
    if runs < ran and "no" in _policies(was, service).split(", "):
        text += ", restart policy no: no engine starts it again; set restart: unless-stopped"
    return text


def containers_run() -> ContainersRun:
    """Every Compose project runs what it ran, on the data it had."""
    return ContainersRun()
