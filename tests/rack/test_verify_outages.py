"""Verification of a site in which a mount is dead, a host hangs and an API is closed, at once.

It ends within a minute, says of those three that they could not be read, and reads all others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from blackstart.rack.topology import PVE
from tests.rack.command import on, rack
from tests.rack.drills import ROOT
from tests.rack.typed import VERIFY_S, Decided, Key, Typed, as_new, typed

__all__ = ["as_new"]
WHOLE_S = 60.0
MOUNTED, HUNG, CLOSED = "pve2", "app1", "pve1"
"""The client of the dead mounts, the host that hangs, the node whose API is closed."""
NAS = PVE.machine("nas1").address
FROZEN = (
    "/sys/fs/cgroup/system.slice/system-pve\\x2dcontainer.slice/"
    f"pve-container@{next(guest.vmid for guest in PVE.guests if guest.name == HUNG)}.service"
)


def filtering(table: str, hook: str, rule: str) -> str:
    """nft(8) commands for a table of one rule."""
    chain = f"'add chain inet {table} {hook} {{ type filter hook {hook} priority 0; }}'"
    return f"nft add table inet {table} && nft {chain} && nft add rule inet {table} {hook} {rule}"


OUTAGES = {
    # NFS clients wait for an answer for as long as it takes.
    MOUNTED: (
        filtering("dead", "output", f"ip daddr {NAS} tcp dport 2049 drop"),
        "nft delete table inet dead",
    ),
    # The kernel goes on to take connections for it, and nobody ever says a word.
    f"{HUNG} on {MOUNTED}": (
        f"echo 1 >'{FROZEN}/cgroup.freeze' && turns=0 && "
        f"until grep -q '^frozen 1' '{FROZEN}/cgroup.events'; do "
        "turns=$((turns + 1)); [ $turns -lt 50 ] || exit 1; sleep 0.2; done",
        f"echo 0 >'{FROZEN}/cgroup.freeze'",
    ),
    CLOSED: (
        filtering("closed", "input", "tcp dport 8006 reject with tcp reset"),
        "nft delete table inet closed",
    ),
}
"""What breaks each and what undoes it, by the machine (after ``on``) where both are run."""
CAUSES = {
    "the mount": ("/mnt/nas/", "nas-vms", "nas-backups"),
    "the host": (HUNG,),
    "the API": (CLOSED, *(guest.name for guest in PVE.guests_of(CLOSED))),
}
"""Words by which what is not known tells which of the three it comes of."""
FOLLOWS = {("every_enabled_store_is_active", MOUNTED)}
"""The API says that a store on a dead mount is not active, and that is read, not guessed."""

pytestmark = pytest.mark.timeout(1800)


@contextmanager
def out() -> Iterator[None]:
    """All three at once; each is undone, whatever becomes of the others."""
    with ExitStack() as undoing:
        for where, (breaks, undo) in OUTAGES.items():
            machine = where.rpartition(" ")[2]
            undoing.callback(rack, "ssh", machine, "--", undo, check=False)
            on(machine, breaks)
        yield


@pytest.fixture(scope="module")
def healthy(as_new: None, tmp_path_factory: pytest.TempPathFactory) -> Decided:
    """What is said of the same site while it is well."""
    file = tmp_path_factory.mktemp("healthy") / "decision.json"
    assert typed("verify", "--json", str(file), within_s=VERIFY_S).code == 0
    return Decided.of(file)


@pytest.fixture(scope="module")
def told(healthy: Decided, tmp_path_factory: pytest.TempPathFactory) -> tuple[Typed, Decided]:
    """What is said of it with the three out."""
    file = tmp_path_factory.mktemp("out") / "decision.json"
    with out():
        done = typed("verify", "--all", "--json", str(file), within_s=VERIFY_S)
    return done, Decided.of(file)


def read_by_login() -> set[str]:
    """Checks of what a host's own shell says and nothing else: by their parameters."""
    return {
        function.name.removeprefix("test_")
        for path in ROOT.joinpath("checks").glob("test_*.py")
        for function in ast.parse(path.read_text("utf-8")).body
        if isinstance(function, ast.FunctionDef)
        and "host_boots" in (asks := {item.arg for item in function.args.args})
        and not asks & {"proxmox", "facts", "boot_graph"}
    }


def of_a_login(keys: set[Key], host: str) -> set[Key]:
    """Those of them that are about one host."""
    return {(check, target) for check, target in keys if target == host} & {
        (check, host) for check in read_by_login()
    }


def test_it_ends_within_a_minute_and_decides_nothing(told: tuple[Typed, Decided]) -> None:
    done, found = told
    print(f"verify with three outages: {done.took_s:.1f} s")
    assert found.keys("fail") <= FOLLOWS, found.told(found.keys("fail") - FOLLOWS)
    assert (done.code, found.decision) == (3, "unproven")
    assert done.took_s < WHOLE_S


def test_each_of_the_three_is_named(told: tuple[Typed, Decided], healthy: Decided) -> None:
    done, found = told
    unproven = found.keys("unproven")
    dead = ("mount_holds_something", MOUNTED)
    assert dead in unproven
    for path in ("/mnt/nas/vms", "/mnt/nas/backups"):
        assert path in found.findings[dead]["problem"]
    hung = of_a_login(healthy.holding(), HUNG)
    assert hung
    assert hung <= unproven, found.told(hung - unproven)
    closed = ("services_start_with_the_node", CLOSED)
    assert closed in unproven
    for key in (dead, closed, *hung):
        assert f"{key[0]} [{key[1]}]" in done.said


def test_what_is_not_known_says_of_which_it_comes(told: tuple[Typed, Decided]) -> None:
    _, found = told
    words = [word for cause in CAUSES.values() for word in cause]
    strange = {
        (check, target)
        for check, target in found.keys("unproven")
        if target not in words
        and not any(word in found.findings[check, target]["problem"] for word in words)
    }
    assert not strange, found.told(strange)


def test_everybody_else_is_read(told: tuple[Typed, Decided], healthy: Decided) -> None:
    _, found = told
    names = (*(machine.name for machine in PVE.machines), *(guest.name for guest in PVE.guests))
    expected = {
        key
        for name in names
        if name != HUNG
        for key in of_a_login(healthy.holding(), name)
        if key != ("mount_holds_something", MOUNTED)
    }
    expected |= {("machine_shows_itself", machine.name) for machine in PVE.machines}
    expected |= {("node_is_online", machine) for machine in (MOUNTED, CLOSED)}
    expected |= {("maas_services_run", PVE.site), ("services_start_with_the_node", MOUNTED)}
    lost = expected - found.holding()
    print(f"{len(expected)} claims about others, {len(expected) - len(lost)} of them hold")
    assert not lost, found.told(lost)
