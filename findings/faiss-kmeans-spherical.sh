#!/bin/sh
# faiss-kmeans-spherical.sh - spherical k-means of as many rows as clusters returns centroids that are not of unit length
#
# Seen with faiss-cpu 1.15.1. Kmeans(spherical=True) normalises its centroids, except when the number of rows equals the
# number of clusters: then it copies the rows as they are. Its index compares inner products, so short rows are then
# assigned to longer rows of another direction. Small levels of a cluster tree can meet this case.
# Remedy: normalise the rows first.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action ignore --only-binary :all: --target "$work" faiss-cpu==1.15.1 numpy==2.4.6
PYTHONPATH=$work python3 - <<'PROGRAM'
import faiss
import numpy

ROWS = 40
generator = numpy.random.default_rng(0)
directions = generator.standard_normal((ROWS, 16)).astype("float32")
directions /= numpy.linalg.norm(directions, axis=1, keepdims=True)
rows = directions * numpy.linspace(1, 10, ROWS, dtype="float32")[:, None]


def cluster(name, data, clusters):
    """-> lengths of the centroids; how many rows have the centroid of their own number as the nearest"""
    kmeans = faiss.Kmeans(16, clusters, spherical=True, min_points_per_centroid=1)
    kmeans.train(data)
    length = numpy.linalg.norm(kmeans.centroids, axis=1)
    own = (kmeans.index.search(data, 1)[1][:, 0] == numpy.arange(ROWS)).sum()
    print("%s, %d clusters: centroid lengths %.2f to %.2f" % (name, clusters, length.min(), length.max()))
    return length, own


print("faiss %s, %d rows of lengths 1 to 10" % (faiss.__version__, ROWS))
fewer, _ = cluster("rows as they are", rows, ROWS - 1)
equal, own = cluster("rows as they are", rows, ROWS)
_, own_unit = cluster("rows normalised", directions, ROWS)
print("with %d clusters, rows nearest to their own copy: %d as they are, %d normalised" % (ROWS, own, own_unit))
assert numpy.allclose(fewer, 1, atol=1e-5)
assert equal.min() < 1.01 and equal.max() > 9.9
assert own < ROWS and own_unit == ROWS
PROGRAM
