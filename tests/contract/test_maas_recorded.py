"""Our MAAS driver against the recorded exchanges of a real MAAS 3.6, over TLS on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from blackstart.drivers.maas import Maas
from blackstart.drivers.maas_api import Key, MaasApi
from blackstart.errors import DriverError, Unreachable
from blackstart.model.maas_facts import MaasFacts
from tests.contract import maas_account
from tests.contract.maas_recorded import (
    BASE,
    CONSUMER,
    SCHEMA_FILE,
    SECRET,
    TOKEN,
    Exchange,
    Replay,
    administrators_scene,
    exchanges,
    needs_recordings,
    recorded,
)
from tests.unit.drivers.tls_server import Authority, Server, serving

pytestmark = needs_recordings
KEY = Key(CONSUMER, TOKEN, SECRET)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA of the site."""
    return Authority.make(tmp_path_factory.mktemp("maas"))


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Where MAAS is replayed."""
    directory: Path = tmp_path_factory.mktemp("server")
    with serving(authority.issue(directory, "127.0.0.1")) as server:
        yield server


@pytest.fixture(scope="module")
def api(server: Server, authority: Authority) -> Iterator[MaasApi]:
    """Our client of it."""
    made = MaasApi(f"https://127.0.0.1:{server.port}/MAAS", key=KEY, ca=authority.ca)
    yield made
    made.close()


@pytest.fixture
def replay(server: Server) -> Replay:
    """An administrator's MAAS as recorded."""
    return replaying(server)


def replaying(server: Server) -> Replay:
    """Have the server be one; a fresh one, as nonces are kept."""
    made = Replay(administrators_scene())
    server.otherwise = made
    return made


def fact(facts: MaasFacts, name: str) -> Any:
    """One of them."""
    return getattr(facts, name)


def test_every_fact_of_an_administrator_is_known_but_a_version_that_says_none(
    replay: Replay, api: MaasApi
) -> None:
    facts = Maas(api).observe()
    unknown = {name: fact(facts, name).error for name in MaasFacts.model_fields}
    assert {name: error for name, error in unknown.items() if error} == {
        "version": "MAAS does not say its version: 'None'"
    }


def test_both_lists_of_fixed_addresses_are_read(replay: Replay, api: MaasApi) -> None:
    facts = Maas(api).observe()
    assert facts.reservations.value is not None
    seen = {
        (held.ip, held.kind, held.mac, held.hostname, held.source.removeprefix("maas GET "))
        for held in facts.reservations.value
    }
    assert seen == {
        ("198.51.100.45", "reservedip", "bc:24:11:aa:45:45", None, "reservedips/"),
        ("198.51.100.30", "static-link", "bc:24:11:3b:7a:a7", "dr-dev", "ipaddresses/?all=true"),
        ("198.51.100.61", "ipaddress", None, None, "ipaddresses/?all=true"),
        ("198.51.100.70", "ipaddress", "bc:24:11:aa:70:70", None, "ipaddresses/?all=true"),
        ("198.51.100.62", "ipaddress", None, None, "ipaddresses/?all=true"),
        ("198.51.100.41", "ipaddress", None, None, "ipaddresses/?all=true"),
    }
    assert [held.ip for held in facts.reservations.value if held.fixes] == [
        "198.51.100.45",
        "198.51.100.30",
        "198.51.100.70",
    ]


def test_what_else_the_facts_say(replay: Replay, api: MaasApi) -> None:
    replay.instead["GET devices/"] = replace(
        recorded("devices list"), body=[recorded("device read").body]
    )
    facts = Maas(api).observe()
    assert facts.administrator.value is True
    (subnet,) = facts.subnets.value or ()
    assert (subnet.cidr, subnet.racks, subnet.dhcp_on) == ("198.51.100.0/24", ("bw344m",), False)
    (dynamic,) = facts.dynamic_ranges.value or ()
    assert (dynamic.first, dynamic.last) == ("198.51.100.100", "198.51.100.150")
    (rack,) = facts.racks.value or ()
    assert rack.services["dhcpd"].status == "running"
    assert rack.services["dns_rack"].info == "named is not running"
    (image,) = facts.images.value or ()
    assert (image.name, image.complete, image.size) == ("ubuntu/noble", True, 1536)
    assert (facts.importing.value, facts.syncs_by_itself.value) == (False, False)
    device = next(node for node in facts.nodes.value or () if node.kind == "device")
    (link,) = device.interfaces[0].links
    assert (device.hostname, link.mode, link.address) == ("dr-dev", "static", "198.51.100.30")
    assert [(r.fqdn, r.value, r.node, r.resource) for r in facts.dns_records.value or ()] == [
        ("svc.maas", "198.51.100.61", None, 5),
        ("dr-dev.maas", "198.51.100.30", "dag6mk", None),
    ]
    events = facts.events.value or ()
    assert events[0].description == "Started importing of boot images from 1 source(s)."


