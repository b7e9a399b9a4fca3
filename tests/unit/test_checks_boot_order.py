"""Every check of the order of a boot shown green, red, unproven, and not applicable."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from blackstart.graph.build import boot_graph
from blackstart.graph.inputs import BootInputs
from blackstart.model.proxmox_facts import StoreDefinition

from .graph import sites
from .graph.sites import by_name, inputs, lost, seen, unreadable, with_fstab, with_guest
from .test_plugin import CONFTEST as SIMULATED
from .test_plugin import ROOT, inventory_text

CONFTEST = """
import pytest
from blackstart.model.boot_graph import BootGraph

@pytest.fixture(scope="session")
def boot_graph():
    return BootGraph.model_validate_json({text!r})
"""


def check(
    pytester: pytest.Pytester, given: BootInputs, subject: str = "boot_order"
) -> pytest.RunResult:
    """The checks of a subject, on a site of which the graph is built."""
    document = sites.document(len(given.inventory.guests), 2)
    pytester.makefile(".yaml", lab=json.dumps(document))
    text = boot_graph(given).model_dump_json(include={"site", "parts", "links", "unknown"})
    pytester.makeconftest(CONFTEST.format(text=text))
    source = Path(ROOT / "checks" / f"test_{subject}.py").read_text()
    pytester.path.joinpath(f"test_{subject}.py").write_text(source)
    return pytester.runpytest_subprocess("--inventory", "lab.yaml", "-rs", "-v", timeout=120)


def test_a_healthy_site_is_green_and_a_nas_starts_no_guests(pytester: pytest.Pytester) -> None:
    result = check(pytester, inputs(3))
    result.assert_outcomes(passed=2 + 3, skipped=1)
    result.stdout.fnmatch_lines(["*nas1 starts no guests (inventory: nodes.nas1.role)*"])
    assert result.ret == 0


def test_a_boot_that_waits_for_its_own_guest_is_red(pytester: pytest.Pytester) -> None:
    given = by_name(inputs(3), "pve1")
    own = replace(given.names["pve1"], resolvers=seen(("10.0.0.50",), "ssh pve1: resolv.conf"))
    result = check(pytester, replace(given, names={**given.names, "pve1": own}))
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*::test_boot_does_not_wait_for_itself?pve1? FAILED*",
            "*::test_boot_does_not_wait_for_itself?pve2? PASSED*",
            "*::test_guest_start_does_not_wait_for_itself?maas? PASSED*",
            "*the boot of pve1 waits for itself; mount/pve1-vms > boot/pve1 > start/maas > "
            "guest/maas > dns/maas > name/nas1.lab.test for pve1 > mount/pve1-vms*",
        ]
    )
    output = result.stdout.str()
    assert (
        "pve1:/etc/fstab:7: nas1.lab.test:/export/vms /mnt/nas/vms nfs defaults,_netdev" in output
    )
    assert "in pve1:/etc/fstab:7 write the address of nas1.lab.test instead of the name" in output


def test_a_guest_that_starts_before_what_it_needs_is_red(pytester: pytest.Pytester) -> None:
    store = StoreDefinition(name="nfs", kind="nfs", servers=("nas1.lab.test",))
    given = with_guest(inputs(3), "docker1", scsi0="nfs:1/x.raw", startup="order=0")
    own = replace(given.names["pve1"], resolvers=seen(("10.0.0.50",), "ssh pve1: resolv.conf"))
    given = replace(given, names={**given.names, "pve1": own})
    result = check(pytester, replace(given, stores=seen((store, *sites.STORES), "api GET storage")))
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*::test_guest_start_does_not_wait_for_itself?docker1? FAILED*",
            "*docker1 needs what starts after it; start/docker1 > start/maas > guest/maas*",
        ]
    )


def test_what_cannot_be_read_is_unproven(pytester: pytest.Pytester) -> None:
    given = with_fstab(inputs(3), pve1=lost("ssh pve1: /etc/fstab", "no route to host"))
    result = check(pytester, unreadable(given, "docker1"))
    assert result.ret == 3
    result.stdout.fnmatch_lines(
        [
            "*::test_boot_does_not_wait_for_itself?pve1? FAILED*",
            "*::test_boot_does_not_wait_for_itself?pve2? PASSED*",
            "*::test_guest_start_does_not_wait_for_itself?maas? PASSED*",
            "*::test_guest_start_does_not_wait_for_itself?docker1? FAILED*",
            "*boot/pve1: what its boot mounts (no route to host) (ssh pve1: /etc/fstab)*",
            "*start/docker1: whether and from where it starts (403 Permission denied) (api)*",
        ]
    )


LOOKING = """

def test_a_prediction_is_made_of_what_was_looked_at(boot_prediction, boot_graph):
    assert boot_prediction.graph == boot_graph
    assert "guest/box" in boot_prediction.probed
"""


def test_where_nobody_looks_at_a_host_its_boot_is_unproven(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", lab=inventory_text())
    blind = SIMULATED.format(lies="").replace(
        "return site_of(World(inventory, Lies()))",
        "return dataclasses.replace(site_of(World(inventory, Lies())), host_boots=dict)",
    )
    pytester.makeconftest(f"import dataclasses\n{blind}")
    source = Path(ROOT / "checks" / "test_boot_order.py").read_text()
    pytester.path.joinpath("test_boot_order.py").write_text(source + LOOKING)
    pytester.syspathinsert(ROOT)
    result = pytester.runpytest_subprocess("--inventory", "lab.yaml", "-v", timeout=120)
    assert result.ret == 3
    result.stdout.fnmatch_lines(
        [
            "*::test_boot_does_not_wait_for_itself?a1? FAILED*",
            "*::test_boot_does_not_wait_for_itself?a2? FAILED*",
            "*::test_a_prediction_is_made_of_what_was_looked_at PASSED*",
            "boot/a1: what its boot mounts (nobody looked) (ssh a1: /etc/fstab)",
        ]
    )
