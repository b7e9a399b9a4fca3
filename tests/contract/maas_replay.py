"""The recorded requests sent to the stand-in, and what of its answers must be the same."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from blackstart.rack.standins.maas import nodeviews
from blackstart.rack.standins.maas.store import State
from tests.contract.maas_recorded import EXCHANGES_FILE, Exchange, exchanges
from tests.contract.maas_scene import catch_up
from tests.contract.maas_standin import LOOPBACK, STOPPED, StandIn

ABSENT = {
    "fabrics/": "networks are seeded, and read by their subnets",
    "fabrics/1/vlans/0/": "networks are seeded, and read by their subnets",
    "vlans/{id}/": "networks are seeded, and read by their subnets",
    "domains/": "the rack has one domain",
    "regioncontrollers/": "has no service_set",
    "rackcontrollers/{id}/?op=list_boot_images": "boot-resources/{id}/ is the proof of an import",
    "rackcontrollers/{id}/?op=import_boot_images": "boot-resources/?op=import is what is drilled",
    "machines/": "the rack's MAAS installs no machine",
    "machines/{id}/?op=query_power_state": "the rack's MAAS switches no machine",
    "machines/{id}/?op=power_parameters": "the rack's MAAS switches no machine",
    "machines/{id}/?op=power_on": "the rack's MAAS switches no machine",
    "machines/{id}/?op=release": "the rack's MAAS installs no machine",
    "dhcp-snippets/": "nobody in the rack adds to dhcpd.conf",
    "discovery/": "what MAAS overheard is nobody's declaration",
    "boot-sources/": "images are made in the guest and come from nowhere",
    "boot-sources/3/selections/": "images are made in the guest and come from nowhere",
    "notifications/": "for the eyes of its user interface",
    "users/": "users are seeded",
}
"""What the stand-in does not have, and why that is of no concern to drills."""
READ_TOO = {("GET", "machines/"), ("PUT", "machines/")}
# What the recorded MAAS, started from its source, said of itself.
_VERSION = {"version": "None", "subversion": ""}
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2}\. \d{4} [\d:]{8}"
)


def held_to(exchange: Exchange) -> bool:
    """Whether the stand-in must answer it as recorded."""
    return why_not(exchange) is None


def why_not(exchange: Exchange) -> str | None:
    """Why the stand-in need not answer an exchange; ``None`` when it must."""
    endpoint = exchange.endpoint[1].split("?op=nosuch")[0]
    if (exchange.method, endpoint) in READ_TOO or endpoint not in ABSENT:
        return None
    return ABSENT[endpoint]


def account() -> str:
    """How many are held, and the number of the others by reason."""
    rest: dict[str, int] = {}
    for exchange in exchanges():
        why = why_not(exchange)
        if why is not None:
            rest[why] = rest.get(why, 0) + 1
    count = len(exchanges()) - sum(rest.values())
    lines = [f"the stand-in holds {count} of {len(exchanges())} recorded exchanges; of no concern"]
    lines += [f"  {count:3} {why}" for why, count in sorted(rest.items(), key=lambda it: -it[1])]
    return "\n".join(lines)


def recorded_kinds() -> dict[int, str]:
    """The content type of each answer by the number of its exchange."""
    entries = json.loads(EXCHANGES_FILE.read_text())
    return {number: entry["content_type"] for number, entry in enumerate(entries)}


@dataclass
class Replayer:
    """Sends exchanges in their order; ``done`` are the changes that happened between them."""

    site: StandIn
    done: set[str] = field(default_factory=set)

    def catch_up(self, exchange: Exchange) -> None:
        """Have the state be as it was before an exchange."""
        with self.site.maas.store.changing() as state:
            catch_up(state, exchange.number, self.done)
            _foresee_ids(state, exchange)

    def send(self, exchange: Exchange) -> tuple[int, str, Any]:
        """Status, content type and body of the stand-in's answer."""
        entry = json.loads(EXCHANGES_FILE.read_text())[exchange.number]
        target, form = entry["path"], None
        given = entry["params"] or {}
        if given and exchange.method == "GET":
            parts = urlsplit(target)
            target = f"{parts.path}?{'&'.join(filter(None, (parts.query, urlencode(given))))}"
        elif given:
            form = urlencode(given)
        return self._ask(exchange.method, target, self._login(exchange), form)

    def _login(self, exchange: Exchange) -> str | None:
        client = self.site.client(1 if exchange.title.startswith("nonadmin") else 0)
        changed = {
            "bad consumer": {"consumer": "nosuch"},
            "bad token": {"token": "bbbbbbbbbbbbbbbbbb"},
            "bad secret": {"secret": "wrong"},
        }
        if exchange.title in ("no auth", "no auth subnets", "version"):
            return None
        if exchange.title == "garbage auth header":
            return "OAuth garbage"
        login = self.site.client(**changed.get(exchange.title, {}))._login()
        if exchange.title.startswith("nonadmin"):
            login = client._login()
        if exchange.title == "missing timestamp param":
            login = re.sub(r', oauth_timestamp="\d+"', "", login)
        if exchange.title == "stale timestamp":
            then = re.findall(r"given (\d+)", exchange.body)[0]
            login = re.sub(r'oauth_timestamp="\d+"', f'oauth_timestamp="{then}"', login)
        return login

    def _ask(
        self, method: str, target: str, login: str | None, form: str | None
    ) -> tuple[int, str, Any]:
        headers = {"Authorization": login} if login is not None else {}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        trust = ssl.create_default_context(cafile=str(self.site.ca))
        server = http.client.HTTPSConnection(LOOPBACK, self.site.port, timeout=30, context=trust)
        try:
            server.request(method, target, form, headers)
            answer = server.getresponse()
            text, kind = answer.read().decode(), answer.headers["Content-Type"]
        finally:
            server.close()
        is_json = kind.startswith("application/json")
        return answer.status, kind, json.loads(text) if is_json else text


