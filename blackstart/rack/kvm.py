"""Whether the host's hardware virtualisation works: proven by a bounded boot, never assumed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

PROOF_LIMIT_S = 10.0


def works(kernel: Path, initramfs: Path, cache: Path) -> bool:
    """Whether hardware virtualisation is proven by a boot into user space.

    ``/dev/kvm`` alone proves nothing: where virtualisation is nested it may
    exist and hang after the firmware. Boots at most 10 s; the result is kept in
    ``cache`` for as long as this host kernel runs.
    """
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    proof = cache / "kvm.json"
    if proof.exists():
        known = json.loads(proof.read_text())
        if known.get("boot") == boot:
            return bool(known["works"])
    proven = _boots(kernel, initramfs)
    proof.parent.mkdir(parents=True, exist_ok=True)
    proof.write_text(json.dumps({"boot": boot, "works": proven}))
    return proven


def _boots(kernel: Path, initramfs: Path) -> bool:
    words = [
        "timeout",
        "--signal=KILL",
        f"{PROOF_LIMIT_S:g}",
        "qemu-system-x86_64",
        "-machine",
        "q35",
        "-accel",
        "kvm",
        "-cpu",
        "host",
        "-m",
        "256M",
        "-nodefaults",
        "-display",
        "none",
        "-no-reboot",
        "-serial",
        "stdio",
        "-kernel",
        str(kernel),
        "-initrd",
        str(initramfs),
        "-append",
        "console=ttyS0 panic=-1",
    ]
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            return any(b"Run /init as init process" in line for line in process.stdout)
        finally:
            process.kill()
