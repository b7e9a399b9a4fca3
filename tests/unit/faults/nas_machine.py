"""A NAS and its clients, made of small programs: the real shell lines run against them.

What they print is as Debian's nfs-utils 2.6 and coreutils 9 print it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blackstart.drivers.base import CommandResult
from blackstart.errors import Unreachable
from tests.unit.collect.local import LocalRunner, tool

VMS = "/export/vms  10.0.0.0/24(sync,wdelay,hide,no_subtree_check,fsid=1,sec=sys,rw)"
MEDIA = "/export/media  *(sync,wdelay,hide,no_subtree_check,fsid=2,sec=sys,ro,root_squash)"
MEDIA_V6 = "/export/media  2001:db8::/32(sync,wdelay,hide,fsid=2,sec=sys,ro,root_squash)"
OTHER = "/export/media2  10.0.0.0/24(sync,wdelay,hide,no_subtree_check,fsid=3,sec=sys,rw)"

SYSTEMCTL = """\
case "$1" in
show) for _ in 1 2; do
          echo Id=nfs-server.service; echo ActiveState=$(cat {state}/nfs-server.service); echo
      done ;;
is-active) [ "$(cat {state}/$3)" = active ] ;;
stop) [ -e {state}/lie ] || echo inactive >{state}/$2 ;;
start) echo active >{state}/$2 ;;
esac
"""
EXPORTFS = """\
case "$1" in
-s) cat {state}/etab ;;
-u) [ -e {state}/lie ] && exit 0
    client=${{2%%:/*}}; path=/${{2##*:/}}; client=$(echo "$client" | tr -d '[]')
    grep -qF "$path  $client(" {state}/etab || {{
        echo "exportfs: Could not find '$2' to unexport." >&2; exit 1; }}
    grep -vF "$path  $client(" {state}/etab >{state}/new; mv {state}/new {state}/etab ;;
-i) client=${{4%%:/*}}; path=/${{4##*:/}}; client=$(echo "$client" | tr -d '[]')
    grep -vF "$path  $client(" {state}/etab >{state}/new
    echo "$path  $client($3)" >>{state}/new; sort -o {state}/etab {state}/new ;;
esac
"""
NFT = """\
case "$1 $2" in
"-f -") [ -e {state}/lie ] && exit 0
        grep -q 'tcp dport 2049 drop' && touch {state}/table ;;
"list tables") ;;
"list table") [ -e {state}/table ] || {{ echo 'Error: No such file or directory' >&2; exit 1; }} ;;
"delete table") rm {state}/table ;;
esac
"""
STAT = """\
name=${{5##*/}}
[ "$(cat {state}/nfs-server.service)" = active ] && ! [ -e {state}/table ] || {{
    [ -e {state}/soft ] && {{ echo "stat: cannot read '$5': Input/output error" >&2; exit 1; }}
    sleep 60; }}
grep -q "^/export/$name " {state}/etab && echo nfs && exit 0
[ -e {state}/soft ] && sleep 60
echo "stat: cannot read file system information for '$5': Stale file handle" >&2; exit 1
"""


@dataclass
class NasMachine:
    """The NAS and its clients on this machine; every line that was run is remembered."""

    root: Path

    def __post_init__(self) -> None:
        self.state = self.root / "state"
        self.state.mkdir()
        self.exported(VMS, MEDIA, MEDIA_V6, OTHER)
        self.etc_exports = "/export/vms 10.0.0.0/24(rw)\n/export/media *(ro)\n"
        (self.state / "nfs-server.service").write_text("active\n")
        self.away: set[str] = set()
        self.ran: list[tuple[str, str]] = []
        programs = {"systemctl": SYSTEMCTL, "exportfs": EXPORTFS, "nft": NFT, "stat": STAT}
        for name, text in programs.items():
            tool(self.root, name, text.format(state=self.state))
        self._shell = LocalRunner(self.root)

    def exported(self, *lines: str) -> None:
        """The server's table of exports."""
        (self.state / "etab").write_text("".join(f"{line}\n" for line in sorted(lines)))

    @property
    def exports(self) -> list[str]:
        """What is exported now."""
        return (self.state / "etab").read_text().splitlines()

    def does(self, what: str) -> None:
        """``lie``: changes report success and do nothing; ``soft``: clients give up."""
        (self.state / what).touch()

    def run(
        self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
    ) -> CommandResult:
        """As ``CommandRunner``."""
        self.ran.append((host, command))
        if host in self.away:
            raise Unreachable(f"{host}: No route to host")
        if command.startswith("cat /etc/exports"):
            return CommandResult(0, self.etc_exports, "")
        return self._shell.run(host, command, timeout_s=timeout_s, stdin=stdin)

    def forget(self, host: str) -> None:
        """There is no connection."""
