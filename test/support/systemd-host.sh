#!/bin/sh
# systemd-host.sh ROOT NODE BUNDLE
# Becomes systemd as process 1 of an ordinary host: this computer's programs, read-only, over configuration and data of its own.
# Started in namespaces of its own (pid, mount, cgroup, net, ipc, uts), so that nothing of it reaches this computer.
set -eu
root=$1
node=$2
bundle=$3

mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"
mkdir -p usr etc/systemd/system var/lib var/log proc sys dev run tmp opt/node/bin root home old
for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$dir"; done
mount --bind /usr usr
mount -o remount,bind,ro usr
mount -t tmpfs -o mode=755 tmpfs usr/local
mkdir -p usr/local/bin usr/local/lib
# This computer's kernel settings stay as they are.
mount -t tmpfs -o mode=755 tmpfs usr/lib/sysctl.d

cp "$node" opt/node/bin/node
cp "$bundle" opt/autoweave.mjs
chmod 755 opt/node/bin/node
for file in ld.so.cache ld.so.conf ld.so.conf.d nsswitch.conf pam.d security alternatives; do
  [ ! -e "/etc/$file" ] || cp -a "/etc/$file" etc/
done
cp /usr/lib/os-release etc/os-release
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'messagebus:x:101:101::/:/usr/sbin/nologin' \
  'nobody:x:65534:65534:nobody:/:/usr/sbin/nologin' >etc/passwd
printf '%s\n' 'root:x:0:' 'tty:x:5:' 'messagebus:x:101:' 'nogroup:x:65534:' >etc/group
# A known machine: on an unknown one systemd would enable every service that is installed here.
echo 0123456789abcdef0123456789abcdef >etc/machine-id
for unit in getty.target systemd-logind.service systemd-networkd.service systemd-resolved.service \
  systemd-timesyncd.service systemd-udevd.service systemd-udev-trigger.service systemd-modules-load.service \
  systemd-firstboot.service dev-hugepages.mount dev-mqueue.mount; do
  ln -s /dev/null "etc/systemd/system/$unit"
done
ln -s /usr/lib/systemd/system/multi-user.target etc/systemd/system/default.target

mount -t proc proc proc
mount --bind /sys sys
mount -o remount,bind,ro sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty kmsg; do
  touch "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp

pivot_root . old
umount -l /old
exec env -i container=test PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd --system --log-target=console --show-status=no
