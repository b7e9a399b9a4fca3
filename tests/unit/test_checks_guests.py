"""Every check of a guest's start and of what it opens: green, red, unproven."""

from __future__ import annotations

import pytest

from blackstart.model.circumstances import Managed
from blackstart.model.proxmox_facts import GuestPlan, Mapping, PendingChange
from blackstart.model.readiness import HostFiles

from .calling import call, checks_in
from .invariants.site import lost, seen
from .proxmox_cases import (
    Given,
    assert_red,
    assert_table_is_whole,
    assert_unproven,
    config,
    content,
    guest_facts,
    ha,
    managing,
    node,
    nothing_seen,
    site,
    stores,
    without,
)
from .proxmox_site import CONFIG, GIB, IN_LOCAL, RIGHTS, cluster, readiness, row, state

FILES = ("test_guest_boot", "test_guest_volumes")
WAITING = GuestPlan(
    config=seen(CONFIG, "api config"),
    pending=seen((PendingChange(key="memory", now="4096", then="8192"),), "api pending"),
)
STORE = "every_store_of_the_guest_is_usable"
VOLUME = "every_volume_is_on_its_store"
EFI = "uefi_guest_has_its_efi_disk"
SECURE = "secure_boot_knows_the_certificates_of_2023"
LASTING = "devices_are_passed_through_by_a_lasting_name"
NET = {"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0"}


def in_store(**changes: object) -> Given:
    """The guest's node, whose store ``local`` is in this state."""
    return site(node(stores=seen((state("local", **changes),), "api a1 storage")))


