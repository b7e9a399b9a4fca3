"""Invariants: promises about recovery, one a file, each a pure function of the evidence."""

from blackstart.invariants.addresses_stable import addresses_stable
from blackstart.invariants.boot_order_as_predicted import boot_order_as_predicted
from blackstart.invariants.containers_run import containers_run
from blackstart.invariants.dhcp_answers import dhcp_answers
from blackstart.invariants.everything_well import everything_well
from blackstart.invariants.guests_boot import guests_boot
from blackstart.invariants.mounts_answer import mounts_answer
from blackstart.invariants.names_resolve import names_resolve
from blackstart.invariants.nobody_killed import nobody_killed
from blackstart.invariants.nodes_ready import nodes_ready
from blackstart.invariants.nothing_else_changed import nothing_else_changed
from blackstart.invariants.others_resolve import others_resolve
from blackstart.invariants.services_answer import services_answer
from blackstart.invariants.virtual_addresses_held import virtual_addresses_held

__all__ = [
    "addresses_stable",
    "boot_order_as_predicted",
    "containers_run",
    "dhcp_answers",
    "everything_well",
    "guests_boot",
    "mounts_answer",
    "names_resolve",
    "nobody_killed",
    "nodes_ready",
    "nothing_else_changed",
    "others_resolve",
    "services_answer",
    "virtual_addresses_held",
]
