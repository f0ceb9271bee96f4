#!/bin/sh
# shellcheck disable=SC1091,SC2086,SC2016,SC2034
# The whole workflow on a few generated images: pretrain, stop, resume, embed, cluster, tree, kNN.
. "$(dirname "$0")/tap.sh"

data="data=generated generated_images=160 generated_test_images=40"
small="arch=resnet18 width=0.0625 stem=small image_size=16 batch_size=16 queue=48 epochs=3
    cluster_warmup_epoch=1 prototypes=16,4 negatives=10 threads=2"
pretrain() { hirl pretrain $data $small "$@"; }

pretrain out=run
ok "pretrain succeeds" exits 0
ok "no progress bar without a terminal" test "$(tr -d -c '\r' <err | wc -c)" = 0
ok "no colour without a terminal" sh -c '! grep -q "$(printf "\033")" err'
ok "one line for each epoch" test "$(grep -c '^Epoch ./3 ' err)" = 3
ok "the run has a settings file" test -s run/config.yaml
ok "the run has a metrics file of JSON lines" json_lines run/metrics.jsonl
ok "the run has a tree" test -s run/trees/current.hpt
pretrain out=run
ok "a run directory is not overwritten" exits 1
pretrain out=run overwrite=1 --json --quiet
ok "--json gives an event for each epoch" json out 'sum(e["event"] == "epoch" for e in lines) == 3'
ok "--json ends with the result" json out 'r["event"] == "result" and r["verb"] == "pretrain"'
ok "--quiet keeps stderr empty" silent err

# a folder with files of the user
mkdir own
echo mine | tee own/model.safetensors >own/metrics.jsonl
for way in "" resume=1; do
    pretrain out=own $way
    ok "a folder that holds other files is refused ($way)" exits 1
    ok "a folder that holds other files: the error names one ($way)" says err 'metrics.jsonl is there'
    ok "the other files of the folder stay ($way)" cmp own/model.safetensors own/metrics.jsonl
