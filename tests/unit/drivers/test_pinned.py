"""A pinned certificate: this very one on every connection, or nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drivers.maas_api import Key, MaasApi
from blackstart.drivers.proxmox_api import ProxmoxApi, Token
from blackstart.errors import DriverError, Rejected, Unreachable
from blackstart.model.parts import fingerprint as plain

from .captures import data
from .tls_server import Authority, Reply, Server, fingerprint, serving

SECRET = "5e3a9f10-0000-4000-8000-7c0ffee00001"
TOKEN = Token("drill@pve", "t1", SECRET)
KEY = Key("cOnSuMeR1", "tok4Zq8sWx2eRt6yUi", "sEc9kLm3nBv7cXz1aQwErTyUiOp")
VERSION = "GET /api2/json/version"
MAAS = "GET /MAAS/api/2.0/version/"
LAST = {"Connection": "close"}
"""Headers of an answer after which the next question needs a new connection."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Signed by a CA that nobody knows, for an address at which nobody is."""
    return Authority.make(tmp_path, "unknown CA").issue(tmp_path, "192.0.2.1", days=-1)


@pytest.fixture
def node(certificate: Path) -> Iterator[Server]:
    """A server with it."""
    with serving(certificate) as server:
        server.answers[VERSION] = data({"version": "9.1.7"})
        server.answers[MAAS] = Reply(body=b'{"version": "3.6.1"}')
        yield server


def pinned(node: Server, text: str, address: str = "127.0.0.1") -> ProxmoxApi:
    """A client that accepts what has this fingerprint."""
    own = {"pve1": plain(text)}
    return ProxmoxApi({"pve1": address}, token=TOKEN, ca=None, port=node.port, fingerprints=own)


def refusal(api: ProxmoxApi) -> DriverError:
    with pytest.raises(DriverError) as caught:
        api.get("version")
    api.close()
    return caught.value


def test_the_pinned_one_is_accepted_whoever_signed_it_and_for_whom(
    node: Server, certificate: Path
) -> None:
    api = pinned(node, fingerprint(certificate))
    assert api.get("version") == {"version": "9.1.7"}
    api.close()


@pytest.mark.parametrize("write", [str, str.lower, lambda text: text.replace(":", "")])
def test_however_it_is_written(node: Server, certificate: Path, write: object) -> None:
    assert callable(write)
    api = pinned(node, write(fingerprint(certificate)))
    assert api.get("version") == {"version": "9.1.7"}
    api.close()


def test_another_one_is_refused_and_nothing_was_sent(
    node: Server, certificate: Path, tmp_path: Path
) -> None:
    other = Authority.make(tmp_path, "other CA").issue(tmp_path, "127.0.0.1")
    error = refusal(pinned(node, fingerprint(other)))
    assert isinstance(error, Unreachable)
    assert str(error) == (
        "pve1: the certificate is not the pinned one: it has "
        f"{fingerprint(certificate)}; see `fingerprint:` of proxmox"
    )
    assert node.asked == []


def test_one_that_changes_between_connections_is_refused(
    node: Server, certificate: Path, tmp_path: Path
) -> None:
    node.answers[VERSION] = Reply(body=b'{"data": {}}', headers=LAST)
    api = pinned(node, fingerprint(certificate))
    api.get("version")
    assert len(node.asked) == 1
    node.present(Authority.make(tmp_path, "other CA").issue(tmp_path, "127.0.0.1"))
    assert "is not the pinned one" in str(refusal(api))
    assert len(node.asked) == 1


def test_a_ca_in_the_systems_store_makes_no_other_one_right(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    """Pinned is pinned: a certificate that would verify is another one all the same."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca))
    with serving(authority.issue(tmp_path, "127.0.0.1")) as server:
        server.answers[VERSION] = data({})
        assert "is not the pinned one" in str(refusal(pinned(server, fingerprint(certificate))))
        assert server.asked == []


def test_a_pin_is_of_its_node_and_the_others_have_their_ca(
    authority: Authority, tmp_path: Path, certificate: Path
) -> None:
    with serving(authority.issue(tmp_path, "127.0.0.1")) as server:
        server.answers["GET /api2/json/nodes/pve2/status"] = data("by pve2")
        api = ProxmoxApi(
            {"pve1": "127.0.0.2", "pve2": "127.0.0.1"},
            token=TOKEN,
            ca=authority.ca,
            port=server.port,
            fingerprints={"pve1": plain(fingerprint(certificate))},
        )
        assert api.get("nodes/pve2/status") == "by pve2"
        api.close()


def test_the_right_ca_on_the_wrong_host_is_refused(authority: Authority, tmp_path: Path) -> None:
    with serving(authority.issue(tmp_path, "192.0.2.7")) as server:
        server.answers[VERSION] = data({})
        api = ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=authority.ca, port=server.port)
        error = refusal(api)
        assert "certificate verify failed" in str(error)
        assert "see `ca:` of proxmox" in str(error)
        assert server.asked == []


def test_the_way_over_ipv6(tmp_path: Path, certificate: Path) -> None:
    with serving(certificate, "::1") as server:
        server.answers[VERSION] = data({"version": "9"})
        api = pinned(server, fingerprint(certificate), "::1")
        assert api.get("version") == {"version": "9"}
        api.close()


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_the_token_goes_nowhere_else(node: Server, certificate: Path, scheme: str) -> None:
    """Not even to a server with the same certificate, nor without TLS."""
    with serving(certificate) as other:
        elsewhere = f"{scheme}://127.0.0.1:{other.port}/api2/json/version"
        node.answers[VERSION] = Reply(302, "Found", location=elsewhere)
        error = refusal(pinned(node, fingerprint(certificate)))
        assert isinstance(error, Rejected)
        assert str(error) == "pve1: it leads elsewhere, where the token is not sent"
        assert other.asked == []
        assert len(node.asked) == 1


def maas(node: Server, text: str) -> MaasApi:
    url = f"https://127.0.0.1:{node.port}/MAAS"
    return MaasApi(url, key=KEY, ca=None, fingerprint=plain(text))


def test_maas_by_its_fingerprint(node: Server, certificate: Path) -> None:
    api = maas(node, fingerprint(certificate))
    assert api.get("version/") == {"version": "3.6.1"}
    api.close()


def test_another_maas_is_sent_nothing(node: Server, certificate: Path, tmp_path: Path) -> None:
    api = maas(node, fingerprint(certificate))
    api.get("version/")
    other = maas(node, "00" * 32)
    with pytest.raises(Unreachable) as caught:
        other.get("version/")
    assert str(caught.value) == (
        "MAAS: the certificate is not the pinned one: it has "
        f"{fingerprint(certificate)}; see `fingerprint:` of maas"
    )
    assert len(node.asked) == 1
    api.close()
    other.close()
