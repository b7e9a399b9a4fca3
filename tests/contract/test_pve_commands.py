"""``qm``, ``pct`` and ``pvesm`` for people: output and exit codes as recorded."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from blackstart.rack.standins.pve.commands import guestcommand, pct, pvecm, pvesm, pveversion, qm
from blackstart.rack.standins.pve.errors import Died
from blackstart.rack.standins.pve.layout import Layout
from blackstart.rack.standins.pve.mounts import Space
from blackstart.rack.standins.pve.storage import Storage
from tests.contract.pve_schema import ABSENT, CAPTURES
from tests.contract.pve_site import SiteNode

Run = Callable[..., tuple[int, str, str]]
CONFIG = """\
bios: ovmf
boot: order=scsi0
efidisk0: local:116/vm-116-disk-0.raw,efitype=4m,size=528K
kvm: 0
memory: 256
meta: creation-qemu=7.2.22,ctime=1795185936
name: k3s-server-0
onboot: 1
scsi0: local:116/vm-116-disk-1.raw,size=1G
smbios1: uuid=271c1027-a453-4e3f-8c0b-75171ec8b02e
vmgenid: d4f4b583-3b52-478c-a026-052ac96fcf96
"""
LISTING = """\
      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID       
       116 k3s-server-0         running    256                1.00 216       
