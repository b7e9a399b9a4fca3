"""What the answers of the MAAS API mean: pure functions from its JSON to facts.

Field names and types are those of the vendor's schema (openapi of 3.6.5). Addresses and names
are in ``maas_addresses``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pydantic import ValidationError

from blackstart.errors import Rejected
from blackstart.model.maas_facts import (
    BootImage,
    MaasEvent,
    MaasVersion,
    RackController,
    RackService,
)

SERIES = ("3.5", "3.6", "3.7")

Json = Mapping[str, Any]
P = ParamSpec("P")
T = TypeVar("T")


def understood(read: Callable[P, T]) -> Callable[P, T]:
    """Have a reader raise ``Rejected``, naming itself, for what is not of the schema's form."""

    @wraps(read)
    def reader(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(step) for step in detail["loc"])
            words = f"{where}: {detail['msg']}"
        except KeyError as error:
            words = f"it lacks {error}"
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            words = str(error)
        raise Rejected(f"the answer is not understood ({read.__name__}): {words}")

    return reader


def records(answer: object) -> list[Json]:
    """A list of objects. Raises ``TypeError`` when the answer is something else."""
    if not isinstance(answer, list) or not all(isinstance(item, Mapping) for item in answer):
        raise TypeError(f"expected a list of objects, got {type(answer).__name__}")
    return answer


@understood
def version(answer: Json) -> MaasVersion:
    """``version/``. Raises ``Rejected`` for a series that this was not made for."""
    text = str(answer["version"])
    match = re.match(r"(\d+\.\d+)\b", text)
    if match is None:
        raise Rejected(f"MAAS does not say its version: {text!r}")
    if match[1] not in SERIES:
        raise Rejected(f"MAAS {text} is none of those this was made for ({', '.join(SERIES)})")
    return MaasVersion(text=text, series=match[1])


@understood
def administrator(answer: Json) -> bool:
    """``users/?op=whoami``: whether lists are whole."""
    return flag(answer["is_superuser"])


@understood
def boolean(answer: object) -> bool:
    """An answer that is true or false alone."""
    return flag(answer)


def flag(value: object) -> bool:
    """True or false. Raises ``TypeError`` for what only looks like it."""
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {type(value).__name__}")
    return value


@understood
def rack_controllers(answer: object) -> tuple[RackController, ...]:
    """``rackcontrollers/``."""
    return tuple(
        RackController(
            system_id=entry["system_id"],
            hostname=entry["hostname"],
            services={
                service["name"]: RackService(status=service["status"], info=service["status_info"])
                for service in records(entry["service_set"])
            },
        )
        for entry in records(answer)
    )


@understood
def image_ids(answer: object) -> tuple[int, ...]:
    """``boot-resources/``."""
    return tuple(int(entry["id"]) for entry in records(answer))


@understood
def image(answer: Json) -> BootImage:
    """``boot-resources/{id}/``: the newest of its versions, which sort as text (dates)."""
    versions: Json = answer["sets"]
    newest = max(versions, default=None)
    held: Json = versions[newest] if newest is not None else {"size": 0, "complete": False}
    return BootImage(
        id=answer["id"],
        name=answer["name"],
        architecture=answer["architecture"],
        version=newest,
        size=held["size"],
        complete=flag(held["complete"]),
    )


@understood
def events(answer: Json) -> tuple[MaasEvent, ...]:
    """``events/?op=query``; who did it is left out."""
    return tuple(
        MaasEvent.model_validate({name: entry[name] for name in MaasEvent.model_fields})
        for entry in records(answer["events"])
    )
