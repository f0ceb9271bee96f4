#!/usr/bin/python3
"""mask.py - iBOT's masks, implemented independently from the supplement of the paper (Zhou et al. 2022).

    /usr/bin/python3 mask.py > mask.txt     masks from the counter generator, for tests/unit/ssl/test_mask.c
    /usr/bin/python3 mask.py statistics     statistics of 200000 masks for each grid, from Python's own generator

Lines: mask H W scattered seed epoch image view count rows; rows: one number for each row of the grid, bit x
= column x. Uniform numbers of the masks in mask.txt come from the counter generator (counter.py).
"""
import math
import random
import sys

from counter import MASK, Draws


class Counter:
    """the interface of random.Random that the masks need, with numbers of the counter generator"""

    def __init__(self, *place):
        seed, epoch, image, view = place
        self.draws = Draws(seed, MASK, view, epoch, image)

    def random(self):
        return float(self.draws.uniform(1)[0])

    def uniform(self, a, b):
        return a + self.random() * (b - a)

    def randint(self, a, b):
        return a + self.draws.below(b - a + 1)


def blocks(rng, h, w, target):
    mask = [[0] * w for _ in range(h)]
    count = 0
    while count < target:
        remaining = target - count
        for _ in range(10):
            area = rng.uniform((min(h, w) // 3) ** 2, remaining)
            aspect = math.exp(rng.uniform(math.log(0.3), math.log(1 / 0.3)))
            bh, bw = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if not (bw < w and bh < h):
                continue
            top, left = rng.randint(0, h - bh), rng.randint(0, w - bw)
            cells = [(y, x) for y in range(top, top + bh) for x in range(left, left + bw)]
            new = sum(1 - mask[y][x] for y, x in cells)
            if 0 < new <= remaining:
                for y, x in cells:
                    mask[y][x] = 1
                count += new
                break
        else:
            break
    return mask, count


def scattered(rng, h, w, target):
    """Selection sampling: masks patch i with probability (patches still wanted) / (patches left)."""
    mask, count, wanted = [[0] * w for _ in range(h)], 0, math.floor(target)
    for i in range(h * w):
        if count < wanted and rng.randint(0, h * w - i - 1) < wanted - count:
            mask[i // w][i % w] = 1
            count += 1
    return mask, count


def draw(rng, h, w, kind):
    """Returns mask, count and target; target None: the view has no mask."""
    chance, ratio = rng.random(), rng.uniform(0.3 - 0.2, 0.3 + 0.2)
    if chance >= 0.5:
        return [[0] * w for _ in range(h)], 0, None
    return *kind(rng, h, w, ratio * h * w), ratio * h * w


def masks():
    for h, w in (14, 14), (8, 8), (2, 2), (1, 5), (7, 12), (6, 6):
        for kind in blocks, scattered:
            for image in range(10 if kind is blocks else 4):
                place = (0x123456789, 3 * image, image, image % 2)
                mask, count, _ = draw(Counter(*place), h, w, kind)
                rows = [sum(bit << x for x, bit in enumerate(row)) for row in mask]
                print('mask', h, w, int(kind is scattered), *place, count, *rows)


def statistics(n=200000):
    for h, w in (14, 14), (8, 8), (2, 2):
        rng = random.Random(1)
        count = share = unmasked = 0
        cell = [[0] * w for _ in range(h)]
        for _ in range(n):
            mask, c, target = draw(rng, h, w, blocks)
            unmasked += target is None
            if target is None:
                continue
            count += c
            share += c / target
            for y in range(h):
                for x in range(w):
                    cell[y][x] += mask[y][x]
        masked = n - unmasked
        print(f'{h}x{w}: unmasked {unmasked / n:.4f}, count {count / masked:.4f}, count / target '
              f'{share / masked:.4f}, corner {cell[0][0] / masked:.4f}, '
              f'middle {cell[h // 2][w // 2] / masked:.4f}')


if __name__ == '__main__':
    statistics() if sys.argv[1:] == ['statistics'] else masks()
