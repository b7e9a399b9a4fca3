"""Inventory parts: the systems that give out addresses."""

from __future__ import annotations

from blackstart.model.parts import Label, Part, Reference


class Maas(Part):
    """How the MAAS API is reached (version 3.5 to 3.7).

    ``url`` is ``https://ADDRESS[:PORT]/MAAS``, ``key`` refers to ``CONSUMER:TOKEN:SECRET`` as
    ``maas apikey`` prints it, ``guest`` is the guest that MAAS runs in. What a key must be
    allowed to see stands in ``docs/maas.md``.
    """

    url: str
    key: Reference
    ca: Reference | None = None
    guest: Label | None = None
