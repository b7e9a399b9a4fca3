"""The APIs of Proxmox VE, MAAS and k3s: reached, and allowed to see what facts need."""

from __future__ import annotations

from blackstart.doctor.contacts import Contacts, ProxmoxContact
from blackstart.doctor.state import failed, reached, wrong
from blackstart.drivers import maas_answers, proxmox_answers
from blackstart.drivers.base import K3sApi
from blackstart.drivers.maas_api import MaasApi
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.drivers.proxmox_needs import granting, lacking, remedy
from blackstart.drivers.proxmox_seeing import STATUS, whole_cluster
from blackstart.drivers.tls import compare_first
from blackstart.errors import DriverError, Rejected
from blackstart.model.inventory import Inventory
from blackstart.model.reach import Reach

ADMINISTRATOR = (
    "maas createadmin --username blackstart --email blackstart@example.net && "
    "maas apikey --username blackstart  # on MAAS; its key into `key:`"
)
NODE_READER = (
    "kubectl -n kube-system create serviceaccount blackstart && "
    "kubectl create clusterrole blackstart --verb=list --resource=nodes && "
    "kubectl create clusterrolebinding blackstart --clusterrole=blackstart "
    "--serviceaccount=kube-system:blackstart && "
    "kubectl -n kube-system create token blackstart --duration=2160h  # into `token:`"
)
_CALLERS_FAULT = (" 401 ", " 403 ")


def proxmox_node(contacts: Contacts, proxmox: ProxmoxContact, node: str) -> tuple[Reach, ...]:
    """One node's API, and whether it is that node's."""
    thing, api = f"api {node}", proxmox.apis[node]
    try:
        version = _version(api)
        other = _answers_as(api)
    except Rejected as error:
        return (failed(thing, error, remedy(api.who, str(error))),)
    except DriverError as error:
        access, declared = contacts.inventory.proxmox, contacts.inventory.nodes[node]
        port = access.port if access is not None else 0
        return (failed(thing, error, compare_first(str(declared.address), port, str(error))),)
    if other not in (node, None):
        fix = f"correct nodes.{node} in the inventory: its name or its address"
        return (wrong(thing, f"the node that answers there is {other}", fix),)
    return (reached(thing, f"Proxmox VE {version}"),)


def proxmox_token(proxmox: ProxmoxContact) -> tuple[Reach, ...]:
    """What the token may not see of the cluster, and the command that lets it."""
    api = proxmox.cluster
    thing = f"token {api.who}"
    try:
        lacked = lacking(api, _version(api))
        if not lacked:
            whole_cluster(api)
    except DriverError as error:
        return (failed(thing, error, remedy(api.who, str(error))),)
    if lacked:
        said = f"it lacks {'; '.join(need.words for need in lacked)}"
        return (wrong(thing, said, granting(api.who, lacked)),)
    return (reached(thing, "it sees what facts need"),)


def _version(api: ProxmoxApi) -> str:
    return str(proxmox_answers.record(api.get("version"), "version").get("version"))


def _answers_as(api: ProxmoxApi) -> str | None:
    """The name of the node that answered; ``None`` where the token may not see that."""
    try:
        status = proxmox_answers.records(api.get(STATUS), STATUS)
    except Rejected as error:
        if str(error).startswith("403"):
            return None
        raise
    return next(
        (str(it.get("name")) for it in status if proxmox_answers.flag(it.get("local"))), None
    )


def maas(inventory: Inventory, api: MaasApi) -> tuple[Reach, ...]:
    """MAAS, and whether the key's owner sees everything."""
    thing = "maas"
    try:
        administrator = maas_answers.administrator(api.get("users/", op="whoami"))
    except DriverError as error:
        return (failed(thing, error),)
    if not administrator:
        said = "the key's owner is no administrator: MAAS leaves out most and does not say so"
        return (wrong(thing, said, ADMINISTRATOR),)
    readable = inventory.maas is not None and inventory.maas.url.startswith("http:")
    warning = "; over http:// anybody on the network can read the key"
    return (reached(thing, f"as an administrator{warning * readable}"),)


def k3s_server(api: K3sApi, server: str) -> tuple[Reach, ...]:
    """One server of k3s."""
    thing = f"k3s {server}"
    try:
        failing = api.failing(server)
    except DriverError as error:
        return (failed(thing, error, _reader(error)),)
    ill = f"and is not ready: {', '.join(failing)}" if failing else "and is ready"
    return (reached(thing, f"answers {ill}"),)


def k3s_nodes(api: K3sApi) -> tuple[Reach, ...]:
    """Whether the token may list the cluster's nodes."""
    try:
        nodes = api.nodes()
    except DriverError as error:
        return (failed("k3s nodes", error, _reader(error)),)
    return (reached("k3s nodes", f"{len(nodes)} are listed"),)


def _reader(error: DriverError) -> str:
    refused = isinstance(error, Rejected) and any(code in str(error) for code in _CALLERS_FAULT)
    return NODE_READER if refused else ""
