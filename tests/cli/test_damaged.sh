#!/bin/sh
# shellcheck disable=SC1091,SC2086,SC2016,SC2034
# Damaged and hostile files, folders that cannot be written, a full disk: the program prints one error line and exits
# with the documented status.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"

small="arch=resnet18 width=0.0625 stem=small image_size=16 batch_size=4 queue=8 epochs=2
    cluster_warmup_epoch=1 prototypes=6,2 negatives=3 threads=2"
python3 - "$here/../golden/images/444.jpg" <<'END'
import json, os, shutil, struct, sys, zlib

def chunk(name, data):
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))

def png(path, width, height, said=None):
    rows = b''.join(b'\0' + bytes((x * 7 + y * width + k) % 256 for x in range(width) for k in range(3))
                    for y in range(height))
    head = struct.pack('>IIBBBBB', *(said or (width, height)), 8, 2, 0, 0, 0)
    open(path, 'wb').write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(rows)) +
                           chunk(b'IEND', b''))

os.mkdir('good')
for i in range(30):
    png(f'good/{i:02}.png', 20 + i, 24)
shutil.copytree('good', 'mixed')
jpeg = open(sys.argv[1], 'rb').read()
half = open('good/03.png', 'rb').read()
open('mixed/05a.jpg', 'wb').write(jpeg)
open('mixed/05b.jpg', 'wb').write(jpeg[:len(jpeg) // 2])
open('mixed/07b.png', 'wb').write(half[:len(half) // 2])
png('mixed/09b.png', 1, 1, (60000, 60000))
open('mixed/11b.jpg', 'wb').write(b'')
open('mixed/12b.png', 'wb').write(b'this is text')

for i in range(60):
    os.makedirs(f'classes/{i % 2}', exist_ok=True)
    png(f'classes/{i % 2}/{i:02}.png', 16, 16)
open('classes/0/07b.png', 'wb').write(half[:len(half) // 2])
open('classes/1/11b.png', 'wb').write(b'this is text')

def idx(name, *numbers):
    open(name, 'wb').write(struct.pack('>IIII', 0x803, *numbers) + b'\0' * 1000)

idx('lie-images-idx3-ubyte', 60000, 28, 28)
idx('huge-images-idx3-ubyte', 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1)

def safetensors(name, header, bytes):
    open(name, 'wb').write(struct.pack('<Q', len(header)) + header.encode() + b'\0' * bytes)

def tensor(first, last, shape='[2]'):
    return f'{{"dtype":"F32","shape":{shape},"data_offsets":[{first},{last}]}}'

safetensors('overlap.safetensors', f'{{"a":{tensor(0, 8)},"b":{tensor(4, 12)}}}', 12)
safetensors('twice.safetensors', f'{{"a":{tensor(0, 8)},"a":{tensor(8, 16)}}}', 16)
safetensors('short.safetensors', f'{{"a":{tensor(0, 8)}}}', 4)
safetensors('endless.safetensors', f'{{"a":{tensor(0, 8, "[1099511627776,1099511627776]")}}}', 8)
open('header.safetensors', 'wb').write(struct.pack('<Q', 2 ** 62) + b'{}')
END

one_sentence() { # stderr has exactly one error line, the last one, and it contains the text
    test "$(grep -c '^hirl: ' err)" = 1 && tail -n 1 err | grep -q -e "$1"
}

# images
hirl pretrain data=mixed $small out=stopped
ok "more unreadable images than max_bad stop a run" exits 3
ok "the share and the last reason are named" one_sentence 'max_bad=0.01.*b.[jp][pn]g'
hirl pretrain data=mixed $small out=run max_bad=0.5
ok "unreadable images are replaced" exits 0
ok "an unreadable image is named" says err 'unreadable image 09b.png: an image of 60000 x 60000'
hirl pretrain data=mixed $small out=strict max_bad=0.5 on_bad_image=error
ok "on_bad_image=error stops at the first unreadable image" exits 3
mkdir torn
printf 'no image' >torn/a.png
printf 'no image' >torn/b.jpg
hirl embed data=torn model=run out=torn_rows
ok "images none of which can be read are a data error" exits 3
ok "the error says that none can be read" one_sentence 'none of 2 images can be read'
hirl embed data=mixed model=run out=rows max_bad=0.5
ok "embed leaves unreadable images out" test "$(wc -l <rows/filenames.txt)" = 31
ok "skipped.txt names number, image and reason" says rows/skipped.txt '^7	05b.jpg	JPEG'
ok "skipped.txt lists all unreadable images" test "$(wc -l <rows/skipped.txt)" = 5
hirl cluster data=mixed model=run out=tree max_bad=0.5 prototypes=6,2 --json
ok "cluster leaves unreadable images out" json out 'r["rows"] == 31 and r["skipped"] == 5'
ok "cluster and embed write the same skipped.txt" cmp rows/skipped.txt tree/skipped.txt
ok "clusters.csv has a row for each readable image" sh -c \
    'tail -n +2 tree/clusters.csv | cut -d, -f1 | cmp - rows/filenames.txt'
hirl embed data=mixed model=run out=z layer=z0 max_bad=0.5
hirl cluster data=z out=again prototypes=6,2
ok "rows without gaps give the same tree" cmp tree/clusters.csv again/clusters.csv
ok "images keep their numbers in the tree" python3 -c 'import json, struct
import sys
def read(path):
    data = open(path, "rb").read()
    size, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    return {k: data[8 + size:][slice(*v["data_offsets"])] for k, v in header.items() if k != "__metadata__"}
whole, rows = read("tree/tree.hpt"), read("again/tree.hpt")
leaf = [k for k in whole if "leaf" in k][0]
bad = [int(line.split("\t")[0]) for line in open("tree/skipped.txt")]
number = struct.unpack("<36i", whole[leaf])
assert [i for i in range(36) if number[i] == -1] == bad
assert [n for n in number if n >= 0] == list(struct.unpack("<31i", rows[leaf]))
differ = [k for k in whole if not k.startswith("images.") and whole[k] != rows[k] and k not in (leaf, "shape")]
assert not differ, differ'
hirl tree show tree data=mixed
ok "tree show accepts a tree with rows left out" exits 0
hirl eval knn features=pixels data=classes max_bad=0.01
ok "raw pixels: more unreadable images than max_bad stop" exits 3
ok "raw pixels: the share and the reason are named" one_sentence 'max_bad=0.01; the last one is .*b.png: '
hirl eval knn features=pixels data=classes max_bad=0.5 --json
ok "raw pixels: unreadable images are left out" json out \
    'r["skipped"] == 2 and r["bank"] + r["queries"] == 60'
ok "raw pixels: an unreadable image is named" says err 'unreadable image 0/07b.png: '
ok "raw pixels: unreadable images are counted" says err '[12] of [0-9]* images could not be read'
hirl eval knn model=run data=classes max_bad=0.5 --json
ok "features of a model: the same images are left out" json out 'r["skipped"] == 2 and r["bank"] + r["queries"] == 60'
mkdir nothing
hirl pretrain data=nothing $small out=none
ok "a folder without images is a data error" exits 3
for set in lie huge; do
    hirl eval knn features=pixels data=$set-images-idx3-ubyte
    ok "IDX: a header with wrong sizes ($set) is a data error" exits 3
    ok "IDX: the error names the claimed bytes ($set)" one_sentence 'claims'
done

# names with a line feed, an escape character and a byte that is not UTF-8
python3 - <<'END'
import os, shutil
for i in range(30):
    os.makedirs(f'odd/{i % 2}', exist_ok=True)
    shutil.copy('classes/0/00.png', os.fsencode(f'odd/{i % 2}/') + b'%02d\n\x1b[31m\xff.png' % i)
open(b'odd/1/99\n\x1b[31m\xff.png', 'wb').write(b'this is text')
END
lines() { # lines FILE COUNT: the file has this number of lines, and no escape character
    test "$(wc -l <"$1")" = "$2" && ! grep -q "$(printf '\033')" "$1"
}
hirl embed model=run data=odd out=oddrows max_bad=0.5
ok "odd names: one line each in filenames.txt" lines oddrows/filenames.txt 30
ok "odd names: one line each in skipped.txt" lines oddrows/skipped.txt 1
ok "odd names: log lines have no escape character" sh -c '! grep -q "$(printf "\033")" err'
hirl cluster model=run data=odd out=oddtree max_bad=0.5 prototypes=3,2
hirl tree show oddtree data=odd
ok "odd names: tree show prints one line for each node" lines out 9
hirl eval knn features=pixels data=odd max_bad=0
ok "odd names: an error message is one line" one_sentence 'max_bad=0; the last one is 1/99 '

# bytes that are not UTF-8 in JSON events
bad=$(printf 'bad\377')
hirl embed model=run data=odd out=$bad max_bad=0.5 --json
ok "embed prints its event for a folder whose name is not UTF-8" json out 'r["event"] == "result" and r["out"] == "bad\\xff"'
ok "config.json has the folder whose name is not UTF-8" python3 -c 'import json
assert json.load(open(b"bad\xff/config.json"))["settings"]["out"] == "bad\\xff"'
hirl cluster model=run data=odd out=$bad max_bad=0.5 prototypes=3,2 --json overwrite=1
ok "cluster prints its event for such a folder" json out 'r["event"] == "result" and r["out"] == "bad\\xff"'
hirl tree export oddtree out=$bad.json --json
ok "tree export prints its event for such a file" json out 'r["out"] == "bad\\xff.json"'
hirl eval knn features=pixels data=odd max_bad=0 --json
ok "an error message that is not UTF-8 has its event" json out 'r["event"] == "error" and r["exit"] == 3'

# models
for fault in overlap:overlap twice:duplicate short:'4 bytes' endless:size header:header; do
    hirl embed model=${fault%%:*}.safetensors data=good out=x
    ok "safetensors, ${fault%%:*}: a data error" exits 3
    ok "safetensors, ${fault%%:*}: the error names the fault" one_sentence "${fault#*:}"
done
head -c 5000 run/model.safetensors >cut.safetensors
hirl embed model=cut.safetensors data=good out=x
ok "a truncated model file is a data error" exits 3

# paths that cannot be written
touch file
hirl pretrain data=good $small out=file/run
ok "a run directory inside a file fails" exits 1
ok "a run directory inside a file: the error names the folder" one_sentence "folder.*file"
hirl embed model=run data=good out=file/rows
ok "embeddings inside a file fail" exits 1
hirl tree export run out=/dev/full format=json
ok "a device cannot be an output file" exits 1
if [ -w /dev/full ]; then
    for verb in info methods "config show"; do
        "$HIRL" $verb >/dev/full 2>err
        code=$?
        ok "$verb fails if its output cannot be written" exits 1
        "$HIRL" $verb --json >/dev/full 2>err
        code=$?
        ok "$verb --json fails if its output cannot be written" exits 1
        ok "$verb --json prints the reason" says err 'the output could not be written'
    done
fi
mkdir full closed
trap 'umount full closed 2>/dev/null; rm -rf "$T"' EXIT
if mount -t tmpfs -o size=600k none full 2>/dev/null && mount -t tmpfs -o ro none closed 2>/dev/null; then
    hirl pretrain data=good $small out=closed/run
    ok "a read-only folder fails" exits 1
    ok "a read-only folder: the error names the reason" one_sentence 'Read-only'
    hirl pretrain data=good $small out=full/run
    ok "a full disk fails" exits 1
    ok "a full disk: the error names the file" one_sentence 'safetensors: No space left'
    ok "a full disk: no partial checkpoint is left" test -z "$(ls full/run/checkpoints)"
    hirl embed model=run data=generated generated_images=9000 out=full/rows
    ok "a full disk: embed fails" exits 1
    ok "a full disk: no partial file is left" test -z "$(ls full/rows)"
else
    skip "a read-only folder" "cannot mount a file system"
    skip "a full disk" "cannot mount a file system"
fi
finish
