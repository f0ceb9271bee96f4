#!/bin/sh
# Builds and runs a program in another meson project that has libhirl in subprojects/. $1 source root.
set -eu
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir "$stage/subprojects"
ln -s "$1" "$stage/subprojects/libhirl"
cp "$1/examples/own_loop.c" "$stage/main.c"
cat >"$stage/meson.build" <<'END'
project('stranger', 'c')
executable('stranger', 'main.c', dependencies: dependency('hirl', fallback: 'libhirl'))
END
cd "$stage"
meson setup build >setup.log 2>&1 || {
    cat setup.log
    exit 1
}
ninja -C build >ninja.log 2>&1 || {
    tail -n 40 ninja.log
    exit 1
}
./build/stranger