@pytest.mark.parametrize(
    "number", [found.number for found in exchanges() if maas_account.asked(found)]
)
def test_each_recorded_answer_is_a_fact_or_a_reason(
    number: int, server: Server, api: MaasApi
) -> None:
    check_asked(exchanges()[number], server, api)


def check_asked(exchange: Exchange, server: Server, api: MaasApi) -> Replay:
    """The answer in its own place, in a MAAS that is otherwise well."""
    replay = replaying(server)
    operation = exchange.query.get("op")
    path = exchange.path + (f"?op={operation}" if operation else "")
    replay.instead[f"{exchange.method} {path}"] = exchange
    name = maas_account.CALLED[exchange.endpoint]
    if name is None:
        check_act(exchange, api)
        return replay
    seen = fact(Maas(api).observe(), name)
    understood = exchange.title != "version" and exchange.query.get("name") != "maas_name"
    assert seen.known is (exchange.status == 200 and understood), seen.error
    assert seen.error is None or "\n" not in seen.error
    return replay


def check_act(exchange: Exchange, api: MaasApi) -> None:
    """An import that is started or stopped, or refused with MAAS' words."""
    act = Maas(api).stop_import if "stop" in exchange.query["op"] else Maas(api).start_import
    if exchange.status == 200:
        act()
        return
    with pytest.raises(DriverError) as caught:
        act()
    assert str(caught.value) == f"{exchange.status} {exchange.body}"


@pytest.mark.parametrize(
    "number", [found.number for found in exchanges() if maas_account.refusal(found)]
)
def test_each_recorded_refusal_is_one_line_with_its_reason(
    number: int, server: Server, api: MaasApi
) -> None:
    check_refusal(exchanges()[number], server, api)


def check_refusal(exchange: Exchange, server: Server, api: MaasApi) -> Replay:
    """The refusal as the answer to a call."""
    replay = replaying(server)
    replay.instead["GET version/"] = exchange
    with pytest.raises(DriverError) as caught:
        api.get("version/")
    words = str(caught.value)
    assert str(exchange.status) in words
    assert len(words) < 250
    assert not set(words) & {"\n", "<"}
    assert isinstance(caught.value, Unreachable) is (exchange.status == 503)
    if exchange.status == 401:
        assert words.startswith(("401 MAAS", "401 the key", "401 the clocks differ"))
    return replay


def test_how_many_exchanges_are_used(
    server: Server, api: MaasApi, capsys: pytest.CaptureFixture[str]
) -> None:
    used = set()
    for exchange in maas_account.concerned():
        check = check_asked if maas_account.asked(exchange) else check_refusal
        replay = check(exchange, server, api)
        assert exchange.number in replay.used
        used |= replay.used
    assert used == {exchange.number for exchange in maas_account.concerned()}
    with capsys.disabled():
        print(f"\n{maas_account.account(used)}")


def test_every_call_has_a_recorded_exchange_and_stands_in_the_vendors_schema(
    replay: Replay, server: Server, api: MaasApi
) -> None:
    server.asked.clear()
    maas = Maas(api)
    images = maas.observe().images.value or ()
    maas.start_import()
    maas.stop_import()
    assert maas.importing() is False
    lacking = (item for item in images if not item.complete)
    assert maas.incomplete() == tuple(f"{item.name} {item.architecture}" for item in lacking)
    made = {endpoint(method, path) for method, path in replay.asked}
    assert made == set(maas_account.CALLED)
    assert {exchange.endpoint for exchange in exchanges()} >= made
    paths = json.loads(SCHEMA_FILE.read_text())["paths"]
    for request in server.asked:
        parts = urlsplit(request.path)
        query = dict(parse_qsl(parts.query))
        operation = f"?op={query.pop('op')}" if "op" in query else ""
        method, path = endpoint(request.method, parts.path.removeprefix(BASE) + operation)
        described = paths[f"/{path.replace('?op=', 'op-')}"][method.lower()]
        assert {*query} <= {item["name"] for item in described.get("parameters", ())}, path


def endpoint(method: str, path: str) -> tuple[str, str]:
    """That of a request as the server saw it."""
    bare, found, name = path.partition("?op=")
    query = {"op": name} if found else {}
    return replace(exchanges()[0], method=method, path=bare, query=query).endpoint
