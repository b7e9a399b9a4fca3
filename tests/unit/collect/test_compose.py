"""Compose projects, with an engine of the test's own in place of Docker."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from blackstart.collect.compose import look_at_project
from blackstart.drivers.base import CommandResult
from blackstart.errors import TimedOut
from blackstart.model.facts import ABSENT, Container
from blackstart.model.inventory import ComposeProject

from .local import LocalRunner, ScriptedRunner, tool

# It checks that it is asked as Docker wants to be: two ids, each an argument of its own.
ENGINE = """\
case $1 in
ps) [ "$2" = -aq ] && echo one && echo two ;;
inspect) [ "$6 $7" = "one two" ] || exit 9; cat {records} ;;
esac"""


@pytest.fixture
def project(tmp_path: Path) -> ComposeProject:
    """A project whose directory has a space and whose sentinel is in its volume."""
    directory = tmp_path / "my web"
    (directory / "data").mkdir(parents=True)
    (directory / "data" / "sentinel.txt").write_text("still here\n")
    return ComposeProject(
        guest="docker1", directory=str(directory), services=("web",), sentinel="data/sentinel.txt"
    )


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """Programs: a systemctl that calls the engine active, and a docker that lists nothing."""
    tools = tmp_path / "tools"
    tools.mkdir()
    tool(tools, "systemctl", "exit 0")
    tool(tools, "docker", "exit 0")
    return tools


def holding(tools: Path, *records: tuple[str | None, ...]) -> None:
    """An engine with these containers."""
    lines = [json.dumps(record) for record in records]
    (tools / "records").write_text("".join(f"{line}\n" for line in lines))
    tool(tools, "docker", ENGINE.format(records=tools / "records"))


def test_containers_of_this_project_only(project: ComposeProject, engine: Path) -> None:
    home = project.directory
    holding(
        engine,
        (home, "False", "web", "running", "web:1", "unless-stopped"),
        (home, "False", "db", "exited", "db:2", ""),
        (home, "True", "web", "exited", "web:1", "no"),
        ("/opt/other", "False", "web", "running", "other:1", "always"),
    )
    facts = look_at_project(LocalRunner(engine), project, timeout_s=30)
    assert facts.containers.value == (
        Container(service="db", state="exited", image="db:2", restart_policy="no"),
        Container(service="web", state="running", image="web:1", restart_policy="unless-stopped"),
    )
    assert facts.sentinel_sha256.value == hashlib.sha256(b"still here\n").hexdigest()


def test_a_project_reached_by_a_link_is_found(
    project: ComposeProject, engine: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(project.directory)
    holding(engine, (project.directory, "False", "web", "running", "web:1", "always"))
    linked = project.model_copy(update={"directory": f"{tmp_path}/link/"})
    facts = look_at_project(LocalRunner(engine), linked, timeout_s=30)
    assert facts.containers.value is not None
    assert len(facts.containers.value) == 1


def test_an_engine_without_containers_says_so(project: ComposeProject, engine: Path) -> None:
    assert look_at_project(LocalRunner(engine), project, timeout_s=30).containers.value == ()


def test_an_engine_that_is_down_is_not_asked(
    project: ComposeProject, engine: Path, tmp_path: Path
) -> None:
    tool(engine, "systemctl", "exit 3")
    tool(engine, "docker", f"touch {tmp_path}/started")
    facts = look_at_project(LocalRunner(engine), project, timeout_s=30)
    assert facts.containers.error == "exit 1: docker.service is not active"
    assert not (tmp_path / "started").exists()
    assert facts.sentinel_sha256.known


def test_an_engine_that_fails_is_an_error(project: ComposeProject, engine: Path) -> None:
    tool(engine, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    facts = look_at_project(LocalRunner(engine), project, timeout_s=30)
    assert facts.containers.error == "exit 1: Cannot connect to the Docker daemon"


def test_a_surprise_is_not_a_container(project: ComposeProject, engine: Path) -> None:
    holding(engine, (project.directory, "False", "web"))
    facts = look_at_project(LocalRunner(engine), project, timeout_s=30)
    assert "not understood" in str(facts.containers.error)


def test_a_wiped_volume_is_seen(project: ComposeProject, engine: Path) -> None:
    (Path(project.directory) / "data" / "sentinel.txt").unlink()
    facts = look_at_project(LocalRunner(engine), project, timeout_s=30)
    assert facts.sentinel_sha256.value == ABSENT
    assert facts.sentinel_sha256.known


def test_a_guest_that_does_not_answer_is_an_error(project: ComposeProject) -> None:
    def late(_: str) -> CommandResult:
        raise TimedOut("docker1: no answer")

    facts = look_at_project(ScriptedRunner({"docker1": late}), project, timeout_s=5)
    assert facts.containers.error == facts.sentinel_sha256.error == "docker1: no answer"
