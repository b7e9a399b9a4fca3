"""Who may call what: OAuth is really verified, and privileges hold at every endpoint."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.rack.standins.maas import API_ROOT
from blackstart.rack.standins.maas.client import Client, Refusal
from blackstart.rack.standins.maas.endpoints import make_router
from blackstart.rack.standins.maas.routing import Endpoint
from tests.contract.maas_rack import racks_state
from tests.contract.maas_standin import LOOPBACK, StandIn, standing_in

CLOSED = [endpoint for endpoint in make_router().endpoints if not endpoint.open_to_all]
ADMINISTRATORS = [endpoint for endpoint in CLOSED if endpoint.admin]
EMPTY_FOR_OTHERS = ("machines/", "devices/", "rackcontrollers/")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The rack's MAAS."""
    directory: Path = tmp_path_factory.mktemp("maas")
    with standing_in(directory, racks_state()) as site:
        yield site


def path(endpoint: Endpoint) -> str:
    """A path of an endpoint, with ids that are there."""
    filled = endpoint.path.format(id=1, system_id="mrack1")
    return filled + (f"?op={endpoint.operation}" if endpoint.operation else "")


def ask(site: StandIn, method: str, target: str, login: str | None) -> tuple[int, str]:
    """Status and text of an answer to a request with that login."""
    trust = ssl.create_default_context(cafile=str(site.ca))
    server = http.client.HTTPSConnection(LOOPBACK, site.port, timeout=30, context=trust)
    headers = {"Authorization": login} if login is not None else {}
    try:
        server.request(method, API_ROOT + target, headers=headers)
        answer = server.getresponse()
        return answer.status, answer.read().decode()
    finally:
        server.close()


def whoami(site: StandIn, login: str) -> tuple[int, str]:
    return ask(site, "GET", "users/?op=whoami", login)


@pytest.mark.parametrize("endpoint", CLOSED, ids=lambda each: f"{each.method} {path(each)}")
def test_nobody_gets_nothing(site: StandIn, endpoint: Endpoint) -> None:
    status, text = ask(site, endpoint.method, path(endpoint), None)
    assert (status, text) in (
        (401, "Forbidden"),
        (400, f"Unrecognised signature: method={endpoint.method} op={endpoint.operation}"),
    )
    assert (status == 400) is (endpoint.path in ("machines/", "rackcontrollers/"))


@pytest.mark.parametrize("endpoint", ADMINISTRATORS, ids=lambda e: f"{e.method} {path(e)}")
def test_what_is_for_administrators_is_refused_to_others(site: StandIn, endpoint: Endpoint) -> None:
    before = site.state
    status, text = ask(site, endpoint.method, path(endpoint), site.client(1)._login())
    assert (status, text) == (403, "This method is reserved for admin users.")
    assert site.state is before


@pytest.mark.parametrize("listed", EMPTY_FOR_OTHERS)
def test_others_are_shown_less_and_not_refused(site: StandIn, listed: str) -> None:
    assert site.client(1).call("GET", listed) == []


def test_all_addresses_are_for_administrators(site: StandIn) -> None:
    with pytest.raises(Refusal, match=r"^403 Listing all IP addresses requires admin"):
        site.client(1).call("GET", "ipaddresses/?all=true")
    assert site.client(1).call("GET", "ipaddresses/") == []
    assert site.client(0).call("GET", "ipaddresses/?all=true") != []


def test_the_right_login_is_taken_once(site: StandIn) -> None:
    login = site.client()._login()
    assert whoami(site, login)[0] == 200
    status, text = whoami(site, login)
    (nonce,) = re.findall(r'oauth_nonce="(\w+)"', login)
    assert (status, text) == (401, f"Authorization Error: 'Nonce already used: {nonce}'")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r'signature="[^"]*"', 'signature="%26"', "Invalid signature"),
        (r'signature="%26', 'signature="', "Invalid signature"),
        (r'method="PLAINTEXT"', 'method="HMAC-SHA1"', "Signature method HMAC-SHA1 not supported"),
        (r'consumer_key="\w+"', 'consumer_key=""', "Invalid API key"),
        (r'token="\w+"', 'token=""', "Invalid access token"),
        (r'timestamp="\d+"', 'timestamp="0"', "Expired timestamp"),
        (r'timestamp="\d+"', 'timestamp="soon"', "Forbidden"),
        (r'oauth_nonce="\w+"', 'nonce="x"', "Forbidden"),
        (r"^OAuth", "Basic", "Forbidden"),
    ],
)
def test_each_part_of_a_login_counts(site: StandIn, old: str, new: str, said: str) -> None:
    login = site.client()._login()
    wrong, changes = re.subn(old, new, login)
    assert changes == 1
    status, text = whoami(site, wrong)
    assert status == 401
    assert said in text
    assert whoami(site, site.client()._login())[0] == 200


@pytest.mark.parametrize(("shift_s", "status"), [(290, 200), (-290, 200), (310, 401), (-310, 401)])
def test_a_clock_may_be_wrong_by_300_s(site: StandIn, shift_s: float, status: int) -> None:
    site.shift_s = shift_s
    try:
        assert whoami(site, site.client()._login())[0] == status
    finally:
        site.shift_s = 0.0


def test_the_command_lines_client_shows_no_secret(site: StandIn) -> None:
    client: Client = site.client()
    assert client.secret not in repr(client)
