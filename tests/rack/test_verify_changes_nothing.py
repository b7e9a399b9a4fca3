"""Verification changes nothing: every machine and guest is as it was, to the last file of /etc.

And what says so is not blind: it sees a change of each kind.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.rack.command import on, rack
from tests.rack.fingerprinting import difference, fingerprint, fingerprints, kinds
from tests.rack.typed import VERIFY_S, as_new, typed

__all__ = ["as_new"]
QUIET_S = 45.0
"""Before each look: what has just begun grows old enough to be counted, and systemd-timedated,
which D-Bus starts to answer timedatectl(1), ends after 30 s without a question."""

pytestmark = pytest.mark.timeout(1800)


def test_nothing_is_changed_by_looking(tmp_path: Path) -> None:
    time.sleep(QUIET_S)
    before = fingerprints()
    words = ("verify", "--before", "cold-start", "--json", str(tmp_path / "decision.json"))
    assert typed(*words, within_s=VERIFY_S).code == 0
    time.sleep(QUIET_S)
    after = fingerprints()
    changed = {name: difference(before[name], after[name]) for name in before}
    print(f"{sum(map(len, after.values()))} lines of {len(after)} machines and guests compared")
    assert {name: lines for name, lines in changed.items() if lines} == {}


LEASES = "/var/snap/maas/common/maas/dhcp/dhcpd.leases"
CHANGES = {
    "app1": {
        ("etc", "drift"): ("touch /etc/drift", "rm /etc/drift"),
        ("temporary", "drift"): ("touch /tmp/drift", "rm /tmp/drift"),
        ("address", "192.0.2.9"): (
            "ip addr add 192.0.2.9/32 dev lo",
            "ip addr del 192.0.2.9/32 dev lo",
        ),
    },
    "k3s2": {
        ("etc", "/etc/hosts"): ("chmod 600 /etc/hosts", "chmod 644 /etc/hosts"),
        ("root", "drift"): ("touch /root/drift", "rm /root/drift"),
    },
    "docker1": {
        ("volume", "drift"): ("docker volume create drift", "docker volume rm drift"),
        ("container", "web"): ("docker restart -t 2 $(docker ps -q)", "true"),
        ("kept", "drift"): ("touch /opt/drift", "rm /opt/drift"),
    },
    "maas": {
        ("maas", "dhcpd.conf"): (
            "echo '# drift' >>/var/snap/maas/common/maas/dhcpd.conf",
            "sed -i '$d' /var/snap/maas/common/maas/dhcpd.conf",
        ),
        ("host", "drift"): (f"printf 'host drift {{\\n  dynamic;\\n}}\\n' >>{LEASES}", "true"),
    },
    "pve1": {
        ("pve", "drift.cfg"): ("touch /etc/pve/drift.cfg", "rm /etc/pve/drift.cfg"),
        ("mount", " /mnt "): ("mount --bind /srv /mnt", "umount /mnt"),
        ("route", "192.0.2.9"): (
            "ip route add blackhole 192.0.2.9",
            "ip route del blackhole 192.0.2.9",
        ),
        ("start", "prometheus-node-exporter"): ("systemctl restart prometheus-node-exporter", ":"),
    },
    "pve2": {
        ("unit", "drift.service"): (
            "systemd-run --quiet --unit=drift sleep 900",
            "systemctl stop drift",
        ),
        ("enabled", "prometheus-node-exporter"): (
            "systemctl mask --runtime --quiet prometheus-node-exporter",
            "systemctl unmask --runtime --quiet prometheus-node-exporter",
        ),
        ("guest", "stopped"): ("pct stop 120", "pct start 120"),
        ("task", "vzstop:120"): (":", ":"),  # of the stop before
    },
    "nas1": {
        ("packets", "drift"): ("nft add table inet drift", "nft delete table inet drift"),
        ("export", "192.0.2.1"): (
            "exportfs -o ro 192.0.2.1:/export/vms",
            "exportfs -u 192.0.2.1:/export/vms",
        ),
        ("ours", "drift"): (
            "mkdir -p /var/lib/blackstart; touch /var/lib/blackstart/drift",
            "rm /var/lib/blackstart/drift",
        ),
        ("kept", "drift"): ("touch /export/drift", "rm /export/drift"),
        ("process", "sleep"): (
            "setsid sleep 900 </dev/null >/dev/null 2>&1 &",
            "pkill -f '^sleep 900$'",
        ),
    },
}
"""Kind of line and what stands in it: what makes it, what takes it back."""


@pytest.mark.parametrize("host", CHANGES)
def test_the_fingerprint_sees_each_kind_of_change(host: str) -> None:
    before = fingerprint(host, aged_s=0)
    changes = CHANGES[host]
    try:
        for make, _ in changes.values():
            on(host, make)
        seen = difference(before, fingerprint(host, aged_s=0))
    finally:
        for _, undo in reversed(changes.values()):
            rack("ssh", host, "--", undo, check=False)
    for kind, text in changes:
        found = [line for line in seen if line.split(" ", 2)[1] == kind and text in line]
        assert found, f"{kind}: {text} is not among {sorted(kinds(seen))}"
