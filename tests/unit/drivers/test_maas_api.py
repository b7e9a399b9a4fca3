"""Calls of the MAAS API: signed anew each time, bounded, to nobody else, and nothing sent twice."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from blackstart.drivers import maas_api
from blackstart.drivers.maas_api import Key, MaasApi, parse_key
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable, UsageError
from blackstart.redaction import REDACTED, redact

from .sshd import free_port
from .tls_server import Authority, Reply, Server, serving

TOKEN, SECRET = "tok4Zq8sWx2eRt6yUi", "sEc9kLm3nBv7cXz1aQwErTyUiOp"
KEY = Key("cOnSuMeR1", TOKEN, SECRET)
BASE = "/MAAS/api/2.0"


@pytest.fixture
def api(node: Server, authority: Authority) -> Iterator[MaasApi]:
    """A client of the server ``node``."""
    made = MaasApi(f"https://127.0.0.1:{node.port}/MAAS/", key=KEY, ca=authority.ca)
    yield made
    made.close()


def refusal(api: MaasApi, method: str = "get") -> DriverError:
    """What a call raises; it must raise."""
    with pytest.raises(DriverError) as caught:
        getattr(api, method)("version/")
    return caught.value


def login(node: Server) -> list[dict[str, str]]:
    """What each request was signed with."""
    return [
        dict(re.findall(r'(oauth_\w+)="([^"]*)"', asked.headers["Authorization"]))
        for asked in node.asked
    ]


def test_every_call_is_signed_anew_and_one_connection_serves_them(
    node: Server, api: MaasApi
) -> None:
    node.answers[f"GET {BASE}/version/"] = Reply(body=b'{"version": "3.6.1"}')
    for _ in range(3):
        assert api.get("version/") == {"version": "3.6.1"}
    signed = login(node)
    assert {len({entry[name] for entry in signed}) for name in ("oauth_nonce",)} == {3}
    assert {entry["oauth_signature"] for entry in signed} == {f"%26{SECRET}"}
    assert {entry["oauth_signature_method"] for entry in signed} == {"PLAINTEXT"}
    assert node.connections == 1


def test_parameters_go_into_the_query(node: Server, api: MaasApi) -> None:
    node.answers[f"GET {BASE}/events/"] = Reply(body=b"{}")
    node.answers[f"POST {BASE}/boot-resources/"] = Reply(body=b"Import of boot resources started")
    api.get("events/", op="query", limit=5)
    api.post("boot-resources/", op="import")
    assert node.lines() == [
        f"GET {BASE}/events/?op=query&limit=5",
        f"POST {BASE}/boot-resources/?op=import",
    ]


@pytest.mark.parametrize("text", ["", "a:b", "a:b:c:d", "a::c", "a:b:", "a:b:c d", "a=b:c:d"])
def test_what_is_no_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UsageError, match=r"not of the form CONSUMER:TOKEN:SECRET$"):
        parse_key(text)


def test_a_key_is_taken_apart_and_its_private_parts_are_known_as_secrets() -> None:
    assert parse_key(f"cOnSuMeR1:{TOKEN}:{SECRET}\n") == KEY
    assert redact(f"a {TOKEN} b {SECRET} c") == f"a {REDACTED} b {REDACTED} c"
    assert not any(private in repr(KEY) for private in (TOKEN, SECRET))


def test_a_redirect_is_not_followed_with_the_key(
    node: Server, api: MaasApi, authority: Authority, tmp_path: Path
) -> None:
    with serving(authority.issue(tmp_path, "127.0.0.1")) as other:
        other.otherwise = Reply(body=b"{}")
        elsewhere = f"https://127.0.0.1:{other.port}{BASE}/version/"
        node.otherwise = Reply(302, "Found", headers={"Location": elsewhere})
        error = refusal(api)
    assert str(error) == "302 it leads elsewhere, where the key is not sent; correct `url:`"
    assert other.asked == []


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_answer_is_no_answer_of_maas(status: int, node: Server, api: MaasApi) -> None:
    node.otherwise = Reply(status, "busy", b"<title>\nBad  Gateway</title><body>long</body>")
    assert (type(refusal(api)), str(refusal(api))) == (
        Unreachable,
        f"MAAS answers {status}: Bad Gateway",
    )


def test_an_error_of_its_own_is_cut_to_a_line(node: Server, api: MaasApi) -> None:
    node.otherwise = Reply(500, "no", b"Traceback\n" + b"x" * 5000)
    error = refusal(api)
    assert isinstance(error, Rejected)
    assert re.fullmatch(r"500 Traceback x+…", str(error))
    assert len(str(error)) < 250


@pytest.mark.parametrize("body", [b"<html><title>captive portal</title>", b"", b"[" * 100_000])
def test_what_is_no_json_is_rejected(body: bytes, node: Server, api: MaasApi) -> None:
    node.otherwise = Reply(body=body)
    assert str(refusal(api)).startswith("the answer is not the API's JSON: ")


def test_a_dropped_connection_is_unreachable_and_a_post_is_not_sent_again(
    node: Server, api: MaasApi
) -> None:
    node.otherwise = Reply(drop=True)
    assert isinstance(refusal(api, "post"), Unreachable)
    assert len(node.asked) == 1


def test_silence_is_bounded(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, node: Server, api: MaasApi
) -> None:
    monkeypatch.setattr(maas_api, "READ_S", 0.3)
    monkeypatch.setattr(maas_api, "CALL_S", 0.9)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        started = time.monotonic()
        error = refusal(MaasApi(f"https://127.0.0.1:{port}/MAAS", key=KEY, ca=authority.ca))
        assert time.monotonic() - started < 5
    assert isinstance(error, TimedOut | Unreachable)
    monkeypatch.setattr(maas_api, "CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = refusal(MaasApi(f"https://127.0.0.1:{port}/MAAS", key=KEY, ca=authority.ca))
    assert "no TLS connection within 0 s" in str(error)
    node.otherwise = Reply(body=b"[" * 1000, byte_s=0.1)
    assert "no answer within 1 s" in str(refusal(api))


def test_nobody_at_the_port(authority: Authority) -> None:
    url = f"https://127.0.0.1:{free_port()}/MAAS"
    error = refusal(MaasApi(url, key=KEY, ca=authority.ca))
    assert (type(error), str(error)) == (Unreachable, "MAAS: Connection refused")


def test_another_ca_and_another_address_are_refused(
    node: Server, authority: Authority, tmp_path: Path
) -> None:
    other = Authority.make(tmp_path, "other CA")
    url = f"https://127.0.0.1:{node.port}/MAAS"
    assert "certificate verify failed" in str(refusal(MaasApi(url, key=KEY, ca=other.ca)))
    with serving(authority.issue(tmp_path, "127.0.0.9")) as stranger:
        url = f"https://127.0.0.1:{stranger.port}/MAAS"
        error = refusal(MaasApi(url, key=KEY, ca=authority.ca))
    assert "certificate verify failed" in str(error)
    assert node.asked == stranger.asked == []


def test_the_environment_changes_neither_trust_nor_way(
    node: Server, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    other = Authority.make(tmp_path, "other CA")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca))
    url = f"https://127.0.0.1:{node.port}/MAAS"
    node.otherwise = Reply(body=b"1")
    assert "certificate verify failed" in str(refusal(MaasApi(url, key=KEY, ca=other.ca)))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.ca))
    api = MaasApi(url, key=KEY, ca=authority.ca)
    assert api.get("version/") == 1
    api.close()
    assert login(node)[0]["oauth_token"] == TOKEN


class _Plain(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Whoever asks is answered."""
        self.send_response(200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"1")

    def log_message(self, *_: object) -> None:
        """Silence."""


def test_without_tls_where_the_inventory_says_so() -> None:
    with HTTPServer(("127.0.0.1", 0), _Plain) as plain:
        thread = threading.Thread(target=plain.handle_request)
        thread.start()
        api = MaasApi(f"http://127.0.0.1:{plain.server_address[1]}/MAAS", key=KEY, ca=None)
        assert api.get("version/") == 1
        thread.join(5)
    api.close()
