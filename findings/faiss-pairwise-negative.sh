#!/bin/sh
# faiss-pairwise-negative.sh - faiss.pairwise_distances returns negative squared distances, faiss.knn does not
#
# Seen with faiss-cpu 1.15.1. pairwise_distances computes |x|^2 + |y|^2 - 2 <x, y> in float32 and does not cut at 0:
# rows near 100 have distances to themselves between -0.4 and 0.4, whose square roots are NaN or too large. knn on the same
# rows returns exactly 0. Remedy: numpy.maximum(d, 0), rows with their mean taken away, or knn.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action ignore --only-binary :all: --target "$work" faiss-cpu==1.15.1 numpy==2.4.6
PYTHONPATH=$work python3 - <<'PROGRAM'
import faiss
import numpy

rows = (numpy.random.default_rng(0).standard_normal((100, 64)) + 100).astype("float32")
distances = faiss.pairwise_distances(rows, rows)
nearest, index = faiss.knn(rows, rows, 1)
print("faiss", faiss.__version__)
print("pairwise_distances: %d of %d below 0, the least %g, a row to itself %s ..."
      % ((distances < 0).sum(), distances.size, distances.min(), numpy.diagonal(distances)[:4]))
print("knn: each row's nearest row is itself: %s; distances %g to %g"
      % ((index[:, 0] == numpy.arange(100)).all(), nearest.min(), nearest.max()))
assert (distances < 0).any() and distances.min() < -0.01
assert (index[:, 0] == numpy.arange(100)).all() and not nearest.any()
PROGRAM
