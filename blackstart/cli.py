"""The command line ``blackstart``."""

from __future__ import annotations

import io
import sys
from typing import Any

import click

from blackstart.cli_addresses import addresses
from blackstart.cli_discover import discover
from blackstart.cli_doctor import doctor
from blackstart.cli_drill import drill
from blackstart.cli_graph import graph
from blackstart.cli_incidents import incidents
from blackstart.cli_inventory import inventory
from blackstart.cli_recover import halt, recover, resume
from blackstart.cli_report import report
from blackstart.cli_verify import explain, verify
from blackstart.errors import BlackstartError, Unproven, UsageError
from blackstart.rack.cli import rack

EPILOG = """
Exit codes: 0 good, 1 fail, 2 usage or inventory, 3 unproven.

First steps:  blackstart rack up  |  blackstart drill  |  blackstart report
"""


class _Commands(click.Group):
    """What was broken off has proven nothing; click's own exit code for it, 1, is a no-go."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Unproven(f"broken off ({str(error) or 'Ctrl-C'})") from None


@click.group(cls=_Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="blackstart")
def blackstart() -> None:
    """If it all went off, would it all come back: by itself, in time, at the same addresses?"""


COMMANDS = (
    *(addresses, discover, doctor, drill, explain, graph, halt, incidents, inventory, rack),
    *(recover, report, resume, verify),
)
for command in COMMANDS:
    blackstart.add_command(command)


def main() -> None:
    """Run, and end with the exit code of what went wrong."""
    _escape_what_cannot_be_shown()
    try:
        blackstart()
    except BlackstartError as error:
        click.echo(f"blackstart: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a directory that is not there
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"blackstart: {where}{error.strerror}", err=True)
        sys.exit(UsageError.exit_code)


def _escape_what_cannot_be_shown() -> None:
    """A name that the terminal's encoding lacks (``LANG=C``) is no traceback in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
