"""The Docker engine of a host and the Compose files that would make its containers again.

Asking must not start an engine that is down, which any ``docker`` does through its socket
unit: its unit is asked first, and an engine that does not run is left alone.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence

from blackstart.collect.sections import shell
from blackstart.model.host_docker import Definition, DockerFacts, EngineContainer

ABSENT, DOWN, ACTIVE = "absent", "down", "active"
_COMPOSE = "com.docker.compose"
_FIELDS = (
    ".Name",
    ".State.Status",
    ".HostConfig.RestartPolicy.Name",
    f'index .Config.Labels "{_COMPOSE}.project"',
    f'index .Config.Labels "{_COMPOSE}.service"',
    f'index .Config.Labels "{_COMPOSE}.project.config_files"',
    f'index .Config.Labels "{_COMPOSE}.oneoff"',
    'index .Config.Labels "com.docker.swarm.service.name"',
)
_FORMAT = "[" + ",".join(f"{{{{json ({field})}}}}" for field in _FIELDS) + "]"
_ASKED_FIRST = f"""\
command -v docker >/dev/null 2>&1 || {{ echo {ABSENT}; exit 0; }}
systemctl is-active --quiet docker.service snap.docker.dockerd.service ||
    {{ echo {DOWN}; exit 0; }}
echo {ACTIVE}
"""
_ENGINE = f"""\
{_ASKED_FIRST}docker volume ls -q || exit
echo
ids=$(docker ps -aq --no-trunc) || exit
[ -z "$ids" ] || docker inspect --type container --format {shlex.quote(_FORMAT)} $ids"""

# What it says of a file that it cannot read stays there: it may quote a line of it. Compose 1
# names files from the project's directory; Portainer by where its container sees them, which is
# in a volume of its own.
_DEFINITIONS = f"""\
{_ASKED_FIRST}docker ps -a --format \
    '{{{{.Label "{_COMPOSE}.project"}}}}|{{{{.Label "{_COMPOSE}.project.working_dir"}}}}|{{{{.Label "{_COMPOSE}.project.config_files"}}}}' |
sort -u | while IFS='|' read -r project directory files; do
    [ -n "$project" ] && [ -n "$files" ] || continue
    printf 'project %s\\n' "$project"
    set -f; set -- ; missing=no; IFS=,
    for file in $files; do
        case $file in /*|-) ;; *) file=$directory/$file ;; esac
        case $file in /data/compose/*) set +f
            for kept in /var/lib/docker/volumes/*/_data/"${{file#/data/}}"; do
                [ -e "$file" ] || [ ! -e "$kept" ] || {{ directory=${{kept%/*}}; file=$kept; }}
            done; set -f ;;
        esac
        set -- "$@" -f "$file"
        [ -e "$file" ] || {{ missing=yes; printf 'missing %s\\n' "$file"; }}
    done
    unset IFS
    [ "$missing" = no ] || continue
    defined=$(docker compose -p "$project" --project-directory "$directory" "$@" \
        config --services 2>/dev/null) || {{ echo unreadable; continue; }}
    for service in $defined; do printf 'service %s\\n' "$service"; done
done"""  # noqa: E501 - a template of docker's own
DOCKER = (shell("docker", 15, _ENGINE), shell("definitions", 20, _DEFINITIONS))

Lines = tuple[str, ...]


def read_engine(lines: Lines, definitions: Lines) -> DockerFacts:
    """What both sections say together. Raises ``ValueError`` when it is not understood."""
    match lines:
        case ["absent"]:
            return DockerFacts(engine="absent")
        case ["down"]:
            return DockerFacts(engine="down")
        case ["active", *rest] if definitions[:1] == (ACTIVE,):
            end = rest.index("")
            return DockerFacts(
                engine="active",
                volumes=tuple(sorted(rest[:end])),
                containers=tuple(sorted(_containers(rest[end + 1 :]), key=lambda item: item.name)),
                definitions=tuple(_definitions(definitions[1:])),
            )
    raise ValueError(f"{lines[:1]!r}, {definitions[:1]!r}")


def _containers(records: Sequence[str]) -> Iterator[EngineContainer]:
    for record in records:
        name, state, policy, project, service, files, one_off, swarm = json.loads(record)
        yield EngineContainer(
            name=name.lstrip("/"),
            state=state,
            restart_policy=policy or "no",
            project=project or "",
            service=service or "",
            files=tuple(filter(None, (files or "").split(","))),
            one_off=one_off == "True",
            swarm=bool(swarm),
        )


def _definitions(lines: Lines) -> Iterator[Definition]:
    groups: list[list[str]] = []
    for line in lines:
        if line.startswith("project "):
            groups.append([line])
        else:
            groups[-1].append(line)
    for head, *rest in groups:
        words = [line.partition(" ") for line in rest]
        missing = tuple(value for word, _, value in words if word == "missing")
        services = tuple(sorted(value for word, _, value in words if word == "service"))
        unread = bool(missing) or rest == ["unreadable"]
        yield Definition(
            project=head.partition(" ")[2], services=None if unread else services, missing=missing
        )
