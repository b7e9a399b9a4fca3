"""Changes and their undo, as the real programs on a machine understand them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from blackstart.model.changes import DropPort
from tests.rack.command import on, rack

UNUSED_PORT = 9
STEP = DropPort(table="blackstart_test", port=UNUSED_PORT)


def holds(script: str) -> bool:
    return rack("ssh", "nas1", "--", script, check=False).returncode == 0


@pytest.fixture
def nas(up: None) -> Iterator[None]:
    yield
    on("nas1", "nft delete table inet blackstart_test 2>/dev/null || true")


def test_a_dropped_port_is_put_back(nas: None) -> None:
    (undo,) = STEP.undo()
    assert holds(STEP.possible())
    on("nas1", STEP.command())
    assert f"tcp dport {UNUSED_PORT}" in on("nas1", f"nft -n list table inet {STEP.table}")
    assert not holds(STEP.possible())
    assert not holds(undo.proof())
    on("nas1", undo.command())
    assert holds(undo.proof())
