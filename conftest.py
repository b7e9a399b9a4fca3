"""Loads the plugin from a checkout that is not installed; nothing else."""

from __future__ import annotations

import importlib.metadata

INSTALLED = any(
    entry.value == "blackstart.plugin"
    for entry in importlib.metadata.entry_points(group="pytest11")
)
pytest_plugins = () if INSTALLED else ("blackstart.plugin",)
