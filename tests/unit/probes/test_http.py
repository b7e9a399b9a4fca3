"""HTTP: the declared status, verified TLS, no redirect followed, bounded."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from blackstart.errors import UsageError
from blackstart.probes.base import Answer
from blackstart.probes.http import HttpProbe, trust
from tests.unit.probes.servers import HttpServer, certificate


def probe(url: str, expect_status: int = 200, ca: Path | None = None) -> HttpProbe:
    return HttpProbe("http web", "service/web", url, expect_status, 1.0, trust(ca))


async def test_expected_status_is_up_another_and_none_are_down() -> None:
    async with HttpServer() as server:
        asking = probe(server.url)
        assert (await asking.ask()).ok
        server.status = 503
        assert (await asking.ask()).detail == "status 503 instead of 200"
    assert await asking.ask() == Answer(False, "Connection refused")
    await asking.close()


async def test_redirect_is_an_answer_and_is_not_followed() -> None:
    async with HttpServer(status=302) as server:
        asking, content = probe(server.url), probe(server.url, expect_status=302)
        assert (await asking.ask()).detail == "status 302 instead of 200"
        assert (await content.ask()).ok
        assert server.paths == ["/", "/"]
    await asking.close()
    await content.close()


async def test_certificate_of_another_ca_is_down_and_no_broken_probe(tmp_path: Path) -> None:
    ours, context = certificate(tmp_path, "ours")
    other, _ = certificate(tmp_path, "other")
    async with HttpServer(tls=context) as server:
        trusting, wary = probe(server.url, ca=ours), probe(server.url, ca=other)
        assert (await trusting.ask()).ok
        answer = await wary.ask()
    assert not answer.ok
    assert "certificate verify failed" in answer.detail.lower()
    await trusting.close()
    await wary.close()


async def test_slow_answer_is_down_at_the_bound() -> None:
    async with HttpServer() as server:
        server.delay_s = 3.0
        asking = probe(server.url)
        began = time.monotonic()
        assert (await asking.ask()).detail == "no answer within 1 s"
        assert time.monotonic() - began < 2.0
        await asking.close()


def test_file_that_is_no_ca_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    with pytest.raises(UsageError, match="PEM"):
        trust(wrong)