RED: list[tuple[str, Given, str]] = [
    (
        "guest_starts_with_its_node",
        site(facts=guest_facts(onboot=seen(False, "api config"))),
        "box would stay off.*qm set 101 --onboot 1",
    ),
    (
        "guest_is_started_by_high_availability",
        site(managing(requested="stopped")),
        "box is requested stopped and is started",
    ),
    (
        "guest_is_started_by_high_availability",
        site(managing(state="error")),
        "is error.*ha-manager set vm:101",
    ),
    (
        "guest_is_not_locked",
        site(facts=guest_facts(config=seen({"lock": "migrate"}, "api config"))),
        r"box is locked \(migrate\).*qm unlock 101",
    ),
    (
        "guest_runs_once_it_is_started",
        site(facts=guest_facts(config=seen({"freeze": "1"}, "api config"))),
        "set to freeze.*qm set 101 --delete freeze",
    ),
    (
        "guest_boots_from_a_disk_that_it_has",
        site(config(boot="order=net0;scsi0", **NET)),
        "would try net0 first",
    ),
    (
        "guest_boots_from_a_disk_that_it_has",
        site(config(boot="order=virtio0")),
        "would try nothing first",
    ),
    (
        "guest_boots_from_a_disk_that_it_has",
        site(config(boot="order=ide2;sata0;scsi0")),
        "would try sata0 first",
    ),
    (
        "no_change_waits_for_the_next_start",
        site(cluster(plans={**cluster().plans, "qemu/101": WAITING})),
        "memory: 4096 -> 8192.*qm set 101 --revert memory",
    ),
    (
        "guest_lives_where_it_is_declared",
        site(cluster(guests=seen((row(101, "a2"),), "api resources"))),
        "declared on a1 and is on a2",
    ),
    (
        "guest_lives_where_it_is_declared",
        site(cluster(guests=seen((), "api resources"))),
        "is on no node",
    ),
    (
        "pinned_machine_is_known",
        site(config(machine="pc-q35-4.0")),
        "a1 has no machine pc-q35-4.0, and box starts on no other.*qm set 101 --machine",
    ),
    (EFI, site(config(efidisk0=None)), "box has no efidisk0.*qm set 101 --efidisk0"),
    (
        EFI,
        site(content("a1/local", *without("disk-0"))),
        "local:101/vm-101-disk-0.raw does not exist.*--delete efidisk0",
    ),
    *(
        (
            SECURE,
            site(config(efidisk0=f"local:101/vm-101-disk-0.raw,pre-enrolled-keys=1{more}")),
            f"box knows the certificates of {told} alone.*qm enroll-efi-keys 101",
        )
        for more, told in (("", "2011"), (",ms-cert=2023w", "2023w"))
    ),
    *(
        (
            VOLUME,
            site(content("a1/local", *without(part))),
            f"{key} .*local:.*{part}.* does not exist.*{fix}",
        )
        for part, key, fix in (
            ("disk-1", "scsi0", "restore scsi0"),
            ("disk-2", "tpmstate0", "restore tpmstate0"),
            ("cloudinit", "ide3", "--ide3 STORE:cloudinit"),
            ("debian.iso", "sata0", "--sata0 none,media=cdrom"),
            ("user.yaml", "cicustom", "--delete cicustom"),
        )
    ),
    (
        STORE,
        site(config(scsi0="local-lvm:101/vm-101-disk-1.raw,size=4G")),
        "store local-lvm does not exist.*pvesm add",
    ),
    (STORE, site(stores(local={"disabled": True})), "is disabled.*pvesm set local --disable 0"),
    (STORE, site(config(scsi2="fast:vm-101-disk-3")), "store fast is for a2 only"),
    (
        STORE,
        site(stores(local={"content": ("images", "snippets")})),
        "store local is not for iso.*pvesm set local --content",
    ),
    (STORE, site(stores(local={"content": ("none",)})), "store local is not for images"),
    (STORE, in_store(active=False), "store local is not active on a1.*pvesm status"),
    (STORE, in_store(used=100 * GIB), r"store local is full on a1 \(100%\)"),
    (
        "host_paths_of_the_guest_are_there",
        site(readiness=readiness(files={"a1": seen(HostFiles(there={}, arc_max=0), "ssh a1")})),
        "scsi1 /dev/disk/by-id/ata-X is not on a1",
    ),
    *(
        (LASTING, site(config(**{key: text})), f"{key} {told}")
        for key, text, told in (
            ("scsi1", "/dev/sdb,size=1T", "/dev/sdb"),
            ("hostpci1", "0000:01:00.0,pcie=1", "0000:01:00.0"),
            ("usb1", "host=1-1.2", "1-1.2"),
        )
    ),
    (
        "mapped_devices_are_there",
        site(node(mappings=seen({"pci": ()}, "api a1 mappings"))),
        "hostpci0: there is no mapping gpu",
    ),
    (
        "mapped_devices_are_there",
        site(node(mappings=seen({"pci": (Mapping(id="gpu", problems=("id changed",)),)}, "api"))),
        "hostpci0: gpu: id changed",
    ),
    (
        "mapped_devices_are_there",
        site(config(virtiofs0="dirid=media,cache=auto")),
        "virtiofs0: there is no mapping media",
    ),
]


def test_every_check_has_a_red_case() -> None:
    assert_table_is_whole(FILES, [name for name, _, _ in RED])


@pytest.mark.parametrize(("name", "given", "told"), RED, ids=[name for name, _, _ in RED])
def test_red(name: str, given: Given, told: str) -> None:
    assert_red(FILES, name, given, told)


@pytest.mark.parametrize("name", sorted(checks_in(*FILES)))
def test_green_on_a_well_site(name: str) -> None:
    given = site(managing()) if name == "guest_is_started_by_high_availability" else site()
    call(checks_in(*FILES)[name], given)


@pytest.mark.parametrize("name", sorted(checks_in(*FILES)))
def test_unproven_when_nobody_answers(name: str) -> None:
    assert_unproven(FILES, name, nothing_seen())


