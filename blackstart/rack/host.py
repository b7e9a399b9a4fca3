"""What the host must have: packages and root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from blackstart.rack.command import SYSTEM_PATH, stream
from blackstart.rack.errors import HostError, RackError
from blackstart.rack.phases import Say

# Debian package -> a file or command that it brings.
NEEDED = {
    "qemu-system-x86": "qemu-system-x86_64",
    "qemu-utils": "qemu-img",
    "mmdebstrap": "mmdebstrap",
    "e2fsprogs": "mkfs.ext4",
    "iproute2": "ip",
    "util-linux": "setpriv",
    "openssh-client": "ssh",
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
}
APT_TIMEOUT_S = 600
SUDO_S = 30.0
# Set for a child that came through sudo: the file that holds the caller's environment.
ENVIRONMENT_FILE = "BLACKSTART_ENVIRONMENT_FILE"


def missing() -> list[str]:
    """The Debian packages whose command or file the host lacks."""
    return [
        package
        for package, proof in NEEDED.items()
        if not (Path(proof).exists() if "/" in proof else shutil.which(proof, path=SYSTEM_PATH))
    ]


def ensure_packages(say: Say) -> None:
    """Install what is missing on Debian and Ubuntu (needs root).

    Raises `HostError` elsewhere, with the exact list, and when apt-get fails.
    """
    lacking = missing()
    if not lacking:
        return
    listing = " ".join(lacking)
    if shutil.which("apt-get") is None:
        raise HostError(
            f"the host lacks: {listing} (names as in Debian)",
            "install them with this system's package tool, then run this again",
        )
    say(f"installing {listing}")
    log = Path(tempfile.gettempdir()) / f"blackstart-apt-{os.getpid()}.log"
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", *lacking]
    try:
        for words in (["apt-get", "update"], install):
            stream(
                words,
                timeout=APT_TIMEOUT_S,
                log=log,
                env=quiet,
                line=lambda text: say(text[:60]),
            )
    except RackError as error:
        raise HostError(
            f"apt-get could not install: {listing}",
            f"read {log}, then: sudo apt-get install {listing}",
        ) from error
    log.unlink(missing_ok=True)


def require_root() -> None:
    """Return when root; otherwise run this very command again through sudo.

    The caller's environment travels in a file only the caller can read, never
    on the command line, and is taken over behind sudo. Raises `HostError` when
    there is no sudo.
    """
    if os.geteuid() == 0:
        adopt_caller_environment()
        return
    sudo = _greeted_sudo()  # before the environment is written
    descriptor, name = tempfile.mkstemp(
        prefix="blackstart-environment-", dir=os.environ.get("XDG_RUNTIME_DIR")
    )
    with os.fdopen(descriptor, "w") as file:
        json.dump(dict(os.environ), file)
    sys.stdout.flush()
    sys.stderr.flush()
    # What Python needs to find this very package again, and to leave no file of root's in it.
    kept = [f"{key}={os.environ[key]}" for key in ("PYTHONPATH",) if key in os.environ]
    kept += ["PYTHONDONTWRITEBYTECODE=1", f"{ENVIRONMENT_FILE}={name}"]
    words = [sudo, "--", "env", *kept, sys.executable]
    # The arguments as they were given to the interpreter, "-m" included.
    os.execv(sudo, [*words, *sys.orig_argv[1:]])  # noqa: S606 - takes this process's place


def ask_for_root() -> None:
    """Have sudo ask for its password now: what is started in the background later cannot.

    Raises `HostError` when there is no sudo, or it refuses.
    """
    if os.geteuid() != 0:
        _greeted_sudo()


def stay_root() -> None:
    """Have sudo remember that it has asked; call it more often than sudo forgets.

    It does so after 15 minutes, on some systems after 5 (sudoers(5), timestamp_timeout). Never asks
    and never raises: whoever needs root then is told by sudo itself.
    """
    sudo = shutil.which("sudo")
    if os.geteuid() == 0 or sudo is None:
        return
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [sudo, "-n", "--", "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SUDO_S,
            check=False,
        )


def _greeted_sudo() -> str:
    """Where sudo is, once it has asked for the password, if any."""
    sudo = shutil.which("sudo")
    if sudo is None:
        raise HostError(
            "the rack needs root (network namespace, taps) and there is no sudo here",
            "run this command as root",
        )
    if subprocess.run([sudo, "--", "true"], check=False).returncode != 0:
        raise HostError("sudo refused", "run this command as root, or as a user that sudo knows")
    return sudo


def adopt_caller_environment() -> None:
    """As root behind sudo: take over the environment that the caller left in a file.

    Refuses a file that does not belong to the caller named by sudo. Raises
    `HostError` then, and when it cannot be read.
    """
    name = os.environ.pop(ENVIRONMENT_FILE, None)
    if name is None:
        return
    path = Path(name)
    try:
        owner = path.stat().st_uid
        if owner != int(os.environ.get("SUDO_UID", "-1")):
            raise HostError(f"{path} does not belong to the caller of sudo")
        kept = json.loads(path.read_text())
        path.unlink()
    except (OSError, ValueError) as error:
        raise HostError(f"cannot read the caller's environment: {error}") from error
    identity = {key: os.environ[key] for key in ("SUDO_UID", "SUDO_GID", "SUDO_USER")}
    os.environ.clear()
    os.environ.update({**kept, **identity})


def caller() -> tuple[int, int] | None:
    """User and group id of who called sudo; ``None`` when root itself called."""
    if os.geteuid() != 0 or "SUDO_UID" not in os.environ:
        return None
    return int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])


def caller_prefix() -> list[str]:
    """The words that drop back to who called sudo; none when root itself called."""
    ids = caller()
    if ids is None:
        return []
    return ["setpriv", f"--reuid={ids[0]}", f"--regid={ids[1]}", "--init-groups", "--"]


def caller_environment() -> dict[str, str]:
    """The caller's environment, without what sudo added."""
    return {key: value for key, value in os.environ.items() if not key.startswith("SUDO_")}


def give_to_caller(*paths: Path) -> None:
    """Let who called sudo own what root made in that person's cache (trees included)."""
    ids = caller()
    if ids is None:
        return
    for path in paths:
        for entry in [path, *path.rglob("*")]:
            os.chown(entry, *ids, follow_symlinks=False)


def make_for_caller(path: Path) -> None:
    """Make a directory; every missing parent belongs to who called sudo, too."""
    for directory in [*reversed(path.parents), path]:
        if not directory.exists():
            directory.mkdir()
            give_to_caller(directory)
