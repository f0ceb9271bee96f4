#!/bin/sh
# shellcheck disable=SC1091,SC2086
# Data as people have it: lists of images, STL-10, images without an ending or with another one.
. "$(dirname "$0")/tap.sh"

python3 - <<'END'
import os, struct, zlib
def chunk(name, data):
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
def image(path, seed):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    rows = b''.join(b'\0' + bytes((x * (seed % 7 + 1) + y * seed) % 256 for x in range(48)) for y in range(16))
    open(path, 'wb').write(
        b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 16, 16, 8, 2, 0, 0, 0)) +
        chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
names = ['a/1.png', 'a/2.png', 'b/3.png', 'b/with, comma.png', 'b/quote".png']
for i, name in enumerate(names):
    image('set/' + name, i)
open('set/plain.txt', 'w').write('# a comment\n' + '\n'.join(names[:3]) + '\n\n')
open('set/labels.csv', 'w').write('\ufeffpath,label\r\na/1.png,cat\r\na/2.png,dog\r\n"b/with, comma.png",cat\r\n"b/quote"".png",\r\n')
open('set/numbers.tsv', 'w').write('a/1.png\t0\na/2.png\t2\nb/3.png\t1\n')
open('set/two.csv', 'w').write('a/1.png,cat\na/2.png,dog,3\n')
open('set/open.csv', 'w').write('a/1.png,cat\n"a/2.png,dog\n')
open('set/none.txt', 'w').write('\n# nothing\n')
open('set/absent.txt', 'w').write('a/1.png\na/9.png\n')
for i, name in enumerate(('photo', 'PHOTO.JPEG', 'c.bin2', 'd.webp', 'e.jfif', 'notes.txt', 'f.mov')):
    image('odd/' + name, i)
# STL-10: pixel (x, y) of plane c of image i is i + 2 c + x + 3 y, each plane column by column
os.makedirs('stl', exist_ok=True)
def stl(i):
    return bytes((i + 2 * c + x + 3 * y) % 256 for c in range(3) for x in range(96) for y in range(96))
os.makedirs('same', exist_ok=True)
for i in range(3):
    rows = b''.join(b'\0' + bytes((i + 2 * c + x + 3 * y) % 256 for x in range(96) for c in range(3)) for y in range(96))
    open(f'same/{i}.png', 'wb').write(
        b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 96, 96, 8, 2, 0, 0, 0)) +
        chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
for part, n in (('train', 3), ('test', 2), ('unlabeled', 2)):
    open(f'stl/{part}_X.bin', 'wb').write(b''.join(stl(i) for i in range(n)))
open('stl/train_y.bin', 'wb').write(bytes((1, 10, 3)))
open('stl/test_y.bin', 'wb').write(bytes((2, 2)))
open('stl/class_names.txt', 'w').write('\n'.join('airplane bird car cat deer dog horse monkey ship truck'.split()) + '\n')
END
random="model=random preset=mocov2-small threads=2"
hirl embed $random data=set/plain.txt out=plain
ok "a list is read" exits 0
ok "a list: names are those of the lines" test "$(cat plain/filenames.txt)" = "$(printf 'a/1.png\na/2.png\nb/3.png')"
ok "a list without labels has none" test ! -e plain/labels.npy
hirl embed $random data=set/labels.csv out=labels format=csv
ok "a list with labels is read" exits 0
ok "a list: header, byte order mark, line ends and quotation marks" test "$(cut -c1-20 labels/filenames.txt)" = \
    "$(printf 'a/1.png\na/2.png\nb/with, comma.png\nb/quote".png')"
ok "a list: class names are sorted, a missing label is -1" test \
    "$(sed 's/.*,//' labels/embeddings.csv | tr '\n' ' ')" = 'labels 0 1 0 -1 '
hirl embed $random data=set/numbers.tsv out=numbers format=csv
ok "a list: numbers are classes themselves" test "$(sed 's/.*,//' numbers/embeddings.csv | tr '\n' ' ')" = 'labels 0 2 1 '
hirl embed $random data=set/two.csv out=none
ok "a line with three fields is a data error" exits 3
ok "a line with three fields: the message has its number" says err 'line 2: expected'
hirl embed $random data=set/open.csv out=none
ok "open quotation marks are a data error" says err 'line 2: .* not closed'
hirl embed $random data=set/none.txt out=none
ok "an empty list is a data error" says err 'names no image'
hirl embed $random data=set/absent.txt out=absent
ok "a missing file is skipped and named" says absent/skipped.txt 'a/9.png'

printf '%s/set/a/1.png\nset/a/2.png\n' "$PWD" >mixed.txt
hirl embed $random data=mixed.txt out=mixed
ok "a list: absolute and relative paths" sh -c "test $(wc -l <mixed/filenames.txt) = 2 && test ! -s mixed/skipped.txt"
echo 'just text' >text.txt
hirl embed $random data=text.txt out=none
ok "another text file is no list" says err "do not exist; the first is 'just text'"
hirl embed $random data=odd out=odd.e
ok "the content decides what is an image" test "$(LC_ALL=C sort odd.e/filenames.txt | tr '\n' ' ')" = \
    'PHOTO.JPEG c.bin2 d.webp e.jfif photo '

hirl embed $random data=stl out=stl.e format=csv
ok "STL-10: the split train" sh -c "grep -q 'split train of train 3, test 2, unlabeled 2' err"
ok "STL-10: labels are from 0 on" test "$(sed 's/.*,//' stl.e/embeddings.csv | tr '\n' ' ')" = 'labels 0 9 2 '
hirl embed $random data=same out=same.e
hirl embed $random data=stl out=stl.n
ok "STL-10: pixels are those of the same images as PNG" cmp stl.n/embeddings.npy same.e/embeddings.npy
hirl embed $random data=stl split=unlabeled out=stl.u
ok "STL-10: the split unlabeled" test "$(wc -l <stl.u/filenames.txt)" = 2
printf 'xx' >>stl/train_X.bin
hirl embed $random data=stl out=none
ok "STL-10: a wrong size is a data error" says err 'not images of 27648 bytes'
finish
