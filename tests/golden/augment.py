#!/usr/bin/python3
"""augment.py - reference results of the image operations, computed with Pillow and torchvision.

    /usr/bin/python3 augment.py > augment.txt

The stored file was made with Pillow 9.4.0, torchvision 0.14.1, numpy 1.24.2. Pictures come from the counter
generator of lib/base/rng.h, implemented here independently; tests/unit/data/pictures.c draws the same ones.
Lines (numbers separated by blanks; crc = CRC-32 of the interleaved RGB result):

    op KIND W H NAME a b c d e f g crc s0..s7       one operation; s: eight bytes of the result
    view KIND W H RECIPE size seed epoch image view left top width height flip
         o0 o1 o2 o3 f0 f1 f2 f3 gray sigma solarize crc s0..s7
    set KIND W H RECIPE size seed image n crc0..         n epochs of a view; view = recipe mod 3
    eval KIND W H size filter crc s0..s7
"""
import math
import sys
import zlib

import numpy as np
import torchvision.transforms as T
import torchvision.transforms.functional as F
from PIL import Image, ImageFilter, ImageOps

AUGMENT, TEST = 3, 10


def philox(counter, key):
    """10 rounds over arrays of counters [n, 4]"""
    c = [counter[:, i].astype(np.uint64) for i in range(4)]
    k0, k1 = key
    mask = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), b & mask,
             (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), a & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, 1).astype(np.uint32)


