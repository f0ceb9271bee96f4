#!/usr/bin/python3
"""kmeans.py - one Lloyd iteration of k-means: libhirl compared with faiss and scikit-learn.

An iteration labels n rows with the nearest of k centroids and takes the means. All sides get the same rows
and centroids (the first k rows), and must give the same labels except for ties within rounding. They are
timed in turn: one iteration of faiss's Clustering, the inner function of scikit-learn's KMeans ("lloyd"),
and build/tests/bench/kmeans. Appends one row per case to results/kmeans.jsonl.
"""
import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

import faiss
import numpy as np
import sklearn
import threadpoolctl
from sklearn.cluster._k_means_lloyd import lloyd_iter_chunked_dense

from resnet_step import HERE, ROOT, commit, cpu, measure, summary

CASES = {'d128': (100000, 128, 3000), 'd256': (60000, 256, 10000), 'd2048': (50000, 2048, 1000)}
ROUNDING = 1e-5  # rounding error of squared distances between unit rows


class Faiss:
    def __init__(self, x, k):
        self.x, self.k = x, k

    def labels(self):
        index = faiss.IndexFlatL2(self.x.shape[1])
        index.add(self.x[:self.k])
        return index.search(self.x, 1)[1].ravel()

    def seconds(self):
        n, d = self.x.shape
        clustering = faiss.Kmeans(d, self.k, niter=1, nredo=1, max_points_per_centroid=n,
                                  min_points_per_centroid=1)
        start = time.perf_counter()
        clustering.train(self.x, init_centroids=self.x[:self.k])
        return time.perf_counter() - start


class Sklearn:
    def __init__(self, x, k, threads):
        self.x, self.k, self.threads = x, k, threads
        self.label = np.full(len(x), -1, np.int32)

    def labels(self):
        self.seconds()
        return self.label

    def seconds(self):
        n, d = self.x.shape
        old, new = self.x[:self.k].copy(), np.zeros((self.k, d), np.float32)
        weight, inside = np.ones(n, np.float32), np.zeros(self.k, np.float32)
        shift = np.zeros(self.k, np.float32)
        with threadpoolctl.threadpool_limits(1, 'blas'):
            start = time.perf_counter()
            lloyd_iter_chunked_dense(self.x, weight, old, new, inside, self.label, shift, self.threads)
            return time.perf_counter() - start


class Ours:
    def __init__(self, program, keys):
        self.process = subprocess.Popen([program] + [f'{key}={value}' for key, value in keys.items()],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.file = keys['labels']
        self.seconds()

    def labels(self):
        return np.fromfile(self.file, np.int32)

    def seconds(self):
        self.process.stdin.write('run\n')
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f'kmeans: the program ended with status {self.process.wait()}')
        return json.loads(line)['seconds']

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def different(x, k, a, b):
    """how many rows two sides label differently; exits if one of them is not a tie within rounding"""
    rows = np.flatnonzero(a != b)
    at = x[rows].astype(np.float64)
    distance = [((at - x[side[rows]].astype(np.float64)) ** 2).sum(1) for side in (a, b)]
    if len(rows) and np.abs(distance[0] - distance[1]).max() > ROUNDING:
        sys.exit(f'kmeans: {len(rows)} labels differ, with squared distances up to '
                 f'{np.abs(distance[0] - distance[1]).max():g} apart; allowed {ROUNDING:g}')
    return len(rows)


def run_case(name, arguments, folder):
    n, d, k = CASES[name]
    x = np.random.default_rng(1).standard_normal((n, d), dtype=np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    x.tofile(f'{folder}/rows.f32')
    ours = Ours(arguments.program, {'rows': f'{folder}/rows.f32', 'n': n, 'd': d, 'k': k,
                                    'threads': arguments.threads, 'labels': f'{folder}/labels.i32'})
    sides = {'libhirl': ours, 'faiss': Faiss(x, k), 'scikit-learn': Sklearn(x, k, arguments.threads)}
    labels = {side: s.labels() for side, s in sides.items()}
    unequal = {side: different(x, k, labels['libhirl'], l) for side, l in labels.items()}
    times = measure(sides, arguments.repeats, 1)
    ours.close()
    figures = {side: summary(t) for side, t in times.items()}
    for f in figures.values():
        f['gflops'] = 2e-9 * n * k * d / f['median']
    own = figures['libhirl']['median']
    return {'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
            'commit': commit(), 'case': name, 'n': n, 'd': d, 'k': k, 'threads': arguments.threads,
            'repeats': arguments.repeats, 'cpu': cpu(), 'load': round(os.getloadavg()[0], 2),
            'python': platform.python_version(), 'faiss': faiss.__version__,
            'scikit-learn': sklearn.__version__, 'numpy': np.__version__, 'seconds': figures,
            'labels_decided_by_rounding': unequal, 'times_faiss': own / figures['faiss']['median'],
            'times_scikit_learn': own / figures['scikit-learn']['median']}


def show(row):
    print(f"{row['case']}: {row['n']} rows of {row['d']}, {row['k']} centroids, {row['threads']} threads, "
          f"{row['repeats']} repeats, faiss {row['faiss']}, scikit-learn {row['scikit-learn']}")
    for side, f in row['seconds'].items():
        print(f"  {side:13s} {f['median']:8.3f} s  ({f['min']:.3f} to {f['max']:.3f})  {f['gflops']:6.1f} GF/s")
    print(f"  libhirl takes {row['times_faiss']:.2f} times as long as faiss, "
          f"{row['times_scikit_learn']:.2f} times as long as scikit-learn")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('cases', nargs='*', choices=[[], *CASES], help='default: all')
    parser.add_argument('--program', default=f'{ROOT}/build/tests/bench/kmeans')
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument('--repeats', type=int, default=7)
    arguments = parser.parse_args()
    if not os.access(arguments.program, os.X_OK):
        sys.exit(f'kmeans: {arguments.program} is not built')
    if arguments.repeats < 5:
        sys.exit('kmeans: --repeats must be at least 5')
    faiss.omp_set_num_threads(arguments.threads)
    os.makedirs(f'{HERE}/results', exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.cases or CASES:
            row = run_case(name, arguments, folder)
            show(row)
            sys.stdout.flush()
            with open(f'{HERE}/results/kmeans.jsonl', 'a') as file:
                file.write(json.dumps(row) + '\n')


if __name__ == '__main__':
    main()
