"""Would Docker start again what it runs, and could it be made anew if its records are lost?"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from blackstart.checking import boot_facts, expect, known
from blackstart.errors import Unproven
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.host_docker import DockerFacts, EngineContainer
from blackstart.model.inventory import Inventory

pytestmark = pytest.mark.check

HostBoots = Mapping[str, HostBootFacts]
LASTING = ("always", "unless-stopped")
"""``on-failure`` is not: it looks at exits, not at a start of the engine (docker-run(1))."""

MADE_ANEW = "buildx_buildkit_"
"""Docker's own builders: it makes one when it needs one (docker buildx create)."""


def _engine(facts: HostBootFacts) -> DockerFacts:
    """The engine. Skips where there is none; one that is only asleep is not woken up."""
    docker = known(facts.docker)
    if docker.engine == "absent":
        pytest.skip(f"no docker ({facts.docker.source})")
    if docker.engine == "down":
        files = known(facts.unit_files)
        states = {name: files.get(name, "absent") for name in ("docker.service", "docker.socket")}
        if "enabled" not in states.values():
            told = ", ".join(f"{name} {state}" for name, state in states.items())
            pytest.skip(f"docker is installed and not in use: {told}")
        raise Unproven(f"{facts.docker.source}: docker.service does not run; asking would start it")
    return docker


def _running(docker: DockerFacts) -> list[EngineContainer]:
    """Containers that somebody would miss. Skips where none runs."""
    found = [
        item
        for item in docker.containers
        if item.state in ("running", "restarting")
        and not (item.one_off or item.swarm or item.name.startswith(MADE_ANEW))
    ]
    if not found:
        pytest.skip("no container runs (docker ps)")
    return found


def _touched(inventory: Inventory, host: str) -> tuple[str, ...]:
    return tuple(name for name, item in inventory.compose.items() if item.guest == host)


@pytest.mark.claim(severity="critical", breaks="boot", incident="hypervisor-down")
def test_volumes_have_their_containers(
    host: str, host_boots: HostBoots, inventory: Inventory
) -> None:
    """An engine with volumes or declared projects has containers: a restart policy brings back
    nothing once the containers' records are lost."""
    facts = boot_facts(host_boots, host)
    docker = _engine(facts)
    declared = _touched(inventory, host)
    kept = [f"{len(docker.volumes)} volumes"] * bool(docker.volumes)
    kept += [f"project {name}" for name in declared]
    expect(
        bool(docker.containers) or not kept,
        f"no container at all, with {', '.join(kept)}",
        evidence=facts.docker.source,
        fix="apply the definitions again, in each project's directory: docker compose up -d",
        touches=declared,
    )


@pytest.mark.claim(severity="critical", breaks="boot", incident="hypervisor-down")
def test_containers_start_with_the_engine(
    host: str, host_boots: HostBoots, inventory: Inventory
) -> None:
    """Every container that runs has a restart policy that outlives a reboot."""
    facts = boot_facts(host_boots, host)
    wrong = [item for item in _running(_engine(facts)) if item.restart_policy not in LASTING]
    expect(
        not wrong,
        "; ".join(f"{item.name} has restart: {item.restart_policy}" for item in wrong),
        evidence=facts.docker.source,
        fix="write restart: unless-stopped into its definition, then: docker compose up -d",
        touches=_touched(inventory, host),
    )


@pytest.mark.claim(severity="critical", breaks="data", incident="hypervisor-down")
def test_definitions_cover_what_runs(
    host: str, host_boots: HostBoots, inventory: Inventory
) -> None:
    """Every container that runs is a service of a Compose file that exists: from volumes alone
    nobody can make it again."""
    facts = boot_facts(host_boots, host)
    docker = _engine(facts)
    running = _running(docker)
    definitions = {item.project: item for item in docker.definitions}
    wrong: list[str] = []
    unread: list[str] = []
    for item in running:
        definition = definitions.get(item.project)
        if definition is None:
            wrong.append(f"{item.name} has no definition")
        elif definition.missing:
            wrong.append(
                f"{item.name} was made from {', '.join(definition.missing)}, which is gone"
            )
        elif definition.services is None:
            unread.append(item.project)
        elif item.service not in definition.services:
            wrong.append(f"{item.name} is no service of {', '.join(item.files)} any more")
    expect(
        not wrong,
        "; ".join(wrong),
        evidence=(facts.docker.source, f"ssh {host}: docker compose config --services"),
        fix="write it into a Compose file, or bring the file back from your backup",
        touches=_touched(inventory, host),
    )
    if unread:
        projects = ", ".join(dict.fromkeys(unread))
        raise Unproven(f"ssh {host}: docker compose config cannot read project {projects}")
