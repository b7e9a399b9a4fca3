"""Undoing by data: what the journal says was done is undone, by whoever is left to do it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected, Unreachable
from blackstart.faults.base import Plan, Proof
from blackstart.model.undo import Action

ACTION_TIMEOUT_S = 60.0
PROOF_TIMEOUT_S = 15.0
SETTLE_S = 60.0
"""Seconds in which the proof of an undo must hold: a unit or a guest takes time to start."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """``Reverter`` for every fault whose plan holds its undo as actions."""

    def revert(self, site: Site, plan: Plan) -> None:
        """Run every action; one that fails never stops the next.

        Raises ``Rejected`` or ``Unreachable``, once all have been tried: see ``run_all``.
        """
        run_all(site, plan, plan.undo)

    def prove_reverted(self, site: Site, plan: Plan) -> Proof:
        """Every action's own proof holds, within 60 s."""
        last = "no answer"

        def look() -> tuple[()] | None:
            nonlocal last
            open_ = [action.kind for action in plan.undo if not self._holds(site, plan, action)]
            last = ", ".join(open_)
            return None if open_ else ()

        seen = wait_for(site.clock, look, bound_s=SETTLE_S)
        if seen is None:
            return Proof(False, f"{undo_host(plan)}: not undone after {SETTLE_S:.0f} s: {last}")
        done = ", ".join(action.kind for action in plan.undo)
        return Proof(True, f"{undo_host(plan)}: proven undone: {done}")

    def _holds(self, site: Site, plan: Plan, action: Action) -> bool:
        host = action.on(undo_host(plan))
        try:
            return site.runner.run(host, action.proof(), timeout_s=PROOF_TIMEOUT_S).ok
        except DriverError:
            site.runner.forget(host)
            return False


def run_all(site: Site, plan: Plan, actions: Iterable[Action]) -> None:
    """Run actions of a plan in order, and those of a host that is away not at all.

    Raises, once all have been tried, ``Unreachable`` when nothing failed but for hosts that
    are away, else ``Rejected`` with all that failed.
    """
    wrong: list[str] = []
    away: set[str] = set()
    failed_there = False
    for action in actions:
        host = action.on(undo_host(plan))
        if host in away:
            continue  # nothing else can be run there either; whoever retries begins anew
        try:
            result = site.runner.run(host, action.command(), timeout_s=ACTION_TIMEOUT_S)
        except DriverError as error:
            wrong.append(f"{action.kind}: {error}")
            if isinstance(error, Unreachable) or not _answers(site, host):
                site.runner.forget(host)
                away.add(host)
            else:
                failed_there = True
            continue
        if not result.ok:
            failed_there = True
            wrong.append(f"{action.kind}: exit {result.exit_code}: {result.stderr.strip()}")
    if wrong:
        kind = Rejected if failed_there else Unreachable
        raise kind(f"{undo_host(plan)}: " + "; ".join(wrong))


def _answers(site: Site, host: str) -> bool:
    """Whether a host on which a command did not end runs another one."""
    try:
        return site.runner.run(host, "true", timeout_s=PROOF_TIMEOUT_S).ok
    except DriverError:
        return False


def undo_host(plan: Plan) -> str:
    """Where the plan's undo runs."""
    return plan.undo_host or plan.target
