#!/bin/sh
# shellcheck disable=SC1091,SC2086,SC2016,SC2034
# The whole way on a few generated images: pretrain, stop, resume, embed, cluster, tree, kNN.
. "$(dirname "$0")/tap.sh"

data="data=generated generated_images=160 generated_test_images=40"
small="arch=resnet18 width=0.0625 stem=small image_size=16 batch_size=16 queue=48 epochs=3
    cluster_warmup_epoch=1 prototypes=16,4 negatives=10 threads=2"
pretrain() { hirl pretrain $data $small "$@"; }

pretrain out=run
ok "pretrain succeeds" exits 0
ok "no bar without a terminal" test "$(tr -d -c '\r' <err | wc -c)" = 0
ok "no colour without a terminal" sh -c '! grep -q "$(printf "\033")" err'
ok "one line for each epoch" test "$(grep -c '^Epoch ./3 ' err)" = 3
ok "the run has its settings" test -s run/config.yaml
ok "the run has a metrics file of JSON lines" json_lines run/metrics.jsonl
ok "the run has a tree" test -s run/trees/current.hpt
pretrain out=run
ok "a run directory is not overwritten" exits 1
pretrain out=run overwrite=1 --json --quiet
ok "--json gives an event for each epoch" json out 'sum(e["event"] == "epoch" for e in lines) == 3'
ok "--json ends with the result" json out 'r["event"] == "result" and r["verb"] == "pretrain"'
ok "--quiet keeps stderr empty" silent err

# a folder of somebody's own
mkdir own
echo mine | tee own/model.safetensors >own/metrics.jsonl
for way in "" resume=1; do
    pretrain out=own $way
    ok "a folder that holds other files is refused ($way)" exits 1
    ok "a folder that holds other files: one is named ($way)" says err 'metrics.jsonl is there'
    ok "the files of the folder stay ($way)" cmp own/model.safetensors own/metrics.jsonl
done
pretrain out=new epochs=1 cluster_warmup_epoch=0 queue=15 resume=1
ok "a run that is refused" exits 2
ok "a run that is refused leaves nothing" test ! -e new
pretrain out=new method=own
ok "a method of a host program has none here" exits 2
ok "a method of a host program leaves nothing" test ! -e new
hirl pretrain $data $small "out=it's \$x" epochs=1 cluster_warmup_epoch=0
ok "a command that is suggested is one for a shell" grep -qF "embed model='it'\\''s \$x' data=generated" out
pretrain out=new preset=
ok "an empty preset is refused" exits 2
pretrain out=new resume=1 overwrite=1
ok "resume=1 and overwrite=1 together are refused" says err 'give one of them'
pretrain out=new epochs=1 hirl=0 resume=1
ok "resume=1 begins a run where there is none" exits 0
ok "resume=1 says that a run begins" says err 'new: no run to go on with'
hirl pretrain one two out=words
ok "two words that stand for the data are refused" says err "'one' and 'two'"
printf 'out: filed\nhirl: 0\n' >filed.yaml
pretrain filed.yaml epochs=1
ok "out in a config file is the folder of the run" test -s filed/model.safetensors
mkdir logged
"$HIRL" pretrain $data $small out=logged epochs=1 hirl=0 resume=1 >logged/log.txt 2>err </dev/null
code=$?
ok "resume=1 begins a run beside its own log" exits 0
ok "the log beside a run stays" says logged/log.txt 'logged: '
rm new/checkpoints/*.safetensors
hirl pretrain out=new resume=1
ok "a model without a checkpoint is not removed unasked" says err 'new holds the model of a run'
rm new/model.safetensors
hirl pretrain out=new resume=1
ok "a run without a checkpoint begins again" exits 0
ok "a run without a checkpoint begins again with its settings" says err 'step 0'

hirl config show preset=mocov2-small >shown.yaml
hirl pretrain shown.yaml $data $small epochs=1 out=shown
ok "what config show prints is a configuration" exits 0
hirl pretrain shown.yaml $data $small epochs=1
ok "an out: of nothing in a configuration is the default" says err 'run holds a run already'
hirl config show preset=mocov2-small hirl=1 >other.yaml
hirl pretrain other.yaml $data $small epochs=1 cluster_warmup_epoch=0 out=other
hirl pretrain other.yaml $data $small epochs=1 cluster_warmup_epoch=0 out=other resume=1
ok "what stands beside a preset in a configuration counts" exits 0
hirl pretrain $data preset=simsiam-small $small queue=0 epochs=1 out=alone
hirl embed model=alone network=teacher $data out=teacher
ok "a method without a teacher" says err "method has no teacher"
hirl embed model=shown $data layer=z1 out=heads
ok "the heads of levels: which network has them" says err 'network=online'

pretrain out=run preset=dino-small resume=1
ok "a run does not go on with a preset of another method" says err 'preset=dino-small has method=dino'
hirl pretrain out=run preset=hirl-mocov2-small resume=1
ok "a run goes on with a preset of its method" exits 0
hirl pretrain out=run preset=mocov2-small hirl=1 resume=1
ok "what was typed beside the preset counts" exits 0
mkdir lost
cp -r run/checkpoints lost/
hirl pretrain out=lost preset=hirl-dino-small resume=1 $data
ok "nor when its config.yaml is lost" says err 'method=dino, but the run to be resumed has mocov2'

# stopped by a signal, then resumed: the same model as the run above
"$HIRL" pretrain $data $small out=cut >out 2>err </dev/null &
child=$!
for _ in $(seq 1 200); do
    grep -q '^Epoch 1/3' err && break
    sleep 0.05
done
kill -INT $child
wait $child
code=$?
ok "Ctrl-C saves and asks to be started again" exits 75
ok "Ctrl-C says how to go on" says out 'resume=1'
ok "a checkpoint is there" sh -c 'ls cut/checkpoints/*.safetensors'
hirl pretrain out=cut resume=1 threads=1
ok "the run goes on" exits 0
hirl pretrain out=cut resume=1
ok "a finished run says so" says err finished
ok "a finished run says what can be done with it" says out '^next: hirl embed'
ok "what it says names the images of the run" says out 'tree show tree=cut data=generated generated_images=160'
sed -n 's/^next:.*, hirl \(tree show .*\); with labels.*/\1/p' out >next.txt
eval "hirl $(cat next.txt)"
ok "what it says can be done" exits 0
hirl pretrain data=generated out=
ok "a run without a directory is refused" exits 2
ok "a run without a directory: the reason" says err 'out= is empty'
mv cut/config.yaml kept.yaml
hirl pretrain out=cut resume=1
ok "checkpoints that lost config.yaml need data=" says err 'the checkpoints need data='
hirl pretrain $data out=cut resume=1
ok "with data= they go on" says err 'going on with what the checkpoint holds'
ok "as the run that they are" says err 'the run was finished already'
ok "which has its settings again" cmp cut/config.yaml kept.yaml
hirl pretrain out=none resume=1
ok "no run to go on with, and no images to begin one with" exits 2
ok "no run and no images: the reason" says err 'no data= to begin one'
hirl pretrain out=cut resume=1 --json
ok "a finished run makes no numbers up" json out \
    'r["event"] == "result" and r["finished"] is True and "step" not in r and "train_loss" not in r'
