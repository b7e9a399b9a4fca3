"""containers-run: the same services, the same policies, the same data."""

from __future__ import annotations

import pytest

from blackstart.invariants import containers_run
from blackstart.invariants.base import Evidence
from blackstart.model.facts import Container
from blackstart.model.verdict import Judgement, Verdict

from .site import WEB, good, lost, put, seen, site

FAIL, UNPROVEN = Verdict.FAIL, Verdict.UNPROVEN
CONTAINERS, SENTINEL = "compose.shop.containers", "compose.shop.sentinel_sha256"
NO_POLICY = WEB.model_copy(update={"restart_policy": "no"})
EXITED = WEB.model_copy(update={"state": "exited"})
OTHER = Container(service="db", state="running", image="db:1", restart_policy="always")


def shop(evidence: Evidence) -> Judgement:
    (judged,) = containers_run().judge(evidence)
    return judged


def then(before: tuple[Container, ...], after: tuple[Container, ...]) -> Evidence:
    evidence = put(good(), "before", CONTAINERS, seen(before))
    return put(evidence, "after", CONTAINERS, seen(after))


@pytest.mark.parametrize(
    "evidence",
    [
        good(),
        then((WEB, OTHER), (OTHER, WEB)),
        then((WEB, EXITED), (WEB,)),
        then((WEB, WEB), (WEB, WEB)),
    ],
    ids=["alone", "another order", "a finished one is no loss", "two of one service"],
)
def test_all_is_well(evidence: Evidence) -> None:
    judged = shop(evidence)
    assert (judged.target, judged.verdict) == ("shop", Verdict.PASS)
    assert judged.reason == "web as before, sentinel unchanged"


BROKEN = {
    "no containers, data intact": (
        then((WEB,), ()),
        "the engine knows no container of it, its data is intact; re-apply the definition: "
        "docker compose --project-directory /opt/shop up -d",
    ),
    "no containers, data not seen": (
        put(then((WEB,), ()), "after", SENTINEL, lost()),
        "the engine knows no container of it, its data was not seen intact; re-apply the "
        "definition: docker compose --project-directory /opt/shop up -d",
    ),
    "exited": (then((WEB,), (EXITED,)), "web: 0 of 1 run (exited)"),
    "gone": (then((WEB, OTHER), (WEB,)), "db: 0 of 1 run (gone)"),
    "one of two": (then((WEB, WEB), (WEB, EXITED)), "web: 1 of 2 run (exited, running)"),
    "one more": (then((WEB,), (WEB, OTHER)), "db: 1 of 0 run (running)"),
    "restart no": (
        then((NO_POLICY,), (NO_POLICY.model_copy(update={"state": "exited"}),)),
        "web: 0 of 1 run (exited), restart policy no: no engine starts it again; "
        "set restart: unless-stopped",
    ),
    "restart policy unset": (
        then(
            (WEB.model_copy(update={"restart_policy": ""}),),
            (EXITED.model_copy(update={"restart_policy": ""}),),
        ),
        "web: 0 of 1 run (exited), restart policy no: no engine starts it again; "
        "set restart: unless-stopped",
    ),
    "other policy": (
        then((WEB,), (NO_POLICY,)),
        "web has restart policy no; before the fault unless-stopped",
    ),
    "wiped volume": (
        put(good(), "after", SENTINEL, seen("")),
        "sentinel /opt/shop/data/sentinel is gone: the volume was wiped or is not mounted",
    ),
    "other content": (
        put(good(), "after", SENTINEL, seen("def")),
        "sentinel /opt/shop/data/sentinel has other content than before the fault",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_red(name: str) -> None:
    evidence, said = BROKEN[name]
    judged = shop(evidence)
    assert (judged.verdict, judged.reason) == (FAIL, said)


UNKNOWN = {
    "containers not read": (
        put(good(), "after", CONTAINERS, lost("ssh box", "timeout")),
        "containers of shop not seen: timeout (ssh box)",
    ),
    "sentinel not read": (
        put(good(), "after", SENTINEL, lost("ssh box", "permission denied")),
        "sentinel /opt/shop/data/sentinel not seen: permission denied (ssh box)",
    ),
    "nobody looked": (
        put(good(), "after", "compose.shop", None),
        "containers of shop not seen: nobody looked; "
        "sentinel /opt/shop/data/sentinel not seen: nobody looked",
    ),
    "not read before": (
        put(good(), "before", CONTAINERS, lost()),
        "containers of shop before the fault not seen: no answer (read)",
    ),
    "not running before": (then((EXITED,), (WEB,)), "web did not run before the fault"),
    "none before": (then((), (WEB,)), "web did not run before the fault"),
    "no sentinel before": (
        put(put(good(), "before", SENTINEL, seen("")), "after", SENTINEL, seen("")),
        "sentinel /opt/shop/data/sentinel was not there before the fault; write one",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_unproven(name: str) -> None:
    evidence, said = UNKNOWN[name]
    judged = shop(evidence)
    assert (judged.verdict, judged.reason) == (UNPROVEN, said)


def test_no_project_is_unproven() -> None:
    judged = shop(good(inventory=site(compose={})))
    assert (judged.verdict, judged.target) == (UNPROVEN, "home")
    assert judged.reason == "the inventory declares no Compose project"
