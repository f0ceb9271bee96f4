#!/bin/sh
# Installs into an empty folder, builds every example with only the installed pkg-config file, and runs the examples
# that need no data. $1 source root, $2 build root, $3 compiler.
set -eu
root=$1 build=$2 cc=$3
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
command -v pkg-config >/dev/null || exit 77

DESTDIR=$stage meson install -C "$build" --no-rebuild --quiet >/dev/null
module=$(find "$stage" -name hirl.pc)
[ -n "$module" ]
PKG_CONFIG_LIBDIR=$(dirname "$module") # has no other .pc file, so private dependencies must not be needed
PKG_CONFIG_SYSROOT_DIR=$stage
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
flags=$(pkg-config --cflags --libs hirl)
LD_LIBRARY_PATH=$(pkg-config --variable=libdir hirl)
case $LD_LIBRARY_PATH in "$stage"*) ;; *) LD_LIBRARY_PATH=$stage$LD_LIBRARY_PATH ;; esac
export LD_LIBRARY_PATH

cd "$stage"
test -s "$(find "$stage" -name api.json)" && test -s "$(find "$stage" -name hirl.ffi.h)"
for source in "$root"/examples/*.c; do
    name=$(basename "$source" .c)
    # shellcheck disable=SC2086
    "$cc" -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror "$source" -o "$name" $flags -lm -lpthread
    echo "built $name"
done
# the program in README.md
awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$root/README.md" >program.c
grep -q hirl_train_run program.c
# shellcheck disable=SC2086
"$cc" -std=c99 -Wall -Wextra -Wpedantic -Werror program.c -o program $flags
./cluster tree.hpt
test -s tree.hpt
./own_loop >own_loop.txt
cat own_loop.txt
# the last path loss must be below the first
awk '{ loss = $NF; if (NR == 1) first = loss } END { exit !(NR > 1 && loss < first) }' own_loop.txt
# trains with and without HIRL; fails if a resumed run ends in another state
./simclr
# these fail if the bits of a stopped run differ, a block is left, or an image is not read
./cancel runs
./allocator
./own_images
# without installing
PKG_CONFIG_PATH=$build/meson-uninstalled
export PKG_CONFIG_PATH
unset PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
# shellcheck disable=SC2046
"$cc" -std=c99 "$root/examples/cluster.c" -o uninstalled $(pkg-config --cflags --libs hirl)
LD_LIBRARY_PATH=$build/lib ./uninstalled uninstalled.hpt

./pretrain generated model.safetensors 1 max_images 128 batch_size 32 queue 64 arch resnet18 \
    width 0.125 image_size 32 prototypes 16,4 negatives 4 cluster_warmup_epoch 0
./embed model.safetensors generated max_images 64
