"""count.py - adds up the test results that meson recorded in the given build folders.

Prints 'N passed, N failed, N skipped'; exits with status 1 if any test failed. A program that prints TAP counts once for
each line, any other program once; a program that crashed counts as one failure.
"""
import json
import pathlib
import re
import sys

LINE = re.compile(r"^(not )?ok\b(.*)$", re.M)


def count(test):
    """Returns passed, failed and skipped of one record of testlog.json."""
    lines = LINE.findall(test.get("stdout", ""))
    skipped = sum("# skip" in rest.lower() for _, rest in lines)
    failed = sum(bool(no) for no, _ in lines)
    passed = len(lines) - failed - skipped
    if test["result"] == "SKIP" and not lines:
        return 0, 0, 1
    if test["result"] in ("OK", "EXPECTEDFAIL", "SKIP"):
        return passed or int(not lines), failed, skipped
    return passed, max(failed, 1), skipped


def main(folders):
    total = [0, 0, 0]
    for folder in folders:
        log = pathlib.Path(folder) / "meson-logs" / "testlog.json"
        records = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        for test in records:
            counts = count(test)
            total = [a + b for a, b in zip(total, counts)]
            if counts[1]:
                print("failed:", test["name"])
        if not records:
            print("no test ran in", folder)
            total[1] += 1
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] else 0


sys.exit(main(sys.argv[1:]))
