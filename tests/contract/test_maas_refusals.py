"""MAAS refuses, is gone or is only half there: a clear reason each, and no secret in any."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackstart.drivers import maas_api
from blackstart.drivers.maas import NO_ADMINISTRATOR, Maas
from blackstart.drivers.maas_api import Key, MaasApi
from blackstart.errors import Rejected
from blackstart.model.maas_facts import MaasFacts
from blackstart.model.observed import Observed
from tests.contract.maas_recorded import (
    CONSUMER,
    SECRET,
    TOKEN,
    Replay,
    administrators_scene,
    edited,
    needs_recordings,
    recorded,
)
from tests.unit.drivers.tls_server import Asked, Authority, Reply, Server, serving

pytestmark = needs_recordings
KEY = Key(CONSUMER, TOKEN, SECRET)
NEEDS_NO_KEY = {"version"}
FILTERED = {"reservations", "nodes", "dns_records", "racks", "events"}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A CA of the site."""
    return Authority.make(tmp_path)


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Iterator[Server]:
    """An administrator's MAAS as recorded, but that it says its version."""
    with serving(authority.issue(tmp_path, "127.0.0.1")) as server:
        scene = administrators_scene()
        server.otherwise = Replay(scene, {"GET version/": edited("version", version="3.6.1")})
        yield server


@pytest.fixture
def replay(server: Server) -> Replay:
    """What it answers with."""
    assert isinstance(server.otherwise, Replay)
    return server.otherwise


def observe(server: Server, authority: Authority, key: Key = KEY) -> MaasFacts:
    """All facts by a client of its own."""
    api = MaasApi(f"https://127.0.0.1:{server.port}/MAAS", key=key, ca=authority.ca)
    try:
        return Maas(api).observe()
    finally:
        api.close()


def facts_of(facts: MaasFacts) -> dict[str, Observed[Any]]:
    """Every one by its name."""
    return {name: getattr(facts, name) for name in MaasFacts.model_fields}


def unknown(facts: MaasFacts) -> set[str]:
    """Names of those that were not read."""
    return {name for name, fact in facts_of(facts).items() if not fact.known}


def reasons(facts: MaasFacts) -> set[str | None]:
    """Why not, each reason once."""
    return {fact.error for fact in facts_of(facts).values() if not fact.known}


def test_of_a_healthy_maas_all_is_known(server: Server, authority: Authority) -> None:
    """Without this, every test below could be red for another reason."""
    assert unknown(observe(server, authority)) == set()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (
            Key("c2", TOKEN, SECRET),
            "401 MAAS knows no such consumer: the key's first part is wrong",
        ),
        (
            Key(CONSUMER, "t2", SECRET),
            "401 MAAS knows no such token: the key was deleted or is another MAAS'",
        ),
        (Key(CONSUMER, TOKEN, "s2"), "401 the key's secret (its third part) is wrong"),
    ],
)
def test_a_wrong_key_is_the_reason_and_nothing_else_is_asked_with_it(
    key: Key, words: str, server: Server, authority: Authority, replay: Replay
) -> None:
    facts = observe(server, authority, key)
    assert unknown(facts) == set(MaasFacts.model_fields) - NEEDS_NO_KEY
    assert reasons(facts) == {words}
    assert sorted(replay.asked) == [("GET", "users/?op=whoami"), ("GET", "version/")]


@pytest.mark.parametrize(("shift_s", "side"), [(301, "behind"), (-4000, "ahead of")])
def test_a_clock_that_is_wrong_is_named_as_such(
    shift_s: int, side: str, server: Server, authority: Authority, replay: Replay
) -> None:
    right = replay.clock
    replay.clock = lambda: right() + shift_s
    (words,) = reasons(observe(server, authority))
    assert words is not None
    assert words.startswith("401 the clocks differ: this machine's is ")
    assert f"s {side} MAAS', which accepts 300 s" in words


def test_within_300_s_a_clock_may_be_wrong(
    server: Server, authority: Authority, replay: Replay
) -> None:
    right = replay.clock
    replay.clock = lambda: right() + 290
    assert unknown(observe(server, authority)) == set()


