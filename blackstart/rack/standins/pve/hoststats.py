"""Figures of the hypervisor itself, out of /proc (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import REPOSITORY_ID, VERSION

_PROC = Path("/proc")


class CpuUsage:
    """Share of the processors' time that was not idle since the last question."""

    def __init__(self) -> None:
        self._before = _cpu_times()

    def fraction(self) -> float:
        """Between 0 and 1."""
        before, self._before = self._before, _cpu_times()
        total = self._before[0] - before[0]
        idle = self._before[1] - before[1]
        return 1 - idle / total if total else 0.0


def brief() -> dict[str, Any]:
    """What ``/nodes`` and ``/cluster/resources`` show of a node, but for its cpu share."""
    memory = _memory()
    root = _root()
    return {
        "maxcpu": os.cpu_count() or 1,
        "maxmem": memory["total"],
        "mem": memory["used"],
        "maxdisk": root["total"],
        "disk": root["used"],
        "uptime": uptime_s(),
    }


def full() -> dict[str, Any]:
    """What ``/nodes/NODE/status`` shows, but for its cpu share."""
    kernel = os.uname()
    return {
        "boot-info": {"mode": "efi" if Path("/sys/firmware/efi").exists() else "legacy-bios"},
        "cpuinfo": _cpu_info(),
        "current-kernel": {
            "sysname": kernel.sysname,
            "release": kernel.release,
            "version": kernel.version,
            "machine": kernel.machine,
        },
        "idle": 0,
        "ksm": {"shared": 0},
        "kversion": f"{kernel.sysname} {kernel.release} {kernel.version}",
        "loadavg": (_PROC / "loadavg").read_text().split()[:3],
        "memory": _memory(),
        "pveversion": f"pve-manager/{VERSION}/{REPOSITORY_ID}",
        "rootfs": _root(),
        "swap": _swap(),
        "uptime": uptime_s(),
        "wait": 0,
    }


def uptime_s() -> int:
    """Seconds since the machine booted."""
    return int(float((_PROC / "uptime").read_text().split()[0]))


def _cpu_times() -> tuple[int, int]:
    fields = [int(n) for n in (_PROC / "stat").read_text().splitlines()[0].split()[1:]]
    return sum(fields[:8]), fields[3] + fields[4]


def _meminfo() -> dict[str, int]:
    figures = {}
    for line in (_PROC / "meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        figures[name] = int(rest.split()[0]) * 1024
    return figures


def _memory() -> dict[str, int]:
    figures = _meminfo()
    total, available = figures["MemTotal"], figures["MemAvailable"]
    return {
        "total": total,
        "available": available,
        "free": figures["MemFree"],
        "used": total - available,
    }


def _swap() -> dict[str, int]:
    figures = _meminfo()
    total, free = figures["SwapTotal"], figures["SwapFree"]
    return {"total": total, "free": free, "used": total - free}


def _root() -> dict[str, int]:
    stat = os.statvfs("/")
    return {
        "total": stat.f_frsize * stat.f_blocks,
        "free": stat.f_frsize * stat.f_bfree,
        "avail": stat.f_frsize * stat.f_bavail,
        "used": stat.f_frsize * (stat.f_blocks - stat.f_bfree),
    }


def _cpu_info() -> dict[str, Any]:
    fields: dict[str, str] = {}
    for line in (_PROC / "cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    count = os.cpu_count() or 1
    flags = fields.get("flags", "")
    return {
        "cores": count,
        "cpus": count,
        "sockets": 1,
        "family": fields.get("cpu family", ""),
        "flags": flags,
        "hvm": "1" if {"vmx", "svm"} & set(flags.split()) else "",
        "mhz": fields.get("cpu MHz", ""),
        "model": fields.get("model name", ""),
        "user_hz": os.sysconf("SC_CLK_TCK"),
        "vendor": fields.get("vendor_id", ""),
    }
