#!/bin/sh
# root.sh STAGE ROOT - the root of a container, from what `make install
# DESTDIR=STAGE PREFIX=/usr` has put there.
#
# Both programs, the libraries they load, the CAs that the system trusts, and
# what glibc needs to look up hosts: no shell, no package manager, no setuid
# file. It can be any folder that the kernel can run programs of: an image's
# layer (Containerfile), or a chroot (tests/system).
set -eu

stage=$1
root=$2

take() {
    mkdir -p "$root$(dirname "$2")"
    cp -L "$1" "$root$2"
}

# With the places that the loader finds them at, its own included.
take_libraries() {
    ldd "$1" | sed -n 's,^[^/]*\(/[^ ]*\) (0x.*,\1,p' | while read -r library; do
        [ -e "$root$library" ] || take "$library" "$library"
    done
}

rm -rf "$root"
for program in /usr/sbin/clearconfd /usr/bin/clearconf /usr/bin/clearconf-fleet; do
    take "$stage$program" "$program"
    take_libraries "$stage$program"
done

# Before glibc 2.34 these are loaded when a name is looked up.
for name in libnss_files.so.2 libnss_dns.so.2; do
    library=$(ldconfig -p | sed -n "s,.*$name .*=> ,,p" | head -n 1)
    [ -z "$library" ] || take "$library" "$library"
done
take /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt

mkdir -p "$root/etc/clearconf" "$root/run/clearconf" "$root/var/lib/clearconf" \
    "$root/dev" "$root/proc" "$root/tmp"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
printf '%s\n' 'root:x:0:0::/:/' 'clearconf:x:65532:65532::/var/lib/clearconf:/' > "$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'clearconf:x:65532:' > "$root/etc/group"
chmod 1777 "$root/tmp"
chown -R 65532:65532 "$root/run/clearconf" "$root/var/lib/clearconf"
