"""``blackstart discover`` as a person types it, at servers that answer as genuine ones do."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from blackstart.discover.document import MaasFound, inventory_text
from blackstart.discover.entrance import Entrance
from blackstart.discover.members import Access
from blackstart.drivers import proxmox_api
from blackstart.drivers.proxmox_survey import survey
from blackstart.inventory_file import parse
from blackstart.model.inventory import Inventory
from tests.unit.drivers.captures import data, needs_captures, replay
from tests.unit.drivers.sshd import free_port
from tests.unit.drivers.tls_server import Authority, Reply, Server, fingerprint, serving

from .first_contact import (
    BASE,
    GRANT,
    SECRET,
    TOKEN,
    Typed,
    discover,
    genuine,
    half_dead,
    has_guest,
    listed,
    typed,
)

pytestmark = needs_captures


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A CA of the site."""
    return Authority.make(tmp_path)


@pytest.fixture
def certificate(authority: Authority, tmp_path: Path) -> Path:
    """The node's."""
    return authority.issue(tmp_path, "127.0.0.1")


@pytest.fixture
def node(certificate: Path) -> Iterator[Server]:
    """One genuine node."""
    with serving(certificate) as server:
        genuine(server)
        yield server


def written(done: Typed) -> Inventory:
    """What it wrote, which must be right; nothing may be broken, nothing secret is in it."""
    assert done.code == 0, done.stderr
    inventory = parse(done.stdout, "written")
    assert not any(
        part.may_break for part in (*inventory.nodes.values(), *inventory.guests.values())
    )
    assert SECRET not in done.stdout
    assert TOKEN not in done.stdout
    return inventory


def test_one_node_without_a_cluster(node: Server, authority: Authority) -> None:
    done = discover(node.port, authority.ca)
    inventory = written(done)
    assert (inventory.site, inventory.domain, inventory.ssh) == (
        *("pve1", "home.example.net"),
        "none",
    )
    assert inventory.proxmox is not None
    assert inventory.proxmox.model_dump(exclude_none=True) == {
        "token": "env:PVE_TOKEN",
        "ca": f"file:{authority.ca}",
        "port": node.port,
    }
    assert inventory.nodes["pve1"].address == IPv4Address("127.0.0.1")
    guest = inventory.guests["vm100"]
    assert (str(guest.address), guest.mac) == ("192.0.2.100", "bc:24:11:75:39:4c")
    assert (guest.vmid, guest.kind, guest.node, guest.running) == (100, "qemu", "pve1", True)


def test_a_person_is_told_what_to_decide_and_what_has_no_place_yet(
    node: Server, authority: Authority
) -> None:
    said = discover(node.port, authority.ca).stdout.splitlines()
    assert said[0].startswith("# What the API of Proxmox VE 9.1.7 showed on ")
    for line in (
        "  # decide: reached as 127.0.0.1; the cluster itself uses 192.0.2.2.",
        "#   local: dir /var/lib/vz",
        "#   nas: nfs 192.0.2.20:/vms",
        "#   no job covers vm100 (100)",
        "# High availability keeps vm100 (100) started.",
    ):
        assert line in said, line
    assert all(asked.method == "GET" for asked in node.asked)


def test_what_cannot_be_read_beside_the_guests_is_told(node: Server, authority: Authority) -> None:
    node.answers[f"{BASE}/storage"] = Reply(501, "Method 'GET /storage' not implemented")
    node.answers[f"{BASE}/nodes/pve1/dns"] = data({"dns1": "192.0.2.53"})
    done = discover(node.port, authority.ca)
    assert written(done).domain == "home.arpa"
    assert "#   not known: api GET storage: 501 Method 'GET /storage' not impl" in done.stdout
    assert "# decide: the site's domain (it has no search domain)." in done.stdout


