#!/bin/sh
# shellcheck disable=SC1091
# A tree is joined to its own images only: in a folder that was moved, but not to renamed or exchanged files.
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
for i in range(40):
    for j, name in enumerate(('cats', 'dogs')):
        image(f'photos/{name}/{i:02}.png', 2 * i + j)
        image(f'others/{name}/{i:02}.png', 2 * i + j + 100)
END
small="preset=mocov2-small model=random prototypes=8,2 threads=2"
# shellcheck disable=SC2086
hirl cluster $small data=photos out=tree
ok "a tree of images is made" exits 0
hirl tree show tree data=photos
ok "the tree fits its images" exits 0
hirl tree eval tree data=photos
ok "the tree is scored with their labels" exits 0
mv photos elsewhere
hirl tree show tree data=elsewhere
ok "the tree fits a folder that was moved" exits 0
mkdir above && mv elsewhere above/
hirl tree show tree data=above
ok "the tree fits a folder further up" exits 0
hirl tree export tree out=tree.csv
ok "without data= an export has the names of the tree" says tree.csv 'cats/00.png'
hirl tree show tree
ok "without data= the text has the names of the tree" says out 'png'
photos=above/elsewhere
mv $photos/cats/00.png $photos/cats/zz.png
for verb in show eval "export out=page.html"; do
    # shellcheck disable=SC2086
    hirl tree $verb tree=tree data=$photos
    ok "tree $verb: a renamed image is a data error" exits 3
    ok "tree $verb: both names are in the message" says err "'cats/00.png', but image 0 of the data is 'cats/01.png'"
done
mv $photos/cats/zz.png $photos/cats/00.png
hirl tree show tree data=others
ok "other images with the same names are a data error" exits 3
ok "other images with the same names: the message says so" says err 'but other content; the first is'
cp others/dogs/07.png $photos/dogs/07.png
cp others/dogs/08.png $photos/dogs/08.png
hirl tree show tree data=$photos
ok "a few changed images are accepted" exits 0
ok "a few changed images: a warning counts them" says err 'of 64 images that were compared changed'
rm $photos/cats/00.png
hirl tree show tree data=$photos
ok "another number of images is a data error" exits 3
ok "another number of images: both numbers are in the message" says err '80 rows, but the data has 79 images'

# features with names, features without, and a tree of a run
# shellcheck disable=SC2086
hirl embed preset=mocov2-small model=random data=others out=rows
hirl cluster rows prototypes=8,2 out=named
hirl tree export named out=named.csv
ok "the tree of named features has the names" says named.csv 'dogs/39.png'
hirl tree show named data=others
ok "the tree of named features fits the images" exits 0
hirl tree show named data=$photos max_images=79
ok "the tree of named features does not fit others" exits 3
mkdir alone && cp rows/embeddings.npy alone/
hirl cluster alone prototypes=8,2 out=unnamed
hirl tree show unnamed data=others
ok "a tree without names is joined" exits 0
ok "a tree without names: a line states that nothing was compared" says err 'no names of images'
hirl pretrain data=others out=run arch=resnet18 width=0.0625 stem=small image_size=16 batch_size=16 queue=16 epochs=2 \
    cluster_warmup_epoch=1 prototypes=8,2 negatives=2 threads=2
hirl tree show run data=others
ok "the tree of a run fits its images" exits 0
mv others/cats/00.png others/cats/zz.png
hirl tree show run data=others
ok "the tree of a run does not fit renamed images" exits 3
finish