def test_another_ca_is_refused_before_anything_is_sent(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    facts = observe(server, Authority.make(tmp_path, "other CA"))
    assert unknown(facts) == set(MaasFacts.model_fields)
    assert all(
        words and "certificate verify failed" in words and "see `ca:` of maas" in words
        for words in reasons(facts)
    )
    assert server.asked == []


def test_a_maas_that_is_down_is_unreachable_in_every_fact(
    server: Server, authority: Authority
) -> None:
    api = MaasApi("https://127.0.0.1:9/MAAS", key=KEY, ca=authority.ca)
    facts = Maas(api).observe()
    api.close()
    assert unknown(facts) == set(MaasFacts.model_fields)
    assert reasons(facts) == {"MAAS: Connection refused"}


def test_a_503_on_the_way_leaves_what_was_read_and_says_why_the_rest_was_not(
    server: Server, authority: Authority, replay: Replay
) -> None:
    page = b"<html><head><title>503 Service Temporarily\nUnavailable</title></head></html>"

    def halfway(request: Asked) -> Reply:
        early = ("/version/", "/users/", "/rackcontrollers/")
        well = any(part in request.path for part in early)
        return replay(request) if well else Reply(503, "busy", page)

    server.otherwise = halfway
    facts = observe(server, authority)
    assert unknown(facts) == set(MaasFacts.model_fields) - {"version", "administrator", "racks"}
    assert reasons(facts) == {"MAAS answers 503: 503 Service Temporarily Unavailable"}


def test_a_maas_that_hangs_holds_nobody_up(
    server: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maas_api, "READ_S", 0.3)
    monkeypatch.setattr(maas_api, "CALL_S", 0.5)
    over = threading.Event()

    def hangs(_: Asked) -> Reply:
        over.wait(30)
        return Reply(drop=True)

    server.otherwise = hangs
    began = time.monotonic()
    facts = observe(server, authority)
    took = time.monotonic() - began
    over.set()
    assert took < 5
    assert unknown(facts) == set(MaasFacts.model_fields)
    assert all(words and "no answer within" in words for words in reasons(facts))


def test_an_empty_list_for_lack_of_privilege_is_unknown(
    server: Server, authority: Authority, replay: Replay
) -> None:
    replay.instead["GET users/?op=whoami"] = edited("whoami", is_superuser=False)
    replay.instead["GET rackcontrollers/"] = recorded("nonadmin racks")
    replay.instead["GET devices/"] = recorded("nonadmin list devices")
    facts = observe(server, authority)
    assert unknown(facts) == FILTERED
    assert reasons(facts) == {NO_ADMINISTRATOR}
    assert facts.administrator.value is False


def test_an_administrators_empty_list_is_an_answer(
    server: Server, authority: Authority, replay: Replay
) -> None:
    replay.instead["GET rackcontrollers/"] = recorded("nonadmin racks")
    assert observe(server, authority).racks.value == ()


class TestVersions:
    """3.5 to 3.7, by what they say and by what they have."""

    GONE = Reply(404, "Not Found", b"Unknown API endpoint: /MAAS/api/2.0/reservedips/.")

    def test_3_5_has_no_reserved_ips_and_is_not_asked(
        self, server: Server, authority: Authority, replay: Replay
    ) -> None:
        said = edited("version", version="3.5.7-16375-g.69525c9de")
        replay.instead |= {"GET version/": said, "GET reservedips/": self.GONE}
        facts = observe(server, authority)
        assert facts.version.value is not None
        assert facts.version.value.series == "3.5"
        assert ("GET", "reservedips/") not in replay.asked
        assert {held.kind for held in facts.reservations.value or ()} == {
            "static-link",
            "ipaddress",
        }

    @pytest.mark.parametrize("text", ["3.6.0", "3.6.1-17585-g.1b2c3d4e5", "3.7.0~rc1"])
    def test_from_3_6_reserved_ips_must_be_there(
        self, text: str, server: Server, authority: Authority, replay: Replay
    ) -> None:
        replay.instead["GET version/"] = edited("version", version=text)
        assert observe(server, authority).reservations.known
        replay.instead["GET reservedips/"] = self.GONE
        assert "404 Unknown API endpoint" in str(observe(server, authority).reservations.error)

    @pytest.mark.parametrize("text", ["3.4.2", "3.8.0", "2.9", "None", "", "30.5"])
    def test_another_is_not_known_and_is_asked_what_it_has(
        self, text: str, server: Server, authority: Authority, replay: Replay
    ) -> None:
        replay.instead["GET version/"] = edited("version", version=text)
        replay.instead["GET reservedips/"] = self.GONE
        facts = observe(server, authority)
        assert unknown(facts) == {"version"}
        assert text in str(facts.version.error)


def test_the_key_shows_nowhere(
    server: Server, authority: Authority, replay: Replay, caplog: pytest.LogCaptureFixture
) -> None:
    for logger in ("", "requests_oauthlib.oauth1_auth", "oauthlib.oauth1.rfc5849"):
        caplog.set_level(logging.DEBUG, logger)
    wrong = Key(CONSUMER, TOKEN, "s2ddddddddddddddddd")
    said = [repr(observe(server, authority)), repr(observe(server, authority, wrong)), repr(KEY)]
    said += [caplog.text, *(request.path for request in server.asked)]
    for private in (TOKEN, SECRET, wrong.secret):
        assert [text for text in said if private in text] == []
    # And it was really sent: in the header, where it belongs.
    assert any(SECRET in str(request.headers.get("Authorization")) for request in server.asked)


def test_an_import_is_refused_in_maas_own_words(
    server: Server, authority: Authority, replay: Replay
) -> None:
    replay.instead["POST boot-resources/?op=import"] = recorded("nonadmin import")
    api = MaasApi(f"https://127.0.0.1:{server.port}/MAAS", key=KEY, ca=authority.ca)
    with pytest.raises(Rejected, match=r"^403 This method is reserved for admin users\.$"):
        Maas(api).start_import()
    Maas(api).stop_import()
    api.close()
    assert [method for method, _ in replay.asked] == ["POST", "POST"]
