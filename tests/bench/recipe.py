#!/usr/bin/env python3
"""MoCo v2 compared with HIRL-MoCo v2 on real images: equal settings, several seeds, kNN evaluation.

    tests/bench/recipe.py DATA [--sets cifar100-25k fashion-mnist] [--seeds 3] [--passes 280000]
                               [--set key=value ...] [--table]

DATA holds a folder for each data set. Trains the runs that tests/bench/results/recipe.jsonl lacks
(an interrupted run is resumed), appends each finished row to that file and its curve to curves.jsonl,
and prints means, differences paired by seed, and 95 % intervals (Student's t). With --table it only
prints. It needs only Python's standard library.
"""
import argparse
import json
import math
import os
import pathlib
import platform
import resource
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests" / "bench" / "results" / "recipe.jsonl"
SHAPE = {"arch": "resnet18", "width": "0.25", "stem": "small"}
COMMON = {"batch_size": "128", "queue": "4096", "lr": "0.06", "prototypes": "800,200,50",
          "negatives": "100", "precision": "f32", "temperature": "0.1", "blur_p": "0"}
SETS = {"cifar100-25k": {"image_size": "32"}, "fashion-mnist": {"image_size": "28"}}
IMAGES = {"cifar100-25k": 20000, "fashion-mnist": 60000}
PASSES = {"cifar100-25k": 280000, "fashion-mnist": 360000}  # images seen in a run, which takes at most 15 minutes on 2 cores
METHODS = ("mocov2", "hirl-mocov2")
CURVE = ("step", "epoch", "train_loss", "loss_img", "loss_spd", "lr", "std", "rank", "teacher_entropy", "usage_entropy")
# two-sided 95 % points of Student's t, by degrees of freedom
T95 = (0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


def hirl(*words):
    """runs the program; returns the last JSON object that it prints"""
    command = [str(ROOT / "build" / "bindings" / "cli" / "hirl"), *words, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("%s: exit status %d" % (" ".join(command), done.returncode))
    return json.loads(done.stdout.splitlines()[-1])


def processor_seconds():
    """processor time of all programs so far, which other work on the machine hardly changes"""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def keys(settings):
    return ["%s=%s" % item for item in sorted(settings.items())]


def levels(result, key):
    return {level["labels"]: level[key] for level in result["levels"]}


def machine():
    try:
        lines = open("/proc/cpuinfo").read().splitlines()
        name = next(line.split(": ", 1)[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.machine()
    return "%s, %d cores" % (name, len(os.sched_getaffinity(0)))


def commit():
    done = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip()


def load(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def store(path, row):
    path.parent.mkdir(parents=True, exist_ok=True)
    row = dict(row, commit=commit(), machine=machine(), date=time.strftime("%Y-%m-%d"))
    with open(path, "a") as stream:
        stream.write(json.dumps(row) + "\n")


def same(row, wanted):
    return all(row.get(key) == value for key, value in wanted.items())


def train(name, method, seed, settings, data, work):
    """-> run directory, elapsed seconds, processor seconds; both include the parts of an interrupted run"""
    out = work / ("%s-%s-%d" % (name, method, seed))
    file = work / (out.name + ".seconds")
    before = [float(x) for x in file.read_text().split()] if file.exists() else [0, 0]
    begun = time.time(), processor_seconds()
    try:
        hirl("pretrain", "preset=%s-small" % method, "data=%s" % data, "out=%s" % out, "resume=1",
             "seed=%d" % seed, *keys(settings))
    finally:
        wall = before[0] + time.time() - begun[0]
        cpu = before[-1] + processor_seconds() - begun[1]
        work.mkdir(parents=True, exist_ok=True)
        file.write_text("%.1f %.1f" % (wall, cpu))
    return out, round(wall, 1), round(cpu, 1)


def store_curve(path, wanted, out):
    """Appends the figures that the run in `out` recorded at the end of each epoch to the file `path`."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    with open(path, "a") as stream:
        for line in lines:
            if "std" in line:
                row = {key: wanted[key] for key in ("set", "method", "seed")}
                row.update(epochs=wanted["settings"]["epochs"], **{key: line[key] for key in CURVE if key in line})
                stream.write(json.dumps(row) + "\n")


def judge(out, data, settings, work):
    """kNN accuracy of the backbone, and the scores of the tree of z0"""
    tree = work / (out.name + "-tree")
    row = {"knn": levels(hirl("eval", "knn", "model=%s" % out, "data=%s" % data), "knn_top1")}
    hirl("cluster", "model=%s" % out, "data=%s" % data, "prototypes=" + settings["prototypes"],
         "out=%s" % tree, "overwrite=1")
    scores = hirl("tree", "eval", "tree=%s" % tree, "data=%s" % data)
    for key in ("purity", "nmi", "dendrogram_purity"):
        row["tree_" + key] = levels(scores, key)
    return row


def plain_features(name, features, seed, settings, data):
    """kNN accuracy of an untrained encoder, or of the pixels"""
    shape = {key: settings[key] for key in (*SHAPE, "image_size")} if features == "random" else {}
    result = hirl("eval", "knn", "features=" + features, "data=%s" % data, *keys(shape),
                  *(["seed=%d" % seed] if features == "random" else []))
    return {"set": name, "method": features, "seed": seed, "settings": shape,
            "knn": levels(result, "knn_top1"), "seconds": result["seconds"]}


def run_set(name, arguments, settings, rows):
    data = pathlib.Path(arguments.data) / name
    if not data.exists():
        print("skipped: no data at", data)
        return
    todo = [("pixels", 0)] + [(m, s) for s in range(arguments.first_seed, arguments.seeds)
                              for m in ("random", *arguments.methods)]
    for method, seed in todo:
        plain = method in ("pixels", "random")
        shape = {k: settings[k] for k in (*SHAPE, "image_size")} if method == "random" else {}
        wanted = {"set": name, "method": method, "seed": seed,
                  "settings": shape if plain else settings}
        if any(same(row, wanted) for row in rows):
            continue
        print("%s %s seed %d" % (name, method, seed), flush=True)
        if plain:
            row = plain_features(name, method, seed, settings, data)
        else:
            out, wall, cpu = train(name, method, seed, settings, data, arguments.work)
            row = dict(wanted, seconds=wall, cpu_seconds=cpu, **judge(out, data, settings, arguments.work))
            store_curve(arguments.results.with_name("curves.jsonl"), wanted, out)
        store(arguments.results, row)
        rows.append(row)
        if not plain and not arguments.keep:
            for path in arguments.work.glob("%s-%s-%d*" % (name, method, seed)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def interval(values):
    """-> mean, half the width of the 95 % interval (NaN for one value)"""
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, math.nan
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    return mean, T95[min(n - 1, len(T95) - 1)] * spread / math.sqrt(n)


def cell(interval_of):
    mean, half = interval_of
    return "%10.2f" % mean + ("+-%6.2f" % half if half == half else " " * 8)


def differences(rows, a, b, level):
    """kNN accuracy of method a minus that of b, paired by seed, in percentage points"""
    left = {r["seed"]: r["knn"][level] for r in rows if r["method"] == a}
    right = {r["seed"]: r["knn"][level] for r in rows if r["method"] == b}
    return [100 * (left[s] - right[s]) for s in sorted(left.keys() & right.keys())]


def table(name, rows, settings):
    shape = {k: settings[k] for k in (*SHAPE, "image_size")}
    rows = [r for r in rows if r["set"] == name and r["settings"] in ({}, shape, settings)]
    if not rows:
        return
    names = list(rows[0]["knn"])
    print("\n%s, %s epochs: kNN top-1 in percent, mean +- 95 %% interval" % (name, settings["epochs"]))
    print("%-24s" % "" + "".join("%18s" % n for n in names) + "   seeds  minutes")
    for method in ("pixels", "random", *METHODS):
        mine = [r for r in rows if r["method"] == method]
        if not mine:
            continue
        cells = [interval([100 * r["knn"][n] for r in mine]) for n in names]
        print("%-24s" % method + "".join(map(cell, cells)) + "%8d  %7.1f" %
              (len(mine), sum(r["seconds"] for r in mine) / len(mine) / 60))
    for a, b in (("mocov2", "random"), ("hirl-mocov2", "random"), ("hirl-mocov2", "mocov2")):
        found = [differences(rows, a, b, n) for n in names]
        if found[0]:
            print("%-24s" % (a + " - " + b) +
                  "".join(cell(interval(f)) for f in found) + "%8d" % len(found[0]))
    for key in ("dendrogram_purity",):
        for method in METHODS:
            mine = [r for r in rows if r["method"] == method]
            if mine:
                cells = [interval([100 * r["tree_" + key][n] for r in mine]) for n in names]
                print("%-24s" % (method + " tree") + "".join(map(cell, cells)) +
                      "   " + key.replace("_", " "))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="folder that holds a folder for each data set")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0, help="skip the seeds before this one, for another process")
    parser.add_argument("--passes", type=int,
                        help="images seen in a run: sets the epochs to this divided by the size of the set")
    parser.add_argument("--epochs", type=int, help="epochs of a run, instead of --passes")
    parser.add_argument("--set", nargs="*", default=[], metavar="key=value", help="settings that replace the default ones")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "recipe")
    parser.add_argument("--keep", action="store_true", help="keep the run directories")
    parser.add_argument("--table", action="store_true", help="only print the table")
    arguments = parser.parse_args()
    for name in arguments.sets:
        passes = arguments.passes or PASSES[name]
        epochs = arguments.epochs or max(1, round(passes / IMAGES[name]))
        settings = dict(SHAPE, **COMMON, **SETS[name], epochs=str(epochs),
                        cluster_warmup_epoch=str(max(1, epochs // 5)))
        settings.update(item.split("=", 1) for item in arguments.set)
        rows = load(arguments.results)
        if not arguments.table:
            run_set(name, arguments, settings, rows)
        table(name, rows, settings)


if __name__ == "__main__":
    main()
