#!/usr/bin/python3
"""first_losses.py - mean losses of random unit vectors, which stand for the outputs of untrained networks.

    /usr/bin/python3 tests/golden/first_losses.py

The printed numbers are in tests/train/test_methods.c. `alike`: both views of an image have the same vector, otherwise
independent ones. The program does not use the library's formulas for first losses.
"""
import numpy as np

K, OUT, D, BATCH, SHARE, TEACHER = 9984, 512, 128, 128, 0.5, 0.04
DRAWS = 400
random = np.random.default_rng(1)


def unit(n, d=D):
    x = random.standard_normal((n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def mocov2(alike, temperature=0.1):
    q = unit(1)
    k = q if alike else unit(1)
    return -log_softmax(np.concatenate([q @ k.T, q @ unit(K).T], 1) / temperature)[0, 0]


def swav(alike, temperature=0.1):
    """The targets are independent of the student's scores, whether views are alike or not."""
    target = random.dirichlet(np.ones(OUT))
    return -(target * log_softmax(unit(1) @ unit(OUT).T / temperature)).sum()


def mocov3(alike, temperature=0.2):
    scores = unit(BATCH) @ unit(BATCH).T / temperature
    return 2 * 2 * temperature * -np.diag(log_softmax(scores)).mean()


def dino(alike, d=D, outputs=OUT, temperature=0.1):
    student, last = unit(1, d), unit(outputs, d)
    teacher = student if alike else unit(1, d)
    target = np.exp(log_softmax(teacher @ last.T / TEACHER))
    return -(target * log_softmax(student @ last.T / temperature)).sum()


def ibot(alike):
    return (1 + SHARE) * dino(alike)


def mean(loss, *arguments):
    return np.mean([loss(*arguments) for _ in range(DRAWS)])


for loss in (mocov2, swav, mocov3, dino, ibot):
    print('%-7s %.4f %.4f' % (loss.__name__, mean(loss, True), mean(loss, False)))
print('dino, d = 8, K = 12, alike: %.2f' % mean(lambda: dino(True, 8, 12)))
