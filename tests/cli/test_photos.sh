#!/bin/sh
# shellcheck disable=SC1091,SC2086,SC2016,SC2034
# Trains on photographs of any size in three splits, embeds and clusters them, exports a page of thumbnails.
# $1 folder of such data.
data=$(cd "$1" 2>/dev/null && pwd)
. "$(dirname "$0")/tap.sh"

if [ -z "$data" ]; then
    skip "photographs" "no data in $1"
    finish
fi
few="data=$data max_images=64"
small="arch=resnet18 width=0.125 stem=small image_size=32 batch_size=16 queue=32 epochs=1
    cluster_warmup_epoch=0 prototypes=12,4 negatives=5 threads=2"

hirl pretrain $few $small out=run
ok "pretrain on photographs succeeds" exits 0
ok "the split is logged" says err 'split train of'
ok "the run has a tree" test -s run/trees/current.hpt
hirl pretrain data=$data/train max_images=64 out=run resume=1 split=auto
ok "a run resumes with the folder of its split" exits 0
hirl pretrain $few out=run resume=1 split=train
ok "a run resumes with its split named" exits 0
hirl pretrain $few out=run resume=1 split=validation
ok "a run does not resume with another split" says err 'the run has split train, but the data set has split validation'
hirl pretrain data=generated max_images=64 out=run resume=1 split=train
ok "a run on photographs does not resume with generated images" says err 'images with names'
hirl embed $few model=run out=rows
ok "photographs are embedded" exits 0
ok "there is one row for each image" test "$(wc -l <rows/filenames.txt)" = 64
hirl cluster $few model=run out=tree prototypes=12,4 --json
ok "photographs are clustered" json out 'r["rows"] == 64 and len(r["levels"]) == 2'
hirl tree export tree $few out=tree.html
ok "a page of thumbnails is written" exits 0
ok "the page contains images" says tree.html 'data:image/'
hirl eval knn model=run data=$data max_images=200 --json
ok "queries come from another split than the bank" json out \
    'r["bank_split"] == "train" and r["query_split"] == "test"'
finish
