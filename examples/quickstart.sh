#!/bin/sh
# quickstart.sh - trains MoCo v2 and HIRL-MoCo v2 on written characters that the library draws.
# Compares nearest neighbours and trees with those of raw pixels and of an untrained encoder.
# Installs missing packages if run as root, builds into build/, and writes to build/quickstart.
# The environment variable EPOCHS sets the length of the two runs (20 epochs by default).
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=tests/packages.sh
. tests/packages.sh
epochs=${EPOCHS:-20}
out=build/quickstart
data="data=generated generated_kind=strokes generated_images=3000 generated_size=24"
# a character stays whole in a large crop, and a mirrored one is another character
keys="image_size=24 batch_size=64 global_crops_scale=0.4,1 flip_p=0"
begun=$(date +%s)

install_packages "$build_packages"
mkdir -p build
[ -f build/build.ninja ] || meson setup build >build/setup.log 2>&1 || {
    cat build/setup.log
    exit 1
}
ninja -C build bindings/cli/hirl >build/ninja.log || {
    tail -n 40 build/ninja.log
    exit 1
}
hirl=build/bindings/cli/hirl
rm -rf "$out"
mkdir -p "$out"
echo "built in $(($(date +%s) - begun)) s"

# train NAME PRESET: trains into $out/NAME, and writes the time to $out/NAME.seconds
train() {
    echo "--- $hirl pretrain preset=$2 $keys $data epochs=$epochs out=$out/$1"
    from=$(date +%s)
    $hirl pretrain "preset=$2" $keys $data "epochs=$epochs" "cluster_warmup_epoch=$((epochs / 3))" \
        "out=$out/$1"
    echo $(($(date +%s) - from)) >"$out/$1.seconds"
}

# tree_of NAME KEY=VALUE...: builds a tree from features and scores it
tree_of() {
    name=$1
    shift
    $hirl cluster "$@" $data "out=$out/$name.tree" --quiet >/dev/null
    $hirl tree eval "$out/$name.tree" $data "out=$out/$name.tree.json" --quiet
}

# evaluate NAME KEY=VALUE...: finds nearest neighbours; prints and writes the accuracy
evaluate() {
    name=$1
    shift
    echo "--- $hirl eval knn $* $data"
    $hirl eval knn "$@" $data "out=$out/$name.knn.json"
}

# numbers FILE KEY: prints the values of a JSON key in per cent, one per label level
numbers() {
    sed -n "s/.*\"$2\": \([0-9.e-]*\).*/\1/p" "$1" | while read -r x; do
        awk -v x="$x" 'BEGIN { printf " %6.1f", 100 * x }'
    done
}

# row TITLE NAME: prints a line of the table
row() {
    printf '%-16s%s  %s  %6s\n' "$1" "$(numbers "$out/$2.knn.json" knn_top1)" \
        "$(numbers "$out/$2.tree.json" dendrogram_purity)" "$(cat "$out/$2.seconds")"
}

train mocov2 mocov2-small
train hirl-mocov2 hirl-mocov2-small
echo 0 | tee "$out/pixels.seconds" >"$out/random.seconds"
evaluate pixels features=pixels
tree_of pixels model=pixels
evaluate random features=random preset=mocov2-small image_size=24
tree_of random model=random preset=mocov2-small
for name in mocov2 hirl-mocov2; do
    evaluate $name "model=$out/$name"
    tree_of $name "model=$out/$name"
done
$hirl tree export "$out/mocov2.tree" $data "out=$out/tree.html" --quiet

echo
printf '%-16s%14s  %14s\n' '' 'kNN top-1, %' 'dendrogram, %'
printf '%-16s %6s %6s   %6s %6s  %6s\n' '' fine coarse fine coarse seconds
row 'raw pixels' pixels
row 'random encoder' random
row 'MoCo v2' mocov2
row 'HIRL-MoCo v2' hirl-mocov2
cat <<END

kNN is the share of test images whose nearest training images show the same one of 60 characters
(fine) or of 10 alphabets (coarse); dendrogram is the purity of the smallest group of the tree that
holds two images of a class. A longer run learns more: EPOCHS=40 sh examples/quickstart.sh

$(($(date +%s) - begun)) s in total; runs, trees and scores are in $out
pictures of the tree of MoCo v2: $out/tree.html
END
