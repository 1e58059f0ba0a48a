#!/bin/bash
# Boots systemd as the first process of a container of our own: a copy-on-write view of this machine's files, no network, a cgroup of
# its own, and of units only what a service needs. Nothing outside changes, and all of it ends with this process.
# Usage (as root): boot.sh FOLDER CGROUP...   FOLDER: empty, for what the machine writes; CGROUP: folders made for it.
set -e
folder=$1
shift
if [ -z "$INSIDE" ]; then
    for group in "$@"; do echo $$ > "$group/cgroup.procs"; done
    # Whatever ends who called this ends the machine too.
    INSIDE=1 exec setpriv --pdeathsig KILL unshare --mount --pid --fork --cgroup --uts --ipc --net --kill-child bash "$0" "$folder"
fi
mount --make-rprivate /
mount -t tmpfs tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
root=$folder/root
for place in $SHOWN; do mkdir -p "$root$place"; mount --rbind "$place" "$root$place"; done
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,ro,bind "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs tmpfs "$root/dev/shm"
touch "$root/dev/console"
mount --bind /dev/null "$root/dev/console"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/var/tmp"
mount -t tmpfs tmpfs "$root/etc/systemd/system"
mkdir -p "$root/run/units/sysinit.target.wants" "$root/run/host"
chmod 755 "$root/root"
for name in sysinit basic multi-user shutdown umount final local-fs sockets slices timers paths; do
    printf '[Unit]\nDescription=%s\nAllowIsolate=yes\n' $name > "$root/run/units/$name.target"
done
printf 'Requires=basic.target\nAfter=basic.target\n' >> "$root/run/units/multi-user.target"
printf 'Requires=sysinit.target\nAfter=sysinit.target\n' >> "$root/run/units/basic.target"
cp "$root"/lib/systemd/system/systemd-journald* "$root/run/units/"
ln -s ../systemd-journald.service "$root/run/units/sysinit.target.wants/"
cd "$root"
mkdir -p run/old
pivot_root . run/old
umount -l /run/old
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=edge-test SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/units \
    "$(command -v /lib/systemd/systemd || command -v /usr/lib/systemd/systemd)" --unit=multi-user.target < /dev/null