"""
CONTAINERS = """\
VMID       Status     Lock         Name                
103        stopped    backup       dns2                
"""


@pytest.fixture
def recording() -> str:
    """What was recorded."""
    path = CAPTURES / "outage-configurations.txt"
    if not path.exists():
        pytest.skip(ABSENT)
    return path.read_text()


@pytest.fixture
def run(site: SiteNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on the node: exit code, output, errors."""
    site.guest(116, CONFIG)
    site.disk("116/vm-116-disk-0.raw", 540672)
    site.disk("116/vm-116-disk-1.raw", 2**30)
    monkeypatch.setattr(guestcommand, "this_node", lambda: site.node)
    monkeypatch.setattr(Layout, "here", lambda: site.node.layout)

    def run(line: str) -> tuple[int, str, str]:
        program, *arguments = line.split()
        mains = {"qm": qm.main, "pct": pct.main, "pvesm": pvesm.main}
        code = mains[program](arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def _recorded(recording: str, command: str, occurrence: int = 0) -> str:
    """What the genuine command printed, and its exit code."""
    parts = recording.split(f"$ {command}\n")
    return re.split(r"(?<=rc=)(\d+)\n", parts[occurrence + 1])[0].removesuffix("rc=")


def test_config_and_start(run: Run, recording: str) -> None:
    assert run("qm config 116") == (0, _recorded(recording, "qm config 116"), "")
    assert run("qm start 116") == (0, "", "")
    assert run("qm list") == (0, LISTING, "")
    assert run("qm status 116") == (0, "status: running\n", "")
    assert run("qm start 116") == (255, "", "VM 116 already running\n")
    assert run("qm shutdown 116") == (0, "", "")
    assert run("qm status 116") == (0, "status: stopped\n", "")


def test_efi_disk_gone(run: Run, site: SiteNode, recording: str) -> None:
    (site.store / "images/116/vm-116-disk-0.raw").unlink()
    text = _recorded(recording, "qm start 116", 1)
    assert run("qm start 116") == (255, "", text)
    listing = _recorded(recording, "pvesm list local --vmid 116")
    assert run("pvesm list local --vmid 116") == (0, listing, "")


def test_no_efi_disk_configured(run: Run, recording: str) -> None:
    assert run("qm set 116 --delete efidisk0") == (
        0,
        _recorded(recording, "qm set 116 --delete efidisk0"),
        "",
    )
    assert run("qm start 116") == (0, _recorded(recording, "qm start 116", 2), "")
    assert "unused0: local:116/vm-116-disk-0.raw\n" in run("qm config 116")[1]


def test_store_that_does_not_exist(run: Run, recording: str) -> None:
    code, out, err = run("qm set 116 --ide3 local-lvm:cloudinit")
    recorded = _recorded(recording, "qm set 116 --ide3 local-lvm:cloudinit").splitlines()
    assert code == 255
    assert sorted((out + err).splitlines()) == sorted(recorded)


def test_lock_and_unlock(run: Run, site: SiteNode, recording: str) -> None:
    site.guest(117, CONFIG + "lock: backup\n")
    assert run("qm start 117") == (255, "", _recorded(recording, "qm start 117"))
    assert run("qm unlock 117") == (0, "", "")
    assert run("qm start 117")[0] == 0


def test_containers(run: Run, site: SiteNode) -> None:
    site.guest(103, "hostname: dns2\nlock: backup\n", "lxc")
    assert run("pct list") == (0, CONTAINERS, "")
    assert run("pct start 103") == (255, "", "CT is locked (backup)\n")
    assert run("pct start 999") == (
        255,
        "",
        "Configuration file 'nodes/pve1/lxc/999.conf' does not exist\n",
    )


def test_stores(run: Run, site: SiteNode, recording: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = "pvesm status"
    srv = "dir: srv\n\tpath /srv/local\n\tcontent backup,images\n\tis_mountpoint yes\n"
    local = (site.etc_pve / "storage.cfg").read_text()
    site.put("storage.cfg", local + srv)
    monkeypatch.setattr(Storage, "usage", _recorded_usage)

    code, out, err = run(command)
    recorded = _recorded(recording, command, 3).splitlines(keepends=True)
    assert (code, err, out) == (0, recorded[0], "".join(recorded[1:]))

    site.put("storage.cfg", local + srv + "\tdisable\n")
    code, out, err = run(command)
    assert (code, err) == (0, "")
    disabled = _recorded(recording, command, 4).splitlines()
    assert out.splitlines()[0] == disabled[0]
    assert out.splitlines()[2] == disabled[2]
    code, out, err = run("pvesm list srv")
    assert (code, err) == (255, "storage 'srv' is disabled\n")


def _recorded_usage(storage: Storage, section: object) -> Space | None:
    if section != storage.declaration("local"):
        return None
    kib = {"total": 264212084, "used": 31789136, "available": 74601776}
    return Space(**{name: size * 1024 for name, size in kib.items()})


def test_agent(run: Run, site: SiteNode, recording: str) -> None:
    site.guest(100, "agent: 1\n", running=True)
    assert run("qm agent 100 ping") == (0, "", "")
    assert run("qm guest cmd 100 ping") == (0, "", "")
    begin = recording.partition("$ qm agent 100 network-get-interfaces\n")[2]
    first = begin.partition('"statistics"')[0]
    out = run("qm agent 100 network-get-interfaces")[1]
    assert out.partition('"statistics"')[0] == first


def test_a_wrong_value_is_named(run: Run) -> None:
    code, _, err = run("qm set 116 --memory abc")
    assert code == 255
    assert err.startswith("400 Parameter verification failed.\nmemory: ")


def test_no_cluster_and_no_version_of_our_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pvecm, "read_configuration", lambda _path: None)
    assert pvecm.main(["status"]) == 255
    assert "is this node part of a cluster?" in capsys.readouterr().err
    assert pveversion.main([]) == 0
    assert capsys.readouterr().out.startswith("pve-manager/9.1.7/ad92ef6082138bff (running")


def test_a_store_on_another_node_only(site: SiteNode) -> None:
    site.put("storage.cfg", "dir: far\n\tpath /far\n\tcontent images\n\tnodes pve2\n")
    with pytest.raises(Died, match="storage 'far' is not available on node 'pve1'"):
        site.node.storage.activate("far")
    elsewhere = Storage(replace(site.node.layout, node="pve2"))
    assert elsewhere.declaration("far").name == "far"