def _foresee_ids(state: State, exchange: Exchange) -> None:
    """Have the next ids be those that the recorded MAAS gave."""
    body = exchange.body
    if exchange.method != "POST" or exchange.status != 200 or not isinstance(body, dict):
        return
    table = {
        "reservedips/": "reservedips",
        "ipranges/": "ipranges",
        "subnets/": "subnets",
        "dnsresources/": "dnsresources",
        "dnsresourcerecords/": "dnsdata",
    }.get(exchange.path)
    if table is not None:
        state["next_id"][table] = body["id"]
    for card in body.get("interface_set", []):
        state["next_id"]["interfaces"] = card["id"]
    for link in body.get("links", []):
        state["next_id"]["addresses"] = link["id"]
    if exchange.title == "ip reserve with mac+hostname":
        # Its name is in a later answer alone.
        state["next_id"]["dnsresources"] = 8


def excused(exchange: Exchange, body: Any) -> Any:
    """A body in which what may differ is the same: moments, and what the rack does not run."""
    if exchange.title == "version":
        return {**body, **_VERSION}
    return json.loads(_TIME.sub("<moment>", json.dumps(list(_without_unrun([body])))))[0]


def _without_unrun(bodies: list[Any]) -> Iterator[Any]:
    """The same, but that services which the stand-in does not have are off."""
    for body in bodies:
        if isinstance(body, dict):
            if body.get("name") in nodeviews.SERVICES and "status_info" in body:
                unrun = nodeviews.SERVICES[body["name"]] is None
                yield {**body, **({"status": "off", "status_info": ""} if unrun else {})}
            else:
                yield {key: next(_without_unrun([value])) for key, value in body.items()}
        elif isinstance(body, list):
            yield list(_without_unrun(body))
        else:
            yield body


def set_the_scene(site: StandIn) -> None:
    """How the recorded rack controller's services were."""
    site.units.states_of["named.service"] = STOPPED
