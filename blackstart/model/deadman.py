"""One armed undo on one host. What puts it there is ``blackstart.safety.deadman``."""

from __future__ import annotations

import re
from dataclasses import dataclass

HOME = "/var/lib/blackstart"
UNIT_PREFIX = "blackstart-deadman-"
FIRED = 75
"""Exit code of a guarded command whose dead-man has fired (sysexits.h: ``EX_TEMPFAIL``)."""
_ID = re.compile(r"^[a-z0-9][a-z0-9-]{0,60}$")


@dataclass(frozen=True, slots=True)
class DeadMan:
    """``lease_s``: seconds without renewal after which it fires.

    Raises ``ValueError`` for an id that could not be part of a path and a unit's name.
    """

    id: str
    host: str
    lease_s: int

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(
                f"{self.id!r} is no dead-man's id: lower-case letters, digits, hyphens"
            )

    @property
    def home(self) -> str:
        """Its directory on the target."""
        return f"{HOME}/{self.id}"

    @property
    def unit(self) -> str:
        """Its units' name, without the suffix."""
        return f"{UNIT_PREFIX}{self.id}"

    def renewal(self) -> str:
        """The line that renews its lease.

        Uptime and boot id: no clock that anybody sets, and a lease never outlives a boot.
        """
        return (
            'echo "$(cat /proc/sys/kernel/random/boot_id) $(cut -d. -f1 /proc/uptime)" '
            f">{self.home}/lease.new && mv {self.home}/lease.new {self.home}/lease"
        )

    def guarding(self, command: str) -> str:
        """``command``, run only while this guards it, with the lease renewed just before.

        A harness that slept longer than its lease (a closed laptop) would otherwise break
        something that nobody undoes. Exits with ``FIRED`` when it has fired, before or
        meanwhile.
        """
        armed = f"[ -e {self.home}/lease ] && ! [ -e {self.home}/fired ]"
        return (
            f"if {armed}; then {self.renewal()}; else exit {FIRED}; fi; "
            f"{{ {command}; }} || exit $?; if {armed}; then :; else exit {FIRED}; fi"
        )
