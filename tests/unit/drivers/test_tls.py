"""Certificates: what is presented, and whether it verifies for the address it is reached by."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from blackstart.drivers.tls import TlsLook

from .sshd import free_port
from .tls_server import Authority, serving


def test_a_good_certificate(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    pem = authority.issue(tmp_path, "127.0.0.1", "10.77.0.71")
    with serving(pem) as server:
        facts = TlsLook().look("127.0.0.1", server.port, authority.ca)
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    assert facts.verified.value is True
    assert facts.addresses.value == ("10.77.0.71", "127.0.0.1")
    assert facts.fingerprint_sha256.value == certificate.fingerprint(hashes.SHA256()).hex()
    assert facts.verified.source == f"tls 127.0.0.1:{server.port}"


def test_a_certificate_for_another_address_is_not_verified_but_read(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    with serving(authority.issue(tmp_path, "192.0.2.7")) as server:
        facts = TlsLook().look("127.0.0.1", server.port, authority.ca)
    assert facts.verified.value is False
    assert "IP address mismatch" in facts.verified.source
    assert facts.addresses.value == ("192.0.2.7",)
    assert facts.fingerprint_sha256.known


def test_a_certificate_of_another_ca_is_not_verified(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    other = Authority.make(tmp_path, "other CA")
    with serving(authority.issue(tmp_path, "127.0.0.1")) as server:
        facts = TlsLook().look("127.0.0.1", server.port, other.ca)
        assert server.asked == []
    assert facts.verified.value is False
    assert facts.addresses.value == ("127.0.0.1",)


def test_an_expired_certificate_is_not_verified(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    with serving(authority.issue(tmp_path, "127.0.0.1", days=-1)) as server:
        facts = TlsLook().look("127.0.0.1", server.port, authority.ca)
    assert facts.verified.value is False
    assert "expired" in facts.verified.source


def test_an_endpoint_that_is_gone_is_an_error_everywhere(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    facts = TlsLook().look("127.0.0.1", free_port(), authority.ca)
    for fact in (facts.verified, facts.addresses, facts.fingerprint_sha256):
        assert (fact.value, fact.error) == (None, "Connection refused")


def test_an_endpoint_that_says_nothing_is_bounded(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        began = time.monotonic()
        facts = TlsLook(timeout_s=0.5).look("127.0.0.1", listener.getsockname()[1], authority.ca)
    assert time.monotonic() - began < 3
    assert not facts.verified.known


def test_a_missing_ca_file_is_an_error_and_no_verdict(tmp_path: Path) -> None:
    facts = TlsLook().look("127.0.0.1", free_port(), tmp_path / "none.crt")
    assert facts.verified.value is None
    assert "none.crt is not there" in str(facts.verified.error)
