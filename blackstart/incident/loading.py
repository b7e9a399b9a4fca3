"""Loading incidents: ``incidents/NAME/incident.yaml``, every problem with its line and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from blackstart.errors import IncidentError, UsageError
from blackstart.incident.known import Known
from blackstart.incident.model import Drift, Incident
from blackstart.incident.rules import problems
from blackstart.model.document import did_you_mean
from blackstart.yaml_document import read_yaml
from blackstart.yaml_file import at_line, text_of, told, understood
from blackstart.yaml_nodes import NotReadable

FILE = "incident.yaml"
FORMAT = "docs/incidents.md says what stands in it"


@dataclass(frozen=True)
class Case:
    """One drift of one incident, by both names."""

    incident: str
    name: str
    drift: Drift

    @property
    def id(self) -> str:
        """``INCIDENT@DRIFT``: the name of its files, and of its test."""
        return f"{self.incident}@{self.name}"


def load(directory: Path, known: Known) -> Incident:
    """The incident in a directory. Raises ``IncidentError``, one line a problem."""
    path = directory / FILE
    try:
        document = read_yaml(text_of(path, FORMAT))
        if not isinstance(document.data, dict):
            raise NotReadable(1, f"this is no mapping; begin with `title: ...`, {FORMAT}")
    except NotReadable as error:
        raise IncidentError(told(str(path), [error.problem])) from None
    incident, found = understood(document, Incident)
    if incident is not None:
        found += (at_line(document, problem) for problem in problems(incident, known))
    if incident is None or found:
        raise IncidentError(told(str(path), found))
    return incident


def load_all(root: Path, known: Known) -> Mapping[str, Incident]:
    """Every incident below a directory, by name.

    Raises ``IncidentError`` with the problems of all, ``UsageError`` when there is none.
    """
    found: dict[str, Incident] = {}
    wrong: list[str] = []
    for path in sorted(root.glob(f"*/{FILE}")):
        try:
            found[path.parent.name] = load(path.parent, known)
        except IncidentError as error:
            wrong += error.problems
    if wrong:
        raise IncidentError(wrong)
    if not found:
        raise UsageError(f"{root}: there is no incident; {FORMAT}")
    return found


def cases(incidents: Mapping[str, Incident]) -> tuple[Case, ...]:
    """Every drift of every incident, in order."""
    return tuple(
        Case(incident, name, drift)
        for incident, whole in incidents.items()
        for name, drift in whole.drifts.items()
    )


def chosen(found: tuple[Case, ...], incident: str, drift: str | None) -> tuple[Case, ...]:
    """The drifts of one incident, or one of them. Raises ``UsageError``."""
    of_it = tuple(case for case in found if case.incident == incident)
    if not of_it:
        near = did_you_mean(incident, {case.incident: None for case in found})
        raise UsageError(f"there is no incident '{incident}'; {near}")
    one = tuple(case for case in of_it if drift in (None, case.name))
    if not one:
        near = did_you_mean(str(drift), [case.name for case in of_it])
        raise UsageError(f"{incident} has no drift '{drift}'; {near}")
    return one
