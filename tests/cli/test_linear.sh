#!/bin/sh
# shellcheck disable=SC1091,SC2086,SC2016,SC2034
# hirl eval linear: a classifier on a frozen encoder, whole, stopped and resumed, and what it refuses.
. "$(dirname "$0")/tap.sh"

data="data=generated generated_images=200 generated_test_images=60 threads=2"
short="batch_size=32 epochs=3 base_lr=0.05"
hirl pretrain $data arch=resnet18 width=0.0625 stem=small image_size=16 batch_size=20 queue=40 epochs=1 hirl=0 out=run
ok "the encoder is trained" exits 0
linear() { hirl eval linear model=run $data $short "$@"; }

linear out=whole
ok "eval linear succeeds" exits 0
ok "the held-out accuracy is printed" says out 'top-1 accuracy [0-9.]* % of 60 held-out images, 64 classes (fine)'
ok "one line for each epoch, with the share of right answers" test "$(grep -c '^Epoch ./3 loss [0-9.]* top1 ' err)" = 3
ok "the chance level of the loss is printed" says err 'chance level of the loss 4.16'
ok "the splits are printed" sh -c 'grep -q "split train" err && grep -q "split test" err'
ok "the classifier is written" test -s whole/classifier.safetensors
ok "the run has a metrics file with top1" says whole/metrics.jsonl '"top1":'
ok "the result is written" python3 -c 'import json
r = json.load(open("whole/evaluation.json"))
assert 0 <= r["top1"] <= 1 and r["held_out"] == 60 and r["settings"]["model"] == "run"'
top1=$(tail -n 1 out)
linear out=whole
ok "a run directory is not overwritten" exits 1
hirl eval linear out=whole resume=1
ok "a finished run is evaluated again, without a model" exits 0
ok "a finished run has the same accuracy" says out "$top1"
linear out=whole label_level=1 overwrite=1 --json --quiet
ok "--quiet keeps stderr empty" silent err
ok "--json: stdout has JSON lines" json_lines out
ok "--json: an event for each epoch" json out \
    'sum(e["event"] == "epoch" and 0 <= e["train_top1"] <= 1 and "std" not in e for e in lines) == 3'
ok "--json ends with the result, of the coarser labels" json out \
    'r["verb"] == "eval linear" and r["classes"] == 16 and r["labels"] == "coarse" and 0 <= r["top1"] <= 1'
ok "--json: the result has the loss and the splits" json out \
    'r["train_loss"] > 0 and r["split"] == "train" and r["test_split"] == "test" and r["images"] == 200'
hirl eval linear model=run $data features=random batch_size=32 epochs=1 lr=0.01 optimizer=lars accumulate=2 out=more
ok "an untrained encoder, LARS and micro-batches are accepted" exits 0
hirl eval linear out=more resume=1 lr=0.02
ok "a resumed run keeps its settings" exits 2
ok "a resumed run keeps its settings: the error names the key" says err 'lr=0.02, but the run to be resumed has 0.01'

# stopped by a signal in the second epoch, then resumed: the same result as without a stop
more="$data batch_size=8 epochs=60 base_lr=0.05"
hirl eval linear model=run $more out=long
ok "a longer run succeeds" exits 0
tail -n 1 out >wanted
"$HIRL" eval linear model=run $more out=cut test_split=test >cut.out 2>cut.err </dev/null &
child=$!
for _ in $(seq 1 400); do
    grep -q '^Epoch 2/60' cut.err && break
    sleep 0.02
done
kill -INT $child
wait $child
code=$?
ok "Ctrl-C saves and exits with the status of a resumable run" exits 75
ok "Ctrl-C prints how to resume, with the own keys" says cut.out \
    'stopped, state saved; resume with: hirl eval linear out=cut test_split=test threads=2 resume=1'
ok "Ctrl-C leaves a checkpoint and no result" test -e cut/checkpoints/last.safetensors -a ! -e cut/evaluation.json
mv run moved
$(sed -n 's/.*resume with: hirl/hirl/p' cut.out)
ok "the printed command resumes the run, without the model" exits 0
tail -n 1 out >got
ok "the resumed run has the same accuracy" cmp got wanted
ok "the resumed run has the same classifier, to the bit" cmp cut/classifier.safetensors long/classifier.safetensors
mv moved run
rm cut/config.yaml
hirl eval linear out=cut resume=1 $data
ok "a run without config.yaml resumes from its checkpoint" exits 0
tail -n 1 out >got
ok "a run without config.yaml has the same accuracy" cmp got wanted
"$HIRL" eval linear model=run $more out=again --json >again.out 2>again.err </dev/null &
child=$!
for _ in $(seq 1 400); do
    grep -q '"epoch":2,' again.out && break
    sleep 0.02
done
kill -INT $child
wait $child
ok "--json: the last event of a stopped run says so" json again.out 'r == {"event": "stopped", "out": "again", "exit": 75}'
linear out=fresh resume=1
ok "resume=1 starts a run if there is none" exits 0

