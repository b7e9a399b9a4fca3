"""mounts-answer: mounted from the declared server, answering, and back in its budget."""

from __future__ import annotations

import pytest

from blackstart.invariants import mounts_answer
from blackstart.invariants.base import Evidence
from blackstart.model.verdict import Judgement, Verdict

from .site import MEDIA as WELL
from .site import When, good, lost, put, seen, series, site, with_series

FAIL, UNPROVEN = Verdict.FAIL, Verdict.UNPROVEN
MEDIA = "mount/media"


def media(evidence: Evidence) -> Judgement:
    (judged,) = mounts_answer().judge(evidence)
    return judged


def mounted(when: When, *changes: dict[str, object]) -> Evidence:
    """Something else at the path of the mount; nothing, without changes."""
    found = tuple(WELL.model_copy(update=change) for change in changes)
    return put(good(), when, "mounts.media", seen(found))


def test_all_is_well() -> None:
    judged = media(good())
    assert (judged.name, judged.target, judged.verdict) == ("mounts-answer", "media", Verdict.PASS)
    assert judged.reason == "/mnt/media on box: back after 34s to 35s, budget 60s"


@pytest.mark.parametrize("server", ["192.0.2.20", "nas", "store.lab.test", "store"])
def test_a_server_may_be_called_by_any_of_its_names(server: str) -> None:
    assert media(mounted("after", {"source": f"{server}:/export/media/"})).verdict is Verdict.PASS


BROKEN = {
    "not mounted": (
        mounted("after"),
        "nothing is mounted at /mnt/media on box; mount it: mount /mnt/media",
    ),
    "from another server": (
        mounted("after", {"source": "192.0.2.99:/export/media"}),
        "/mnt/media on box is 192.0.2.99:/export/media (nfs4); declared is server nas",
    ),
    "a local disk": (
        mounted("after", {"source": "/dev/sda1", "fstype": "ext4"}),
        "/mnt/media on box is /dev/sda1 (ext4); declared is server nas",
    ),
    "another export": (
        mounted("after", {"source": "nas:/export/other"}),
        "/mnt/media on box is nas:/export/other; declared is export /export/media",
    ),
    "no answer": (
        mounted("after", {"answers": False}),
        "/mnt/media on box is mounted and does not answer",
    ),
    "something else over it": (
        mounted("after", {}, {"source": "/dev/sdb1", "fstype": "xfs"}),
        "/mnt/media on box is /dev/sdb1 (xfs); declared is server nas",
    ),
    "never back": (
        with_series(good(), series(MEDIA, (101.0, 999.0))),
        "icmp mount/media still failed 1m40s after the fault; its budget is 60s",
    ),
    "too late": (
        with_series(good(), series(MEDIA, (101.0, 171.0))),
        "icmp mount/media still failed 70s after the fault; its budget is 60s",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_red(name: str) -> None:
    evidence, said = BROKEN[name]
    judged = media(evidence)
    assert (judged.verdict, judged.reason) == (FAIL, said)


NAS_DRILL = {"fault": "nas-block", "target": "nas", "blast_radius": (MEDIA,)}
UNKNOWN = {
    "nobody asked": (good(during=()), "nothing asked mount/media during the drill"),
    "not held": (
        with_series(good(ended_at=140.0), series(MEDIA, (101.0, 135.0), ended=140.0)),
        "icmp mount/media was good for 5.0s of the 10s to hold",
    ),
    "not read before": (
        put(good(), "before", "mounts.media", lost()),
        "/mnt/media on box before the fault not seen: no answer (read)",
    ),
    "not read after": (
        put(good(), "after", "mounts.media", lost()),
        "/mnt/media on box not seen: no answer (read)",
    ),
    "nobody looked": (
        put(good(), "after", "mounts.media", None),
        "/mnt/media on box not seen: nobody looked",
    ),
    "not mounted before": (
        mounted("before"),
        "before the fault nothing is mounted at /mnt/media on box; mount it: mount /mnt/media",
    ),
    "dead before": (
        mounted("before", {"answers": False}),
        "before the fault /mnt/media on box is mounted and does not answer",
    ),
    "a fault that nobody noticed": (
        with_series(good(**NAS_DRILL), series(MEDIA)),
        "nas-block was to take it down and no answer failed",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_unproven(name: str) -> None:
    evidence, said = UNKNOWN[name]
    judged = media(evidence)
    assert (judged.verdict, judged.reason) == (UNPROVEN, said)


def test_a_mount_that_a_fault_leaves_alone_need_not_fall() -> None:
    assert media(with_series(good(), series(MEDIA))).verdict is Verdict.PASS


def test_no_mount_is_unproven() -> None:
    judged = media(good(inventory=site(mounts={})))
    assert (judged.verdict, judged.target) == (UNPROVEN, "home")
    assert judged.reason == "the inventory declares no mount"
