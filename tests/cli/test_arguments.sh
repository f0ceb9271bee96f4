#!/bin/sh
# shellcheck disable=SC1091,SC2086,SC2016,SC2034
# The command line: help of every verb, unknown words and keys, invalid values, exit statuses.
. "$(dirname "$0")/tap.sh"

hirl
ok "a missing verb is a usage error" exits 2
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
    batch_size lr base_lr momentum temperature queue bn_groups prototypes negatives draw \
    spd_weight spd_eps seed threads loader_threads backend precision feature_precision max_images resume; do
    ok "pretrain knows $key" says out "^  $key="
done
ok "pretrain --help names the command that shows a preset's defaults" says out 'config show preset='
hirl config show method=MoCo-v2
ok "choices ignore case, - and _" says out '^method: mocov2  # given'
hirl config show method=moco
ok "an unknown choice is refused and the error lists the choices" says err 'not one of: mocov2 '
hirl embed format=
ok "an empty choice is refused" exits 2
ok "an empty choice: the error lists the choices" says err "'' is not one of: npy csv"
hirl tree show ascii=
ok "an empty flag is refused" exits 2
hirl pretrain data = photos
ok "spaces around = are an error that shows the correct form" says err 'key=value, without spaces'
hirl pretrain data=generated generated_images=8 batch_size=16 out=nothing
ok "a batch larger than the data set: the error states the largest that fits" says err 'give at most 4'
ok "without a run the log does not mention kept settings" test "$(grep -c 'keeps its settings' err)" = 0
mkdir empty
hirl eval knn model=empty data=generated
ok "the error says that a folder is no run" says err 'empty contains no run'
rmdir empty
hirl config show preset=mocov3-small image_size=33
ok "config show refuses an invalid network" says err 'image_size: 33 pixels'
hirl pretrain --help --json
ok "--help --json is JSON" json_lines out

hirl pretain data=x
ok "an unknown verb is a usage error" exits 2
ok "an unknown verb: the error names the nearest one" says err "'pretrain'"
hirl eval kn data=x
ok "an unknown verb of two words: the error names the nearest one" says err "'eval knn'"
for word in show tre show\ x; do
    hirl $word
    ok "hirl $word: the error names a verb of two words" says err "did you mean 'tree "
done
hirl tree shwo data=x
ok "an unknown verb of a family: the error names the nearest one" says err "'tree show'"
ok "an unknown verb of a family: the error shows the help of the family" says err "hirl tree --help"
for family in tree eval config; do
    hirl $family --help
    ok "hirl $family --help succeeds" exits 0
    ok "hirl $family --help lists verbs with two words" says out "^  $family [a-z]"
    ok "hirl $family --help lists no other verbs" sh -c "! grep -q '^  pretrain' out"
    cp out family
    hirl help $family
    ok "hirl help $family prints the same" cmp out family
    hirl $family
    ok "hirl $family lists them and is a usage error" exits 2
    ok "hirl $family prints the same list" cmp out family
