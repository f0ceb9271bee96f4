#!/usr/bin/env python3
"""lines.py SOURCE_ROOT - checks that a test calls each operation of HR_BACKEND_OPS; prints TAP"""
import pathlib
import re
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    lines = re.findall(r"^    OP\([\w *]+, (\w+),", (root / "lib/backend.h").read_text(), re.M)
    tests = "".join(
        path.read_text()
        for folder in ("tests/unit/cpu", "tests/unit/data", "tests/parity")
        for path in sorted((root / folder).glob("test_*.c"))
    )
    print(f"1..{len(lines)}")
    for number, line in enumerate(lines, 1):
        called = re.search(rf"(be->|hr_cpu_){line}\(", tests)
        print(f"{'ok' if called else 'not ok'} {number} - {line} has a test")


main()