cp run/model.safetensors start.safetensors
pretrain out=tuned epochs=1 hirl=0 init=start.safetensors resume=1
ok "a run begins with the weights of another" exits 0
rm start.safetensors
pretrain out=tuned epochs=1 hirl=0 init=start.safetensors resume=1
ok "a run that goes on needs no start" exits 0
rm tuned/checkpoints/* tuned/model.safetensors
pretrain out=tuned epochs=1 hirl=0 init=start.safetensors resume=1
ok "a run that begins again needs it" exits 3
hirl embed model=run $data out=a
ok "embed succeeds" exits 0
hirl embed model=cut $data out=b
ok "embed of the resumed run succeeds" exits 0
ok "the resumed run has the same bits" cmp a/embeddings.npy b/embeddings.npy
ok "a row for each image" test "$(wc -l <a/filenames.txt)" = 160
ok "labels were written" test -s a/labels.npy
ok "config.json is JSON" python3 -c 'import json; json.load(open("a/config.json"))'
hirl embed model=run $data out=a
ok "embeddings are not overwritten" exits 1
hirl embed model=run $data out=c format=csv layer=z1 overwrite=1
ok "embed writes csv of a level's head" test "$(wc -l <c/embeddings.csv)" = 161
hirl embed model=run $data out=d layer=z9
ok "a layer that is not there is refused" exits 2

# what the old result had and the new one has not
mkdir plain
python3 - <<'END'
import struct, zlib
def chunk(name, data):
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
for i in range(30):
    rows = b''.join(b'\0' + bytes((x * i + y) % 256 for x in range(24)) for y in range(8))
    open(f'plain/{i:02}.png', 'wb').write(
        b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 8, 8, 8, 2, 0, 0, 0)) +
        chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
END
hirl embed model=run $data out=again
hirl embed model=run data=plain out=again overwrite=1
ok "images without labels leave no labels of others" test ! -e again/labels.npy
ok "they are written over the others" test "$(wc -l <again/filenames.txt)" = 30
hirl embed model=run data=plain out=again format=csv overwrite=1
ok "one format at a time is there" test ! -e again/embeddings.npy -a -s again/embeddings.csv
hirl embed model=run data=plain out=again overwrite=1
ok "and the other way round" test -s again/embeddings.npy -a ! -e again/embeddings.csv
hirl cluster data=plain model=run prototypes=6,2 out=old
echo "0	00.png	broken" >old/skipped.txt
hirl cluster data=again/embeddings.npy prototypes=6,2 out=old overwrite=1
ok "a tree of features has no skipped.txt" test ! -e old/skipped.txt -a -s old/tree.hpt
hirl cluster data=again prototypes=6,2 out=again
ok "a tree beside its features" exits 0
ok "the features keep their skipped.txt" test -e again/skipped.txt
mkdir notes
echo mine >notes/skipped.txt
hirl embed model=run data=plain out=notes
ok "a skipped.txt of another is not overwritten unasked" says notes/skipped.txt mine

# paths of 1,200 bytes and more, and of more than the system takes
long=$(printf '%0200d/' 1 2 3 4 5 6)
hirl embed model=run $data out=${long}rows
ok "a long path is written to whole" test -s ${long}rows/labels.npy -a -s ${long}rows/embeddings.npy
hirl cluster data=a prototypes=20,5 out=${long}tree
ok "a tree is written below a long path" test -s ${long}tree/clusters.csv
hirl tree show ${long}tree
ok "a tree is found below a long path" exits 0
hirl embed model=run $data out=$long$long$long${long}rows
ok "a path that is too long is refused" exits 2
ok "a path that is too long: the reason" says err 'too long, at most 4095'

hirl cluster data=a prototypes=20,5 out=t
ok "cluster takes a folder of embeddings" exits 0
ok "clusters.csv names images and levels" test "$(wc -l <t/clusters.csv)" -ge 160
hirl cluster data=a/embeddings.npy prototypes=20,5 out=t
ok "a tree is not overwritten" exits 1
# one example: the row in the middle of a node's, as $middle
hirl cluster data=a/embeddings.npy prototypes=20,5 out=middles
seq 0 159 >numbers.txt
hirl tree show middles names=numbers.txt examples=1 depth=1 ascii=1
middle=$(awk -F, 'NR > 1 && $3 == 0 { row[n++] = $1 } END { print n, "", row[int(n / 2)] }' middles/clusters.csv)
ok "one example of a node is its middle row" says out "2\.0  $middle"
hirl cluster $data model=run prototypes=16,4 out=u --json
ok "cluster takes images and a model" json out 'r["rows"] == 160 and len(r["levels"]) == 2'
mkdir own
echo mine >own/clusters.csv
hirl cluster data=a/embeddings.npy prototypes=20,5 out=own
ok "a file that is there is not overwritten unasked" says own/clusters.csv mine
ok "the file that is there is named" says err 'holds clusters.csv'
hirl cluster data=a/embeddings.npy prototypes=400 out=v
ok "more prototypes than rows are refused with the numbers" says err 400
ok "more prototypes than rows are a matter of usage" exits 2
hirl tree show t $data
ok "tree show draws nodes" says out '2\.[0-9]'
seq 0 159 >numbers
hirl tree show t names=numbers depth=1 examples=2
ok "tree show names rows spread over a node" test "$(awk '/2\.[0-9]/ { print $NF; exit }' out)" -gt 30
hirl tree show run
ok "tree show takes a run" exits 0
for format in json dot nwk graphml csv; do
    hirl tree export t out=tree.$format
    ok "tree export writes $format" test -s tree.$format
done
hirl tree export t $data out=tree.html examples=2
ok "tree export writes a page of thumbnails" says tree.html 'data:image/png'
hirl tree export t out=other.html
ok "a page needs images" exits 2
ok "the exported json is JSON" python3 -c 'import json; json.load(open("tree.json"))'
hirl tree export t out=/nowhere/at/all.json
ok "a file that cannot be written is a failure" exits 1
hirl tree eval t $data --json
ok "tree eval scores every label level" json out \
    'len(r["levels"]) == 3 and all(0 < p <= 1 for l in r["levels"] for p in l["purity"])'
hirl tree eval t data=generated
ok "a tree of other images is refused" exits 3

hirl eval knn model=run $data out=knn.json
ok "eval knn succeeds" exits 0
ok "eval knn prints every label level" says out '^top'
ok "eval knn writes its result" python3 -c 'import json; json.load(open("knn.json"))["levels"]'
hirl eval knn features=random model=run $data --json
ok "eval knn of an untrained model" json out 'len(r["levels"]) == 3'
hirl eval knn features=pixels $data --json
ok "eval knn of raw pixels" json out 'r["columns"] == 3 * 32 * 32'
sed 's/.*"levels"//; s/"settings".*//' out >before
hirl eval knn features=pixels mean=0.1,0.9,0.5 std=0.1,1,3 $data --json
ok "colours of raw pixels can be given" exits 0
sed 's/.*"levels"//; s/"settings".*//' out >after
ok "and change the numbers" sh -c '! cmp -s before after'
finish