done
hirl tree --help
ok "hirl tree --help lists an alias of the family" says out '^  tree build '
hirl pretrain bacth_size=3
ok "an unknown key is a usage error" exits 2
ok "an unknown key: the error names the nearest one" says err "'batch_size'"
hirl embed batch_size=3
ok "a key of another verb is refused" exits 2
hirl pretrain batch_size=many
ok "a value of the wrong type is refused" exits 2
ok "a value of the wrong type: the error names the key" says err batch_size
hirl tree show depth=0
ok "a value outside its range is refused" exits 2
hirl tree show --depth
ok "a missing value is refused" exits 2
hirl tree show --depth=x
ok "--key=value is checked like key=value" says err 'depth'
hirl pretrain backend=cuda:9 data=generated out=x
ok "a missing backend has its own exit status" exits 5
hirl embed data=generated
ok "embed without a model is refused" exits 2
hirl embed model=nowhere data=generated
ok "a missing model is a data error" exits 3
hirl cluster data=nowhere.npy
ok "a missing file of features is a data error" exits 3
python3 -c 'import struct
def npy(name, descr, shape, data):
    head = ("{%sdescr%s: %s%s%s, %sfortran_order%s: False, %sshape%s: %s, }\n" % (*"\x27" * 2,
        "\x27", descr, *"\x27" * 5, shape)).encode()
    open(name, "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data)
npy("nan.npy", "<f4", "(2, 2)", struct.pack("<4f", 1, 2, 3, float("nan")))
npy("huge.npy", ">f8", "(2, 2)", struct.pack(">4d", 1, 1e300, 3, 4))
npy("two.npy", ">i2", "(6, 2)", struct.pack(">12h", *range(12)))'
hirl cluster data=nan.npy
ok "features that are not finite are a data error" exits 3
ok "the error names file, row and column" says err 'nan.npy: row 1, column 1 .* nan'
hirl cluster data=huge.npy
ok "features beyond f32 are a data error" exits 3
ok "the error names the value" says err 'huge.npy: row 0, column 1 .*1e+300'
hirl cluster data=two.npy out=two
ok "big-endian integers are clustered" exits 0
hirl pretrain data=nan.npy out=none
ok "an error names a file once" sh -c '[ "$(grep -o nan.npy err | wc -l)" = 1 ]'
printf 'this is no array' >broken.npy
hirl cluster data=broken.npy
ok "a damaged file of features is a data error" exits 3
hirl cluster data=broken.npy --json
ok "with --json an error is a JSON event" json out 'r["event"] == "error" and r["exit"] == 3'
python3 -c 'import struct, sys
open("empty-images-idx3-ubyte", "wb").write(struct.pack(">IIII", 0x803, 0, 28, 28))
open("float-images-idx3-ubyte", "wb").write(struct.pack(">IIII", 0xd03, 1, 1, 1) + b"\0" * 4)'
hirl embed data=empty-images-idx3-ubyte model=random
ok "an IDX file without images is a data error" exits 3
ok "an IDX file without images: the error says so" says err 'no images'
hirl embed data=float-images-idx3-ubyte model=random
ok "an IDX file of another type is a data error" exits 3
useless() { # useless KEY ARGUMENTS...: the command is refused because KEY has no effect
    key=$1
    shift
    hirl "$@"
    ok "$* is refused" exits 2
    ok "$*: the error names the key" says err "key '$key'.* has no effect"
}
useless split eval knn data=generated generated_images=40 features=pixels split=train
useless layer eval knn data=generated generated_images=40 features=pixels layer=z0
useless model eval knn data=generated generated_images=40 features=pixels model=nowhere
useless seed eval knn data=generated generated_images=40 features=pixels seed=1
useless preset eval knn data=generated generated_images=40 features=pixels preset=hirl-dino
useless network eval knn data=generated generated_images=40 features=random network=teacher
useless arch eval knn data=generated generated_images=40 features=random model=nowhere arch=resnet18
useless seed eval knn data=generated generated_images=40 model=nowhere seed=1
useless preset eval knn data=generated generated_images=40 model=nowhere preset=hirl-dino
useless width eval knn data=generated generated_images=40 model=nowhere width=0.5
useless preset embed data=generated generated_images=40 model=nowhere preset=hirl-dino
useless network embed data=generated generated_images=40 model=random network=teacher
useless layer cluster data=nowhere.npy layer=z1
useless max_images cluster data=nowhere.npy max_images=10
useless names cluster data=generated generated_images=40 model=nowhere names=names.txt
useless thumbnail tree export nowhere.hpt out=tree.json thumbnail=9
hirl eval knn --help
ok "the help of a verb omits keys that it does not accept" sh -c '! grep -q "^  split=" out'
hirl eval knn data=generated generated_images=40 features=random model=nowhere
ok "features=random needs the config.yaml of the run" says err 'nowhere.* holds no config.yaml'
hirl eval knn data=generated generated_images=40 features=pixels mean=auto
ok "features=pixels needs numbers for mean" says err 'mean=auto: .*three numbers'
hirl eval knn data=generated generated_images=40 features=pixels std=1,0,1
ok "features=pixels refuses a std of 0" says err 'std: each value must be above 0, but one is 0'
hirl eval knn data=generated generated_images=40 features=pixels out=/nowhere/knn.json
ok "eval knn fails if out= cannot be written" exits 1
ok "eval knn checks out= before it starts" test "$(wc -l <err)" = 1
hirl tree eval nowhere.hpt data=generated out=/nowhere/tree.json
ok "tree eval checks out= before it starts" exits 1
printf '{}' >knn.json
hirl eval knn data=generated generated_images=40 model=nowhere out=knn.json
ok "an existing result stays until a new one is written" says knn.json '{}'
if [ -w /dev/full ]; then
    for word in --help --version; do
        "$HIRL" $word >/dev/full 2>err
        code=$?
        ok "$word fails if its output cannot be written" exits 1
    done
fi
python3 -c 'import json, struct
head = json.dumps({"__metadata__": {"format": "pt"}}).encode()
open("other.safetensors", "wb").write(struct.pack("<Q", len(head)) + head)'
hirl embed data=generated model=other.safetensors
ok "a model file of another program: the error names it" says err 'other.safetensors: not a libhirl'
hirl tree show nowhere.hpt
ok "a missing tree is a data error" exits 3
hirl config show preset=hirl-mocov2-small lr=0.5
ok "config show prints where a value comes from" says out '^lr: 0.5  # given'
cp out config.yaml
hirl config show config.yaml --json
ok "config show reads its own output" json out 'float(r["settings"]["lr"]) == 0.5'
hirl config show preset=hirl-dino
for line in 'global_crops_number: 2' 'local_crops_number: 10' 'local_crops_size: 96' 'crop_filter: bicubic' \
    'global_crops_scale: 0.25,1' 'local_crops_scale: 0.05,0.25' 'jitter: 0.4,0.4,0.2,0.1' 'jitter_p: 0.8,0.8,0.8' \
    'gray_p: 0.2,0.2,0.2' 'flip_p: 0.5,0.5,0.5' 'blur_p: 1,0.1,0.5' 'solarize_p: 0,0.2,0' 'bn_groups: 1' \
    'path_bn_groups: 32' 'queue: 0' 'draw: others' 'spd_weight: 1' 'kmeans_between: raw' 'vit_dim: 768' 'levels: 3' \
    'lr: 0.003' 'weight_decay_end: 0.4' 'ema_end: 1' 'warm: 0'; do
    ok "config show preset=hirl-dino: $line" says out "^$line  #"
done
grep -c ': auto ' out >autos
ok "config show leaves only six keys at auto" says autos '^6$'
cp out dino.yaml
hirl config show preset=hirl-dino --json
cp out before
hirl config show dino.yaml --json
ok "config show reads its output back to the same settings" cmp before out
hirl config show preset=mocov2-small
ok "config show explains why a value depends on the data" says out '^queue: auto  # .*half the images'
hirl config show preset=mocov2
ok "a preset of the paper has the paper's queue" says out '^queue: 65536  # preset'
hirl config show preset=mocov2 profile=reference
ok "profile=reference has the queue of the authors' program" says out '^queue: 16384 '
hirl pretrain preset=hirl-mocov2 data=generated generated_images=300 out=paper
ok "a preset of the paper is refused on few images" exits 2
ok "the error has all values and the largest that fit" \
    says err 'batch_size=256, queue=65536, prototypes=30000.* 300 images; give at most batch_size=150, queue=300, prototypes=300'
hirl pretrain preset=hirl-mocov2 data=generated generated_images=40000 out=paper
ok "the queue alone: the error has the largest that fits" says err 'queue: 65536 .*40000 images.*at most 39936'
hirl config show preset=hirl-dino profile=reference
for line in 'warm: 0' 'draw: all' 'spd_weight: 0.5' 'kmeans_between: unit' 'clip: global' 'path_weight_decay: 0.01'; do
    ok "config show profile=reference: $line" says out "^$line  #"
done
hirl config show preset=hirl-dino batch_size=1000 accumulate=3
ok "config show refuses settings that a run would refuse" exits 2
hirl config show nowhere.yaml
ok "a missing configuration is a data error" exits 3
hirl info
ok "info succeeds" exits 0
hirl info differences
ok "info differences compares with the paper" says out prototypes
for word in 'eps in eq. 3' 'normalisation before k-means' 'network of MoCo v2'; do
    ok "info differences lists: $word" says out "^$word"
done
ok "info differences prints the values that a run would use" says out '^base_lr  *0.03  *0.12 '
for method in mocov2 simsiam swav mocov3 dino ibot; do
    hirl info differences method=$method --json
    ok "every difference of $method has a reason" json out 'all(k["why"] for k in r["keys"])'
done
hirl methods
ok "methods lists the presets of the paper" says out '^hirl-mocov2 '
hirl models
ok "models lists resnet18" says out '^resnet18 '
for verb in info "info differences" methods models "config show"; do
    hirl $verb --json
    ok "$verb --json is JSON" json_lines out
done
finish
