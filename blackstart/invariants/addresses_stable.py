"""Every guest is where it was: MAC, address, DNS and certificate agree, and with before.

Four sources, each of which was right in an outage while another was not: the guest's
own agent, the declaration, every DNS server, and the certificate that peers verify. Virtual
addresses are nobody's own: ``virtual-addresses-held`` looks at them.
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.model.facts import Observed, SiteFacts
from blackstart.model.inventory import Guest
from blackstart.model.verdict import Judgement
from blackstart.model.virtual_addresses import without_virtual


@dataclass(frozen=True, slots=True)
class AddressesStable:
    """The promise for every declared guest that is meant to run."""

    name: str = "addresses-stable"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each guest; a disagreement names both sides and their sources."""
        guests = {name: item for name, item in evidence.inventory.guests.items() if item.running}
        if not guests:
            site = evidence.inventory.site
            return nothing_to_judge(self.name, site, "the inventory declares no running guest")
        return tuple(self._guest(evidence, name, guest) for name, guest in guests.items())

    def _guest(self, evidence: Evidence, name: str, guest: Guest) -> Judgement:
        findings = Findings(self.name, name)
        before, after = (
            without_virtual(evidence.inventory, it) for it in (evidence.before, evidence.after)
        )
        was = self._was(findings, before, name, guest)
        now = self._is(findings, after, (name, guest), was)
        names = self._names(findings, evidence, guest)
        certificates = self._certificates(findings, evidence, (name, guest), now)
        agree = [f"{guest.mac} has {guest.address}", *names, *certificates]
        return findings.judgement("; ".join(agree))

    def _was(
        self, findings: Findings, facts: SiteFacts, name: str, guest: Guest
    ) -> tuple[str, ...] | None:
        """The addresses of the guest's MAC before the fault, when they were as declared."""
        interfaces = findings.before(_interfaces(facts, name), f"interfaces of {name}")
        if interfaces is None:
            return None
        addresses = _addresses(interfaces, guest.mac)
        if str(guest.address) not in addresses:
            findings.ill_before(
                f"{guest.mac} had {_list(addresses)} before the fault; declared {guest.address}"
            )
        return addresses

    def _is(
        self,
        findings: Findings,
        facts: SiteFacts,
        declared: tuple[str, Guest],
        was: tuple[str, ...] | None,
    ) -> tuple[str, ...]:
        """The addresses that the guest's MAC has now; none when that was not seen."""
        name, guest = declared
        observed = _interfaces(facts, name)
        interfaces = findings.after(observed, f"interfaces of {name}")
        if interfaces is None or observed is None:
            return ()
        addresses = _addresses(interfaces, guest.mac)
        if guest.mac not in map(str.lower, interfaces):
            others = _list(tuple(interfaces))
            findings.failed(f"{name} has no {guest.mac} but {others} ({observed.source})")
        elif str(guest.address) not in addresses:
            findings.failed(
                f"{guest.mac} has {_list(addresses)} ({observed.source}); "
                f"the inventory declares {guest.address}"
            )
        elif was is not None and set(addresses) != set(was):
            findings.failed(
                f"{guest.mac} has {_list(addresses)} ({observed.source}); "
                f"before the fault {_list(was)}"
            )
        return addresses

    def _names(self, findings: Findings, evidence: Evidence, guest: Guest) -> list[str]:
        """DNS forward must lead to the guest's address at every server."""
        dns = evidence.inventory.dns
        declared = [name for name in guest.names if dns is not None and name in dns.names]
        for name in declared:
            for server in dns.servers if dns is not None else ():
                observed = evidence.after.names.get(f"{server}/{name}")
                answer = findings.after(observed, f"answer of {server} to {name}")
                if answer is None or observed is None or str(guest.address) in answer:
                    continue
                findings.failed(
                    f"{name} is {_list(answer)} ({observed.source}); "
                    f"the inventory declares {guest.address}"
                )
        return [f"{', '.join(declared)} in DNS"] if declared else []

    def _certificates(
        self,
        findings: Findings,
        evidence: Evidence,
        declared: tuple[str, Guest],
        now: tuple[str, ...],
    ) -> list[str]:
        name, guest = declared
        endpoints = evidence.inventory.certificates
        ours = [key for key, certificate in endpoints.items() if certificate.guest == name]
        for key in ours:
            if now and str(guest.address) not in now:
                self._left_behind(findings, evidence.before, key, now)
            self._certificate(findings, evidence.before, (key, guest), after=False)
            self._certificate(findings, evidence.after, (key, guest), after=True)
        return [f"certificate {', '.join(ours)} verified"] if ours else []

    def _left_behind(
        self, findings: Findings, before: SiteFacts, key: str, now: tuple[str, ...]
    ) -> None:
        """A guest that moved: at its new address peers refuse the certificate it had."""
        seen = before.certificates.get(key)
        carried = seen.addresses.value if seen is not None else None
        if seen is not None and carried is not None and not set(carried) & set(now):
            findings.failed(
                f"certificate {key} is for {_list(carried)} ({seen.addresses.source}), "
                f"not for {_list(now)}"
            )

    def _certificate(
        self, findings: Findings, facts: SiteFacts, endpoint: tuple[str, Guest], *, after: bool
    ) -> None:
        key, guest = endpoint
        seen = facts.certificates.get(key)
        read = findings.after if after else findings.before
        wrong = findings.failed if after else findings.ill_before
        carried = read(seen.addresses if seen else None, f"addresses in certificate {key}")
        verified = read(seen.verified if seen else None, f"validity of certificate {key}")
        when = "" if after else " before the fault"
        if carried is not None and seen is not None and str(guest.address) not in carried:
            wrong(
                f"certificate {key} is for {_list(carried)}{when} ({seen.addresses.source}); "
                f"the inventory declares {guest.address}"
            )
        elif verified is False and seen is not None:
            wrong(f"certificate {key} does not verify{when} ({seen.verified.source})")


def _interfaces(facts: SiteFacts, name: str) -> Observed[dict[str, tuple[str, ...]]] | None:
    guest = facts.guests.get(name)
    return guest.interfaces if guest is not None else None


def _addresses(interfaces: dict[str, tuple[str, ...]], mac: str) -> tuple[str, ...]:
    found = [item for key, items in interfaces.items() if key.lower() == mac for item in items]
    return tuple(address.partition("/")[0] for address in found)


def _list(items: tuple[str, ...]) -> str:
    return ", ".join(sorted(items)) or "no address"


def addresses_stable() -> AddressesStable:
    """Every guest keeps its MAC and address; DNS and certificates agree."""
    return AddressesStable()
