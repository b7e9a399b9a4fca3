"""``blackstart report``: render the Allure report of drills and checks."""

from __future__ import annotations

from pathlib import Path

import click

from blackstart.evidence.report import render

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--results",
    type=FOLDER,
    default="reports/results",
    show_default=True,
    help="What pytest's --alluredir wrote.",
)
@click.option(
    "--drills",
    type=FOLDER,
    help="Directories of drills; those without a result get one.  [default: drills, next to it]",
)
@click.option("--out", type=FOLDER, help="Where the report goes.  [default: html, next to it]")
@click.option(
    "--folder",
    is_flag=True,
    help="A folder for a web server, in place of one file that opens from disk.",
)
@click.option("--open-hint", is_flag=True, help="Say how to look at it.")
def report(
    results: Path, drills: Path | None, out: Path | None, folder: bool, open_hint: bool
) -> None:
    """Render past drills and checks as an Allure report, with their trends.

    Needs Node.js 20 or later (or: pip install 'blackstart[report]') and, once, npm's
    registry. When it cannot be had, the exit code is 1 and no verdict changes.
    """
    index = render(results, drills, out, single_file=not folder)
    click.echo(f"report: {index}")
    if open_hint and folder:
        served = f"python3 -m http.server --bind 127.0.0.1 8000 --directory {index.parent}"
        click.echo(f"look at it: {served}, then http://127.0.0.1:8000/")
    elif open_hint:
        click.echo(f"look at it: open {index.as_uri()} in a browser")
