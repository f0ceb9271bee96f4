#!/bin/sh
# shellcheck disable=SC1091,SC2086
# exif: a run on photos turns them by default, its model remembers this, and the verbs follow the model.
. "$(dirname "$0")/tap.sh"

images=$(cd "$(dirname "$0")/../golden/images" && pwd)
mkdir photos stored
for copy in 1 2 3; do
    for turn in 1 2 3 4 5 6 7 8; do cp "$images/turned$turn.jpg" photos/$copy$turn.jpg; done
done
small="arch=resnet18 width=0.0625 stem=small image_size=16 batch_size=8 queue=8 epochs=1 hirl=0 threads=2"
hirl pretrain data=photos out=turned $small
ok "a run on photos succeeds" exits 0
hirl pretrain data=photos out=unturned $small exif=0
ok "exif=0 is accepted" exits 0

# The eight files store the same pixels, with eight orientations.
spread() { # spread FILE: the largest difference between the rows of the first eight images
    python3 -c 'import csv, sys
rows = [[float(x) for x in r[1:]] for r in list(csv.reader(open(sys.argv[1])))[1:9]]
print(max(abs(a - b) for row in rows for a, b in zip(row, rows[0])))' "$1"
}
hirl embed model=turned data=photos format=csv out=a
ok "embed follows a model that learned turned photos" says err 'parameters, exif=1'
hirl embed model=unturned data=photos format=csv out=b
ok "embed follows a model that learned photos as stored" says err 'parameters, exif=0'
turned=$(spread a/embeddings.csv) stored=$(spread b/embeddings.csv)
ok "photos with one content as stored have equal features" test "$stored" = 0.0
ok "turned photos have different features" awk "BEGIN { exit !($turned > 1e-3) }"
hirl embed model=turned data=photos exif=0 format=csv out=c
ok "a typed exif is kept" sh -c '! grep -q "exif=1" err'
ok "a typed exif changes the features" sh -c '! cmp -s a/embeddings.csv c/embeddings.csv'
hirl cluster model=turned data=photos prototypes=4,2 out=tree
hirl tree export tree data=photos exif=0 out=page.html
shapes=$(grep -o 'img width="[0-9]*" height="[0-9]*"' page.html | sort -u | wc -l)
ok "thumbnails are turned even with exif=0" test "$shapes" = 2
hirl pretrain out=unturned resume=1
ok "a finished run keeps its exif" exits 0
rm unturned/config.yaml
hirl pretrain out=unturned resume=1 data=photos
ok "a resume with another exif is refused" says err 'exif=1, but the run to be resumed has 0'
hirl config show preset=mocov2
ok "the paper's presets use photos as stored" says out '^exif: 0'
finish
