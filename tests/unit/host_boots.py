"""What hosts say of their next boot, from data files, and checks called on it."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from blackstart.collect.boot_parse import understand
from blackstart.collect.boot_script import BOOT_SECTIONS
from blackstart.collect.sections import Answer
from blackstart.errors import Found, Unproven
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.inventory import Inventory

from .invariants.site import site

ROOT = Path(__file__).parents[2]
BOOTS = Path(__file__).parent / "boots"
SUBJECTS = (
    *("test_fstab", "test_mounts", "test_host_boot", "test_host_units", "test_last_boot"),
    *("test_host_network", "test_docker", "test_monitoring", "test_host_storage"),
)


def answers(name: str = "healthy") -> dict[str, Answer]:
    """The answers in a data file: ``== SECTION``, then its lines."""
    found: dict[str, Answer] = {item.name: Answer(error="not asked") for item in BOOT_SECTIONS}
    for part in (BOOTS / f"{name}.txt").read_text().removeprefix("== ").split("\n== "):
        section, _, text = part.partition("\n")
        assert section in found, section
        lines = text.removesuffix("\n").split("\n") if text else []
        found[section] = Answer(lines=tuple(lines))
    return found


@cache
def well() -> HostBootFacts:
    """A host of which all is well."""
    return understand("a1", answers())


def but(**changes: Any) -> HostBootFacts:
    """The same, but for the values of some facts."""
    facts = well()
    return facts.model_copy(
        update={
            name: getattr(facts, name).model_copy(update={"value": value})
            for name, value in changes.items()
        }
    )


def saying(section: str, *lines: str) -> HostBootFacts:
    """The same, but for what one section of the script answers."""
    return understand("a1", {**answers(), section: Answer(lines=lines)})


def rewritten(section: str, old: str, new: str) -> HostBootFacts:
    """The same, with a piece of what one section answers replaced."""
    text = "\n".join(answers()[section].lines)
    assert old in text, f"{old!r} is not in {section}"
    return saying(section, *text.replace(old, new).split("\n"))


def fstab(*lines: str) -> HostBootFacts:
    """The same, with another fstab."""
    files = "\n".join(answers()["files"].lines).split("\nfile ")
    text = "\n".join([f"{number}:{line}|" for number, line in enumerate(lines, 1)])
    kept = [part for part in files if not part.startswith("/etc/fstab")]
    whole = "\nfile ".join([*kept, f"/etc/fstab\n{text}"])
    return saying("files", *whole.removesuffix("\n").split("\n"))


@dataclass(frozen=True)
class Said:
    """How a check ended, and with which words."""

    verdict: str
    words: str
    touches: tuple[str, ...] = ()


@cache
def checks() -> Mapping[str, Callable[..., None]]:
    """Every check of these subjects, by its name without ``test_``."""
    found: dict[str, Callable[..., None]] = {}
    for subject in SUBJECTS:
        path = ROOT / "checks" / f"{subject}.py"
        spec = importlib.util.spec_from_file_location(f"checks_{subject}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, function in vars(module).items():
            if name.startswith("test_"):
                found[name.removeprefix("test_")] = function
    return found


def ask(
    check: str, facts: HostBootFacts | None, inventory: Inventory | None = None, host: str = "a1"
) -> Said:
    """What a check says of a host."""
    function = checks()[check]
    given: dict[str, Any] = {
        "host": host,
        "machine": host,
        "host_boots": {} if facts is None else {host: facts},
        "inventory": inventory or site(),
    }
    wanted = inspect.signature(function).parameters
    try:
        function(**{name: given[name] for name in wanted})
    except Found as error:
        return Said("fail", str(error), error.touches)
    except Unproven as error:
        return Said("unproven", str(error))
    except pytest.skip.Exception as error:
        return Said("n/a", str(error.msg))
    return Said("pass", "")
