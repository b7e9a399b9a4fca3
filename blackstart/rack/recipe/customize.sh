#!/bin/sh
# Run by mmdebstrap on the finished root directory ($1), outside of it.
set -eu
root=$1
recipe=$(dirname "$0")

cp "$recipe/initramfs/modules" "$root/etc/initramfs-tools/modules"
cp "$recipe/initramfs/initramfs.conf" "$root/etc/initramfs-tools/conf.d/blackstart"
install -m 755 "$recipe/initramfs/seed-hook" \
    "$root/etc/initramfs-tools/scripts/local-bottom/blackstart-seed"
chroot "$root" update-initramfs -c -k all

# Nothing runs unless the seed of a machine or guest asks for it.
mkdir -p "$root/etc/systemd/system-preset"
cat >"$root/etc/systemd/system-preset/00-blackstart.preset" <<'PRESET'
enable networking.service
enable ssh.service
disable *
PRESET
systemctl --root="$root" preset-all --preset-mode=full
rm -f "$root"/etc/rc[S2345].d/S* "$root"/etc/init.d/*
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
    e2scrub_all.timer e2scrub_reap.service man-db.timer logrotate.timer \
    systemd-udev-settle.service ifupdown-pre.service systemd-pcrmachine.service systemd-pcrphase.service \
    systemd-tpm2-setup.service systemd-tpm2-setup-early.service \
    dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

for generator in ssh gpt-auto hibernate-resume tpm2 debug import cryptsetup \
    veritysetup integritysetup rc-local sysv factory-reset; do
    mkdir -p "$root/etc/systemd/system-generators"
    ln -sf /dev/null "$root/etc/systemd/system-generators/systemd-$generator-generator"
done
# The network waits for its card alone, not for every device (ifupdown-pre settles udev).
mkdir -p "$root/etc/systemd/system/networking.service.d"
cat >"$root/etc/systemd/system/networking.service.d/card.conf" <<'CARD'
[Unit]
Wants=sys-subsystem-net-devices-enp0s18.device
After=sys-subsystem-net-devices-enp0s18.device
CARD

# Identity comes with the seed.
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id"
: >"$root/etc/machine-id"
rm -f "$root/etc/hostname" "$root/etc/resolv.conf"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/var/cache/apt/*
