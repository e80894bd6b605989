#!/bin/sh
# rpm.sh VERSION OUT - RPM packages of this tree in the folder OUT.
#
# What the spec wants to build with is not asked of RPM's own database, which is
# empty on a Debian machine; CC is heeded.
set -eu

version=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$out/rpm

rm -rf --one-file-system "$work"
mkdir -p "$work/SOURCES"
SOURCE_DATE_EPOCH=$("$here/../tree.sh" "$work/clearconf-$version")
export SOURCE_DATE_EPOCH
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -cf - "clearconf-$version" |
    gzip -9n >"$work/SOURCES/clearconf-$version.tar.gz"
rm -rf --one-file-system "$work/clearconf-$version"
unset MAKEFLAGS MFLAGS MAKELEVEL
LC_ALL=C.UTF-8 rpmbuild --define "_topdir $work" --nodeps -bb "$here/clearconf.spec" \
    >"$work/log" 2>&1 || {
    tail -n 40 "$work/log" >&2
    exit 1
}
find "$work/RPMS" -name '*.rpm' -exec mv {} "$out" \;
rm -rf --one-file-system "$work"
ls "$out"/*.rpm
