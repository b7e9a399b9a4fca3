"""An RSA key that a host refuses: told as such, whatever paramiko says of it last."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from blackstart.drivers.ssh_connection import KeyRefused, SshTarget, dial

HOST_KEY = paramiko.ECDSAKey.generate()
FORMS = [PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH]


class Refusing(paramiko.ServerInterface):
    """A server that lets nobody in."""

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"


@pytest.fixture
def port() -> Iterator[int]:
    """Where it listens, for one connection."""
    transports: list[paramiko.Transport] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                client, _ = listener.accept()
                transports.append(paramiko.Transport(client))
                transports[0].add_server_key(HOST_KEY)
                transports[0].start_server(server=Refusing())

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
        for transport in transports:
            transport.close()


@pytest.mark.parametrize("form", FORMS, ids=["PEM", "OpenSSH"])
def test_a_refused_key_is_a_refused_key(port: int, form: PrivateFormat, tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    (tmp_path / "id_rsa").write_bytes(key.private_bytes(Encoding.PEM, form, NoEncryption()))
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {HOST_KEY.get_name()} {HOST_KEY.get_base64()}\n")
    target = SshTarget("127.0.0.1", port, "root", tmp_path / "id_rsa", known)
    with pytest.raises(KeyRefused, match=f"refuses root with {tmp_path}/id_rsa"):
        dial("box", target, timeout_s=10)
