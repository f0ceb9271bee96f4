#!/bin/sh
# shellcheck disable=SC1091,SC2086,SC2016,SC2034
# What is typed: help of every verb, unknown words, exit codes.
. "$(dirname "$0")/tap.sh"

hirl
ok "no verb is a matter of usage" exits 2
hirl --version
ok "--version names the version" says out '^hirl [0-9]'
hirl --help
ok "--help succeeds" exits 0
verbs=$(sed -n 's/^  \([a-z]*\( [a-z]*\)\{0,1\}\)   *[a-z].*/\1/p' out)
ok "--help lists the verbs" test "$(echo "$verbs" | wc -l)" -ge 12
echo "$verbs" >verbs
while read -r one two; do
    hirl $one $two --help
    ok "$one $two --help succeeds" exits 0
    ok "$one $two --help shows an example" says out "hirl $one"
done <verbs
hirl pretrain --help
ok "pretrain --help gives the default of a key" says out 'batch_size=[0-9]'
for key in data split out preset method arch width stem image_size epochs cluster_warmup_epoch \
    batch_size lr base_lr momentum temperature queue bn_groups prototypes negatives spd_weight \
    spd_eps seed threads loader_threads backend precision feature_precision max_images resume; do
    ok "pretrain knows $key" says out "^  $key="
done
hirl pretrain --help --json
ok "--help --json is JSON" json_lines out

hirl pretain data=x
ok "an unknown verb is a matter of usage" exits 2
ok "an unknown verb: the nearest is named" says err "'pretrain'"
hirl eval kn data=x
ok "an unknown verb of two words: the nearest is named" says err "'eval knn'"
hirl pretrain bacth_size=3
ok "an unknown key is a matter of usage" exits 2
ok "an unknown key: the nearest is named" says err "'batch_size'"
hirl embed batch_size=3
ok "a key of another verb is refused" exits 2
hirl pretrain batch_size=many
ok "a value of the wrong type is refused" exits 2
ok "a value of the wrong type: the key is named" says err batch_size
hirl tree show depth=0
ok "a value outside its range is refused" exits 2
hirl tree show --depth
ok "a value that is missing is refused" exits 2
hirl tree show --depth=x
ok "--key=value is checked as well" says err 'depth'
hirl pretrain backend=cuda:9 data=generated out=x
ok "a backend that is not there has its own code" exits 5
hirl embed data=generated
ok "embed without a model is refused" exits 2
hirl embed model=nowhere data=generated
ok "a model that cannot be read is a matter of data" exits 3
hirl cluster data=nowhere.npy
ok "features that cannot be read are a matter of data" exits 3
printf 'this is no array' >broken.npy
hirl cluster data=broken.npy
ok "damaged features are a matter of data" exits 3
hirl cluster data=broken.npy --json
ok "with --json a failure is JSON too" json out 'r["event"] == "error" and r["exit"] == 3'
hirl tree show nowhere.hpt
ok "a tree that is not there is a matter of data" exits 3
hirl config show preset=hirl-mocov2-small lr=0.5
ok "config show tells where a value comes from" says out '^lr: 0.5  # given'
cp out config.yaml
hirl config show config.yaml --json
ok "config show reads its own output" json out 'float(r["settings"]["lr"]) == 0.5'
hirl config show nowhere.yaml
ok "a configuration that is not there is a matter of data" exits 3
hirl info
ok "info succeeds" exits 0
hirl info differences
ok "info differences compares with the paper" says out prototypes
hirl methods
ok "methods lists the paper's" says out '^hirl-mocov2 '
hirl models
ok "models lists resnet18" says out '^resnet18 '
for verb in info "info differences" methods models "config show"; do
    hirl $verb --json
    ok "$verb --json is JSON" json_lines out
done
finish
