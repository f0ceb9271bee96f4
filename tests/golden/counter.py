"""counter.py - the counter generator of lib/base/rng.h in numpy: Philox 4x32-10 (Salmon et al. 2011).

key = seed, counter = {block, purpose << 24 | view, epoch, image}; each block gives four words.
Written from the paper's constants; check.py compares it with the published known answers.
"""
import numpy as np

INIT, ORDER, AUGMENT, SHUFFLE, QUEUE, NEGATIVE, KMEANS, GENERATED, EVAL, TEST, MASK, DROP = range(1, 13)

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox(counter, key):
    """Maps counter [..., 4] words and key (2 words) to [..., 4] words."""
    c = [np.asarray(counter, np.uint64)[..., i] for i in range(4)]
    k = [int(key[0]), int(key[1])]
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(b >> HALF) ^ c[1] ^ np.uint64(k[0]), b & LOW,
             (a >> HALF) ^ c[3] ^ np.uint64(k[1]), a & LOW]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, -1).astype(np.uint32)


class Draws:
    """The words of one generator (seed, purpose, view, epoch, image), in order."""

    def __init__(self, seed, purpose, view=0, epoch=0, image=0):
        self.key = (seed & 0xFFFFFFFF, seed >> 32)
        self.rest = (purpose << 24 | view & 0xFFFFFF, epoch, image)
        self.block = 0
        self.words = np.zeros(0, np.uint32)

    def u32(self, n):
        blocks = max(0, (n - len(self.words) + 3) // 4)
        counter = np.empty((blocks, 4), np.uint64)
        counter[:, 0] = np.arange(self.block, self.block + blocks)
        counter[:, 1:] = self.rest
        self.block += blocks
        words = np.concatenate([self.words, philox(counter, self.key).ravel()])
        self.words = words[n:]
        return words[:n]

    def uniform(self, n):
        """n numbers in [0, 1) with 32 bits"""
        return self.u32(n) * 2.0 ** -32

    def normal(self, n):
        """n normal draws by Box-Muller: cosine branch, two uniform numbers a draw"""
        u = self.uniform(2 * n)
        return np.sqrt(-2.0 * np.log(1.0 - u[0::2])) * np.cos(2.0 * np.pi * u[1::2])

    def below(self, n):
        """an integer from 0 to n - 1 without bias (Lemire 2019)"""
        while True:
            product = int(self.u32(1)[0]) * n
            if product & 0xFFFFFFFF >= 2 ** 32 % n:
                return product >> 32

    def permutation(self, n):
        p = list(range(n))
        for i in range(n - 1):
            j = i + self.below(n - i)
            p[i], p[j] = p[j], p[i]
        return p


def normal(seed, purpose, shape, view=0, epoch=0, image=0):
    return Draws(seed, purpose, view, epoch, image).normal(int(np.prod(shape))).reshape(shape)


def normal_rows(seed, purpose, rows, shape, view=0, epoch=0):
    """[rows, *shape] normal draws; row r has its own generator, image = r"""
    return np.stack([normal(seed, purpose, shape, view, epoch, r) for r in range(rows)])
