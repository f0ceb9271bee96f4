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
ok "the page contains images" says tree.html 'data:image/jpeg'
ok "the export states its size and how to open it" says out 'tree.html: html, .* kB; open it in a browser'
PHOTOS=$data python3 - <<'END'
import os
os.mkdir('names')
for i, name in enumerate(sorted(open('rows/filenames.txt').read().split('\n')[:12])):
    os.symlink(os.path.join(os.environ['PHOTOS'], name), os.fsencode(f'names/{i}') + b'<&">#?%\n\xff.jpg')
END
hirl cluster model=run data=names out=named prototypes=4,2
hirl tree export named data=names examples=1 out=names.html
ok "every photo is below its leaf, with its name escaped, and links to its file" python3 - <<'END'
import html.parser, os, urllib.parse
leaves, found, alts, nodes = 0, [], 0, []
class Page(html.parser.HTMLParser):
    def handle_starttag(self, tag, attribute):
        global leaves, alts
        value = dict(attribute)
        leaves += tag == 'div'
        nodes.append(tag)
        if tag == 'a':
            path = urllib.parse.urlparse(value['href'])
            assert path.scheme == 'file' and not path.query and not path.fragment
            found.append(os.path.basename(urllib.parse.unquote_to_bytes(path.path)))
        alts += tag == 'img' and bool(value['alt'])
        assert tag in 'html head meta title style body p b i input span div details summary a img br script'.split()
text = open('names.html', 'rb').read()
Page().feed(text.decode('utf-8', 'surrogateescape'))
assert sorted(set(found)) == sorted(os.listdir(b'names')), found
assert leaves == 4 and alts == nodes.count('img') == len(found) == 12 + 2
assert b'viewport' in text and b'prefers-color-scheme:dark' in text and b'type="search"' in text and b'http' not in text
END
hirl eval knn model=run data=$data max_images=200 --json
ok "queries come from another split than the bank" json out \
    'r["bank_split"] == "train" and r["query_split"] == "test"'
finish
