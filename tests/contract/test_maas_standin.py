"""The stand-in answers as the recorded MAAS did, exchange by exchange, in the recorded order."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from blackstart.rack.standins.maas.endpoints import make_router, nodes
from tests.contract import maas_account
from tests.contract.maas_recorded import SCHEMA_FILE, Exchange, exchanges, needs_recordings
from tests.contract.maas_replay import (
    Replayer,
    account,
    excused,
    held_to,
    recorded_kinds,
    set_the_scene,
    why_not,
)
from tests.contract.maas_scene import first_state
from tests.contract.maas_standin import standing_in, write_images

pytestmark = needs_recordings
STALE_NOW = 1795183991
HELD = [exchange for exchange in exchanges() if held_to(exchange)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, tuple[int, str, Any]]]:
    """What the stand-in answers to all of them, one after another."""
    with (
        standing_in(tmp_path_factory.mktemp("maas"), first_state(), ["true"]) as site,
        pytest.MonkeyPatch.context() as patch,
    ):
        write_images(site.layout, site.state)
        set_the_scene(site)
        replayer, found = Replayer(site), {}
        for exchange in exchanges():
            replayer.catch_up(exchange)
            if not held_to(exchange):
                continue
            made = exchange.body.get("system_id") if isinstance(exchange.body, dict) else None
            patch.setattr(nodes, "_system_id", lambda _state, made=made: made)
            stale = exchange.title == "stale timestamp"
            site.shift_s = STALE_NOW - time.time() if stale else 0.0
            found[exchange.number] = replayer.send(exchange)
        yield found


@pytest.mark.parametrize(
    "exchange", HELD, ids=lambda exchange: f"{exchange.number} {exchange.title}"
)
def test_an_answer_is_the_recorded_one(
    exchange: Exchange, answers: dict[int, tuple[int, str, Any]]
) -> None:
    status, kind, body = answers[exchange.number]
    assert (status, kind) == (exchange.status, recorded_kinds()[exchange.number])
    assert excused(exchange, body) == excused(exchange, exchange.body)


def test_what_differs_would_be_seen() -> None:
    """Only moments, the version and what the rack does not run may differ."""
    shown = next(each for each in HELD if each.title == "rackcontrollers")
    service = shown.body[0]["service_set"]
    for name, changed in (("dhcpd", True), ("tftp", False)):
        altered = [{**each, "status": "dead"} if each["name"] == name else each for each in service]
        body = [{**shown.body[0], "service_set": altered}]
        assert (excused(shown, body) != excused(shown, shown.body)) is changed
    text = next(each for each in HELD if each.title == "reservedip 404")
    assert excused(text, "No Machine matches the given query.") != excused(text, text.body)
    link = next(each for each in HELD if each.title == "link static")
    assert excused(link, {**link.body, "vlan": None}) != excused(link, link.body)


def test_how_many_exchanges_are_held(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(HELD) > 120
    assert all(why_not(exchange) for exchange in exchanges() if exchange not in HELD)
    with capsys.disabled():
        print(f"\n{account()}")


def test_every_endpoint_of_the_stand_in_stands_in_the_vendors_schema() -> None:
    paths = json.loads(SCHEMA_FILE.read_text())["paths"]
    for endpoint in make_router().endpoints:
        operation = f"op-{endpoint.operation}" if endpoint.operation else ""
        assert endpoint.method.lower() in paths[f"/{endpoint.path}{operation}"], endpoint


def test_every_call_of_the_driver_is_held() -> None:
    held = {exchange.endpoint for exchange in HELD if exchange.status == 200}
    assert held >= set(maas_account.CALLED)
