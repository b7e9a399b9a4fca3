"""``blackstart verify`` on real machines while all is well, and from an empty folder with what
``discover`` wrote of the APIs alone.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blackstart.rack import enter
from blackstart.rack.topology import PVE
from tests.rack.typed import VERIFY_S, Decided, Typed, as_new, typed

__all__ = ["as_new"]

DISCOVER_S, CHECK_S, DOCTOR_S = 90.0, 30.0, 90.0
WITHOUT_SSH = "`ssh:` with a user and a key"

pytestmark = pytest.mark.timeout(1800)


def test_a_healthy_rack_is_go(tmp_path: Path) -> None:
    output = tmp_path / "decision.json"
    words = ("verify", "--before", "reboot:pve1", "--json", str(output))
    done = typed(*words, within_s=VERIFY_S)
    found = Decided.of(output)
    ill = found.keys("fail") | found.keys("unproven")
    assert not ill, found.told(ill)
    assert (done.code, found.decision) == (0, "go")
    assert done.said.startswith("GO")
    print(f"{len(found.holding())} claims hold, told after {done.took_s:.1f} s")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def words() -> tuple[str, ...]:
    """What is typed to write ``site.yaml``."""
    rack_home = enter.rack_home()
    assert rack_home is not None
    secrets = rack_home / "secrets"
    maas = next(guest for guest in PVE.guests if guest.role == "maas")
    return (
        *("discover", "-o", "site.yaml"),
        *("--proxmox", f"https://{PVE.machine('pve1').address}:8006"),
        *("--token", f"file:{secrets / 'pve-api-token'}", "--ca", str(secrets / "ca.crt")),
        *("--maas", f"https://{maas.address}:5443/MAAS"),
        *("--key", f"file:{secrets / 'maas-api-key'}", "--maas-ca", str(secrets / "ca.crt")),
    )


@pytest.fixture(scope="module")
def discovered(home: Path, words: tuple[str, ...]) -> Typed:
    return typed(*words, within_s=DISCOVER_S, at=home, inside=True)


class TestFromAnEmptyFolder:
    """discover, inventory check, doctor, verify: with references to secrets, and no checkout."""

    def test_what_is_discovered_is_an_inventory_in_which_nothing_may_be_broken(
        self, home: Path, discovered: Typed
    ) -> None:
        assert discovered.code == 0
        text = home.joinpath("site.yaml").read_text()
        assert "may_break:" not in text
        checked = typed("inventory", "check", "site.yaml", "--json", within_s=CHECK_S, at=home)
        assert checked.code == 0
        said = json.loads(checked.said)
        assert said["ok"]
        assert said["counts"]["guests"] == len(PVE.guests)
        assert set(said["may_break"]) == {"pve1", "pve2", *(guest.name for guest in PVE.guests)}
        assert not any(said["may_break"].values())

    def test_it_is_not_overwritten(
        self, home: Path, discovered: Typed, words: tuple[str, ...]
    ) -> None:
        before = home.joinpath("site.yaml").read_bytes()
        again = typed(*words, within_s=DISCOVER_S, at=home, inside=True)
        assert (again.code, "is there already" in again.errors) == (2, True)
        assert home.joinpath("site.yaml").read_bytes() == before

    def test_everything_in_it_is_reached(self, home: Path, discovered: Typed) -> None:
        words = ("doctor", "--inventory", "site.yaml", "--json", "doctor.json")
        done = typed(*words, within_s=DOCTOR_S, at=home, inside=True)
        assert done.code == 0
        things = json.loads(home.joinpath("doctor.json").read_text())["things"]
        assert {item["state"] for item in things} == {"reached", "closed"}
        assert all(WITHOUT_SSH in item["said"] for item in things if item["state"] == "closed")

    def test_what_only_a_login_shows_is_unproven_and_names_the_grant(
        self, home: Path, discovered: Typed
    ) -> None:
        words = ("verify", "--inventory", "site.yaml", "--json", "verify.json")
        done = typed(*words, within_s=VERIFY_S, at=home, inside=True)
        found = Decided.of(home / "verify.json")
        critical = [
            key for key in found.keys("fail") if found.findings[key]["severity"] != "warning"
        ]
        assert not critical, found.told(critical)
        assert (done.code, found.decision) == (3, "unproven")
        # The APIs alone: guests, stores, quorum, addresses.
        for claim in (
            *(("guest_starts_with_its_node", guest.name) for guest in PVE.guests),
            *(("node_is_online", node) for node in ("pve1", "pve2")),
        ):
            assert claim in found.holding(), found.told([claim])
        mounted = found.findings["every_entry_is_mounted", "pve1"]
        assert (mounted["verdict"], WITHOUT_SSH in mounted["problem"]) == ("unproven", True)
        left = {path.name for path in home.iterdir()}
        assert left == {"site.yaml", "doctor.json", "verify.json", "reports"}
