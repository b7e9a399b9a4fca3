"""Runners for tests: one that runs commands on this very machine, one that makes answers up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from blackstart.drivers.base import CommandResult
from blackstart.errors import TimedOut


class LocalRunner:
    """Runs everything here, with ``tools`` (programs of the test) found before the real ones."""

    def __init__(self, tools: Path | None = None, environment: Mapping[str, str] = {}) -> None:
        path = os.environ["PATH"]
        self._environment = {**os.environ, **environment}
        self._environment["PATH"] = f"{tools}:{path}" if tools else path
        self.ran: list[str] = []

    def run(
        self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
    ) -> CommandResult:
        """As ssh would."""
        self.ran.append(host)
        try:
            done = subprocess.run(
                ["sh", "-c", command],
                input=stdin or "",
                check=False,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                env=self._environment,
            )
        except subprocess.TimeoutExpired as error:
            raise TimedOut(f"{host}: {error}") from error
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def forget(self, host: str) -> None:
        """There is no connection."""


class ScriptedRunner:
    """Answers each host by a function."""

    def __init__(self, answers: Mapping[str, Callable[[str], CommandResult]]) -> None:
        self._answers = answers

    def run(
        self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
    ) -> CommandResult:
        """What the host's function says of the script."""
        return self._answers[host](stdin or command)

    def forget(self, host: str) -> None:
        """There is no connection."""


def tool(directory: Path, name: str, text: str) -> None:
    """A program of the test's own."""
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
