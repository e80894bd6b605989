#!/bin/sh
# root.sh SUITE [PACKAGE...] - a Debian root of that suite with these packages.
#
# Prints its folder, build/roots/SUITE, which is made by debootstrap the first
# time and kept; packages it lacks are installed by its own apt. Who needs a
# root to spoil copies this one. The mirror is the one this machine's apt has.
# Exit status 77, with a line that says why: not here.
#
# One at a time: a root is built aside and renamed when it is whole, and a
# package is there when its dpkg says so, so whatever ends this script leaves
# something to go on from.
set -eu

suite=$1
shift
roots=$(cd "$(dirname "$0")/../.." && pwd)/build/roots
root=$roots/$suite

not_here() {
    echo "no $suite root: $1" >&2
    exit 77
}

# Origin is in the lists of apt-get update only; without them the first entry
# has to do.
mirror() {
    # shellcheck disable=SC2016 # apt fills these in
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
        'Created-By: Packages' 2>/dev/null |
        awk '$3 == "main" && $2 !~ /[-\/]/ && ($4 == "" || $4 == "Debian") { print $1; exit }'
}

# Run a command in the root; its /proc and /dev end with it.
inside() {
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount sh -ec 'mount -t proc proc "$1/proc"
        mount --bind /dev "$1/dev"
        exec chroot "$@"' sh "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

make_root() {
    from=$(mirror)
    [ -n "$from" ] || not_here "no Debian mirror among this machine's apt sources"
    rm -rf --one-file-system "$root.part"
    debootstrap --variant=minbase "$suite" "$root.part" "$from" \
        >"$root.log" 2>&1 || not_here "debootstrap failed, see $root.log"
    # Proxies and the like; and no service is to start in a chroot.
    apt-config dump | grep -E '^Acquire::(http|https|ftp|Check|Retries)' \
        >"$root.part/etc/apt/apt.conf.d/90host" || true
    printf '#!/bin/sh\nexit 101\n' >"$root.part/usr/sbin/policy-rc.d"
    chmod 755 "$root.part/usr/sbin/policy-rc.d"
    mv "$root.part" "$root"
}

missing() {
    for package; do
        # shellcheck disable=SC2016 # dpkg fills this in
        case $(chroot "$root" dpkg-query -W -f '${db:Status-Status}' \
            "$package" 2>/dev/null) in
        installed) ;;
        *) echo "$package" ;;
        esac
    done
}

[ "$(id -u)" = 0 ] || not_here "only root can make and enter one"
command -v debootstrap >/dev/null || not_here "debootstrap is not installed"
unshare --mount true 2>/dev/null || not_here "this root may not mount"

mkdir -p "$roots"
exec 9>"$root.lock"
flock 9
[ -d "$root" ] || make_root
lacking=$(missing "$@")
if [ -n "$lacking" ]; then
    # shellcheck disable=SC2086 # a list of names
    inside sh -c 'apt-get -qq update &&
        apt-get -qq install --no-install-recommends "$@"' sh $lacking \
        >>"$root.log" 2>&1 9>&- || not_here "packages failed, see $root.log"
fi
echo "$root"
