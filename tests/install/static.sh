#!/bin/sh
# Builds and installs with -Dstatic=true, links an example with libhirl.a through `pkg-config --static`, and runs it and
# the installed program. $1 source root, $2 compiler.
set -eu
root=$1 cc=$2
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
command -v pkg-config >/dev/null || exit 77

meson setup "$stage/build" "$root" --prefix "$stage/usr" --libdir lib -Dstatic=true -Dtests=disabled -Dcli=enabled \
    >"$stage/log" 2>&1 && ninja -C "$stage/build" install >>"$stage/log" 2>&1 || {
    tail -n 40 "$stage/log"
    exit 1
}
cd "$stage"
"$stage/usr/bin/hirl" --version
"$stage/usr/bin/hirl" info
rm usr/lib/libhirl.so* # so that -lhirl finds the archive
PKG_CONFIG_PATH=$stage/usr/lib/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
"$cc" -std=c99 "$root/examples/own_loop.c" -o own_loop $(pkg-config --static --cflags --libs hirl) -lm
if ldd own_loop | grep -q libhirl; then
    exit 1
fi
./own_loop
