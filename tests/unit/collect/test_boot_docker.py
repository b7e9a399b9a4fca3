"""Where the Compose files of a project are looked for, by the script itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blackstart.model.host_docker import Definition

from .boot_script import asked
from .local import tool

# It reads what it is told to, and says which file that was.
ENGINE = """\
case "$1 $2" in
"volume ls"|"inspect --type") ;;
"ps -aq") ;;
"ps -a") echo {row} ;;
"compose -p") shift 4; [ -d "$1" ] && [ -e "$3" ] && echo web ;;
esac"""


def definition(directory: Path, home: str, files: str) -> Definition:
    """What is said of a project of that directory and these files."""
    tools = directory / "tools"
    tools.mkdir()
    tool(tools, "systemctl", "exit 0")
    tool(tools, "docker", ENGINE.format(row=json.dumps(f"web|{home}|{files}")))
    docker = asked("docker", "definitions", tools=tools, var=directory / "var").docker.value
    assert docker is not None
    (found,) = docker.definitions
    return found


def put(path: Path) -> Path:
    """An empty file, with its directories."""
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_a_file_may_be_named_from_its_projects_directory(tmp_path: Path) -> None:
    put(tmp_path / "web/docker-compose.yml")
    found = definition(tmp_path, f"{tmp_path}/web", "docker-compose.yml")
    assert (found.missing, found.services) == ((), ("web",))


def test_one_that_is_not_there_is_told_with_its_whole_path(tmp_path: Path) -> None:
    found = definition(tmp_path, f"{tmp_path}/web", "docker-compose.yml")
    assert found.missing == (f"{tmp_path}/web/docker-compose.yml",)


@pytest.mark.parametrize("kept", [True, False])
def test_portainer_keeps_its_files_in_a_volume_of_its_own(tmp_path: Path, kept: bool) -> None:
    stack = "/data/compose/5/docker-compose.yml"
    if kept:
        put(tmp_path / "var/lib/docker/volumes/portainer_data/_data/compose/5/docker-compose.yml")
    found = definition(tmp_path, "/data/compose/5", stack)
    assert (found.missing, found.services) == (((), ("web",)) if kept else ((stack,), None))
