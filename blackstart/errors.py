"""Every error blackstart raises on purpose.

BlackstartError
 +- UsageError              exit 2: the command line or the environment is not right
 |   +- DocumentError       exit 2: what a person wrote: names file, line and remedy
 |       +- InventoryError
 |       +- IncidentError
 +- Refusal                 exit 3: a guard or a lease refused; nothing was touched
 +- Unproven                exit 3: nothing can be concluded, which is never a pass
 +- Found                   exit 1: a check found something wrong
 +- DriverError             exit 3: a real system did not answer as it should
 |   +- Unreachable         no connection, or it broke
 |   |   +- Untrusted       its certificate is not the expected one; nothing was sent
 |   +- TimedOut            no answer within the bound
 |   +- Rejected            it answered, and said no
 |   +- Malformed           what it keeps cannot be understood: names the line
 +- ProbeBroken             exit 3: a probe cannot ask, which tells nothing about its target
 +- JournalError            exit 3: the journal cannot be read or written
"""

from __future__ import annotations

from blackstart.redaction import redact


class BlackstartError(Exception):
    """Root of the tree. ``exit_code`` is what a command line ends with.

    As text it shows no secret: what a server says may repeat what it was sent.
    """

    exit_code = 1

    def __str__(self) -> str:
        return redact(super().__str__())

    def __repr__(self) -> str:
        return redact(super().__repr__())


class UsageError(BlackstartError):
    """The caller asked for something that cannot be: message says what and the remedy."""

    exit_code = 2


class DocumentError(UsageError):
    """A file is not right. ``problems`` holds ``FILE:LINE: what; remedy`` lines."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class InventoryError(DocumentError):
    """The inventory is not right."""


class IncidentError(DocumentError):
    """An incident is not right."""


class Refusal(BlackstartError):
    """A guard said no; nothing was touched. ``reasons`` are for a person to read."""

    exit_code = 3

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reasons))


class Unproven(BlackstartError):
    """Data is missing, so nothing can be concluded; never a pass."""

    exit_code = 3


class Found(BlackstartError):
    """A check's claim does not hold: ``problem``, where that was read, and what mends it.

    ``touches`` names what else it is about: an act on any of them is concerned.
    """

    def __init__(
        self, problem: str, *, evidence: tuple[str, ...], fix: str, touches: tuple[str, ...] = ()
    ) -> None:
        self.problem = problem
        self.evidence = evidence
        self.fix = fix
        self.touches = touches
        read = f" ({'; '.join(evidence)})" if evidence else ""
        super().__init__(f"{problem}{read}; {fix}")


class DriverError(BlackstartError):
    """A real system did not answer as it should: nothing is known of it."""

    exit_code = 3


class Unreachable(DriverError):
    """No connection could be made, or it broke."""


class Untrusted(Unreachable):
    """Somebody answers, and not with the certificate that was expected; nothing was sent."""


class TimedOut(DriverError):
    """There was no answer within the bound. ``stdout`` and ``stderr`` hold what came until then."""

    def __init__(self, message: str, *, stdout: str = "", stderr: str = "") -> None:
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(message)


class Rejected(DriverError):
    """The system answered and refused; the message is its own."""


class Malformed(DriverError):
    """A file of the system breaks its own grammar; ``line`` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        super().__init__(f"line {line}: {message}")


class ProbeBroken(BlackstartError):
    """A probe itself cannot ask (no permission, no route, no file handles left)."""

    exit_code = 3


class JournalError(BlackstartError):
    """A journal cannot be read or written: what it hides may be open."""

    exit_code = 3
