"""Whether we reach what we break while it is broken: out of band, and by our own network."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urlsplit

from blackstart.errors import DriverError
from blackstart.model.circumstances import Here
from blackstart.model.inventory import Inventory
from blackstart.safety.guards.base import Pass, Request, Said, unseen


class OutOfBandProven:
    """A fault that needs the management controller has it answering first."""

    name = "out-of-band"

    def refuse(self, request: Request) -> Said:
        """Refuse when a controller is not declared, does not answer, or says off."""
        plan = request.plan
        if not plan.needs_out_of_band:
            return Pass("it is not needed")
        for host in plan.nodes_down or (plan.target,):
            wrong = self._wrong(request, host)
            if wrong is not None:
                return wrong
        return None

    def _wrong(self, request: Request, host: str) -> str | None:
        power = request.site.power
        if not power.supports(host):
            return f"{host} declares no management controller (out_of_band)"
        try:
            state = power.state(host)
        except DriverError as error:
            return f"the management controller of {host} does not answer: {error}"
        return None if state == "on" else f"the controller says that {host} is {state}"


class OwnPathSurvives:
    """The harness runs beside what it breaks, and its way there does not lead through it.

    It speaks to addresses: a resolver that goes down is no matter, unless a management
    controller is declared by name and every name server goes down with the fault.
    """

    name = "own-path"

    def refuse(self, request: Request) -> Said:
        """Refuse when the harness, or a gateway it needs, is within the blast radius."""
        seen = request.site.circumstances.here()
        if seen.value is None:
            return unseen("the network of this machine", seen)
        here, falling = seen.value, _addresses(request)
        return (
            self._runs_on(request, here)
            or self._through(request.site.inventory, here, falling)
            or self._by_name(request, here, falling)
            or self._written_to(request, here)
            or Pass(f"from {', '.join(map(str, here.addresses)) or 'nowhere'}, by address")
        )

    def _runs_on(self, request: Request, here: Here) -> str | None:
        elsewhere = "run the harness on a machine that the fault does not touch"
        inventory = request.site.inventory
        for name in (*request.touched, *sorted(request.falling)):
            declared = inventory.nodes.get(name) or inventory.guests[name]
            if declared.address in here.addresses:
                return f"the harness runs on {name} itself ({declared.address}); {elsewhere}"
            facts = request.facts.hosts.get(name)
            if facts is not None and facts.boot_id.value == here.boot_id:
                return f"the harness runs in a container of {name} (same kernel); {elsewhere}"
        return None

    def _through(
        self, inventory: Inventory, here: Here, falling: dict[IPv4Address, str]
    ) -> str | None:
        for name, address in _asked(inventory):
            try:
                gateway = here.gateway_to(address)
            except LookupError as error:
                return f"{error} ({name}); give it one"
            if gateway in falling:
                return (
                    f"the way to {name} leads through {falling[gateway]} ({gateway}), which goes "
                    f"down; run the harness in the same network as {name}"
                )
        return None

    def _by_name(self, request: Request, here: Here, falling: dict[IPv4Address, str]) -> str | None:
        if not request.plan.needs_out_of_band:
            return None
        names = [
            host
            for node in request.plan.nodes_down
            if (host := _controller(request.site.inventory, node)) and _address(host) is None
        ]
        left = [it for it in map(_address, here.resolvers) if it and not it.is_loopback]
        if names and all(resolver in falling for resolver in left):
            return (
                f"the management controller {names[0]} is asked by name, and no name server "
                "is known to stay; write its address into out_of_band.url"
            )
        return None

    def _written_to(self, request: Request, here: Here) -> str | None:
        """A journal on a store that goes away would hang, and nobody would renew or revert."""
        going = {*request.falling, *request.touched}
        of_all = _of_all(request.site.inventory)
        staying = {str(address) for name, address in of_all.items() if name not in going}
        for path in (request.terms.drills, request.terms.directory, request.terms.leases):
            try:
                server = here.server_of(path.resolve())
            except LookupError as error:
                return f"{error}; give --drills a local directory"
            if server is not None and server not in staying:
                return (
                    f"{path} is on a file system of {server}, which is not known to stay; "
                    "give --drills and XDG_STATE_HOME local directories"
                )
        return None


def _addresses(request: Request) -> dict[IPv4Address, str]:
    """Names of what goes down, by address."""
    of_all = _of_all(request.site.inventory)
    return {address: name for name, address in of_all.items() if name in request.falling}


def _of_all(inventory: Inventory) -> dict[str, IPv4Address]:
    nodes = {name: node.address for name, node in inventory.nodes.items()}
    return nodes | {name: guest.address for name, guest in inventory.guests.items()}


def _asked(inventory: Inventory) -> Iterator[tuple[str, IPv4Address]]:
    """Everything that is spoken to while a drill runs, by address."""
    for name, node in inventory.nodes.items():
        yield name, node.address
        controller = _address(_controller(inventory, name))
        if controller is not None:
            yield f"the controller of {name}", controller
    for name, guest in inventory.guests.items():
        yield name, guest.address


def _controller(inventory: Inventory, node: str) -> str:
    """The host in the URL of a node's management controller, or nothing."""
    access = inventory.nodes[node].out_of_band
    return (urlsplit(access.url).hostname or "") if access is not None else ""


def _address(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except AddressValueError:
        return None
