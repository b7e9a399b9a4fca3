"""Containers of a Compose project and its sentinel, in one round trip to the guest it runs on.

The engine is asked and not the Compose file: what it runs is what counts, and a file
that no longer parses must not hide that. Asking must not start an engine that is down,
which a bare ``docker ps`` does through its socket unit.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import TypeVar

from blackstart.collect.sections import Answer, run, shell
from blackstart.drivers.base import CommandRunner
from blackstart.errors import DriverError
from blackstart.model.facts import ABSENT, ComposeFacts, Container, Observed, unread
from blackstart.model.inventory import ComposeProject

ENGINE_S = 25

_LABEL = "com.docker.compose"
_FIELDS = (
    f'index .Config.Labels "{_LABEL}.project.working_dir"',
    f'index .Config.Labels "{_LABEL}.oneoff"',
    f'index .Config.Labels "{_LABEL}.service"',
    ".State.Status",
    ".Config.Image",
    ".HostConfig.RestartPolicy.Name",
)
_FORMAT = "[" + ",".join(f"{{{{json ({field})}}}}" for field in _FIELDS) + "]"
_CONTAINERS = f"""\
systemctl is-active --quiet docker.service snap.docker.dockerd.service ||
    {{ echo 'docker.service is not active' >&2; exit 1; }}
cd -- "$1" && pwd -P || echo "$1"
ids=$(docker ps -aq --no-trunc --filter label={_LABEL}.project.working_dir) || exit
[ -z "$ids" ] || docker inspect --type container --format {shlex.quote(_FORMAT)} $ids
"""
_SENTINEL = """\
cd -- "$1" 2>/dev/null
if [ -e "$2" ]; then sha256sum -- "$2"; else echo absent; fi
"""
SECTIONS = (shell("containers", ENGINE_S, _CONTAINERS), shell("sentinel", 5, _SENTINEL))

T = TypeVar("T")
Lines = tuple[str, ...]


def look_at_project(
    runner: CommandRunner, project: ComposeProject, *, timeout_s: float
) -> ComposeFacts:
    """Facts of one project, within ``timeout_s`` seconds; never raises ``DriverError``."""
    arguments = (project.directory, project.sentinel)
    try:
        answers = run(runner, project.guest, SECTIONS, arguments=arguments, timeout_s=timeout_s)
    except DriverError as error:
        return unread(ComposeFacts, f"ssh {project.guest}", str(error))
    return _facts(project, answers["containers"], answers["sentinel"])


def _facts(project: ComposeProject, containers: Answer, sentinel: Answer) -> ComposeFacts:
    source = f"ssh {project.guest}:"
    return ComposeFacts(
        containers=_fact(
            f"{source} docker inspect, project {project.directory}",
            containers,
            lambda lines: _containers(lines, project.directory),
        ),
        sentinel_sha256=_fact(f"{source} sha256sum {project.sentinel}", sentinel, _digest),
    )


def _fact(source: str, answer: Answer, understand: Callable[[Lines], T]) -> Observed[T]:
    if answer.error is not None:
        return Observed(source=source, error=answer.error)
    try:
        return Observed(source=source, value=understand(answer.lines))
    except (ValueError, IndexError) as error:
        return Observed(source=source, error=f"not understood: {error}")


def _containers(lines: Lines, directory: str) -> tuple[Container, ...]:
    """Of all projects' containers, this one's; ``docker compose run`` leaves others behind."""
    real, *records = lines
    wanted = {directory.rstrip("/"), real}
    found = []
    for line in records:
        home, oneoff, service, state, image, policy = json.loads(line)
        if home in wanted and oneoff != "True":
            found.append(
                Container(service=service, state=state, image=image, restart_policy=policy or "no")
            )
    return tuple(sorted(found, key=lambda item: (item.service, item.state)))


def _digest(lines: Lines) -> str:
    (line,) = lines
    if line == "absent":
        return ABSENT
    digest = line.removeprefix("\\").split()[0]
    if len(digest) != 64:
        raise ValueError(repr(line))
    return digest
