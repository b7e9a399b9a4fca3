"""The boot graph's picture: everything has its place, cycles are seen without colour."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from blackstart.evidence import style
from blackstart.evidence.boot_layout import BOX, layout
from blackstart.evidence.boot_lines import lines
from blackstart.evidence.boot_picture import draw, figure_of
from blackstart.graph.inputs import BootInputs
from blackstart.graph.outlook import Outlook, outlook
from tests.unit.graph import sites
from tests.unit.graph.sites import by_name, inputs, with_fstab, with_guest

SITES = {
    "3": by_name(inputs(3), "pve1", "pve2"),
    "10": with_guest(inputs(10), "app1", scsi0="nas-vms:1/x.raw"),
    "30": by_name(with_guest(inputs(30, 3), "app9", scsi0="nas-vms:1/x.raw"), "pve1"),
    "outside": with_fstab(inputs(3), pve1=sites.fstab("_netdev", "192.0.2.9")),
    "unseen": with_fstab(inputs(3), pve1=None),
}


def told(given: BootInputs) -> Outlook:
    return outlook(sites.graph(given), given.inventory)


def drawn(given: BootInputs) -> Figure:
    with style.look():
        return figure_of(told(given))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("name", SITES)
def test_no_two_boxes_are_on_top_of_each_other_and_all_are_in_the_picture(name: str) -> None:
    found = layout(told(SITES[name]))
    for one, other in combinations(found.boxes.values(), 2):
        apart = abs(one.middle - other.middle) >= BOX or one.column != other.column
        assert apart, (one.part.id, other.part.id)
    for box in found.boxes.values():
        assert 0 < box.left < box.right < found.width
        assert 0 < box.middle < found.height


@pytest.mark.parametrize("name", SITES)
def test_every_box_is_reached_from_power(name: str) -> None:
    outlook_of = told(SITES[name])
    found = layout(outlook_of)
    places = {(round(box.left, 3), round(box.middle, 3)) for box in found.boxes.values()}
    ends = {
        (round(line.points[-1][0], 3), round(line.points[-1][1], 3))
        for line in lines(outlook_of, found)
    }
    assert ends <= places
    roots = {
        (round(box.left, 3), round(box.middle, 3))
        for part, box in found.boxes.items()
        if not outlook_of.graph.needs[part]
    }
    assert places - ends <= roots


def test_a_cycle_is_closed_by_thick_lines_with_its_two_lines_of_evidence_beside_it() -> None:
    figure = drawn(SITES["3"])
    said = texts(figure)
    assert "✗ /mnt/nas/vms on pve1 waits for itself" in said
    assert any(text.startswith("pve1:/etc/fstab:7: nas1.lab.test:/export/vms") for text in said)
    assert (
        "inventory: dns.servers.maas.guest maas; api GET cluster/resources: maas is on pve1" in said
    )
    arrows = [x for x in figure.axes[0].patches if isinstance(x, FancyArrowPatch)]
    thick = [x for x in arrows if x.get_linewidth() > 2]
    assert len(thick) == 10, "five lines a cycle: a guest and its start are one box"
    assert {to_hex(x.get_edgecolor()).upper() for x in thick} == {style.DOWN}
    assert all(x.get_linewidth() < 1 for x in arrows if x not in thick)


def test_what_never_starts_is_hatched_and_marked() -> None:
    figure = drawn(SITES["3"])
    boxes = [x for x in figure.axes[0].patches if isinstance(x, FancyBboxPatch) and x.get_hatch()]
    assert boxes
    assert "✗ docker1" in texts(figure)
    healthy = drawn(SITES["10"])
    assert not any(text.startswith("✗") for text in texts(healthy))


def test_what_was_not_seen_has_a_question_mark() -> None:
    assert "? starts guests" in texts(drawn(SITES["unseen"]))


def test_the_same_site_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.svg", "other.svg"):
        draw(told(SITES["10"]), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.svg", "other.svg"]
