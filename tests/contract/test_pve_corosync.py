"""Corosync's configuration and its table of members, as Debian 13's corosync 3.1 prints it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from blackstart.rack.standins.pve.replication.corosync import (
    NO_QUORUM,
    ClusterNode,
    QuorumState,
    membership,
    parse_quorum,
    read_configuration,
)
from blackstart.rack.standins.pve.replication.quorumwatch import watch_quorum

TABLE = """\
Quorum information
------------------
Date:             Fri Nov 20 17:00:28 2026
Quorum provider:  corosync_votequorum
Nodes:            2
Node ID:          1
Ring ID:          1.9
Quorate:          Yes

Votequorum information
----------------------
Expected votes:   3
Highest expected: 3
Total votes:      3
Quorum:           2
Flags:            Quorate Qdevice

Membership information
----------------------
    Nodeid      Votes    Qdevice Name
         1          1    A,V,NMW pve1 (local)
         2          1    A,V,NMW pve2
         0          1            Qdevice

"""
ALONE = TABLE.replace("Quorate:          Yes", "Quorate:          No").replace(
    "         2          1    A,V,NMW pve2\n", ""
)
CONFIGURATION = """\
totem {
    version: 2
    cluster_name: rack
    config_version: 3
    interface {
        linknumber: 0
    }
}
nodelist {
    node {
        name: pve1
        nodeid: 1
        quorum_votes: 1
        ring0_addr: 10.77.0.11
    }
    node {
        name: pve2
        nodeid: 2
        ring0_addr: 10.77.0.12
    }
}
quorum {
    provider: corosync_votequorum
    device {
        model: net
        net { host: 10.77.0.20 }
    }
}
"""


def test_table_of_members() -> None:
    present = frozenset({0, 1, 2})
    assert parse_quorum(TABLE) == QuorumState(quorate=True, present=present)
    assert parse_quorum(ALONE) == QuorumState(quorate=False, present=frozenset({0, 1}))
    assert parse_quorum("Cannot initialize QUORUM service\n") == NO_QUORUM


def test_configuration_and_members(tmp_path: Path) -> None:
    path = tmp_path / "corosync.conf"
    assert read_configuration(path) is None
    path.write_text(CONFIGURATION)
    configuration = read_configuration(path)
    assert configuration is not None
    assert (configuration.name, configuration.version) == ("rack", 3)
    assert configuration.node_id("pve2") == 2
    assert configuration.peers("pve1") == (ClusterNode("pve2", 2, "10.77.0.12"),)

    seen = membership("pve1", configuration, parse_quorum(ALONE))
    assert {name: member.online for name, member in seen.members.items()} == {
        "pve1": True,
        "pve2": False,
    }
    assert not seen.quorate


async def test_each_table_is_reported_and_the_end_is_no_quorum(tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    tables.write_text(TABLE + ALONE)
    reported: list[QuorumState] = []
    enough = asyncio.Event()

    def report(state: QuorumState) -> None:
        reported.append(state)
        if len(reported) == 3:
            enough.set()

    watching = asyncio.create_task(watch_quorum(report, ("cat", str(tables))))
    await asyncio.wait_for(enough.wait(), 10)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)

    assert reported == [parse_quorum(TABLE), parse_quorum(ALONE), NO_QUORUM]


async def test_a_change_that_the_monitor_misses_is_seen_by_the_next(tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    tables.write_text(ALONE)
    reported: list[QuorumState] = []
    silent = ("sh", "-c", f"cat {tables}; exec sleep 60")
    watching = asyncio.create_task(watch_quorum(reported.append, silent, ask_again_s=0.3))
    async with asyncio.timeout(10):
        while not reported:
            await asyncio.sleep(0.01)
        tables.write_text(TABLE)
        while reported[-1] != parse_quorum(TABLE):
            await asyncio.sleep(0.01)
    watching.cancel()
    assert NO_QUORUM not in reported


async def test_corosync_that_is_not_there_is_no_quorum() -> None:
    reported: list[QuorumState] = []
    watching = asyncio.create_task(watch_quorum(reported.append, ("/nonexistent/tool",)))
    await asyncio.sleep(0.2)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert reported == [NO_QUORUM]