done
pretrain out=new epochs=1 cluster_warmup_epoch=0 queue=15 resume=1
ok "a run with invalid settings is refused" exits 2
ok "a refused run leaves nothing" test ! -e new
pretrain out=new method=own
ok "method=own is refused by the program" exits 2
ok "method=own leaves nothing" test ! -e new
hirl pretrain $data $small "out=it's \$x" epochs=1 cluster_warmup_epoch=0
ok "a suggested command is quoted for a shell" grep -qF "embed model='it'\\''s \$x' data=generated" out
pretrain out=new preset=
ok "an empty preset is refused" exits 2
pretrain out=new resume=1 overwrite=1
ok "resume=1 and overwrite=1 together are refused" says err 'give one of them'
pretrain out=new epochs=1 hirl=0 resume=1
ok "resume=1 starts a run if there is none" exits 0
ok "resume=1 reports that a run starts" says err 'new: no run to resume'
hirl pretrain one two out=words
ok "two positional arguments for the data are refused" says err "'one' and 'two'"
printf 'out: filed\nhirl: 0\n' >filed.yaml
pretrain filed.yaml epochs=1
ok "out in a configuration file sets the folder of the run" test -s filed/model.safetensors
mkdir logged
"$HIRL" pretrain $data $small out=logged epochs=1 hirl=0 resume=1 >logged/log.txt 2>err </dev/null
code=$?
ok "resume=1 starts a run in a folder that holds its log" exits 0
ok "the log in the folder stays" says logged/log.txt 'logged: '
rm new/checkpoints/*.safetensors
hirl pretrain out=new resume=1
ok "a model without a checkpoint is not removed without overwrite=1" says err 'new contains the model of a run'
rm new/model.safetensors
hirl pretrain out=new resume=1
ok "a run without a checkpoint starts again" exits 0
ok "a run without a checkpoint starts again at step 0" says err 'step 0'

hirl config show preset=mocov2-small >shown.yaml
hirl pretrain shown.yaml $data $small epochs=1 out=shown
ok "the output of config show is a valid configuration" exits 0
hirl pretrain shown.yaml $data $small epochs=1
ok "an empty out: in a configuration means the default" says err 'run already contains a run'
hirl config show preset=mocov2-small hirl=1 >other.yaml
hirl pretrain other.yaml $data $small epochs=1 cluster_warmup_epoch=0 out=other
hirl pretrain other.yaml $data $small epochs=1 cluster_warmup_epoch=0 out=other resume=1
ok "other keys beside a preset in a configuration count" exits 0
hirl pretrain $data preset=simsiam-small $small queue=0 epochs=1 out=alone
hirl embed model=alone network=teacher $data out=teacher
ok "network=teacher is refused for a method without a teacher" says err "method has no teacher"
hirl embed model=shown $data layer=z1 out=heads
ok "the error about heads of levels names the network that has them" says err 'network=online'

pretrain out=run preset=dino-small resume=1
ok "a run does not resume with a preset of another method" says err 'preset=dino-small has method=dino'
hirl pretrain out=run preset=hirl-mocov2-small resume=1
ok "a run resumes with a preset of its method" exits 0
hirl pretrain out=run preset=mocov2-small hirl=1 resume=1
ok "keys given beside the preset count" exits 0
mkdir lost
cp -r run/checkpoints lost/
hirl pretrain out=lost preset=hirl-dino-small resume=1 $data
ok "a run without config.yaml does not resume with a preset of another method" says err 'method=dino, but the run to be resumed has mocov2'

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
ok "Ctrl-C saves and exits with the status of a resumable run" exits 75
ok "Ctrl-C prints how to resume" says out 'resume=1'
ok "Ctrl-C leaves a checkpoint" sh -c 'ls cut/checkpoints/*.safetensors'
hirl pretrain out=cut resume=1 threads=1
ok "the run resumes" exits 0
hirl pretrain out=cut resume=1
ok "resuming a finished run reports that it is finished" says err finished
ok "a finished run prints the next commands" says out '^  hirl embed'
ok "the next commands name the images of the run" says out 'tree show tree=cut data=generated generated_images=160'
sed -n 's/^  hirl \(tree show .*\)/\1/p' out >next.txt
eval "hirl $(cat next.txt)"
ok "a printed command works" exits 0
hirl pretrain data=generated out=
ok "a run without a directory is refused" exits 2
ok "a run without a directory: the error names the reason" says err 'out= is empty'
mv cut/config.yaml kept.yaml
hirl pretrain out=cut resume=1
ok "checkpoints without config.yaml need data=" says err 'from a checkpoint alone, give data='
hirl pretrain $data out=cut resume=1
ok "checkpoints without config.yaml resume with data=" says err 'resuming with the settings in the checkpoint'
ok "the run resumed without config.yaml is known to be finished" says err 'the run has already finished'
ok "config.yaml is restored" cmp cut/config.yaml kept.yaml
hirl pretrain out=none resume=1
ok "resume=1 without a run and without data= is refused" exits 2
ok "resume=1 without a run and without data=: the error names the reason" says err 'no data= to start one'
hirl pretrain out=cut resume=1 --json
ok "the result of a finished run has no step and no loss" json out \
    'r["event"] == "result" and r["finished"] is True and "step" not in r and "train_loss" not in r'
cp run/model.safetensors start.safetensors
pretrain out=tuned epochs=1 hirl=0 init=start.safetensors resume=1
ok "a run starts with the weights of another" exits 0
rm start.safetensors
pretrain out=tuned epochs=1 hirl=0 init=start.safetensors resume=1
ok "a resumed run does not need the init file" exits 0
rm tuned/checkpoints/* tuned/model.safetensors
pretrain out=tuned epochs=1 hirl=0 init=start.safetensors resume=1
ok "a run that starts again needs the init file" exits 3
hirl embed model=run $data out=a
ok "embed succeeds" exits 0
hirl embed model=cut $data out=b
ok "embed of the resumed run succeeds" exits 0
ok "the resumed run gives the same bits" cmp a/embeddings.npy b/embeddings.npy
ok "there is one row for each image" test "$(wc -l <a/filenames.txt)" = 160
ok "embed writes labels" test -s a/labels.npy
ok "config.json is JSON" python3 -c 'import json; json.load(open("a/config.json"))'
hirl embed model=run $data out=a
ok "embeddings are not overwritten" exits 1
hirl embed model=run $data out=c format=csv layer=z1 overwrite=1
ok "embed writes csv of a level's head" test "$(wc -l <c/embeddings.csv)" = 161
hirl embed model=run $data out=d layer=z9
ok "an unknown layer is refused" exits 2

# files of the old result that the new one does not have
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
ok "overwriting with unlabelled images removes the old labels" test ! -e again/labels.npy
ok "overwriting replaces the old rows" test "$(wc -l <again/filenames.txt)" = 30
hirl embed model=run data=plain out=again format=csv overwrite=1
ok "overwriting with csv removes the npy file" test ! -e again/embeddings.npy -a -s again/embeddings.csv
hirl embed model=run data=plain out=again overwrite=1
ok "overwriting with npy removes the csv file" test -s again/embeddings.npy -a ! -e again/embeddings.csv
hirl cluster data=plain model=run prototypes=6,2 out=old
echo "0	00.png	broken" >old/skipped.txt
hirl cluster data=again/embeddings.npy prototypes=6,2 out=old overwrite=1
ok "a tree of features has no skipped.txt" test ! -e old/skipped.txt -a -s old/tree.hpt
hirl cluster data=again prototypes=6,2 out=again
ok "cluster writes a tree into the folder of its features" exits 0
ok "the features keep their skipped.txt" test -e again/skipped.txt
mkdir notes
echo mine >notes/skipped.txt
hirl embed model=run data=plain out=notes
ok "a foreign skipped.txt is not overwritten without overwrite=1" says notes/skipped.txt mine

# paths of 1,200 bytes and more, and longer than the system allows
long=$(printf '%0200d/' 1 2 3 4 5 6)
hirl embed model=run $data out=${long}rows
ok "embed writes all its files below a long path" test -s ${long}rows/labels.npy -a -s ${long}rows/embeddings.npy
hirl cluster data=a prototypes=20,5 out=${long}tree
ok "cluster writes a tree below a long path" test -s ${long}tree/clusters.csv
hirl tree show ${long}tree
ok "tree show finds a tree below a long path" exits 0
hirl embed model=run $data out=$long$long$long${long}rows
ok "a path that is too long is refused" exits 2
ok "a path that is too long: the error names the reason" says err 'too long (at most 4095)'

hirl cluster data=a prototypes=20,5 out=t
ok "cluster accepts a folder of embeddings" exits 0
ok "clusters.csv names images and levels" test "$(wc -l <t/clusters.csv)" -ge 160
hirl cluster data=a/embeddings.npy prototypes=20,5 out=t
ok "a tree is not overwritten" exits 1
# $middle: the number of rows of a node, and its middle row
hirl cluster data=a/embeddings.npy prototypes=20,5 out=middles
seq 0 159 >numbers.txt
hirl tree show middles names=numbers.txt examples=1 depth=1 ascii=1
middle=$(awk -F, 'NR > 1 && $3 == 0 { row[n++] = $1 } END { print n, "", row[int(n / 2)] }' middles/clusters.csv)
ok "the example of a node is its middle row" says out "2\.0  $middle"
hirl cluster $data model=run prototypes=16,4 out=u --json
ok "cluster accepts images and a model" json out 'r["rows"] == 160 and len(r["levels"]) == 2'
mkdir own
echo mine >own/clusters.csv
hirl cluster data=a/embeddings.npy prototypes=20,5 out=own
ok "an existing file is not overwritten without overwrite=1" says own/clusters.csv mine
ok "the error names the existing file" says err 'holds clusters.csv'
hirl cluster data=a/embeddings.npy prototypes=400 out=v
ok "more prototypes than rows: the error names the numbers" says err 400
ok "more prototypes than rows are a usage error" exits 2
hirl tree show t $data
ok "tree show draws nodes" says out '2\.[0-9]'
seq 0 159 >numbers
hirl tree show t names=numbers depth=1 examples=2
ok "tree show names rows spread over a node" test "$(awk '/2\.[0-9]/ { print $NF; exit }' out)" -gt 30
hirl tree show run
ok "tree show accepts a run" exits 0
for format in json dot nwk graphml csv; do
    hirl tree export t out=tree.$format
    ok "tree export writes $format" test -s tree.$format
done
hirl tree export t $data out=tree.html examples=2
ok "tree export writes a page of thumbnails" says tree.html 'data:image/jpeg'
hirl tree export t out=other.html
ok "tree export needs images for a page" exits 2
ok "the exported json is JSON" python3 -c 'import json; json.load(open("tree.json"))'
hirl tree export t out=/nowhere/at/all.json
ok "tree export fails if the file cannot be written" exits 1
hirl tree eval t $data --json
ok "tree eval scores every label level" json out \
    'len(r["levels"]) == 3 and all(0 < p <= 1 for l in r["levels"] for p in l["purity"])'
hirl tree eval t data=generated
ok "tree eval refuses a tree of other images" exits 3

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
ok "mean and std of raw pixels can be given" exits 0
sed 's/.*"levels"//; s/"settings".*//' out >after
ok "mean and std of raw pixels change the result" sh -c '! cmp -s before after'
finish
