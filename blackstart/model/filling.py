"""The writer that fills memory: a shell that needs no other program once it has begun.

Close to the end every page of a program that the kernel has dropped must be read again, and
its place is gone before it is. A writer that starts programs (``head``, ``grep``) stands still
there, with all memory in its hands: an emulated hypervisor was deaf for more than ten minutes.
So this one uses what the shell itself has, gives back part of it as soon as the kernel has
killed, and as soon as it no longer gets on. The last of it is written with real-time priority
(chrt(1)): whoever else gets the processor then reads back what was just dropped, the kernel
sees progress, and kills nobody for minutes.
"""

from __future__ import annotations

CHUNK_MIB = 16
BLOBS_PER_CHUNK = 64
"""Each of 256 KiB."""
BLOBS_PER_LOOK = 16
"""``read`` takes a file byte by byte, and the kernel's counters are long."""
LEAST_BACK_CHUNKS = 8
STUCK_S = 30
"""Seconds for 256 KiB, after which the machine gets on with nothing."""
TRIES = 3
LAST_MIB = 256
"""What is left, of a small machine, when the end begins; of a big one its twentieth part."""

_WRITER = """\
blob=0; while [ ${{#blob}} -lt 262144 ]; do blob=$blob$blob; done
look() {{
  while read -r name value; do [ $name != oom_kill ] || kills=$value; done </proc/vmstat
}}
clock() {{ read -r now rest </proc/uptime; now=${{now%.*}}; }}
back() {{
  n=0; while [ $n -lt {back} ] && [ $i -gt 0 ]; do i=$((i-1)); n=$((n+1)); : >{path}/$i; done
}}
left() {{
  while read -r name value rest; do [ $name != MemAvailable: ] || left=$value; done </proc/meminfo
}}
look; before=$kills; i=0; stuck=0; last=no
while [ $i -lt {chunks} ] && [ $stuck -lt {tries} ]; do
  q=0; left
  if [ $last = no ] && [ "$left" -lt {last_kib} ]; then
    last=yes; chrt -r -p 1 $$ >/dev/null 2>&1
  fi
  while [ $q -lt {blobs} ]; do
    clock; began=$now
    printf %s "$blob" >>{path}/$i || exit 0
    q=$((q+1)); clock
    if [ $((now-began)) -ge {stuck_s} ]; then i=$((i+1)); stuck=$((stuck+1)); back; continue 2; fi
    if [ $((q%{look})) = 0 ]; then look; [ "$kills" = "$before" ] || break 2; fi
  done
  i=$((i+1))
done
if [ "$kills" != "$before" ]; then i=$((i+1)); back; fi
exec sleep infinity
"""


def writer(path: str, mib: int) -> str:
    """Fills ``mib`` below ``path``, chunk by chunk, until the kernel kills somebody.

    After that, or when a small piece takes 30 s, an eighth of it (128 MiB at least) is given
    back: one guest killed is the drill, all of them and a deaf host would be an outage.
    """
    chunks = -(-mib // CHUNK_MIB)
    return _WRITER.format(
        path=path,
        chunks=chunks,
        back=max(LEAST_BACK_CHUNKS, chunks // 8),
        blobs=BLOBS_PER_CHUNK,
        look=BLOBS_PER_LOOK,
        stuck_s=STUCK_S,
        tries=TRIES,
        last_kib=max(LAST_MIB, mib // 20) * 1024,
    )
