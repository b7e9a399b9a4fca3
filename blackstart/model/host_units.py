"""Units of one host's systemd, as it would start them at the next boot."""

from __future__ import annotations

from blackstart.model.observed import Record


class Unit(Record):
    """One loaded unit (systemctl(1), show).

    ``enabled`` is ``UnitFileState``. ``wanted_by`` are the units that start it when they start,
    ``triggered_by`` those that start it when they are asked for (sockets, timers, paths).
    ``file`` is empty when no file defines it, ``source`` is what that was made from, such as
    ``/etc/fstab``. ``where`` is a mount's path, ``stale`` whether its file has changed since
    systemd read it.
    """

    name: str
    load: str
    active: str
    sub: str
    enabled: str
    file: str
    source: str
    where: str
    stale: bool
    wanted_by: tuple[str, ...]
    triggered_by: tuple[str, ...]
