#!/bin/sh
# deb.sh OUT - Debian packages of this tree in the folder OUT, by debhelper.
#
# debhelper looks for a folder debian at the top of a tree: this folder, in a
# copy of ours. CC is heeded, other flags are Debian's own.
set -eu

mkdir -p "$1"
out=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$out/deb
tree=$work/clearconf

rm -rf --one-file-system "$work"
SOURCE_DATE_EPOCH=$("$here/../tree.sh" "$tree")
export SOURCE_DATE_EPOCH
mv "$tree/systemd/deb" "$tree/debian"
cd "$tree"
# What make was asked for outside is not for the make inside.
unset MAKEFLAGS MFLAGS MAKELEVEL
DEB_BUILD_OPTIONS="parallel=$(nproc) ${DEB_BUILD_OPTIONS:-}" \
    dpkg-buildpackage --build=binary --no-sign >"$work/log" 2>&1 || {
    tail -n 40 "$work/log" >&2
    exit 1
}
mv "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out"
rm -rf --one-file-system "$work"
ls "$out"/*.deb
