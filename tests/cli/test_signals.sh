#!/bin/sh
# shellcheck disable=SC1091,SC2086,SC2016,SC2034
# Signals, a second run in one folder, log lines about preset and split, the network that is evaluated.
. "$(dirname "$0")/tap.sh"

data="data=generated generated_images=160 generated_test_images=40"
small="arch=resnet18 width=0.0625 stem=small image_size=16 batch_size=16 queue=48 epochs=1
    cluster_warmup_epoch=0 prototypes=16,4 negatives=10 threads=2"

# begin OUT: starts a run in the background ($child) whose steps take about a second; returns once it trains
begin() {
    "$HIRL" pretrain $data $small out=$1 width=0.5 stem=normal image_size=128 batch_size=64 queue=64 epochs=999 \
        >$1.out 2>$1.err </dev/null &
    child=$!
    await '^method=' $1.err
}

# await TEXT FILE: waits at most 10 seconds until the file contains the text
await() {
    for _ in $(seq 1 200); do
        grep -q "$1" $2 && break
        sleep 0.05
    done
}

begin long
hirl pretrain $data $small out=long
ok "a second run in the same folder is refused" exits 1
ok "a second run in the same folder: the error names the reason" says err 'long is in use by another process'
hirl pretrain out=long resume=1
ok "resuming in the folder of a running run is refused" says err 'long is in use by another process'
while kill -INT $child 2>/dev/null; do
    sleep 0.1
done
wait $child
code=$?
ok "a second Ctrl-C ends at once" exits 130

# a closed terminal sends SIGHUP twice: from the shell and from the kernel
begin hung
kill -HUP $child
sleep 0.02
kill -HUP $child 2>/dev/null
kill -TERM $child 2>/dev/null
wait $child
code=$?
ok "SIGHUP twice and SIGTERM save a checkpoint" exits 75
ok "the printed resume command has the given threads" says hung.out 'out=hung threads=2 resume=1'
ok "SIGHUP twice and SIGTERM: the checkpoint exists" test -e hung/checkpoints/last.safetensors
hirl pretrain $data $small out=long overwrite=1
ok "the lock is released when the process ends" exits 0
ok "without preset= the log names the preset used and the reason" says err \
    '^preset=hirl-mocov2-small (default): trains within minutes'
ok "the split is logged" says err 'split train'
"$HIRL" embed model=long data=generated generated_images=2000000 split=train out=halted >halted.out 2>halted.err </dev/null &
child=$!
await images halted.err
kill -INT $child
wait $child
code=$?
ok "embed fails when it is stopped" exits 1
ok "a stopped embed reports that nothing was written" says halted.err 'stopped, nothing was written'
ok "a stopped embed writes nothing" test ! -e halted/embeddings.npy
hirl pretrain $data $small preset=mocov2-small out=given
ok "a given preset is not logged" sh -c '! grep -q "^preset=" err'
hirl eval knn model=long $data
ok "the splits of bank and queries are printed" sh -c 'cat out err | grep -q "train.*test"'
for network in online teacher; do
    hirl eval knn model=long $data network=$network --json
    ok "eval knn evaluates network=$network" exits 0
    cp out $network.json
    hirl embed model=long $data network=$network out=$network
    ok "embed accepts network=$network" exits 0
done
ok "the teacher's features differ from the online network's" sh -c '! cmp -s online/embeddings.npy teacher/embeddings.npy'
ok "the teacher is evaluated with queries of the test split" json teacher.json 'r["bank"] == 160 and r["queries"] == 40'
hirl pretrain $data $small preset=hirl-simsiam-small out=plain queue=auto
ok "a run of SimSiam succeeds" exits 0
hirl eval knn model=plain $data network=teacher
ok "network=teacher is refused for a method without a teacher" test "$code" != 0
ok "network=teacher for a method without a teacher: the error names it" says err teacher
finish
