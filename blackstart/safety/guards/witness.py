"""What nothing on a target can undo names a witness, or does not start."""

from __future__ import annotations

from blackstart.safety.guards.base import Pass, Request, Said


class Witnessed:
    """Every machine of a cold start is switched on again by somebody who outlives it."""

    name = "witness"

    def refuse(self, request: Request) -> Said:
        """Refuse unless each controller has a timer of its own, or a person attends.

        A controller that can do neither is refused even then: that a person could switch
        the machine on is not proven by anything.
        """
        plan = request.plan
        if plan.fault != "cold-start":
            return Pass("it is not needed: no fault but a cold start takes everything away")
        unwitnessed, back_on_by = plan.parameters["unwitnessed"], plan.parameters["back_on_by"]
        if unwitnessed:
            return "; ".join(unwitnessed.values())
        alone = ", ".join(host for host in plan.nodes_down if back_on_by[host] == "command")
        if not alone:
            return Pass("each machine's own controller switches it on again, by its timer")
        if request.terms.attended:
            return Pass(f"a person attends, who can switch on {alone}")
        return (
            f"the management controller of {alone} has no timed power-on: if the harness dies, "
            "nobody switches on again; stand beside the machines and add --attended"
        )
