# What a machine or guest is like now: a line a thing, each beginning with its kind. Nothing was
# changed between two that are equal. POSIX sh; $root is there to test this text in a directory.
#
# Left out, because it moves by itself: logs and journals, what lies in /run, of the lease file
# all but host entries and who has an address, what timers start, what /etc/pve says of itself
# (.members), the times of zones that a secondary asks for, logins, processes younger than $AGED s.
LC_ALL=C
export LC_ALL
: "${root:=}" "${AGED:=30}"
BOUND=60

# Each line of the input with the kind before it.
as() { while IFS= read -r line; do printf '%s %s\n' "$1" "$line"; done; }

# find(1) from a directory that may be missing, within its file system.
look() {        # directory, conditions and actions
    top=$root$1
    shift
    [ ! -e "$top" ] || timeout $BOUND find "$top" -xdev "$@"
}
contents() { kind=$1; shift; look "$@" -type f -exec sha256sum {} + | sort -k 2 | as "$kind"; }
# Names and sizes alone, of what is too large to be read.
names() { kind=$1; shift; look "$@" -printf '%y %s %p\n' | sort | as "$kind"; }
# What was made and removed again has left its directory with another time.
tree() {
    kind=$1
    shift
    look "$@" -printf '%y %m %u:%g %T@ %p %l\n' | sort | as "$kind"
    contents "$kind" "$@"
}

tree etc /etc ! -path "$root/etc/pve" ! -path "$root/etc/pve/*"
tree pve /etc/pve -mindepth 1 ! -name '.*'
names task /var/log/pve/tasks -type f ! -name 'index*' ! -name 'active*'
tree ours /var/lib/blackstart
tree ours /run/blackstart
names root /root
names temporary /tmp ! -path '*/systemd-private-*'
names temporary /var/tmp ! -path '*/systemd-private-*'
names kept /srv
names kept /srv/local -path '*/vz/*'
names kept /opt
names kept /export
maas=/var/snap/maas/common/maas
contents maas $maas ! -path '*/image-storage/*' ! -name 'dhcpd.leases*'
names maas $maas/image-storage
contents zone /var/cache/bind ! -name '*.jnl'
leases=$root$maas/dhcp/dhcpd.leases
if [ -e "$leases" ]; then
    sed -n '/^host /,/^}/p' "$leases" | as host
    awk '$1 == "lease" { ip = $2 } $1 == "binding" { state[ip] = $3 }
        END { for (ip in state) if (state[ip] == "active;") print ip }' "$leases" | sort | as lease
fi
[ -z "$root" ] || exit 0

as boot </proc/sys/kernel/random/boot_id
grep -vE ' /run/(user|credentials)/' /proc/self/mounts | sort | as mount
ip -br addr | sort | as address
ip route | sort | as route

# Units by name; of services also which start of theirs it is.
timed=$(systemctl list-timers --all --no-legend --no-pager --plain | awk '{ print $NF }')
lasting() {
    grep -vE '^(sshd?[@.-]|system-sshd?\.|session-|user[-@]|run-user-|run-credentials-)' |
        grep -vwF "${timed:-no timer}"
}
units() { timeout $BOUND systemctl "$@" --full --no-legend --no-pager --plain; }
units list-units --all \
    --type=service,mount,automount,socket,swap,path,timer,target,scope,slice |
    awk '$2 == "loaded" && ($3 == "active" || $3 == "failed") { print $1, $3 }' |
    lasting | sort | as unit
units list-unit-files | awk '{ print $1, $2 }' | lasting | sort | as enabled
timeout $BOUND systemctl show --no-pager -p Id,ActiveState,InvocationID '*.service' |
    awk 'BEGIN { RS = ""; FS = "\n" }
        /ActiveState=active/ {
            for (i = 1; i <= NF; i++) { split($i, pair, "="); said[pair[1]] = pair[2] }
            print said["Id"], said["InvocationID"]
        }' | lasting | sort | as start

# Session 0 is the kernel's, and in a guest that of whoever came in from its hypervisor.
ps -eo sid=,etimes=,comm= |
    awk -v own="$(ps -o sid= -p $$ | tr -d ' ')" -v aged="$AGED" \
        '$1 != own && $1 != 0 && $2 >= aged { print $3 }' |
    grep -vE '^(sshd|\(udev-worker\))' | sort | uniq -c | as process

if [ -x /usr/lib/blackstart-rack/guest ] && [ -d /etc/pve/nodes ]; then
    timeout $BOUND /usr/lib/blackstart-rack/guest status |
        sed 's/,"uptime":[0-9]*,"mem":[0-9]*//g; s/},/},\n/g' | as guest
fi
if [ -e /run/docker.pid ]; then     # else asking would start it
    for id in $(timeout $BOUND docker ps -aq --no-trunc); do
        timeout $BOUND docker inspect "$id" \
            -f '{{.Id}} {{.Name}} {{.State.Status}} {{.State.StartedAt}} {{.RestartCount}}'
    done | sort | as container
    timeout $BOUND docker volume ls -q | sort | as volume
    timeout $BOUND docker network ls -q --no-trunc | sort | as network
fi
timeout $BOUND nft -s list ruleset | as packets
[ ! -e /etc/exports ] || timeout $BOUND exportfs -s | sort | as export
exit 0
