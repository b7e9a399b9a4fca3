"""What the boot before and the time since have left behind."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from blackstart.checking import boot_facts, expect, has_own_kernel, known
from blackstart.model.host_boot import HostBootFacts

pytestmark = pytest.mark.check

HostBoots = Mapping[str, HostBootFacts]
SHOWN = 2


@pytest.mark.claim(severity="warning", breaks="boot", incident="2025-07-29-maas-killed")
def test_nothing_was_killed_for_memory(host: str, host_boots: HostBoots) -> None:
    """Since its boot a host has killed nothing for want of memory, and no scope has failed.

    A guest is a scope: its start after a boot, beside all others, wants more than it did.
    """
    facts = boot_facts(host_boots, host)
    lines = known(facts.killed)
    expect(
        not lines,
        f"{len(lines)} lines, the last: {'; '.join(lines[-SHOWN:])}",
        evidence=facts.killed.source,
        fix="give the guests less memory than the host has; this clears at the next boot",
    )


@pytest.mark.claim(severity="warning", breaks="data")
def test_last_boot_ended_in_order(machine: str, host_boots: HostBoots) -> None:
    """The boot before this one was shut down, and did not just stop."""
    facts = boot_facts(host_boots, machine)
    has_own_kernel(facts)
    end = known(facts.last_end)
    if end == "no earlier boot":
        pytest.skip(f"{facts.last_end.source}: the journal begins with this boot")
    expect(
        end != "abrupt",
        "the boot before this one just stopped: power, a hang or a reset",
        evidence=facts.last_end.source,
        fix="journalctl -b -1 -e; look at arrays and file systems; a shutdown in order clears it",
    )
    expect(
        end != "nothing kept",
        "the journal is not kept over a boot, so nobody will know how this one ended",
        evidence=facts.last_end.source,
        fix="mkdir /var/log/journal && journalctl --flush",
    )


@pytest.mark.claim(severity="warning", breaks="boot")
def test_no_crash_is_on_record(machine: str, host_boots: HostBoots) -> None:
    """The kernel has left no record of a crash in the machine's persistent memory."""
    facts = boot_facts(host_boots, machine)
    has_own_kernel(facts)
    records = known(facts.crash_records)
    expect(
        not records,
        f"the kernel crashed: {', '.join(records[:SHOWN])}",
        evidence=facts.crash_records.source,
        fix="read them, then move them elsewhere: ls -l /var/lib/systemd/pstore",
    )
