"""Who asks, and what they may: bearer tokens and the roles that a k3s has from the start.

k3s runs its API server with ``--anonymous-auth=false``: without a token it knows, every path
of the API is 401, the health endpoints too (k3s-io/k3s issue 3576). Whoever is authenticated
has ``system:public-info-viewer`` (Kubernetes, "Using RBAC authorization", discovery roles).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping

from .cluster import Configuration

PUBLIC = frozenset({"/healthz", "/livez", "/readyz", "/version", "/version/"})
"""The paths of ``system:public-info-viewer``, to the letter: ``/readyz/etcd`` is none."""


class Accounts:
    """Users by their tokens, and who of them may list nodes."""

    def __init__(self, tokens: Mapping[str, str], readers: Iterable[str]) -> None:
        self._tokens = dict(tokens)
        self._readers = frozenset(readers)

    @classmethod
    def read(cls, configuration: Configuration) -> Accounts:
        """From a static token file (``--token-auth-file``): ``TOKEN,USER,UID`` a line."""
        lines = configuration.tokens.read_text("utf-8").splitlines()
        pairs = ((line.split(",")[0], line.split(",")[1]) for line in lines if line)
        return cls(dict(pairs), configuration.readers)

    def user(self, authorization: str | None) -> str | None:
        """Whose token the header ``Authorization`` holds; ``None`` for nobody's."""
        kind, _, given = (authorization or "").partition(" ")
        if kind.lower() != "bearer":
            return None
        found = None
        for token, user in self._tokens.items():  # all of them, whichever it is
            if hmac.compare_digest(token.encode(), given.strip().encode()):
                found = user
        return found

    def may_list_nodes(self, user: str) -> bool:
        """Whether a role lets the user list nodes, over the whole cluster."""
        return user in self._readers