# refusals: one sentence each
refuses() { # refuses NAME STATUS TEXT ARGUMENTS...
    what=$1 status=$2 text=$3
    shift 3
    hirl eval linear out=refused "$@"
    ok "$what is refused" exits $status
    ok "$what: one sentence names the reason" test "$(grep -c '^hirl: ' err)" = 1 -a "$(grep -c -e "$text" err)" -ge 1
    ok "$what leaves nothing" test ! -e refused
}
refuses "no model" 2 'model= is missing' $data
refuses "a model that does not exist" 3 'nowhere' model=nowhere $data
refuses "a key of pretraining" 2 "key 'temperature' (train) has no effect" model=run $data temperature=1
refuses "the size of a network" 2 "key 'width' (model) has no effect" model=run $data width=1
refuses "a label level that the images lack" 2 'labels of 3 levels' model=run $data label_level=3
refuses "more images in a batch than there are" 2 'batch_size' model=run $data batch_size=256
refuses "one split for both" 2 'share images' model=run $data split=test
refuses "a split that holds the other" 2 'share images' model=run $data split=all
refuses "a split that does not exist" 2 'its splits are: train test' model=run $data test_split=other
refuses "a checkpoint of a classifier as the model" 2 'task=linear' model=whole/checkpoints/last.safetensors $data
hirl eval linear out=run resume=1
ok "a pretraining run is not resumed" says err 'task=linear, but the run to be resumed has pretrain'
hirl pretrain out=whole resume=1
ok "pretrain does not resume a classifier" says err 'but .* has'
echo 'task: linear' >linear.yaml
hirl pretrain linear.yaml $data out=refused
ok "pretrain refuses the task of a config file" says err 'task=linear in the config file, but hirl pretrain has task=pretrain'

# folders of images: no labels, no held-out split, other classes
python3 - <<'END'
import os, struct, zlib
def chunk(name, data):
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
def image(path, colour):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    rows = b''.join(b'\0' + bytes((x * colour[x % 3] + y) % 256 for x in range(48)) for y in range(16))
    open(path, 'wb').write(
        b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 16, 16, 8, 2, 0, 0, 0)) +
        chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
for i in range(40):
    for name, colour in (('cats', (i, 1, 2)), ('dogs', (1, 2, i))):
        image(f'plain/{name}{i:02}.png', colour)
        image(f'whole_set/{name}/{i:02}.png', colour)
def idx(path, dims, data):
    open(path, 'wb').write(struct.pack('>BBBB', 0, 0, 8, len(dims)) + struct.pack(f'>{len(dims)}I', *dims) + data)
os.makedirs('other', exist_ok=True)
for split, classes in (('train', 3), ('t10k', 5)):
    idx(f'other/{split}-images-idx3-ubyte', (60, 16, 16), bytes(range(240)) * 64)
    idx(f'other/{split}-labels-idx1-ubyte', (60,), bytes(i % classes for i in range(60)))
END
refuses "a folder without labels" 3 'needs labels, but these images have none' model=run data=plain batch_size=16
refuses "held-out images of other classes" 3 'training images have 3 classes, but the held-out images have 5' model=run data=other batch_size=16
hirl eval linear model=run data=whole_set batch_size=16 epochs=2 out=tenth --json
ok "without a held-out split every tenth image is held out" json out \
    'r["images"] == 72 and r["held_out"] == 8 and r["test_split"] == "every tenth image" and r["classes"] == 2'
refuses "images of the training among the held-out ones" 2 'share images' model=run data=whole_set split=auto batch_size=16


# data that cannot be judged; an out= that would replace the model
mkdir -p single loose broken/train broken/test
cp other/* single/
for split in train t10k; do
    head -c 8 other/$split-labels-idx1-ubyte >single/$split-labels-idx1-ubyte
    head -c 60 /dev/zero >>single/$split-labels-idx1-ubyte
done
cp -r whole_set/cats whole_set/dogs loose/ && cp plain/cats00.png loose/stray.png
cp -r whole_set/cats whole_set/dogs broken/train/ && cp -r whole_set/cats whole_set/dogs broken/test/
refuses "one class" 3 'needs at least 2 classes, but these images have 1' model=run data=single batch_size=16
refuses "an image beside the folders of the classes" 3 "image '.*stray.png' has no label" model=run data=loose batch_size=16
refuses "overlapping splits" 2 'split=all and test_split=queries share images' model=run data=whole_set split=all batch_size=16
refuses "the folder of the model as out=" 2 "is the folder of model=" model=run/checkpoints/last.safetensors $data out=run overwrite=1
ok "the model is still there" test -s run/model.safetensors
for name in 00 01 02; do head -c 60 whole_set/cats/$name.png >broken/test/cats/$name.png; done
hirl eval linear model=run data=broken batch_size=16 epochs=1 max_bad=1 out=partly --json
ok "held-out images that cannot be read are not counted" json out 'r["held_out"] == 77'
for name in broken/test/*/*; do head -c 60 "$name" >part.png && mv part.png "$name"; done
hirl eval linear model=run data=broken batch_size=16 epochs=1 max_bad=1 out=none
ok "no readable held-out image is a data error" exits 3
ok "no readable held-out image: the message says so" says err 'no readable image has a label'
hirl eval linear --help
ok "--help names the keys and the defaults of a labelled run" sh -c \
    'grep -q "  test_split=queries" out && grep -q "  schedule=cosine " out && ! grep -q temperature out'
finish
