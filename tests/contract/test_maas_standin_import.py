"""The image sync really takes memory, processor and disk, ends by itself, and says what became."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.rack.standins.maas.ballast import Ballast, GuestMemory
from blackstart.rack.standins.maas.imagesync import MIB, Job, Parameters, parameters
from blackstart.rack.standins.maas.importer import run
from blackstart.rack.topology import PVE
from tests.contract.maas_rack import racks_state
from tests.contract.maas_standin import QUICK, StandIn, image_sets, standing_in, write_images

SLOW = Parameters(resources=3, concurrency=3, mib_each=1, memory_share=0.0, sync_s=60, hold_s=0)
RUN = """
import sys
from pathlib import Path
from blackstart.rack.standins.maas.ballast import Ballast, GuestMemory
from blackstart.rack.standins.maas.imagesync import Job
from blackstart.rack.standins.maas.importer import run
run(Job.parse(sys.stdin.readline()), GuestMemory(Path(sys.argv[1])), Ballast())
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[StandIn]:
    """The rack's MAAS, with its first images."""
    with standing_in(tmp_path, racks_state()) as site:
        write_images(site.layout, site.state)
        yield site


def whole(site: StandIn) -> list[bool]:
    """Of each boot resource, whether its newest set is complete."""
    return [sets[max(sets)]["complete"] for sets in image_sets(site.client()).values()]


def events(site: StandIn) -> list[str]:
    shown = site.client().call("GET", "events/?op=query&level=DEBUG")
    return [event["description"] for event in shown["events"]]


def importing(site: StandIn) -> bool:
    answer: bool = site.client().call("GET", "boot-resources/?op=is_importing")
    return answer


def start(site: StandIn, wanted: Parameters = QUICK) -> None:
    site.layout.image_sync.write_text(wanted.text())
    site.maas.images.start()


def test_an_import_replaces_files_and_hashes_are_those_of_the_disk(site: StandIn) -> None:
    before = {path.name for path in site.layout.images.iterdir()}
    start(site)
    site.until_imported()
    assert whole(site) == [True] * 8
    paths = list(site.layout.images.iterdir())
    assert len(paths) == 24
    assert not before & {path.name for path in paths}
    assert {path.stat().st_size for path in paths} == {MIB}
    shown = {
        file["sha256"]
        for sets in image_sets(site.client()).values()
        for file in sets[max(sets)]["files"].values()
    }
    assert shown == {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    assert all(len(sets) == 1 for sets in image_sets(site.client()).values())


def test_imports_again_and_again_do_not_fill_the_disk(site: StandIn) -> None:
    for _ in range(3):
        start(site)
        site.until_imported()
        time.sleep(1.1)  # a version is of a second
    assert sum(path.stat().st_size for path in site.layout.images.iterdir()) == 24 * MIB


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_an_import_that_is_ended_leaves_sets_incomplete_and_says_so(
    site: StandIn, end: str
) -> None:
    start(site, SLOW)
    assert importing(site)
    if end == "stop":
        site.client().call("POST", "boot-resources/?op=stop_import")
        number = signal.SIGTERM
    else:
        process = site.maas.images._process
        assert process is not None
        process.kill()
        site.until_imported()
        number = signal.SIGKILL
    assert not importing(site)
    assert whole(site) == [False, *[True] * 7]
    why = f"the importing process ended by signal {int(number)}"
    assert events(site)[0] == f"Failed to import images: {why}"
    # The old one is there until a new one is whole, and the next import puts all right.
    assert len(image_sets(site.client())[1]) == 2
    time.sleep(1.1)
    start(site)
    site.until_imported()
    assert whole(site) == [True] * 8


def test_what_was_incomplete_when_the_process_died_with_the_daemon_stays_so(
    tmp_path: Path,
) -> None:
    with standing_in(tmp_path / "one", racks_state()) as site:
        write_images(site.layout, site.state)
        start(site, SLOW)
    left = json.loads(site.layout.state.read_text())
    with standing_in(tmp_path / "two", left) as after:
        write_images(after.layout, left)
        assert whole(after) == [False, *[True] * 7]
        assert not importing(after)


def test_a_second_import_waits_for_nobody_and_does_nothing(site: StandIn) -> None:
    start(site, SLOW)
    first = site.maas.images._process
    site.client().call("POST", "boot-resources/?op=import")
    assert site.maas.images._process is first
    assert events(site) == ["Started importing of boot images from 1 source(s)."]


def test_a_file_that_is_gone_or_short_makes_its_set_incomplete(site: StandIn) -> None:
    first, second, *_ = sorted(site.layout.images.glob("[12]-*-squashfs"))
    first.unlink()
    os.truncate(second, 100)
    assert whole(site) == [False, False, *[True] * 6]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"resources": 25}', "out of bounds: resources"),
        ('{"mib_each": 6}', "out of bounds: mib_each"),
        ('{"memory_share": 1}', "out of bounds: memory_share"),
        ('{"sync_s": 0}', "out of bounds: sync_s"),
        ('{"forever": true}', "has keys other than concurrency"),
        ("{", "Expecting property name"),
    ],
)
def test_wrong_parameters_import_nothing_and_say_so(site: StandIn, text: str, said: str) -> None:
    site.layout.image_sync.write_text(text)
    answer = site.maas.images
    answer.start()
    assert not answer.running
    assert said in events(site)[0]
    assert whole(site) == [True] * 8


