"""Keys and certificates of a rack."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from blackstart.rack import pki
from tests.unit.rack.small import SMALL


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pki") / "secrets"
    pki.fill(directory, SMALL)
    return directory


@pytest.mark.parametrize(
    ("name", "address"),
    [("one", "192.0.2.11"), ("inner", "192.0.2.50"), ("one-bmc", "127.0.0.1")],
)
def test_every_certificate_verifies_by_name_and_address(
    secrets: Path, name: str, address: str
) -> None:
    authority = x509.load_pem_x509_certificate((secrets / "ca.crt").read_bytes())
    certificate = x509.load_pem_x509_certificate((secrets / f"{name}.crt").read_bytes())
    verifier = PolicyBuilder().store(Store([authority]))
    for subject in (
        x509.DNSName(f"{name}.test.example"),
        x509.IPAddress(pki.ipaddress.ip_address(address)),
    ):
        assert verifier.build_server_verifier(subject).verify(certificate, [])


def test_nothing_secret_is_readable_by_others(secrets: Path) -> None:
    public = {".crt", ".pub"}
    for path in secrets.rglob("*"):
        if path.is_file() and path.suffix not in public and path.name != "known_hosts":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700


def test_known_hosts_carries_every_machines_key_by_name_and_address(secrets: Path) -> None:
    lines = (secrets / "known_hosts").read_text().splitlines()
    known = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in lines}
    public = (secrets / "ssh/one/ssh_host_ed25519_key.pub").read_text().rsplit(" ", 1)[0]
    assert known["one,one.test.example,192.0.2.11"] == public
    assert len(set(known.values())) == len(SMALL.machines) + len(SMALL.guests)


def test_the_whole_token_holds_the_tokens_uuid(secrets: Path) -> None:
    token = (secrets / "pve-token").read_text()
    assert (secrets / "pve-api-token").read_text() == f"blackstart@pve!drill={token}"


def test_tokens_of_k3s_are_long_and_different(secrets: Path) -> None:
    tokens = {(secrets / name).read_text() for name in ("k3s-token", "k3s-blind-token")}
    assert {len(token) for token in tokens} == {43}
    assert len(tokens) == 2


def test_a_filled_directory_is_not_filled_again(secrets: Path) -> None:
    with pytest.raises(FileExistsError):
        pki.fill(secrets, SMALL)
