"""``blackstart graph`` as a person types it: the decision first, the picture, JSON, exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from blackstart.boot_look import look
from blackstart.cli import blackstart
from blackstart.drivers.triage import Triage
from blackstart.errors import Unproven, Unreachable
from blackstart.graph.inputs import BootInputs
from blackstart.model.host_boot import HostBootFacts, HostsLine
from blackstart.model.observed import Observed, unread
from blackstart.model.proxmox_facts import nothing_of
from blackstart.model.readiness import Readiness

from .graph import sites
from .graph.sites import by_name, inputs, lost, seen, with_fstab, with_guest


class Connected:
    """A site that shows what a boot graph is built from."""

    def __init__(self, given: BootInputs) -> None:
        self.inventory = given.inventory
        self.greetings: dict[str, Any] = {}
        self.triage = Triage()
        self._given = given

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def facts(self) -> Any:
        return self._given.facts

    def host_boots(self) -> dict[str, HostBootFacts]:
        return {
            host: unread(HostBootFacts, "ssh", "not asked").model_copy(
                update={
                    "fstab": fstab,
                    "hosts_file": seen((HostsLine(**LOCAL),), "/etc/hosts"),
                    "resolvers": self._given.names[host].resolvers,
                }
            )
            for host, fstab in self._given.fstab.items()
        }

    def readiness(self) -> Readiness:
        stores: Observed[Any] = self._given.stores
        known = {"stores": stores, "high_availability": self._given.high_availability}
        nothing = nothing_of("token", 0.0, "api", "not asked")
        return Readiness(proxmox=nothing.model_copy(update=known))


LOCAL: dict[str, Any] = {
    **{"file": "/etc/hosts", "line": 1},
    **{"address": "127.0.0.1", "names": ("localhost",)},
}


def typed(
    here: Path, monkeypatch: pytest.MonkeyPatch, given: BootInputs, *words: str
) -> tuple[int, str]:
    """Run it on this site."""
    (here / "lab.yaml").write_text(json.dumps(sites.document(len(given.inventory.guests), 2)))
    monkeypatch.chdir(here)
    monkeypatch.setattr("blackstart.cli_graph.connect", lambda *_, **__: Connected(given))
    result = CliRunner().invoke(blackstart, ["graph", "--inventory", "lab.yaml", *words])
    return result.exit_code, result.output


def lines(output: str, begins: str) -> list[str]:
    return [line[10:] for line in output.splitlines() if line.startswith(begins)]


def test_all_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = typed(tmp_path, monkeypatch, inputs(3))
    assert code == 0, output
    assert output.startswith("GO        cold start of lab: 22 parts, 33 links")
    assert lines(output, "order") == ["1. pve1, pve2, nas1"]
    assert lines(output, "turns") == ["pve1: maas +30s > docker1"]
    assert lines(output, "path") == [
        "last of all: power > pve1 > pve1 starts guests > start of maas > "
        "start of docker1 ≥ 30s > guest/docker1 > compose/web"
    ]
    assert lines(output, "single")[0].startswith("pve1 takes along 6: /mnt/nas/vms on pve1")
    assert "dns (any 1 of guest/dns2, guest/maas) have nothing in common while they run" in output
    assert "no drill that booted a machine is on record here" in output


def test_a_deadlock_is_no_go_with_its_two_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, output = typed(tmp_path, monkeypatch, by_name(inputs(3), "pve1", "pve2"))
    assert code == 1
    assert output.startswith("NO-GO     cold start of lab: 2 cycles, 9 would not start")
    assert lines(output, "cycle")[0] == (
        "/mnt/nas/vms on pve1 waits for itself: for name nas1.lab.test, that for dns/maas, that "
        "for guest/maas, that for start of maas, that for pve1 starts guests, that for "
        "/mnt/nas/vms on pve1"
    )
    because = [line.strip() for line in output.splitlines() if line.strip().startswith("because")]
    assert because[:2] == [
        "because pve1:/etc/fstab:7: nas1.lab.test:/export/vms /mnt/nas/vms nfs defaults,_netdev",
        "because inventory: dns.servers.maas.guest maas; "
        "api GET cluster/resources: maas is on pve1",
    ]
    assert "fix: in pve1:/etc/fstab:7 write the address of nas1.lab.test" in output


def test_what_is_not_onboot_would_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = with_guest(inputs(3), "maas", onboot=seen(False, "api GET config"))
    code, output = typed(tmp_path, monkeypatch, given)
    assert code == 1
    assert lines(output, "off") == [
        "start of maas: onboot is 0, so its node does not start it "
        "(api GET nodes/pve1/qemu/100/config: onboot: 0)"
    ]
    assert lines(output, "never")[0].startswith("guest/maas, guest/docker1, dns/maas")


def test_what_cannot_be_read_is_unproven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = with_fstab(inputs(3), pve1=lost("ssh pve1: /etc/fstab", "no route to host"))
    code, output = typed(tmp_path, monkeypatch, given)
    assert code == 3
    assert output.startswith("UNPROVEN  cold start of lab: 1 not seen")
    assert lines(output, "unseen") == [
        "boot/pve1: what its boot mounts (no route to host) (ssh pve1: /etc/fstab)"
    ]


def test_a_site_that_does_not_answer_is_unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: Connected) -> Any:
        raise Unreachable("no route to host")

    site: Any = Connected(inputs(3))
    assert look(site).facts.guests
    monkeypatch.setattr(Connected, "facts", nobody)
    with pytest.raises(Unproven, match="no route to host"):
        look(site)


def test_json_and_picture_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = by_name(inputs(3), "pve1", "pve2")
    code, _ = typed(tmp_path, monkeypatch, given, "--json", "out.json", "--svg", "boot.svg")
    assert code == 1
    document = json.loads((tmp_path / "out.json").read_text())
    assert (document["decision"], document["site"]) == ("no-go", "lab")
    assert document["cycles"][0]["kind"] == "deadlock"
    assert document["cycles"][0]["evidence"][0].startswith("pve1:/etc/fstab:7")
    assert {"needs", "wants", "after"} >= {link["kind"] for link in document["links"]}
    assert all(link["evidence"] for link in document["links"])
    assert "guest/maas" in document["never"]
    assert (tmp_path / "boot.svg").read_text().lstrip().startswith("<?xml")
    assert not list(tmp_path.glob("*.part"))


def test_all_shows_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = by_name(inputs(12), "pve1")
    _, short = typed(tmp_path, monkeypatch, given)
    _, whole = typed(tmp_path, monkeypatch, given, "--all")
    assert "more of these: --all" in short
    assert "more of these" not in whole
    assert len(lines(whole, "single")) > len(lines(short, "single")) == 5
