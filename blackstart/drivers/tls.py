"""What a TLS endpoint presents, and whether it is to be believed.

A certificate that does not verify is the interesting one: after an address change its
names say which address it was made for. So an endpoint that fails verification is
connected to a second time without any, only to look at the certificate: the handshake
is made, nothing is sent, the connection is closed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from blackstart.drivers.trust import VERIFY_FAILED, root_cause, shown, trust_store
from blackstart.errors import UsageError
from blackstart.model.facts import CertificateFacts, Observed

TIMEOUT_S = 5.0
OWN_CERTIFICATE = "/etc/pve/local/pve-ssl.pem, or pveproxy-ssl.pem where that is there"


class TlsLook:
    """``CertificateLook`` over the standard library's TLS."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        """``timeout_s`` bounds connecting and handshake, each, of each of two looks."""
        self._timeout_s = timeout_s

    def look(self, host: str, port: int, ca: Path | None) -> CertificateFacts:
        """Facts of the certificate at ``host:port``; ``verified`` covers the CA, the dates and
        that ``host`` (an address) is among its names. An endpoint that does not answer is an
        error in all three.
        """
        source = f"tls {host}:{port}"
        verified: Observed[bool]
        try:
            certificate = self._fetch(host, port, _trusting(ca))
            verified = Observed(source=source, value=True)
        except ssl.SSLCertVerificationError as error:
            verified = Observed(source=f"{source}: {error.verify_message}", value=False)
            try:
                certificate = self._fetch(host, port, _looking())
            except OSError as second:
                return _nothing(source, root_cause(second), verified)
        except (OSError, UsageError) as error:
            return _nothing(source, root_cause(error), None)
        try:
            return _facts(certificate, source, verified)
        except ValueError as error:
            return _nothing(source, f"the certificate cannot be read: {error}", verified)

    def _fetch(self, host: str, port: int, context: ssl.SSLContext) -> x509.Certificate:
        with (
            socket.create_connection((host, port), timeout=self._timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            der = wrapped.getpeercert(binary_form=True)
        if der is None:
            raise OSError("the endpoint presents no certificate")
        try:
            return x509.load_der_x509_certificate(der)
        except ValueError as error:
            raise OSError(f"the certificate cannot be read: {error}") from error


def _trusting(ca: Path | None) -> ssl.SSLContext:
    store = Path(trust_store(ca))
    if store.is_dir():
        return ssl.create_default_context(capath=str(store))
    return ssl.create_default_context(cafile=str(store))


def _looking() -> ssl.SSLContext:
    """A context that verifies nothing: for a connection over which nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _facts(
    certificate: x509.Certificate, source: str, verified: Observed[bool]
) -> CertificateFacts:
    names: list[str] = []
    with contextlib.suppress(x509.ExtensionNotFound):
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = [str(name) for name in extension.value.get_values_for_type(x509.IPAddress)]
    return CertificateFacts(
        fingerprint_sha256=Observed(
            source=source, value=certificate.fingerprint(hashes.SHA256()).hex()
        ),
        addresses=Observed(source=source, value=tuple(sorted(names))),
        verified=verified,
    )


def _nothing(source: str, error: str, verified: Observed[bool] | None) -> CertificateFacts:
    return CertificateFacts(
        fingerprint_sha256=Observed(source=source, error=error),
        addresses=Observed(source=source, error=error),
        verified=verified or Observed(source=source, error=error),
    )


def compare_first(host: str, port: int, error: str) -> str:
    """What to do about a certificate that was refused, or nothing for any other error.

    Names the one that is presented now, be it the host's or an impostor's: a person compares
    it with what the host itself says before it is pinned.
    """
    if VERIFY_FAILED not in error:
        return ""
    seen = TlsLook().look(host, port, None).fingerprint_sha256
    if seen.value is None:
        return ""
    return (
        f"it presents {shown(seen.value)}: compare that on the host itself (openssl x509 -noout "
        f"-fingerprint -sha256 -in its certificate; of Proxmox {OWN_CERTIFICATE}), then pin it "
        "as fingerprint, or give its CA"
    )
