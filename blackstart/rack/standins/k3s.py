"""A stand-in for a k3s server's API: its TLS endpoint and who of its members is ready.

Run in a guest with the image's Python alone, so it imports nothing but the
standard library. What it keeps of the real one: the certificate is bound to
addresses, so a server whose address changed is not ready, and neither is a
member that cannot be reached, or not under the name of its certificate, at the
address its peers know.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

PORT = 6443
LOOK_EVERY_S = 10.0
LOOK_LIMIT_S = 5.0
HANDSHAKE_LIMIT_S = 10.0
VERSION = "v1.33.6+k3s1"


class Members:
    """What this server knows of itself and its peers, looked up every 10 s."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        self.name: str = configuration["name"]
        self.addresses: dict[str, str] = configuration["members"]
        self._trust = ssl.create_default_context(
            cafile=str(Path(configuration["tls"]) / "server-ca.crt")
        )
        self.ready: dict[str, bool] = dict.fromkeys(self.addresses, False)

    def holds_its_address(self) -> bool:
        """Whether this machine has the address that its peers and certificate know."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            try:
                own.bind((self.addresses[self.name], 0))
            except OSError:
                return False
        return True

    def watch(self) -> None:
        """Look at every peer, for ever."""
        while True:
            for name, address in self.addresses.items():
                self.ready[name] = (
                    self.holds_its_address() if name == self.name else self._answers(address)
                )
            time.sleep(LOOK_EVERY_S)

    def _answers(self, address: str) -> bool:
        peer = http.client.HTTPSConnection(address, PORT, timeout=LOOK_LIMIT_S, context=self._trust)
        try:
            peer.request("GET", "/livez")
            return peer.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            peer.close()

    def nodes(self) -> dict[str, Any]:
        """The list of nodes as the API gives it, reduced to name, address and readiness."""
        return {
            "kind": "NodeList",
            "apiVersion": "v1",
            "metadata": {},
            "items": [self._node(name, address) for name, address in self.addresses.items()],
        }

    def _node(self, name: str, address: str) -> dict[str, Any]:
        ready = self.ready[name]
        condition = {
            "type": "Ready",
            "status": "True" if ready else "Unknown",
            "reason": "KubeletReady" if ready else "NodeStatusUnknown",
        }
        return {
            "metadata": {"name": name},
            "status": {
                "conditions": [condition],
                "addresses": [
                    {"type": "InternalIP", "address": address},
                    {"type": "Hostname", "address": name},
                ],
            },
        }


class Api(BaseHTTPRequestHandler):
    """The few paths of the API that a drill asks."""

    members: ClassVar[Members]
    protocol_version = "HTTP/1.1"
    timeout = HANDSHAKE_LIMIT_S

    def do_GET(self) -> None:
        """Answer one request; the name is fixed by `http.server`."""
        if self.path == "/livez":
            self._text(200, "ok")
        elif self.path == "/readyz":
            ready = self.members.holds_its_address()
            self._text(200 if ready else 500, "ok" if ready else "node address not its own")
        elif self.path == "/version":
            self._json({"major": "1", "minor": "33", "gitVersion": VERSION})
        elif self.path == "/api/v1/nodes":
            self._json(self.members.nodes())
        else:
            self._text(404, "404 page not found")

    def _json(self, content: dict[str, Any]) -> None:
        self._send(200, "application/json", json.dumps(content).encode())

    def _text(self, status: int, content: str) -> None:
        self._send(status, "text/plain; charset=utf-8", content.encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Probes ask several times a second: only errors are worth a line."""


class Server(ThreadingHTTPServer):
    """HTTPS whose handshake happens in the request's own thread, and is bounded."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("", PORT), Api)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Do the TLS handshake, then answer; a client that breaks off is no event."""
        request.settimeout(HANDSHAKE_LIMIT_S)
        try:
            with self._context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)
        except OSError as error:
            print(f"{client_address[0]}: {error}", file=sys.stderr)


def main(path: str) -> None:
    """Serve until killed; ``path`` is the cluster's configuration (JSON)."""
    configuration = json.loads(Path(path).read_text("utf-8"))
    tls = Path(configuration["tls"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / "serving-kube-apiserver.crt", tls / "serving-kube-apiserver.key")
    Api.members = Members(configuration)
    threading.Thread(target=Api.members.watch, daemon=True).start()
    Server(context).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
