#!/usr/bin/env python3
"""missing.py ROOT - cuda/missing.txt must list exactly the operations that cuda.c lacks; prints TAP"""
import re
import sys

root = sys.argv[1]
lines = re.findall(r'OP\([a-z_ \*]+, (\w+), hr_queue', open(root + '/lib/backend.h').read())
there = set(re.findall(r'\.(\w+) = hr_cuda_', open(root + '/cuda/cuda.c').read()))
listed = open(root + '/cuda/missing.txt').read().split()
missing = sorted(line for line in lines if line not in there)

print('1..1')
if listed == missing:
    print('ok 1 - missing.txt is exact')
else:
    print('not ok 1 - missing.txt should not list %s and should list %s'
          % (sorted(set(listed) - set(missing)), sorted(set(missing) - set(listed))))
    sys.exit(1)