class TestWhatIsNoFinding:
    """Benign things that must stay green."""

    @pytest.mark.parametrize("machine", [None, "q35", "q35,viommu=virtio", "pc", "virt"])
    def test_a_guest_that_takes_any_machine(self, machine: str | None) -> None:
        with pytest.raises(pytest.skip.Exception, match="box takes any machine"):
            self.green("pinned_machine_is_known", site(config(machine=machine)))

    def green(self, name: str, given: Given) -> None:
        call(checks_in(*FILES)[name], given)

    def test_a_guest_that_high_availability_starts_needs_no_onboot(self) -> None:
        given = site(managing(), facts=guest_facts(onboot=seen(False, "api config")))
        self.green("guest_starts_with_its_node", given)

    @pytest.mark.parametrize("lock", ["backup", "suspended"])
    def test_a_lock_of_a_backup_is_cleared_and_a_suspended_guest_resumed(self, lock: str) -> None:
        given = site(facts=guest_facts(config=seen({"lock": lock}, "api config")))
        self.green("guest_is_not_locked", given)

    def test_what_is_not_opened_is_not_looked_for(self) -> None:
        for key, text in (("unused0", "gone:x"), ("ide2", "none,media=cdrom"), ("net1", "a=b")):
            for name in (VOLUME, STORE, LASTING):
                self.green(name, site(config(**{key: text})))

    def test_an_efi_disk_without_a_size(self) -> None:
        self.green(EFI, site(config(efidisk0="local:101/vm-101-disk-0.raw,pre-enrolled-keys=1")))

    def test_spice_and_vendor_ids_are_lasting(self) -> None:
        self.green(LASTING, site(config(usb1="spice", usb2="host=1234:abcd,usb3=1")))

    def test_an_old_shape_of_boot_is_left_to_the_firmware(self) -> None:
        with pytest.raises(pytest.skip.Exception, match="no boot order"):
            self.green("guest_boots_from_a_disk_that_it_has", site(config(boot="cdn")))

    def test_a_guest_that_moves_by_itself_is_where_it_is(self) -> None:
        away = Managed(sid="vm:101", node="a2", state="started")
        moved = ha(managed=(away,)).model_copy(
            update={"guests": seen((row(101, "a2"),), "api resources")}
        )
        with pytest.raises(pytest.skip.Exception, match="moves by itself"):
            self.green("guest_lives_where_it_is_declared", site(moved))


class TestWhatATokenIsNotShown:
    """A volume that is not in the list is gone only to who would see it there."""

    @pytest.mark.parametrize(
        ("part", "told"),
        [
            ("disk-1", "VM.Config.Disk.*pveum acl modify /vms/101"),
            ("user.yaml", "Datastore.Allocate.*pveum acl modify /storage/local"),
        ],
    )
    def test_it_is_unproven_with_the_grant(self, part: str, told: str) -> None:
        audit = {**RIGHTS, "/storage/local": seen(("Datastore.Audit",)), "/vms/101": seen(())}
        given = site(content("a1/local", *without(part), rights=audit))
        assert_unproven(FILES, VOLUME, given, told)

    def test_an_iso_image_is_shown_to_auditors(self) -> None:
        audit = {**RIGHTS, "/storage/local": seen(("Datastore.Audit",)), "/vms/101": seen(())}
        given = site(content("a1/local", *without("debian"), rights=audit))
        assert_red(FILES, VOLUME, given, "debian.iso does not exist")

    def test_rights_that_nobody_read(self) -> None:
        given = site(content("a1/local", *without("disk-1"), rights={}))
        assert_unproven(FILES, VOLUME, given, "nobody asked what the token may do")

    def test_a_store_that_nobody_looked_into(self) -> None:
        places = {key: it for key, it in cluster().content.items() if key != "a1/local"}
        assert_unproven(FILES, VOLUME, site(cluster(content=places)), "nobody looked into local")

    def test_a_list_that_could_not_be_read(self) -> None:
        places = {**cluster().content, "a1/local": lost("api a1 local")}
        assert_unproven(FILES, EFI, site(cluster(content=places)), "api a1 local: no answer")

    def test_a_healthy_guest_needs_no_rights_read(self) -> None:
        call(checks_in(*FILES)[VOLUME], site(content("a1/local", *IN_LOCAL, rights={})))

    def test_a_guest_that_is_in_no_list(self) -> None:
        given = site(cluster(guests=seen((), "api resources")))
        assert_unproven(FILES, VOLUME, given, "there is no qemu 101")
