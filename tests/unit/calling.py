"""Calls a check as pytest would, with facts of the caller's own."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

CHECKS = Path(__file__).parents[2] / "checks"


@cache
def module(name: str) -> ModuleType:
    """A file of ``checks/``, loaded."""
    spec = importlib.util.spec_from_file_location(f"checks_{name}", CHECKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def checks_in(*files: str) -> dict[str, Callable[..., None]]:
    """Every check of these files, by its name without ``test_``."""
    return {
        name.removeprefix("test_"): function
        for file in files
        for name, function in vars(module(file)).items()
        if name.startswith("test_")
    }


def call(check: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Run it with what it asks for; a fixture of its own file is called for its value."""
    values = {}
    for name in inspect.signature(check).parameters:
        if name in given:
            values[name] = given[name]
        else:
            fixture = check.__globals__[name]
            values[name] = call(fixture._get_wrapped_function(), given)
    return check(**values)