def test_nothing_is_overwritten(node: Server, authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "home.yaml"
    first = discover(node.port, authority.ca, "-o", str(file))
    assert (first.code, first.stdout) == (0, "")
    assert "blackstart doctor --inventory" in first.stderr
    before, asked = file.read_text(), len(node.asked)
    parse(before, "home.yaml")
    again = discover(node.port, authority.ca, "-o", str(file))
    assert again.code == 2
    assert "is there already and is not overwritten" in again.stderr
    assert file.read_text() == before
    assert len(node.asked) == asked, "nothing is asked for a file that cannot be written"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert discover(node.port, authority.ca, "-o", str(tmp_path / "link")).code == 2
    assert discover(node.port, authority.ca, "-o", str(tmp_path / "no" / "f")).code == 2


def test_a_separated_token_that_sees_nothing(node: Server, authority: Authority) -> None:
    """Recorded: permissions ``{}``, one bare node, no guest. That is no empty cluster."""
    node.answers[f"{BASE}/access/permissions"] = replay("200-token-permissions")
    node.answers[f"{BASE}/cluster/resources"] = replay("200-token-resources")
    done = discover(node.port, authority.ca)
    assert (done.code, done.stdout) == (1, "")
    assert "lacks Sys.Audit on / (membership" in done.stderr
    assert "VM.Audit on /vms (guests" in done.stderr
    assert f"run: {GRANT}" in done.stderr


def test_a_privilege_that_does_not_reach_below_its_path(node: Server, authority: Authority) -> None:
    """0 is the vendor's way to say: here, and not below (no propagation)."""
    paths = ("/", "/nodes", "/vms", "/storage")
    privileges = ("Sys.Audit", "VM.Audit", "VM.GuestAgent.Audit", "Datastore.Audit")
    node.answers[f"{BASE}/access/permissions"] = data(
        {path: dict.fromkeys(privileges, int(path != "/vms")) for path in paths}
    )
    done = discover(node.port, authority.ca)
    assert done.code == 1
    assert "lacks VM.Audit on /vms" in done.stderr
    assert "Sys.Audit" not in done.stderr


def test_before_release_9_the_agent_needs_another_privilege(
    node: Server, authority: Authority
) -> None:
    node.answers[f"{BASE}/version"] = data({"version": "8.4.1"})
    done = discover(node.port, authority.ca)
    assert done.code == 1
    assert "lacks VM.Monitor on /vms" in done.stderr
    assert "pveum role add BlackstartLook --privs 'VM.Monitor'; pveum acl modify /" in done.stderr


def test_a_node_that_is_away(node: Server, authority: Authority) -> None:
    half_dead(node)
    done = discover(node.port, authority.ca)
    inventory = written(done)
    assert inventory.site == "lab"
    assert str(inventory.nodes["pve2"].address) == "10.99.0.2"
    assert inventory.guests == {}
    assert "  # decide: offline when looked at.\n  pve2:" in done.stdout
    gone = "  # left out: vm101 (qemu 101 on pve2): its configuration is not known: pve2 is offline"
    assert gone in done.stdout
    assert "vm102 (qemu 102 on pve1): it is off, and its address stands in no" in done.stdout
    assert not any("/nodes/pve2/qemu" in line for line in node.lines())


def test_a_node_that_the_others_cannot_reach_yet_show(node: Server, authority: Authority) -> None:
    """595 while the cluster still calls it online: its guests are left out, with the reason."""
    half_dead(node)
    status = [
        {"type": "cluster", "name": "lab"},
        {"type": "node", "name": "pve1", "ip": "10.99.0.1", "online": 1, "local": 1},
        {"type": "node", "name": "pve2", "ip": "10.99.0.2", "online": 1, "local": 0},
    ]
    entries = [
        {"type": "node", "node": "pve1", "status": "online"},
        {"type": "node", "node": "pve2", "status": "online"},
        listed(101, node="pve2"),
    ]
    node.answers[f"{BASE}/cluster/status"] = data(status)
    node.answers[f"{BASE}/cluster/resources"] = data(entries)
    node.otherwise = replay("595-noroute")
    done = discover(node.port, authority.ca)
    assert written(done).guests == {}
    assert "595 No route to host" in done.stdout


def test_templates_and_guests_without_a_known_address_are_left_out(
    node: Server, authority: Authority
) -> None:
    card = {"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0", "name": "quiet"}
    entries = [
        {"type": "node", "node": "pve1", "status": "online"},
        listed(101, name="quiet"),
        listed(102, name="bare"),
        listed(103, name="gold", template=1),
    ]
    node.answers[f"{BASE}/cluster/resources"] = data(entries)
    has_guest(node, 101, card)
    silent = Reply(500, "QEMU guest agent is not running")
    node.answers[f"{BASE}/nodes/pve1/qemu/101/agent/network-get-interfaces"] = silent
    has_guest(node, 102, {"name": "bare"})
    done = discover(node.port, authority.ca)
    assert written(done).guests == {}
    assert (
        "  # left out: quiet (qemu 101 on pve1): its addresses are not known: "
        "500 QEMU guest agent is not running\n" in done.stdout
    )
    assert "  # left out: bare (qemu 102 on pve1): it has no network card\n" in done.stdout
    assert "  # left out, as templates: 103\n" in done.stdout
    assert not any("/103/" in line for line in node.lines())


def test_names_that_an_inventory_does_not_allow_or_that_occur_twice(
    node: Server, authority: Authority
) -> None:
    names = {101: "Web.LAN", 102: "web", 103: "pve1", 104: "on", 105: "_", 106: "1e3", 107: "null"}
    entries = [{"type": "node", "node": "pve1", "status": "online"}]
    for vmid, name in names.items():
        entries.append(listed(vmid, name=name))
        card = {"net0": f"virtio=BC:24:11:00:00:{vmid - 100:02X},bridge=vmbr0"}
        has_guest(node, vmid, card, f"192.0.2.{vmid}")
    node.answers[f"{BASE}/cluster/resources"] = data(entries)
    done = discover(node.port, authority.ca)
    assert list(written(done).guests) == [
        *("web", "web-102", "pve1-103", "on"),
        *("vm105", "1e3", "null"),
    ]
    assert "  # web is Web.LAN there.\n" in done.stdout


def test_an_address_or_a_card_that_two_have_is_nobodys_for_sure(
    node: Server, authority: Authority
) -> None:
    entries = [{"type": "node", "node": "pve1", "status": "online"}, listed(101), listed(102)]
    node.answers[f"{BASE}/cluster/resources"] = data([*entries, listed(103)])
    for vmid, last in ((101, "01"), (102, "02"), (103, "01")):
        card = {"net0": f"virtio=BC:24:11:00:00:{last},bridge=vmbr0"}
        has_guest(node, vmid, card, "192.0.2.50" if vmid < 103 else "192.0.2.51")
    done = discover(node.port, authority.ca)
    assert list(written(done).guests) == ["vm101"]
    assert "192.0.2.50 (bc:24:11:00:00:02) is that of guest vm101 too" in done.stdout
    assert "192.0.2.51 (bc:24:11:00:00:01) is that of guest vm101 too" in done.stdout


def test_maas_is_the_guest_that_has_the_address_of_its_url(
    node: Server, authority: Authority
) -> None:
    api = proxmox_api.ProxmoxApi(
        {"pve1": "127.0.0.1"},
        token=proxmox_api.parse_token(TOKEN),
        ca=authority.ca,
        port=node.port,
    )
    seen = survey(api)
    api.close()
    access = Access(Entrance("127.0.0.1", node.port), "env:PVE_TOKEN", "file:/ca.pem")
    for host, guest in (("192.0.2.100", "vm100"), ("192.0.2.99", None)):
        section = {"url": f"https://{host}:5443/MAAS", "key": "env:MAAS_KEY"}
        text = inventory_text(seen, access, MaasFound(section, host, {}, ()), "today")
        found = parse(text, "written").maas
        assert found is not None
        assert found.guest == guest


class TestTls:
    """Whose certificate is believed, and that the token goes to nobody else."""

    def test_a_self_signed_one_is_shown_to_be_compared(
        self, node: Server, certificate: Path
    ) -> None:
        done = discover(node.port, None)
        assert (done.code, done.stdout, node.asked) == (3, "", [])
        assert "certificate verify failed" in done.stderr
        assert f"it presents {fingerprint(certificate)}: compare that on the host" in done.stderr

    def test_the_pinned_one_is_written_down_for_every_node(
        self, node: Server, certificate: Path
    ) -> None:
        half_dead(node)
        pin = fingerprint(certificate)
        done = discover(node.port, None, "--fingerprint", pin.replace(":", ""))
        nodes = written(done).nodes
        assert nodes["pve1"].fingerprint == pin.replace(":", "").lower()
        assert str(nodes["pve2"].fingerprint).startswith("ab6e4b15e6de")
        assert "decide: a pinned certificate is refused once it is renewed" in done.stdout

    def test_another_than_the_pinned_one_hears_nothing(
        self, node: Server, certificate: Path
    ) -> None:
        done = discover(node.port, None, "--fingerprint", "AB:" * 31 + "CD")
        assert (done.code, node.asked) == (3, [])
        assert f"is not the pinned one: it has {fingerprint(certificate)}" in done.stderr

    def test_over_ipv6_nodes_have_the_clusters_own_addresses(
        self, authority: Authority, tmp_path: Path
    ) -> None:
        with serving(authority.issue(tmp_path, "::1"), "::1") as server:
            genuine(server)
            url = f"https://[::1]:{server.port}/"
            words = ("--proxmox", url, "--token", "env:PVE_TOKEN", "--ca", str(authority.ca))
            done = typed("discover", *words)
            assert str(written(done).nodes["pve1"].address) == "192.0.2.2"

    def test_a_redirect_is_not_followed(
        self, node: Server, authority: Authority, certificate: Path
    ) -> None:
        with serving(certificate) as other:
            elsewhere = f"https://127.0.0.1:{other.port}/api2/json/version"
            node.answers[f"{BASE}/version"] = Reply(301, "Moved", location=elsewhere)
            done = discover(node.port, authority.ca)
            assert (done.code, other.asked) == (1, [])
            assert "leads elsewhere, where the token is not sent" in done.stderr


@pytest.mark.parametrize(
    "form", ["127.0.0.1:{}", "https://127.0.0.1:{}/", "127.0.0.1:{}/api2/json"]
)
def test_the_url_however_it_is_typed(node: Server, authority: Authority, form: str) -> None:
    words = ("--token", "env:PVE_TOKEN", "--ca", str(authority.ca))
    written(typed("discover", "--proxmox", form.format(node.port), *words))


def test_a_token_that_is_refused(node: Server, authority: Authority) -> None:
    node.otherwise = replay("401-token-bad")
    node.answers.clear()
    done = discover(node.port, authority.ca)
    assert (done.code, done.stdout) == (1, "")
    assert "401 Authentication failed!; look whether the token is there" in done.stderr
    assert "pveum user token list 'bob@pve'" in done.stderr
    assert SECRET not in done.stderr


def test_a_refusal_in_the_middle(node: Server, authority: Authority) -> None:
    refused = "Permission check failed (/, Sys.Audit)"
    node.answers[f"{BASE}/cluster/status"] = Reply(403, refused)
    done = discover(node.port, authority.ca)
    assert done.code == 1
    assert f"403 {refused}; pveum acl modify / --users bob@pve" in done.stderr


def test_an_api_that_hangs_is_away(
    node: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxmox_api, "READ_S", 0.5)
    node.answers[f"{BASE}/cluster/status"] = Reply(body=b'{"data": []}', byte_s=5)
    done = discover(node.port, authority.ca)
    assert (done.code, done.stdout) == (3, "")
    assert "no answer within" in done.stderr


def test_nobody_there(authority: Authority) -> None:
    done = discover(free_port(), authority.ca)
    assert (done.code, done.stderr) == (3, "127.0.0.1: Connection refused")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--proxmox", "http://192.0.2.11:8006"), "over https:// only"),
        (("--proxmox", "https://root:hunter2@192.0.2.11"), "a login stands in the URL"),
        (("--proxmox", "https://192.0.2.11:99999"), "the URL cannot be read"),
        (("--proxmox", "https://192.0.2.11/pve/here"), "leave the path"),
        (("--proxmox", "https://:8006"), "names no host"),
        (("--token", "bob@pve!t1=hunter2"), "this is no reference"),
        (("--token", "env:NOT_SET_ANYWHERE"), "env:NOT_SET_ANYWHERE is not set"),
        (("--ca", "/nowhere/ca.pem"), "there is no file /nowhere/ca.pem"),
        (("--fingerprint", "AB:CD"), "is no SHA-256 fingerprint"),
        (("--fingerprint", "AB:" * 31 + "CD", "--ca", "/etc/hosts"), "one of the two"),
        (("--maas", "https://192.0.2.53/MAAS"), "belong together"),
        (("--key", "env:PVE_TOKEN"), "belong together"),
    ],
)
def test_a_wrong_command_line_is_2_and_shows_no_secret(words: tuple[str, ...], said: str) -> None:
    usual = ("--proxmox", "https://127.0.0.1:9", "--token", "env:PVE_TOKEN")
    done = typed("discover", *usual, *words)
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr
    assert "hunter2" not in done.stderr
