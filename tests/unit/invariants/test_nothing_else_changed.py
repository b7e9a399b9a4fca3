"""nothing-else-changed: every difference declared, every fact compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from blackstart.invariants import nothing_else_changed
from blackstart.invariants.base import Evidence
from blackstart.model.inventory import FaultName
from blackstart.model.verdict import Judgement, Verdict

from .site import WEB, good, lost, put, seen, site

TODAY = date(2026, 6, 15)
FAIL, UNPROVEN = Verdict.FAIL, Verdict.UNPROVEN


def home(evidence: Evidence) -> Judgement:
    (judged,) = nothing_else_changed(TODAY).judge(evidence)
    return judged


def test_the_boot_of_the_rebooted_node_is_expected() -> None:
    judged = home(good())
    assert (judged.name, judged.target) == ("nothing-else-changed", "home")
    assert judged.verdict is Verdict.PASS
    assert judged.reason == "differs as declared in 1, and in nothing else"
    assert judged.evidence == ("expected: hosts/a1/boot_id: first -> second",)


@pytest.mark.parametrize(
    ("fault", "host", "fallen", "verdict"),
    [
        ("memory", "a1", ("a1", "box"), Verdict.PASS),
        ("memory", "a2", ("a1", "box"), FAIL),  # the kernel of another host killed as well
        ("memory", "a1", ("a1",), FAIL),  # a share of memory kills nobody
        ("service-restart", "a1", ("a1", "box"), FAIL),
    ],
)
def test_a_kill_is_expected_of_the_kernel_that_was_to_kill_only(
    fault: FaultName, host: str, fallen: tuple[str, ...], verdict: Verdict
) -> None:
    evidence = put(good(), "after", "hosts.a1.boot_id", seen("first"))
    evidence = put(evidence, "after", f"hosts.{host}.oom_lines", seen(("oom-kill: kvm",)))
    act = replace(evidence, fault=fault, target="a1", blast_radius=fallen)
    assert home(act).verdict is verdict


CHANGES = [
    ("hosts.a2.boot_id", seen("again"), "hosts/a2/boot_id: other -> again"),
    ("hosts.a1.kernel", seen("6.13"), "hosts/a1/kernel: 6.12 -> 6.13"),
    ("hosts.a1.system_state", seen("degraded"), "hosts/a1/system_state: running -> degraded"),
    ("hosts.a1.failed_units", seen(("x",)), "hosts/a1/failed_units/x: absent -> present"),
    ("hosts.a1.mounts", seen(()), "hosts/a1/mounts//srv: ext4 of a local disk -> absent"),
    ("hosts.a1.addresses", seen({"vmbr0": ()}), "hosts/a1/addresses/vmbr0: 192.0.2.11 -> none"),
    ("hosts.a2.oom_lines", seen(("kill",)), "hosts/a2/oom_lines/kill: absent -> present"),
    ("guests.far.node", seen("a1"), "guests/far/node: a2 -> a1"),
    ("guests.lab.status", seen("running"), "guests/lab/status: stopped -> running"),
    ("guests.box.onboot", seen(False), "guests/box/onboot: True -> False"),
    ("guests.box.config", seen({"memory": "1024"}), "guests/box/config/memory: 512 -> 1024"),
    ("names.ns/box.lab.test", seen(()), "names/ns/box.lab.test: 192.0.2.61 -> none"),
    (
        "compose.shop.containers",
        seen((WEB.model_copy(update={"image": "web:2"}),)),
        "compose/shop/containers/web: 1 running, web:1, restart unless-stopped -> "
        "1 running, web:2, restart unless-stopped",
    ),
    ("compose.shop.sentinel_sha256", seen("d"), "compose/shop/sentinel_sha256: abc -> d"),
    ("certificates.api.verified", seen(False), "certificates/api/verified: True -> False"),
    ("cluster.votes", seen(2), "cluster/votes: 3 -> 2"),
]


@pytest.mark.parametrize(("path", "value", "said"), CHANGES, ids=[item[0] for item in CHANGES])
def test_an_undeclared_change_is_red(path: str, value: Any, said: str) -> None:
    judged = home(put(good(), "after", path, value))
    assert (judged.verdict, judged.reason) == (FAIL, said)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("hosts.a1.uptime_s", seen(99.0)),
        ("hosts.a1.uptime_s", lost()),
        ("hosts.a1.memory_available_kib", seen(1)),
        ("guests.box.config", seen({"memory": "512", "digest": "d2"})),
        ("hosts.a1.addresses", seen({"vmbr0": ("192.0.2.11", "fe80::1"), "veth7": ("10.0.0.1",)})),
        (
            "guests.box.interfaces",
            seen({"bc:24:11:00:00:01": ("192.0.2.61",), "02:42:ac:00:00:01": ("172.17.0.1",)}),
        ),
        ("guests.lab.interfaces", seen({})),
    ],
)
def test_what_changes_by_itself_is_no_matter(path: str, value: Any) -> None:
    assert home(put(good(), "after", path, value)).verdict is Verdict.PASS


def test_lines_that_left_the_kernels_log_are_no_difference() -> None:
    assert home(put(good(), "before", "hosts.a1.oom_lines", seen(("old",)))).verdict is Verdict.PASS


def tolerating(path: str, until: str) -> Evidence:
    inventory = site(tolerate=[{"path": path, "reason": "known", "until": until}])
    broken = seen(("x.service",))
    return put(good(inventory=inventory), "after", "hosts.a1.failed_units", broken)


@pytest.mark.parametrize(
    "path", ["hosts/a1/failed_units", "hosts/*/failed_units/x.*", "hosts/a1/failed_units/x.service"]
)
def test_a_tolerated_change_passes_until_its_day_is_over(path: str) -> None:
    assert home(tolerating(path, "2026-06-15")).verdict is Verdict.PASS
    judged = home(tolerating(path, "2026-06-14"))
    assert judged.verdict is FAIL
    assert judged.reason.endswith("absent -> present (tolerated until 2026-06-14)")


@pytest.mark.parametrize("path", ["hosts/a2/failed_units", "hosts/a1/failed", "hosts/a1/mounts"])
def test_a_tolerance_covers_its_path_and_no_other(path: str) -> None:
    assert home(tolerating(path, "2026-12-31")).verdict is FAIL


def test_only_the_act_itself_explains_a_new_boot() -> None:
    assert home(good(blast_radius=("a2",))).verdict is FAIL


MISSING = [
    ("hosts.a1.kernel", lost("ssh a1", "timeout"), "hosts/a1/kernel after: timeout (ssh a1)"),
    ("hosts.a2", None, "hosts/a2 after: nobody looked"),
    ("guests.lab", None, "guests/lab after: nobody looked"),
    ("names.ns/box.lab.test", None, "names/ns/box.lab.test after: nobody looked"),
    ("compose.shop", None, "compose/shop after: nobody looked"),
    ("certificates.api", None, "certificates/api after: nobody looked"),
    ("cluster", None, "cluster after: nobody looked"),
    ("guests.box.interfaces", lost(), "guests/box/interfaces after: no answer (read)"),
]


@pytest.mark.parametrize(("path", "value", "said"), MISSING, ids=[item[2] for item in MISSING])
def test_what_was_not_compared_is_unproven(path: str, value: Any, said: str) -> None:
    judged = home(put(good(), "after", path, value))
    assert (judged.verdict, judged.reason) == (UNPROVEN, said)


@pytest.mark.parametrize(("path", "value", "said"), MISSING, ids=[item[2] for item in MISSING])
def test_what_was_seen_neither_time_is_unproven(path: str, value: Any, said: str) -> None:
    both = put(put(good(), "before", path, value), "after", path, value)
    judged = home(both)
    assert judged.verdict is UNPROVEN
    assert judged.reason == f"{said.replace(' after: ', ' before: ')}; {said}"
