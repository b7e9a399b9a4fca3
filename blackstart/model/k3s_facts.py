"""What a k3s cluster says of itself, and what each of its servers shows to who asks."""

from __future__ import annotations

from blackstart.model.observed import Observed, Record


class K3sNode(Record):
    """One node, as the control plane knows it.

    ``ready`` is its condition ``Ready``; ``why`` the kubelet's words for it, or the node
    controller's when the kubelet has fallen silent. ``addresses`` are those of type
    ``InternalIP``: under k3s the ones that the node had when its k3s last started
    (k3s-io/k3s issue 2827), at which its peers look for it.
    """

    name: str
    ready: bool
    why: str
    addresses: tuple[str, ...]


class K3sServer(Record):
    """One server of the cluster. ``address`` is where it was asked.

    ``failing`` are the checks that it fails at ``/readyz``, none when it is ready;
    ``carried`` the addresses in the certificate of its API, ``verified`` whether that holds
    against the declared CA and ``address``.
    """

    address: str
    failing: Observed[tuple[str, ...]]
    carried: Observed[tuple[str, ...]]
    verified: Observed[bool]


class K3sFacts(Record):
    """A whole cluster; ``servers`` by their names in the inventory."""

    version: Observed[str]
    nodes: Observed[tuple[K3sNode, ...]]
    servers: dict[str, K3sServer]
