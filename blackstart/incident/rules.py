"""What the model of one value cannot see: names that there are, and parts that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from blackstart.incident.known import Known
from blackstart.incident.model import Claim, Drift, Incident, Promise
from blackstart.model.document import Path, Problem, did_you_mean


def problems(incident: Incident, known: Known) -> Iterator[Problem]:
    """Everything that is wrong with an incident, each at its place."""
    for name, drift in incident.drifts.items():
        here: Path = ("drifts", name)
        yield from _whole(drift, here)
        yield from _claims(drift, here, known)
        yield from _drill(drift, here, known)
        yield from _steps(drift, here, known)
        wrong = known.act(drift.before)
        if wrong is not None:
            what, _, remedy = wrong.partition("; ")
            yield Problem(
                (*here, "before"), what, remedy or f"write one as --before takes it: {what}"
            )


def _whole(drift: Drift, here: Path) -> Iterator[Problem]:
    """An ill is proven or says why not, and is mended; a harmless change has none of that."""
    if drift.harmless:
        for key, given in (
            *(("drill", drift.drill), ("predict_only", drift.predict_only)),
            *(("fix", drift.fix), ("stays", drift.stays), ("follows", drift.follows)),
        ):
            if given:
                what = f"a drift that turns nothing red has '{key}'"
                yield Problem((*here, key), what, "name what it turns red, or remove the key")
        if drift.decision != "go":
            what = f"nothing turns red, and the decision is {drift.decision}"
            yield Problem((*here, "decision"), what, "name what turns red, or write go")
        return
    if (drift.drill is None) == (drift.predict_only is None):
        remedy = "write one of the two: `drill:`, or `predict_only:` with the reason"
        both = "both a drill and predict_only" if drift.drill else "neither drill nor predict_only"
        yield Problem(here, f"it has {both}", remedy)
    if not drift.fix:
        yield Problem(here, "it has no fix", "write the commands that mend it")


def _claims(drift: Drift, here: Path, known: Known) -> Iterator[Problem]:
    for key, claims in (
        *(("red", drift.red), ("follows", drift.follows)),
        *(("unseen", drift.unseen), ("stays", drift.stays)),
    ):
        for place, claim in enumerate(claims):
            at = (*here, key, place)
            yield from _named(at, "check", claim.check, known.checks)
            yield from _named(at, "target", claim.target, known.targets)
    yield from _twice(here, ("red", "follows", "unseen"), (drift.red, drift.follows, drift.unseen))


def _drill(drift: Drift, here: Path, known: Known) -> Iterator[Problem]:
    drill, at = drift.drill, (*here, "drill")
    if drill is None:
        return
    function, bracket, rest = drill.scenario.partition("[")
    yield from _named(at, "scenario", function, known.scenarios)
    if not bracket or not rest.endswith("]"):
        what = f"{drill.scenario!r} names no target"
        yield Problem((*at, "scenario"), what, "write it as FILE::FUNCTION[TARGET]")
    else:
        yield from _named(at, "scenario", rest[:-1], known.targets, noun="target")
    for key, promises in (("red", drill.red), ("follows", drill.follows)):
        for place, promise in enumerate(promises):
            yield from _named((*at, key, place), "promise", promise.promise, known.promises)
            yield from _named((*at, key, place), "target", promise.target, known.targets)
    yield from _twice(at, ("red", "follows"), (drill.red, drill.follows))
    for guard in drill.waive:
        if guard not in known.guards:
            what = f"there is no guard '{guard}' to waive"
            yield Problem((*at, "waive", guard), what, did_you_mean(guard, sorted(known.guards)))


def _steps(drift: Drift, here: Path, known: Known) -> Iterator[Problem]:
    for key, steps in (("apply", drift.apply), ("fix", drift.fix)):
        for place, step in enumerate(steps):
            yield from _named((*here, key, place), "host", step.host, known.hosts)


def _named(
    at: Path, key: str, word: str, there: Iterable[str], *, noun: str | None = None
) -> Iterator[Problem]:
    if word not in there:
        what = f"there is no {noun or key} '{word}'"
        yield Problem((*at, key), what, did_you_mean(word, sorted(there)))


def _twice(
    here: Path, keys: tuple[str, ...], lists: tuple[tuple[Claim | Promise, ...], ...]
) -> Iterator[Problem]:
    """What is expected in two ways is expected in none."""
    first: dict[tuple[str, str], Path] = {}
    for key, items in zip(keys, lists, strict=True):
        for place, item in enumerate(items):
            at: Path = (*here, key, place)
            if item.key in first:
                what = f"{item.key[0]} of {item.key[1]} is named twice"
                yield Problem(at, what, "keep one of the two", also=first[item.key])
            else:
                first[item.key] = at
