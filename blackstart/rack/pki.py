"""Keys, certificates and passwords of one rack, made when the rack is first built.

Everything is generated on the host before a machine exists, so every host key
and certificate is known beforehand and nothing is ever accepted blindly.
"""

from __future__ import annotations

import base64
import ipaddress
import secrets as random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from blackstart.rack.topology import Topology

LIFETIME = timedelta(days=825)  # the longest that Apple's and Mozilla's clients accept
BACKDATE = timedelta(days=1)  # a restored machine's clock may be behind for a moment
MAAS_KEY_BYTES = (9, 9, 16)  # consumer, token, secret: 18, 18 and 32 characters, as MAAS'
OMAPI_KEY_BYTES = 64  # dhcpd(8) OMAPI, HMAC-SHA512
COROSYNC_KEY_BYTES = 128  # corosync-keygen(8): at least 128 bytes


@dataclass(frozen=True, slots=True)
class _Issuer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def fill(directory: Path, topology: Topology) -> None:
    """Write all secrets of a topology into ``directory`` (mode 0700), replacing nothing.

    Layout: ``ca.crt ca.key``; ``NAME.crt NAME.key`` of every machine and guest
    (names NAME, NAME.domain, its address); ``NAME-bmc.crt/.key`` of every
    management controller; ``id_ed25519`` (root's ssh key);
    ``ssh/NAME/ssh_host_ed25519_key``; ``known_hosts``; ``bmc-password``;
    ``pve-token`` (a UUID); ``pve-api-token`` (``USER@REALM!ID=UUID``);
    ``pve-root-password``; ``k3s-token`` (may list nodes) and ``k3s-blind-token`` (may not);
    ``maas-api-key`` (an administrator's) and ``maas-onlooker-key`` (of a
    user who is none), ``CONSUMER:TOKEN:SECRET``; ``omapi-key`` (base64); ``corosync-authkey``.
    """
    directory.mkdir(mode=0o700)
    issuer = _authority(directory, topology)
    machines = [(machine.name, str(machine.address)) for machine in topology.machines]
    guests = [(guest.name, str(guest.address)) for guest in topology.guests]
    controllers = [(f"{m.name}-bmc", str(m.bmc_address)) for m in topology.machines]
    for name, address in [*machines, *guests, *controllers]:
        _certificate(directory, issuer, name, topology.domain, address)
    known = []
    for name, address in [*machines, *guests]:
        public = _ssh_key(directory / "ssh" / name / "ssh_host_ed25519_key", f"root@{name}")
        known.append(f"{name},{name}.{topology.domain},{address} {public}")
    _ssh_key(directory / "id_ed25519", f"blackstart@{topology.site}")
    _write(directory / "known_hosts", "\n".join(known) + "\n", mode=0o644)
    _write(directory / "bmc-password", random.token_urlsafe(18))
    _write(directory / "pve-root-password", random.token_urlsafe(18))
    token = str(uuid.uuid4())
    _write(directory / "pve-token", token)
    _write(directory / "pve-api-token", f"blackstart@pve!drill={token}")
    for name in ("k3s-token", "k3s-blind-token"):
        _write(directory / name, random.token_urlsafe(32))
    for name in ("maas-api-key", "maas-onlooker-key"):
        _write(directory / name, ":".join(random.token_hex(size) for size in MAAS_KEY_BYTES))
    _write(directory / "omapi-key", base64.b64encode(random.token_bytes(OMAPI_KEY_BYTES)))
    _write(directory / "corosync-authkey", random.token_bytes(COROSYNC_KEY_BYTES))


def _write(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=mode)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _ssh_key(path: Path, comment: str) -> str:
    """Write an ed25519 key pair; returns the public key without its comment."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    _write(path, private)
    _write(path.with_name(path.name + ".pub"), f"{public} {comment}\n", mode=0o644)
    return public


def _authority(directory: Path, topology: Topology) -> _Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"blackstart {topology.site} CA")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _store(directory, "ca", certificate, key)
    return _Issuer(certificate, key)


def _certificate(directory: Path, issuer: _Issuer, name: str, domain: str, address: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}.{domain}")])
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName(name),
            x509.DNSName(f"{name}.{domain}"),
            x509.IPAddress(ipaddress.ip_address(address)),
        ]
    )
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    certificate = (
        _builder(subject, issuer.certificate.subject, key.public_key())
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(authority, critical=False)
        .sign(issuer.key, hashes.SHA256())
    )
    _store(directory, name, certificate, key)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _store(
    directory: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(directory / f"{name}.key", private)
    _write(directory / f"{name}.crt", certificate.public_bytes(Encoding.PEM), mode=0o644)
