"""Addresses, names and services as MAAS has them (3.5 to 3.7): ``AddressSource``, ``ImageSync``.

Two things of this API cost an evening. A list is filtered and not refused: a key whose owner
is no administrator gets ``200 []`` for rack controllers. And the lists of fixed addresses do
not show each other's: what ``reservedips/`` holds is free to ``ipaddresses/``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from blackstart.drivers import maas_addresses as addresses
from blackstart.drivers import maas_answers as answers
from blackstart.drivers.bounded import gather
from blackstart.drivers.maas_api import CALL_S, NO_SUCH_ENDPOINT, MaasApi
from blackstart.errors import DriverError, Rejected
from blackstart.model.maas_facts import (
    BootImage,
    DynamicRange,
    MaasFacts,
    MaasNode,
    MaasVersion,
    Reservation,
)
from blackstart.model.observed import Observed

WORKERS = 4
OBSERVE_S = 30.0
EVENTS = 100
"""How many of the newest are read; MAAS gives at most 1000."""
WITHOUT_RESERVED_IPS = "3.5"
NO_ADMINISTRATOR = (
    "the key's owner is no administrator, and MAAS leaves out what they may not see "
    "without saying so (docs/maas.md)"
)

VERSION = "version/"
WHOAMI = "users/?op=whoami"
SUBNETS = "subnets/"
RANGES = "subnets/ID/?op=reserved_ip_ranges"
RESERVED_IPS = "reservedips/"
IP_ADDRESSES = "ipaddresses/?all=true"
HELD = f"{RESERVED_IPS}, {IP_ADDRESSES}"
NODES = "machines/, devices/"
DNS = "dnsresources/?all=true"
RACKS = "rackcontrollers/"
LOG = "events/?op=query"
IMAGES = "boot-resources/ID/"
IMPORTING = "boot-resources/?op=is_importing"
SYNC = "maas/?op=get_config&name=boot_images_auto_import"
FILTERED = frozenset({HELD, NODES, DNS, RACKS, LOG})
"""What MAAS gives whole to administrators only."""

T = TypeVar("T")


class Maas:
    """One MAAS. Thread-safe."""

    def __init__(self, api: MaasApi) -> None:
        self._api = api

    def observe(self) -> MaasFacts:
        """Every fact, or why not; never raises, and takes at most about 50 s.

        When the key is not accepted, nothing else is asked with it.
        """
        ask = self._api.get
        first = gather(
            {
                VERSION: lambda: answers.version(ask(VERSION)),
                WHOAMI: lambda: answers.administrator(ask("users/", op="whoami")),
            },
            workers=WORKERS,
            timeout_s=CALL_S + 1,
        )
        version: Observed[MaasVersion] = _seen(VERSION, first)
        administrator: Observed[bool] = _seen(WHOAMI, first)
        calls = self._calls(version)
        found = gather(
            {name: _allowed(name, administrator, call) for name, call in calls.items()},
            workers=WORKERS,
            timeout_s=OBSERVE_S,
        )
        return MaasFacts(
            version=version,
            administrator=administrator,
            reservations=_named(_seen(HELD, found), _seen(NODES, found)),
            nodes=_seen(NODES, found),
            subnets=_seen(SUBNETS, found),
            dynamic_ranges=_seen(RANGES, found),
            dns_records=_seen(DNS, found),
            racks=_seen(RACKS, found),
            images=_seen(IMAGES, found),
            importing=_seen(IMPORTING, found),
            syncs_by_itself=_seen(SYNC, found),
            events=_seen(LOG, found),
        )

    def start_import(self) -> None:
        """Begin an import of boot images.

        MAAS accepts it also when it then fails: ``BootImage.complete`` is the proof. Raises
        ``DriverError``.
        """
        self._api.post("boot-resources/", op="import")

    def stop_import(self) -> None:
        """End a running import; fine when none runs. Raises ``DriverError``."""
        self._api.post("boot-resources/", op="stop_import")

    def importing(self) -> bool:
        """Whether MAAS says that an import runs: a lock that it may never be seen to hold.

        Raises ``DriverError``.
        """
        return answers.boolean(self._api.get("boot-resources/", op="is_importing"))

    def incomplete(self) -> tuple[str, ...]:
        """Images of which the newest version is not here whole. Raises ``DriverError``."""
        return tuple(
            f"{image.name} {image.architecture}" for image in self._images() if not image.complete
        )

    def _calls(self, version: Observed[MaasVersion]) -> Mapping[str, Callable[[], Any]]:
        ask = self._api.get
        return {
            HELD: lambda: self._held(version),
            NODES: self._nodes,
            SUBNETS: lambda: self._read(SUBNETS, addresses.subnets),
            RANGES: self._ranges,
            DNS: lambda: addresses.dns_records(ask("dnsresources/", all="true")),
            RACKS: lambda: self._read(RACKS, answers.rack_controllers),
            IMAGES: self._images,
            IMPORTING: self.importing,
            SYNC: lambda: answers.boolean(
                ask("maas/", op="get_config", name="boot_images_auto_import")
            ),
            LOG: lambda: answers.events(ask("events/", op="query", level="DEBUG", limit=EVENTS)),
        }

    def _read(self, path: str, read: Callable[[Any], T]) -> T:
        return read(self._api.get(path))

    def _held(self, version: Observed[MaasVersion]) -> tuple[Reservation, ...]:
        """Every kind of reservation, or none: one list alone would call a held address free."""
        series = version.value.series if version.value else None
        held = () if series == WITHOUT_RESERVED_IPS else self._reserved_ips(series)
        answer = self._api.get("ipaddresses/", all="true")
        return held + addresses.ip_addresses(answer, f"maas GET {IP_ADDRESSES}")

    def _reserved_ips(self, series: str | None) -> tuple[Reservation, ...]:
        """They came with 3.6; a MAAS that does not say its version says whether it has them."""
        try:
            answer = self._api.get(RESERVED_IPS)
        except Rejected as error:
            if series is None and str(error).startswith(f"404 {NO_SUCH_ENDPOINT}"):
                return ()
            raise
        return addresses.reserved_ips(answer, f"maas GET {RESERVED_IPS}")

    def _nodes(self) -> tuple[MaasNode, ...]:
        return self._read("machines/", addresses.machines) + self._read(
            "devices/", addresses.devices
        )

    def _ranges(self) -> tuple[DynamicRange, ...]:
        """As each subnet shows them, beside everything else that takes up its addresses."""
        return tuple(
            found
            for subnet in self._read(SUBNETS, addresses.subnets)
            for found in addresses.dynamic_ranges(
                subnet.id, self._api.get(f"subnets/{subnet.id}/", op="reserved_ip_ranges")
            )
        )

    def _images(self) -> tuple[BootImage, ...]:
        ids = self._read("boot-resources/", answers.image_ids)
        return tuple(self._read(f"boot-resources/{number}/", answers.image) for number in ids)


def _allowed(name: str, administrator: Observed[bool], call: Callable[[], T]) -> Callable[[], T]:
    """The call, unless its answer could not be believed."""

    def refuse() -> T:
        raise Rejected(administrator.error or NO_ADMINISTRATOR)

    if administrator.value is None:
        return refuse
    return refuse if name in FILTERED and not administrator.value else call


def _seen(what: str, found: Mapping[str, Any]) -> Observed[Any]:
    source = f"maas GET {what}"
    if isinstance(found[what], DriverError):
        return Observed(source=source, error=str(found[what]))
    return Observed(source=source, value=found[what])


def _named(
    held: Observed[tuple[Reservation, ...]], nodes: Observed[tuple[MaasNode, ...]]
) -> Observed[tuple[Reservation, ...]]:
    """The reservations with the names of who has them; not known when those are not."""
    if held.value is None or nodes.value is None:
        return Observed(source=held.source, error=held.error or f"{NODES}: {nodes.error}")
    return Observed(source=held.source, value=addresses.named(held.value, nodes.value))
