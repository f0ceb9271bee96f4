#!/bin/sh
# shellcheck disable=SC1091,SC2086,SC2016,SC2034
# A second Ctrl-C, a second run in one folder; what is said of preset and split; the network that is evaluated.
. "$(dirname "$0")/tap.sh"

data="data=generated generated_images=160 generated_test_images=40"
small="arch=resnet18 width=0.0625 stem=small image_size=16 batch_size=16 queue=48 epochs=1
    cluster_warmup_epoch=0 prototypes=16,4 negatives=10 threads=2"

# begin OUT: a run in the background, $child, whose steps take a second, so that there is time; it trains on return
begin() {
    "$HIRL" pretrain $data $small out=$1 width=0.5 stem=normal image_size=128 batch_size=64 queue=64 epochs=999 \
        >$1.out 2>$1.err </dev/null &
    child=$!
    await '^method=' $1.err
}

# await TEXT FILE: at most 10 seconds
await() {
    for _ in $(seq 1 200); do
        grep -q "$1" $2 && break
        sleep 0.05
    done
}

begin long
hirl pretrain $data $small out=long
ok "a second run in the same folder is refused" exits 1
ok "a second run in the same folder: the reason" says err 'long: another process is running there'
hirl pretrain out=long resume=1
ok "so is one that would go on with it" says err 'long: another process is running there'
while kill -INT $child 2>/dev/null; do
    sleep 0.1
done
wait $child
code=$?
ok "a second Ctrl-C ends at once" exits 130

# what a closed terminal does: the shell sends it, then the kernel
begin hung
kill -HUP $child
sleep 0.02
kill -HUP $child 2>/dev/null
kill -TERM $child 2>/dev/null
wait $child
code=$?
ok "SIGHUP twice and SIGTERM still save" exits 75
ok "how to go on is told, with the threads that were asked for" says hung.out 'out=hung threads=2 resume=1'
ok "SIGHUP twice and SIGTERM: there is a checkpoint" test -e hung/checkpoints/last.safetensors
hirl pretrain $data $small out=long overwrite=1
ok "the lock ends with the process" exits 0
ok "without preset= it is said which one is taken, and why" says err \
    '^preset=hirl-mocov2-small: its effect can be seen within minutes'
ok "the split is printed" says err 'split train'
"$HIRL" embed model=long data=generated generated_images=2000000 split=train out=halted >halted.out 2>halted.err </dev/null &
child=$!
await images halted.err
kill -INT $child
wait $child
code=$?
ok "embed that was stopped" exits 1
ok "embed that was stopped says that nothing was written" says halted.err 'stopped, nothing was written'
ok "nor was it" test ! -e halted/embeddings.npy
hirl pretrain $data $small preset=mocov2-small out=given
ok "a preset that is given needs no line" sh -c '! grep -q "^preset=" err'
hirl eval knn model=long $data
ok "the splits of bank and queries are printed" sh -c 'cat out err | grep -q "train.*test"'
for network in online teacher; do
    hirl eval knn model=long $data network=$network --json
    ok "eval knn evaluates network=$network" exits 0
    cp out $network.json
    hirl embed model=long $data network=$network out=$network
    ok "embed takes network=$network" exits 0
done
ok "the teacher is another network" sh -c '! cmp -s online/embeddings.npy teacher/embeddings.npy'
ok "the teacher is asked with the queries of the test split" json teacher.json 'r["bank"] == 160 and r["queries"] == 40'
hirl pretrain $data $small preset=hirl-simsiam-small out=plain queue=auto
ok "a run of SimSiam" exits 0
hirl eval knn model=plain $data network=teacher
ok "a teacher that the method has not is refused" test "$code" != 0
ok "a teacher that the method has not: the reason" says err teacher
finish