def words(n, seed, purpose, view, epoch, image):
    counter = np.zeros(((n + 3) // 4, 4), np.uint32)
    counter[:, 0] = np.arange(len(counter))
    counter[:, 1:] = purpose << 24 | view, epoch, image
    return philox(counter, (seed & 0xFFFFFFFF, seed >> 32)).reshape(-1)[:n]


# ---- pictures ----

def flat(w, h):
    return np.broadcast_to(np.array([37, 150, 211]), (h, w, 3))


def noise(w, h):
    return (words(3 * w * h, 1, TEST, 9, 0, 0) >> 24).reshape(h, w, 3)


def saturated(w, h):
    across, down = w // 8 + 1, h // 8 + 1
    bits = words(across * down, 1, TEST, 9, 0, 1).reshape(down, across)
    bits = bits.repeat(8, 0).repeat(8, 1)[:h, :w]
    return np.stack([(bits >> c & 1) * 255 for c in range(3)], -1)


def lattice(w, h, cell):
    """smooth values: random numbers at the corners of cells, bilinear in integers between them"""
    across, down = w // cell + 2, h // cell + 2
    v = (words(3 * across * down, 1, TEST, 9, 1, cell) >> 24).astype(np.int64).reshape(down, across, 3)
    y, x = np.arange(h)[:, None, None], np.arange(w)[None, :, None]
    gy, gx, fy, fx = y // cell, x // cell, y % cell, x % cell
    gy, gx = gy[:, :, 0], gx[:, :, 0]
    top = v[gy, gx] * (cell - fx) + v[gy, gx + 1] * fx
    low = v[gy + 1, gx] * (cell - fx) + v[gy + 1, gx + 1] * fx
    return (top * (cell - fy) + low * fy) // (cell * cell)


def photo(w, h):
    v = (4 * lattice(w, h, 32) + 2 * lattice(w, h, 8) + lattice(w, h, 2)) // 7
    v = (3 * v[:, :, :1] + 2 * v) // 5
    return np.clip(2 * v - 128, 0, 255)


def colours(w, h):
    i = np.arange(w * h).reshape(h, w)
    return np.stack([i >> 16, i >> 8 & 255, i & 255], -1)


def picture(kind, w, h):
    return Image.fromarray(np.ascontiguousarray(globals()[kind](w, h)).astype(np.uint8), 'RGB')


# ---- output ----

def number(x):
    return '%.9g' % x


def result(image):
    data = np.asarray(image).reshape(-1)
    at = [len(data) * i // 8 for i in range(8)]
    return ' '.join(['%08x' % zlib.crc32(data.tobytes())] + [str(data[i]) for i in at])


FILTER = {1: Image.BILINEAR, 2: Image.BICUBIC}


def crop(image, a):
    left, top, w, h, sw, sh, kind = [int(v) for v in a]
    return image.crop((left, top, left + w, top + h)).resize((sw, sh), FILTER[kind])


OPS = {
    'crop': crop,
    'brightness': lambda i, a: F.adjust_brightness(i, a[0]),
    'contrast': lambda i, a: F.adjust_contrast(i, a[0]),
    'saturation': lambda i, a: F.adjust_saturation(i, a[0]),
    'hue': lambda i, a: F.adjust_hue(i, a[0]),
    'gray': lambda i, a: F.to_grayscale(i, 3),
    'solarize': lambda i, a: ImageOps.solarize(i, 128),
    'blur': lambda i, a: i.filter(ImageFilter.GaussianBlur(a[0])),
}


def op(kind, w, h, name, *a):
    a = [float(np.float32(v)) for v in a]
    out = OPS[name](picture(kind, w, h), a)
    print('op', kind, w, h, name, *[number(v) for v in a + [0.0] * (7 - len(a))], result(out))


def operations():
    images = [('photo', 97, 61), ('noise', 64, 48), ('flat', 33, 17), ('saturated', 50, 41),
              ('noise', 1, 1), ('photo', 3, 500), ('noise', 500, 3), ('photo', 5, 2)]
    for i in images:
        for name in 'brightness', 'contrast', 'saturation':
            for f in 0, 0.2, 0.6, 1 / 3, 1, 1.4, 1.8:
                op(*i, name, f)
        for shift in -0.5, -0.1, -0.0499, 0, 0.003, 0.1, 0.2, 0.5:
            op(*i, 'hue', shift)
        for sigma in 0.1, 0.5, 1, 1.3, 2, 5:
            op(*i, 'blur', sigma)
        op(*i, 'gray')
        op(*i, 'solarize')
        for kind in 1, 2:
            w, h = i[1:]
            for sw, sh in (32, 32), (224, 7), (w, h), (1, 1), (w, 2 * h):
                op(*i, 'crop', 0, 0, w, h, sw, sh, kind)
            if w > 4 and h > 4:
                op(*i, 'crop', 3, 2, w // 2, h // 3 + 1, 19, 23, kind)
                op(*i, 'crop', w - 3, h - 2, 3, 2, 32, 32, kind)
    for kind in 1, 2:
        op('photo', 500, 375, 'crop', 31, 17, 411, 333, 224, 224, kind)
        op('photo', 500, 375, 'crop', 400, 300, 100, 75, 96, 96, kind)
        op('saturated', 1023, 301, 'crop', 0, 0, 1023, 301, 32, 32, kind)
    for name, f in (('hue', 0), ('hue', 0.1), ('hue', -0.37), ('gray', 0), ('saturation', 0.6),
                    ('saturation', 1.8)):
        op('colours', 4096, 4096, name, f)


# ---- views: smallest and largest scale, filter, jitter strengths, blur_p, solarize_p, mirror (1: last, 2: first) ----

RECIPES = [
    (0.20, 1.00, 1, (.4, .4, .4, .1), .5, 0, 1), (0.14, 1.00, 1, (.8, .8, .8, .2), .5, 0, 2),
    (0.05, 0.14, 1, (.8, .8, .8, .2), .5, 0, 2), (0.08, 1.00, 1, (.4, .4, .2, .1), 1, 0, 1),
    (0.08, 1.00, 1, (.4, .4, .2, .1), .1, .2, 1), (0.25, 1.00, 2, (.4, .4, .2, .1), 1, 0, 2),
    (0.25, 1.00, 2, (.4, .4, .2, .1), .1, .2, 2), (0.05, 0.25, 2, (.4, .4, .2, .1), .5, 0, 2),
    (0.32, 1.00, 2, (.4, .4, .2, .1), 1, 0, 2), (0.32, 1.00, 2, (.4, .4, .2, .1), .1, .2, 2),
    (0.05, 0.32, 2, (.4, .4, .2, .1), .5, 0, 2),
]


LOCAL = 2, 7, 10


def draw_box(u, w, h, low, high):
    """torchvision.transforms.RandomResizedCrop.get_params with the given uniform numbers"""
    for b in range(10):
        area = w * h * (low + u[b][0] * (high - low))
        lo, hi = math.log(3 / 4), math.log(4 / 3)
        aspect = math.exp(lo + u[b][1] * (hi - lo))
        cw, ch = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < cw <= w and 0 < ch <= h:
            return int(u[b][3] * (w - cw + 1)), int(u[b][2] * (h - ch + 1)), cw, ch
    if w / h < 3 / 4:
        cw, ch = w, round(w / (3 / 4))
    elif w / h > 4 / 3:
        cw, ch = round(h * (4 / 3)), h
    else:
        cw, ch = w, h
    return (w - cw) // 2, (h - ch) // 2, cw, ch


def draw(recipe, w, h, seed, epoch, image, view):
    low, high, _, jitter, blur_p, solarize_p, mirror = RECIPES[recipe]
    u = words(13 * 4, seed, AUGMENT, view, epoch, image).reshape(13, 4) * 2.0 ** -32
    box = draw_box(u, w, h, low, high)
    order, factor = [-1] * 4, [0.0] * 4
    if u[11][1] < 0.8:
        left, code = [0, 1, 2, 3], int(24 * u[12][2])
        order = []
        for n in 4, 3, 2, 1:
            order.append(left.pop(code % n))
            code //= n
        for i, s in enumerate(jitter):
            a, b = (-s, s) if i == 3 else (max(0, 1 - s), 1 + s)
            factor[i] = float(np.float32(a + u[10][i] * (b - a)))
    sigma = float(np.float32(0.1 + u[12][1] * 1.9)) if u[11][3] < blur_p else 0.0
    return (box, mirror if u[11][0] < 0.5 else 0, order, factor, int(u[11][2] < 0.2), sigma,
            int(u[12][0] < solarize_p))


def apply(image, record, size, kind):
    (left, top, w, h), mirror, order, factor, gray, sigma, solarize = record
    image = crop(image, (left, top, w, h, size, size, kind))
    if mirror == 2:
        image = F.hflip(image)
    for o in order:
        if o >= 0:
            image = OPS[('brightness', 'contrast', 'saturation', 'hue')[o]](image, [factor[o]])
    if gray:
        image = F.to_grayscale(image, 3)
    if sigma:
        image = OPS['blur'](image, [sigma])
    if solarize:
        image = OPS['solarize'](image, [])
    return F.hflip(image) if mirror == 1 else image


def view(kind, w, h, recipe, size, index):
    seed, epoch, v = 0x123456789, 7 * index, recipe + index % 3
    r = draw(recipe, w, h, seed, epoch, index, v)
    out = apply(picture(kind, w, h), r, size, RECIPES[recipe][2])
    print('view', kind, w, h, recipe, size, seed, epoch, index, v, *r[0], r[1], *r[2],
          *[number(f) for f in r[3]], r[4], number(r[5]), r[6], result(out))


def views():
    small = [('photo', 32, 32), ('photo', 120, 90), ('noise', 32, 32), ('saturated', 40, 56),
             ('flat', 28, 28), ('noise', 1, 1), ('photo', 3, 500), ('photo', 33, 95),
             ('noise', 101, 7), ('photo', 64, 47)]
    for i in range(40):
        view(*small[i % 10], 0, 32, i)
    for i, image in enumerate([('photo', 500, 375), ('photo', 213, 640), ('noise', 401, 300),
                               ('saturated', 375, 500), ('photo', 256, 256)] * 2):
        view(*image, 0, 224, 40 + i)
    for recipe in range(1, len(RECIPES)):
        for i in range(6):
            view(*small[(i + recipe) % 10], recipe, 32, 100 + i)
        view('photo', 500, 375, recipe, 96 if recipe in LOCAL else 224, 200)


def sets():
    """50 views of each recipe except the first: 40 small ones, 10 of the paper's size"""
    images = [('photo', 120, 90), ('noise', 32, 32), ('saturated', 40, 56), ('photo', 33, 95),
              ('photo', 64, 47), ('noise', 3, 50), ('photo', 32, 32), ('flat', 28, 28),
              ('photo', 500, 375), ('saturated', 375, 500)]
    seed = 0xABCDEF012
    for recipe in range(1, len(RECIPES)):
        for image, (kind, w, h) in enumerate(images):
            size = (14 if image < 8 else 96) if recipe in LOCAL else 32 if image < 8 else 224
            crc = []
            for epoch in range(5):
                r = draw(recipe, w, h, seed, epoch, image, recipe % 3)
                out = apply(picture(kind, w, h), r, size, RECIPES[recipe][2])
                crc.append('%08x' % zlib.crc32(np.asarray(out).tobytes()))
            print('set', kind, w, h, recipe, size, seed, image, len(crc), *crc)


def evaluations():
    for image in (('photo', 500, 375), ('photo', 213, 640), ('noise', 256, 256), ('noise', 1, 1),
                  ('photo', 3, 500), ('saturated', 331, 257)):
        for size in 32, 96, 97, 224:
            for kind in 1, 2:
                mode = T.InterpolationMode.BILINEAR if kind == 1 else T.InterpolationMode.BICUBIC
                out = picture(*image)
                if size < 96:
                    out = F.resize(out, (size, size), mode)
                else:
                    out = F.center_crop(F.resize(out, round(size * 256 / 224), mode), size)
                print('eval', *image, size, kind, result(out))


if __name__ == '__main__':
    operations()
    views()
    sets()
    evaluations()
