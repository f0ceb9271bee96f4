#!/bin/sh
# quickstart.sh - trains MoCo v2 and HIRL-MoCo v2 on images that the library draws. Compares
# their nearest-neighbour accuracy and the scores of their trees with those of an untrained encoder.
# Installs missing packages if run as root, builds into build/, and writes to build/quickstart.
# The environment variable EPOCHS sets the length of the two runs (10 epochs by default).
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=tests/packages.sh
. tests/packages.sh
epochs=${EPOCHS:-10}
out=build/quickstart
data=data=generated
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
    echo "--- $hirl pretrain preset=$2 $data epochs=$epochs out=$out/$1"
    from=$(date +%s)
    $hirl pretrain "preset=$2" $data "epochs=$epochs" "cluster_warmup_epoch=$((epochs / 3))" \
        "out=$out/$1"
    echo $(($(date +%s) - from)) >"$out/$1.seconds"
}

# evaluate NAME MODEL [PRESET]: kNN at three label levels; builds a tree from z0 and scores it
evaluate() {
    echo "--- $hirl eval knn model=$2 $data"
    $hirl eval knn "model=$2" ${3-} $data "out=$out/$1.knn.json"
    $hirl cluster "model=$2" preset=hirl-mocov2-small $data "out=$out/$1.tree" --quiet >/dev/null
    $hirl tree eval "$out/$1.tree" $data "out=$out/$1.tree.json" --quiet
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
echo 0 >"$out/random.seconds"
evaluate random random preset=hirl-mocov2-small
evaluate mocov2 "$out/mocov2"
evaluate hirl-mocov2 "$out/hirl-mocov2"

echo
$hirl tree show "$out/hirl-mocov2.tree" $data depth=2 width=4 examples=0
echo
printf '%-16s%21s  %21s\n' '' 'kNN top-1, per cent' 'dendrogram purity, %'
printf '%-16s %6s %6s %6s   %6s %6s %6s  %6s\n' '' fine middle top fine middle top seconds
row 'random encoder' random
row 'MoCo v2' mocov2
row 'HIRL-MoCo v2' hirl-mocov2
echo
echo "$(($(date +%s) - begun)) s in total; runs, trees and scores are in $out"
