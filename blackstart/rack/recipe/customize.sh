#!/bin/sh
# Run by mmdebstrap on the finished root directory ($1), outside of it.
set -eu
root=$1
recipe=$(dirname "$0")
units=$root/etc/systemd/system

# The initramfs: busybox, our init, and the modules of disk and network card.
work=$root/tmp/initramfs
mkdir -p "$work/bin" "$work/modules"
cp "$root/usr/bin/busybox" "$work/bin/busybox"
install -m 755 "$recipe/init" "$work/init"
release=$(basename "$root"/lib/modules/*)
for module in virtio_blk virtio_net; do
    chroot "$root" modprobe --show-depends --set-version "$release" "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
    name=$(basename "$file" .xz)
    chroot "$root" busybox unxz -c "$file" >"$work/modules/$name"
    echo "$name" >>"$work/modules/order"
done
chroot "$root" sh -c 'cd /tmp/initramfs && find . | sort | cpio --quiet --reproducible -o -H newc' \
    >"$root/boot/initrd.img-$release"
rm -r "$work"

# Nothing runs unless the seed of a machine or guest asks for it.
mkdir -p "$root/etc/systemd/system-preset"
cat >"$root/etc/systemd/system-preset/00-blackstart.preset" <<'PRESET'
enable networking.service
enable ssh.service
disable *
PRESET
chroot "$root" systemctl preset-all --preset-mode=full
rm -f "$root"/etc/rc[S2345].d/S* "$root"/etc/init.d/*

# What a rack has no use for and what costs seconds on an emulated processor:
# first-boot work that the image is built without need of, unused kernel file
# systems, login consoles, and user sessions' own service managers.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
    e2scrub_all.timer e2scrub_reap.service man-db.timer logrotate.timer \
    systemd-udev-settle.service ifupdown-pre.service systemd-pcrmachine.service \
    systemd-pcrphase.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service \
    ldconfig.service systemd-journal-catalog-update.service systemd-sysusers.service \
    systemd-update-done.service systemd-hwdb-update.service systemd-firstboot.service \
    systemd-binfmt.service proc-sys-fs-binfmt_misc.automount \
    systemd-random-seed.service systemd-udev-load-credentials.service systemd-pstore.service \
    systemd-tmpfiles-setup-dev-early.service modprobe@.service user@.service \
    dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
    sys-kernel-config.mount sys-fs-fuse-connections.mount; do
    ln -sf /dev/null "$units/$unit"
done
mkdir -p "$root/etc/systemd/system-generators"
for generator in ssh gpt-auto hibernate-resume tpm2 debug import cryptsetup \
    veritysetup integritysetup rc-local sysv factory-reset; do
    ln -sf /dev/null "$root/etc/systemd/system-generators/systemd-$generator-generator"
done

# The network waits for its card alone, not for every device (ifupdown-pre settles udev).
mkdir -p "$units/networking.service.d" "$units/systemd-udev-trigger.service.d"
cat >"$units/networking.service.d/card.conf" <<'CARD'
[Unit]
Wants=sys-subsystem-net-devices-enp0s18.device
After=sys-subsystem-net-devices-enp0s18.device
CARD
# Of the devices there at boot only these need udev's rules.
cat >"$units/systemd-udev-trigger.service.d/few.conf" <<'FEW'
[Service]
ExecStart=
ExecStart=udevadm trigger --action=add --subsystem-match=block --subsystem-match=net \
    --subsystem-match=virtio --subsystem-match=acpi --subsystem-match=input --subsystem-match=rtc
FEW

# Identity comes with the seed.
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id"
: >"$root/etc/machine-id"
rm -f "$root/etc/hostname" "$root/etc/resolv.conf"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/var/cache/apt/*
