#!/bin/sh
# deb.sh STAGE VERSION LIBDIR OUT - a Debian package from a staged install.
#
# STAGE holds the files as `make install DESTDIR=STAGE PREFIX=/usr` left them
# and is this script's to change; LIBDIR is where the library is, from /. What
# the package needs is what its programs are linked to (dpkg-shlibdeps).
# Writes OUT/clearconf_VERSION_ARCH.deb and prints its name.
set -eu

stage=$1 version=$2 libdir=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
arch=$(dpkg --print-architecture)
control=$stage/DEBIAN

rm -rf "$control"
mkdir -p "$control" "$out"
stage=$(cd "$stage" && pwd)
control=$stage/DEBIAN

doc=$stage/usr/share/doc/clearconf
mkdir -p "$doc"
cp "$here/../../README.md" "$doc/README.md"
mkdir -p "$doc/client/doc"
cp "$here"/../../client/doc/*.svg "$doc/client/doc/"
cp "$here/../../LICENSE" "$doc/copyright"
chmod 644 "$doc"/*.md "$doc"/copyright "$doc"/client/doc/*
find "$stage/usr/share/man" -type f -exec gzip -9n {} +

strip --remove-section=.comment --remove-section=.note \
    "$stage/usr/bin/clearconf" "$stage/usr/sbin/clearconfd"
find "$stage$libdir" -type f -name '*.so.*' -exec strip --strip-unneeded {} +
find "$stage$libdir" -type f -name '*.a' -exec strip --strip-debug {} +

# dpkg-shlibdeps wants to stand in a source package.
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
mkdir "$source/debian"
printf 'Source: clearconf\n\nPackage: clearconf\nArchitecture: any\n' \
    >"$source/debian/control"
depends=$(cd "$source" && dpkg-shlibdeps -O -S"$stage" \
    "$stage/usr/bin/clearconf" "$stage/usr/sbin/clearconfd" \
    "$stage$libdir"/libclearconf.so.*.* | sed 's/^shlibs:Depends=//')

# What is in /etc is the administrator's.
find "$stage/etc" -type f | sed "s,^$stage,," | sort >"$control/conffiles"
echo "libclearconf 0 clearconf (>= $version)" >"$control/shlibs"
echo 'activate-noawait ldconfig' >"$control/triggers"
for script in postinst prerm postrm; do
    install -m 755 "$here/$script" "$control/$script"
done
(cd "$stage" && find usr -type f -exec md5sum {} + | sort -k 2) \
    >"$control/md5sums"

sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" \
    -e "s/@DEPENDS@/$depends/" \
    -e "s/@SIZE@/$(du -k -s --exclude=DEBIAN "$stage" | cut -f 1)/" \
    "$here/control.in" >"$control/control"
chmod 644 "$control/control" "$control/conffiles" "$control/shlibs" \
    "$control/triggers" "$control/md5sums"

dpkg-deb --root-owner-group --build "$stage" \
    "$out/clearconf_${version}_$arch.deb"
