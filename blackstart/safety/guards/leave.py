"""Whether anybody gave leave: the site armed, the target's consent, nobody said stop."""

from __future__ import annotations

from datetime import UTC, datetime

from blackstart.errors import JournalError
from blackstart.model.quantities import format_duration
from blackstart.safety.guards.base import Pass, Request, Said
from blackstart.safety.halt import halted
from blackstart.safety.open_faults import open_faults


class Armed:
    """The site must be armed by its own name."""

    name = "armed"

    def refuse(self, request: Request) -> Said:
        """Refuse unless ``--arm`` names exactly this site."""
        site = request.site.inventory.site
        if request.terms.armed == site:
            return None
        given = (
            "nothing is armed"
            if request.terms.armed is None
            else f"--arm names {request.terms.armed!r}"
        )
        return f"{given}; to break things here, add --arm {site}"


class Consented:
    """Every target opts in to each fault by itself, until a date."""

    name = "consent"

    def refuse(self, request: Request) -> Said:
        """Refuse without a consent in the inventory, or after its last day."""
        plan, inventory = request.plan, request.site.inventory
        today = datetime.fromtimestamp(request.site.clock.wall(), UTC).date()
        for target in plan.consents or (plan.target,):
            consent = inventory.may_break(target).get(plan.fault)
            if consent is None:
                return (
                    f"{target} has not opted in to {plan.fault}; "
                    f"add may_break: {{{plan.fault}: {{until: DATE}}}} to it in the inventory"
                )
            if today > consent.until:
                return f"the consent of {target} to {plan.fault} ended on {consent.until}"
        return None


class NotHalted:
    """Nobody has stopped drills on this site."""

    name = "not-halted"

    def refuse(self, request: Request) -> Said:
        """Refuse from ``blackstart halt`` to ``blackstart resume``."""
        reason = halted(request.terms.leases, request.site.inventory.site)
        return f"{reason}; go on with: blackstart resume" if reason else None


class NothingOpen:
    """No fault of this site may be open in any journal."""

    name = "nothing-open"

    def refuse(self, request: Request) -> Said:
        """Refuse while a fault is open, or a journal cannot be read."""
        try:
            waiting = open_faults(request.terms.drills, request.site.inventory.site)
        except JournalError as error:
            return f"a journal cannot be trusted: {error}"
        if waiting:
            said = "; ".join(str(fault) for fault in waiting)
            return f"not proven reverted: {said}; put it back with: blackstart recover"
        return None


class WithinWindow:
    """A drill begins in the owner's window, and its whole budget ends in it."""

    name = "window"

    def refuse(self, request: Request) -> Said:
        """Refuse outside the window, or when it closes before the budget is over."""
        window = request.site.inventory.window
        if window is None:
            return Pass("no window is declared")
        declared = (
            f"{', '.join(window.days)} {window.opens:%H:%M}-{window.closes:%H:%M} {window.timezone}"
        )
        left_s = window.open_for_s(request.site.clock.wall())
        if left_s is None:
            return f"outside the window ({declared}); come back then, or waive window"
        if left_s < request.terms.budget_s:
            return (
                f"the window ({declared}) closes in {format_duration(left_s)} and the drill may "
                f"take {format_duration(request.terms.budget_s)}; begin earlier"
            )
        return Pass(f"the window is open for {format_duration(left_s)} more")
