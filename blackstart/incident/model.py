"""An incident as a person writes it: drifts, what each must turn red, and what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from blackstart.model.parts import Hostname, Label, Part
from blackstart.model.quantities import within

Key = tuple[str, str]
"""What is claimed or promised, and of whom."""
Text = Annotated[str, Field(min_length=1)]
Changes = dict[str, str | bool]
"""What the inventory says otherwise: a path such as ``guests/k3s1/budget``, and its value."""
StepTime = Annotated[float, within("1s", "10m")]


class Step(Part):
    """A POSIX shell script for one machine or guest; it ends in time, and with 0."""

    host: Hostname
    run: Text
    timeout: StepTime = 60.0


class Claim(Part):
    """A check and its target, as ``blackstart verify`` names them."""

    check: Text
    target: Text

    @property
    def key(self) -> Key:
        """Both names."""
        return self.check, self.target


class Promise(Part):
    """A drill's promise and its target, as its summary names them."""

    promise: Text
    target: Text

    @property
    def key(self) -> Key:
        """Both names."""
        return self.promise, self.target


class Remainder(Claim):
    """A finding that may outlive the fix, and why."""

    reason: Text


class DrillOf(Part):
    """The drill that proves a prediction.

    ``scenario`` is ``FILE::FUNCTION[TARGET]`` below ``scenarios/``. ``red`` must fail in it,
    ``follows`` may: they come of the same. ``declares`` are shorter budgets, for what cannot come
    back; ``waive`` are guards and the reason for waiving each.
    """

    scenario: Text
    red: Annotated[tuple[Promise, ...], Field(min_length=1)]
    follows: tuple[Promise, ...] = ()
    declares: Changes = Field(default_factory=dict)
    waive: Mapping[str, Text] = Field(default_factory=dict)


class Drift(Part):
    """One change that nobody notices until something restarts; without ``red``, a harmless one.

    ``apply`` makes it. ``shows`` says that it is seen at once, so that nobody waits for the site
    to be well. ``before`` is the act that is decided, as ``blackstart verify --before`` takes it,
    ``decision`` what it must be. Findings: ``red`` must be there, ``follows`` may, ``unseen``
    cannot be read because of it. Then a ``drill``, or ``predict_only`` with the reason why none
    could turn red. ``fix`` mends it, and afterwards all is green but for what ``stays``.
    """

    changes: Text
    apply: Annotated[tuple[Step, ...], Field(min_length=1)]
    before: Text
    decision: Literal["go", "no-go", "unproven"]
    red: tuple[Claim, ...] = ()
    follows: tuple[Claim, ...] = ()
    unseen: tuple[Claim, ...] = ()
    shows: bool = False
    declares: Changes = Field(default_factory=dict)
    drill: DrillOf | None = None
    predict_only: Text | None = None
    fix: tuple[Step, ...] = ()
    stays: tuple[Remainder, ...] = ()

    @property
    def harmless(self) -> bool:
        """Whether nothing must turn red: it is there to show that nothing does."""
        return not self.red and not self.unseen


class Incident(Part):
    """What happened, in a sentence, and the drifts that led there, by name."""

    title: Text
    seen: date | None = None
    drifts: Annotated[dict[Label, Drift], Field(min_length=1)]
