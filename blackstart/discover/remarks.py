"""What was seen and has no place in an inventory yet: told to the person who goes on writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from blackstart.discover.written import one_line
from blackstart.model.observed import Observed
from blackstart.model.survey import Survey

_SID = {"vm": "qemu", "ct": "lxc"}


def closing(survey: Survey, names: Mapping[int, str]) -> Iterator[str]:
    """Comment lines: stores, backups, high availability, what would stay off, what to add."""
    for line in _lines(survey, names):
        yield f"# {line}"


def _lines(survey: Survey, names: Mapping[int, str]) -> Iterator[str]:
    yield from _stores(survey)
    yield from _backups(survey, names)
    yield from _managed(survey, names)
    yield "decide: what would you be called about? dns, services, mounts, compose, k3s, dhcp and"
    yield "never_down are declared as inventory/example-homelab.yaml shows."


def _stores(survey: Survey) -> Iterator[str]:
    yield "Stores, as the API shows them. decide: a NAS is a node (role: nas), and what is mounted"
    yield "from it stands in `mounts:`; both want `ssh:`."
    if survey.stores.value is None:
        yield _unread(survey.stores)
    for store in survey.stores.value or ():
        where = f" on {', '.join(store.nodes)}" if store.nodes else ""
        off = "" if store.enabled else " (disabled)"
        yield "  " + one_line(f"{store.name}: {store.kind} {store.place}{where}{off}")


def _backups(survey: Survey, names: Mapping[int, str]) -> Iterator[str]:
    yield "Backup jobs. decide: `backups: etc_pve` says where copies of /etc/pve lie."
    jobs, uncovered = survey.backup_jobs, survey.uncovered
    if jobs.value is None:
        yield _unread(jobs)
    elif not jobs.value:
        yield "  none"
    for job in jobs.value or ():
        off = "" if job.enabled else " (disabled)"
        yield "  " + one_line(f"{job.name}: {job.covers}, {job.schedule}, to {job.store}{off}")
    if uncovered.value is None:
        yield _unread(uncovered)
    elif uncovered.value:
        yield "  " + one_line(
            f"no job covers {', '.join(_named(it, names) for it in uncovered.value)}"
        )


def _managed(survey: Survey, names: Mapping[int, str]) -> Iterator[str]:
    managed = survey.managed
    if managed.value is None:
        yield "High availability:"
        yield _unread(managed)
    for sid, state in sorted((managed.value or {}).items()):
        kind, _, vmid = sid.partition(":")
        known = kind in _SID and vmid.isdigit()
        yield one_line(
            f"High availability keeps {_named(int(vmid), names) if known else sid} {state}."
        )


def _named(vmid: int, names: Mapping[int, str]) -> str:
    return f"{names[vmid]} ({vmid})" if vmid in names else str(vmid)


def _unread(seen: Observed[Any]) -> str:
    return "  " + one_line(f"not known: {seen.source}: {seen.error}")
