"""``python -m blackstart.rack``: the rack's command line alone."""

from blackstart.rack.cli import rack

rack(prog_name="blackstart rack")
