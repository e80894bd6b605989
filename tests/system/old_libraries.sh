#!/bin/sh
# old_libraries.sh SOURCES PREFIX - the oldest libraries that clearconf runs
# with, built from SOURCES and installed in PREFIX.
#
# SOURCES holds checkouts, or unpacked archives, of these:
#
#   curl     tag curl-7_61_0     https://github.com/curl/curl
#   libuv    tag v1.34.0         https://github.com/libuv/libuv
#   jansson  tag v2.11           https://github.com/akheron/jansson
#   libyaml  tag 0.2.1           https://github.com/yaml/libyaml
#   inih     tag r42             https://github.com/benhoyt/inih
#
# It builds in them. Needs autoconf, automake, libtool, OpenSSL (1.1, as hosts
# of that age have) and zlib; CC is heeded.
set -eu

sources=$(cd "$1" && pwd)
mkdir -p "$2/lib/pkgconfig" "$2/include"
prefix=$(cd "$2" && pwd)
CC=${CC:-cc}
export CC CFLAGS='-O2 -g'

build() { # FOLDER BOOTSTRAP CONFIGURE-OPTION...
    (
        cd "$sources/$1"
        $2
        shift 2
        ./configure --prefix="$prefix" --disable-static "$@"
        make -j"$(nproc)"
        make install
    )
}

build libuv ./autogen.sh
build jansson 'autoreconf -fi'
build libyaml ./bootstrap
build curl ./buildconf --with-ssl --with-zlib --disable-ldap --disable-manual \
    --without-brotli --without-libpsl --without-librtmp --without-libssh2 --without-nghttp2
cd "$sources/inih"
"$CC" -O2 -g -fPIC -shared -Wl,-soname,libinih.so.0 ini.c -o "$prefix/lib/libinih.so.0"
ln -sf libinih.so.0 "$prefix/lib/libinih.so"
cp ini.h "$prefix/include"
printf 'Name: inih\nDescription: inih\nVersion: 42\nCflags: -I%s/include\nLibs: -L%s/lib -linih\n' \
    "$prefix" "$prefix" >"$prefix/lib/pkgconfig/inih.pc"
