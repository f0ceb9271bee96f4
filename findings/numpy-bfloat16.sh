#!/bin/sh
# numpy-bfloat16.sh - bfloat16 features saved with numpy.save come back as raw bytes, without a message
#
# Seen with numpy 2.4.6 and ml_dtypes 0.6.0 (the package that gives JAX and others their bfloat16). The .npy header records
# the type as '<V2', two bytes without a meaning, so the reader cannot know that the values were bfloat16: numpy.load
# succeeds and every use as numbers fails. Remedy: save float32, or load(...).view(ml_dtypes.bfloat16).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action ignore --only-binary :all: --target "$work" ml_dtypes==0.6.0 numpy==2.4.6
PYTHONPATH=$work python3 - <<'PROGRAM'
import io

import ml_dtypes
import numpy

values = numpy.array([0, 0.5, 1, 2], ml_dtypes.bfloat16)
file = io.BytesIO()
numpy.save(file, values)
header = file.getvalue()[10:].split(b"}")[0] + b"}"
file.seek(0)
loaded = numpy.load(file)
try:
    used = loaded.astype("float32")
except ValueError as error:
    used = "ValueError: %s" % error
viewed = loaded.view(ml_dtypes.bfloat16).astype("float32")
print("numpy", numpy.__version__, "ml_dtypes", ml_dtypes.__version__)
print("saved: ", values.dtype, values)
print("header:", header.decode())
print("loaded:", repr(loaded.dtype), loaded)
print("as float32:", used)
print("viewed as bfloat16:", viewed)
assert b"'<V2'" in header and loaded.dtype == numpy.dtype("V2")
assert str(used).startswith("ValueError") and viewed.tolist() == [0, 0.5, 1, 2]
PROGRAM