def test_its_parameters_are_the_racks(tmp_path: Path) -> None:
    assert parameters(tmp_path / "none.json") == Parameters()
    (tmp_path / "some.json").write_text(SLOW.text())
    assert parameters(tmp_path / "some.json") == SLOW


def cgroup(directory: Path, limit: str, held: int, cached: int) -> Path:
    """Files of a control group, as the kernel shows them."""
    directory.mkdir(exist_ok=True)
    (directory / "memory.max").write_text(f"{limit}\n")
    (directory / "memory.current").write_text(f"{held + cached}\n")
    stat = f"anon {held}\nfile {cached}\ninactive_file {cached}\nactive_file 0\n"
    (directory / "memory.stat").write_text(stat)
    return directory


def test_a_guest_s_memory_is_its_limit_and_what_the_host_cannot_take_back(tmp_path: Path) -> None:
    memory = GuestMemory(cgroup(tmp_path / "cgroup", str(384 * MIB), 90 * MIB, 50 * MIB))
    assert (memory.limit(), memory.held()) == (384 * MIB, 90 * MIB)


def test_where_nothing_limits_it_nothing_is_held(tmp_path: Path) -> None:
    """A share of a whole host would be an outage of its own."""
    wanted = Parameters(
        resources=1, concurrency=1, mib_each=1, memory_share=0.9, sync_s=0.1, hold_s=0
    )
    for directory in (cgroup(tmp_path / "open", "max", 0, 0), tmp_path / "none"):
        memory = GuestMemory(directory)
        assert memory.limit() == 0
        grown = Ballast()
        run(Job(str(tmp_path), ("a",), MIB, wanted), memory, grown)
        assert grown.size == 0


def resident(process: subprocess.Popen[str]) -> int:
    """Anonymous memory of a process that is really there, in bytes."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", text)
    return int(found[1]) * 1024 if found else 0


def test_memory_grows_to_its_share_is_held_and_is_given_back(tmp_path: Path) -> None:
    """In small: a limit of 200 MiB of which 40 are taken, and a share of 0.6."""
    wanted = Parameters(
        resources=2, concurrency=2, mib_each=1, memory_share=0.6, sync_s=3, hold_s=2
    )
    group = cgroup(tmp_path / "cgroup", str(200 * MIB), 40 * MIB, 60 * MIB)
    job = Job(str(tmp_path), ("a", "b"), MIB, wanted)
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(job.text())
        process.stdin.close()
        seen = []
        while process.poll() is None and time.monotonic() - began < 60:
            seen.append(resident(process))
            time.sleep(0.1)
        reports = [json.loads(line) for line in process.stdout]
    took = time.monotonic() - began
    assert process.returncode == 0
    assert took >= wanted.sync_s + wanted.hold_s
    grown = max(seen) - min(each for each in seen if each)
    assert 0.6 * 200 * MIB - 40 * MIB <= grown <= 100 * MIB
    half_way = [each for each in seen if min(seen) + 10 * MIB < each < max(seen) - 10 * MIB]
    assert half_way, "it grows step by step"
    assert {each.get("file") for each in reports} == {"a", "b", None}
    assert reports[-1] == {"done": True}


def test_ballast_counts_what_it_holds() -> None:
    ballast = Ballast()
    ballast.grow(10 * MIB)
    ballast.grow(-5)
    assert ballast.size == 10 * MIB


def test_the_arithmetic_of_the_rack_holds() -> None:
    """As ``imagesync`` explains it: harmless as it is, too much with ``memory: 2304``."""
    pve1 = PVE.machine("pve1")
    maas = next(guest for guest in PVE.guests if guest.role == "maas")
    wanted = Parameters()
    assert sum(guest.memory_mib for guest in PVE.guests_of("pve1")) <= pve1.memory_mib / 2
    assert 2 * wanted.resources * wanted.mib_each <= 512 / 5
    assert wanted.sync_s + wanted.hold_s <= 60
    services_mib, host_mib = 120, 400
    assert wanted.memory_share * maas.memory_mib > services_mib
    assert (1 - wanted.memory_share) * maas.memory_mib > 64
    assert wanted.memory_share * 2304 + host_mib > pve1.memory_mib
