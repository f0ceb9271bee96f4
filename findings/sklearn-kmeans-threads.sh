#!/bin/sh
# sklearn-kmeans-threads.sh - KMeans with a fixed random_state gives other centres in each fit when it has several threads
#
# Seen with scikit-learn 1.9.1. Each thread adds its partial sums of rows to the new centres when it is done, so the order
# of the additions, and with it the last bits of the centres, depends on timing: twenty fits of equal data with
# random_state=0 and 8 threads give up to twenty different arrays. With one thread all are equal.
# Remedy where bits matter: OMP_NUM_THREADS=1.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action ignore --only-binary :all: --target "$work" scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat >"$work/fits.py" <<'PROGRAM'
import numpy
import sklearn
from sklearn.cluster import KMeans

rows = numpy.random.default_rng(0).standard_normal((3000, 16))
fits = [KMeans(100, n_init=1, random_state=0).fit(rows) for _ in range(20)]
centres = {fit.cluster_centers_.tobytes() for fit in fits}
spread = max(abs(fit.cluster_centers_ - fits[0].cluster_centers_).max() for fit in fits)
print(sklearn.__version__, len(centres), "%.1e" % spread)
PROGRAM
different() {
    # shellcheck disable=SC2046
    set -- "$1" $(OMP_NUM_THREADS=$1 PYTHONPATH=$work python3 "$work/fits.py")
    echo "scikit-learn $2, $1 threads: 20 fits, $3 different arrays of centres, at most $4 apart" >&2
    echo "$3"
}
one=$(different 1)
eight=$(different 8)
[ "$one" = 1 ] && [ "$eight" -gt 1 ]
