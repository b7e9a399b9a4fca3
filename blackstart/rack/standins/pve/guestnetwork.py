"""A guest's interfaces in the forms of the QEMU guest agent and of LXC.

Input is ``ip -j -s addr`` from inside the guest (ip-address(8)).
"""

from __future__ import annotations

from typing import Any

from .errors import Died
from .guests import Guest
from .node import Node
from .power import vitals_of

_FAMILY = {"inet": "ipv4", "inet6": "ipv6"}
_COUNTERS = {"bytes": "bytes", "packets": "packets", "errs": "errors", "dropped": "dropped"}
NO_AGENT = "QEMU guest agent is not running"


def require_agent(node: Node, guest: Guest) -> None:
    """Raise ``Died`` unless the guest runs and its agent is configured and answers."""
    config = node.guests.config(guest)
    if not config.agent:
        raise Died("No QEMU guest agent configured")
    if not vitals_of(node, guest).running:
        raise Died(f"{guest.title} is not running")
    if not node.runtime.agent_answers(guest.vmid):
        raise Died(NO_AGENT)


def agent_interfaces(links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As ``agent/network-get-interfaces`` gives them."""
    return [
        {
            "name": link["ifname"],
            "hardware-address": link.get("address", ""),
            "ip-addresses": [
                {
                    "ip-address": address["local"],
                    "ip-address-type": _FAMILY[address["family"]],
                    "prefix": address["prefixlen"],
                }
                for address in _addresses(link)
            ],
            "statistics": _statistics(link.get("stats64", {})),
        }
        for link in links
    ]


def container_interfaces(links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As ``lxc/VMID/interfaces`` gives them."""
    views = []
    for link in links:
        view: dict[str, Any] = {
            "name": link["ifname"],
            "hwaddr": link.get("address", ""),
            "hardware-address": link.get("address", ""),
            "ip-addresses": [],
        }
        for address in _addresses(link):
            view.setdefault(address["family"], f"{address['local']}/{address['prefixlen']}")
            view["ip-addresses"].append(
                {
                    "ip-address": address["local"],
                    "ip-address-type": address["family"],
                    "prefix": address["prefixlen"],
                }
            )
        views.append(view)
    return views


def _addresses(link: dict[str, Any]) -> list[dict[str, Any]]:
    return [a for a in link.get("addr_info", []) if a.get("family") in _FAMILY and "local" in a]


def _statistics(stats: dict[str, dict[str, int]]) -> dict[str, int]:
    return {
        f"{way}-{ours}": stats.get(way, {}).get(theirs, 0)
        for way in ("rx", "tx")
        for ours, theirs in _COUNTERS.items()
    }
