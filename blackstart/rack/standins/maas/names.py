"""DNS names in the state: split, found, added."""

from __future__ import annotations

from collections.abc import Sequence

from .store import Record, State, find, take_id


def default_domain(state: State) -> Record:
    """The domain that names without one are in."""
    found = find(state, "domains", is_default=True)
    if found is None:
        raise ValueError("there is no default domain")
    return found


def split_name(state: State, fqdn: str) -> tuple[str, Record] | None:
    """A name and its domain, the longest that fits; ``None`` when it is in none of ours."""
    fitting = [each for each in state["domains"] if fqdn.endswith(f".{each['name']}")]
    if not fitting:
        return None
    domain = max(fitting, key=lambda each: len(each["name"]))
    return fqdn.removesuffix(f".{domain['name']}"), domain


def add_name(
    state: State,
    name: str,
    domain: Record,
    *,
    addresses: Sequence[int] = (),
    records: Sequence[Record] = (),
) -> Record:
    """Add addresses (ids) and other records to a name, which is made when it is not there."""
    found = find(state, "dnsresources", name=name, domain=domain["id"])
    if found is None:
        found = {
            "id": take_id(state, "dnsresources"),
            "name": name,
            "domain": domain["id"],
            "addresses": [],
            "records": [],
        }
        state["dnsresources"].append(found)
    found["addresses"] += addresses
    found["records"] += records
    return found
