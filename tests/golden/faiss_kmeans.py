#!/usr/bin/env python3
"""faiss_kmeans.py - k-means of faiss 1.7.3 on rows that leave clusters empty, printed as C arrays for
tests/unit/hier/test_draws.c.

    x[i][t] = ((37 r + 11 t r^2 + 7 t^2) mod 61) / 8,  r = i mod 30,  60 rows of 3 columns

Each row occurs twice, so two initial centroids may be equal, and then one of them gets no row.

usage: faiss_kmeans.py          needs faiss and numpy
"""
import faiss
import numpy as np

N, D = 60, 3


def rows():
    r = np.arange(N) % 30
    return np.stack([((37 * r + 11 * t * r * r + 7 * t * t) % 61) / 8 for t in range(D)], 1).astype('f4')


def cluster(x, k, level, redos, **more):
    """clusters as the official HIRL program does: seed = level, 20 iterations"""
    engine = faiss.Clustering(x.shape[1], k)
    engine.niter, engine.nredo, engine.seed = 20, redos, level
    engine.max_points_per_centroid, engine.min_points_per_centroid = 1000, 1
    for name, value in more.items():
        setattr(engine, name, value)
    index = faiss.IndexFlatL2(x.shape[1])
    engine.train(x, index)
    centroid = faiss.vector_to_array(engine.centroids).reshape(k, -1)
    stats = [engine.iteration_stats.at(i) for i in range(engine.iteration_stats.size())]
    splits = sum(s.nsplit for s in stats)
    return centroid, index.search(x, 1)[1][:, 0], splits


def show(name, values, form):
    print(f'static const {name}[] = {{ ' + ', '.join(form % v for v in np.ravel(values)) + ' };')


def main():
    print('/* faiss', faiss.__version__, '*/')
    x = rows()
    for k, level, redos in (12, 0, 1), (12, 1, 1), (12, 2, 5):
        centroid, label, splits = cluster(x, k, level, redos)
        print(f'/* k={k}, level {level}, {redos} redos: {splits} splits */')
        show(f'int32_t label{level}', label, '%d')
        show(f'double centroid{level}', centroid, '%.9g')
    centroid, label, splits = cluster(x, 5, 1, 1, max_points_per_centroid=4)
    print(f'/* k=5, level 1, a subset of 20: {splits} splits */')
    show('int32_t label_subset', label, '%d')
    show('double centroid_subset', centroid, '%.9g')


main()
