#!/usr/bin/env python3
"""The twelve small presets: each method alone and with HIRL, equal settings within a pair, several seeds.

    tests/bench/presets.py DATA [--sets cifar100-25k generated] [--methods mocov2 ...] [--seeds 2]
                                [--longer 1] [--equal time] [--set key=value ...] [--table]

DATA holds a folder for each data set except `generated`. Works like recipe.py, whose functions it uses:
trains the runs that tests/bench/results/presets.jsonl lacks, resumes interrupted runs, appends each
finished row. A run takes minutes, so methods that need more time per image have fewer epochs. Warm-ups
and the start of the hierarchy, T1, which the presets set for 20 epochs, keep their share of a run, but
last at least one epoch. Both members of a pair have equal settings and take about the same time: the
method alone gets more epochs if the clusterings of HIRL take as long as an epoch. With --equal epochs
both have as many epochs as the member with HIRL.
"""
import argparse
import hashlib
import pathlib
import shutil
import subprocess

import recipe

RESULTS = recipe.ROOT / "tests" / "bench" / "results" / "presets.jsonl"
METHODS = ("mocov2", "simsiam", "swav", "mocov3", "dino", "ibot")
SETS = {"cifar100-25k": {"prototypes": "800,200,50"}, "generated": {"prototypes": "256,64,16"}}
IMAGES = {"cifar100-25k": 20000, "generated": 4000}
SEEDS = {"cifar100-25k": 2, "generated": 1}
# epochs of a run on CIFAR-100-25k, alone and with HIRL, which take about the same time (rounded); on another
# set a run sees SHARE times as many images
EPOCHS = {"mocov2": (7, 6), "simsiam": (5, 4), "swav": (5, 4), "mocov3": (7, 6), "dino": (6, 6), "ibot": (5, 5)}
SHARE = {"cifar100-25k": 1, "generated": 2 / 3}
SHAPES = {"resnet": dict(recipe.SHAPE, image_size="32"),
          "vit": {"arch": "vit_micro_patch4_32", "patch_size": "8", "image_size": "32"}}
PRESET_EPOCHS = 20
TARGETS = {"warmup_epochs": 2, "freeze_last_layer": 1}
WARMUPS = {"mocov3": ("warmup_epochs",), "dino": tuple(TARGETS), "ibot": tuple(TARGETS)}
SCORES = ("dendrogram_purity", "nmi")  # these are printed; the rows also hold the purity


def pair(method):
    return method, "hirl-" + method


def epochs_of(name, method, arguments):
    """-> epochs of the method alone, epochs with HIRL"""
    images = IMAGES["cifar100-25k"] * SHARE[name] * arguments.longer
    alone, over = (max(2, round(epochs * images / IMAGES[name])) for epochs in EPOCHS[method])
    return over if arguments.equal == "epochs" else alone, over


def preset_digest(method):
    """digest of the preset's values: it tells whether a row was measured with the preset as it is now"""
    command = [str(recipe.ROOT / "build" / "bindings" / "cli" / "hirl"), "config", "show", "preset=%s-small" % method]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    values = [line for line in lines if line.endswith("# preset")]
    return hashlib.sha256("\n".join(values).encode()).hexdigest()[:8]


def settings_of(name, method, epochs, given):
    """settings of both members of a pair, except their epochs; `epochs`: of the member with HIRL"""
    part = {key: str(max(1, TARGETS[key] * epochs // PRESET_EPOCHS)) for key in WARMUPS.get(method, ())}
    settings = dict(SETS[name], negatives="100", cluster_warmup_epoch=str(max(1, epochs // 5)))
    settings.update(part, **given)
    return settings


def run(wanted, data, arguments):
    settings, name = wanted["settings"], wanted["set"]
    print("%s %s seed %d" % (name, wanted["method"], wanted["seed"]), flush=True)
    out, wall, cpu = recipe.train(name, wanted["method"], wanted["seed"], settings, data, arguments.work)
    row = dict(wanted, seconds=wall, cpu_seconds=cpu, **recipe.judge(out, data, settings, arguments.work))
    recipe.store_curve(arguments.results.with_name("curves.jsonl"), wanted, out)
    if not arguments.keep:
        for path in arguments.work.glob(out.name + "*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return row


def untrained(wanted, data):
    shape = wanted["settings"]
    result = recipe.hirl("eval", "knn", "features=random", "data=%s" % data,
                         "seed=%d" % wanted["seed"], *recipe.keys(shape))
    return dict(wanted, knn=recipe.levels(result, "knn_top1"), seconds=result["seconds"])


def wanted_rows(name, seed, arguments):
    for kind, shape in SHAPES.items():
        yield {"set": name, "method": "untrained-" + kind, "seed": seed, "settings": shape}
    for method in arguments.methods:
        epochs = epochs_of(name, method, arguments)
        settings = settings_of(name, method, epochs[1], arguments.given)
        for member, own in zip(pair(method), epochs):
            yield {"set": name, "method": member, "preset": preset_digest(member), "seed": seed,
                   "settings": dict(settings, epochs=str(own))}


def run_set(name, rows, arguments):
    data = name if name == "generated" else pathlib.Path(arguments.data) / name
    if data != "generated" and not data.exists():
        print("skipped: no data at", data)
        return
    for seed in range(arguments.first_seed, arguments.seeds or SEEDS[name]):
        for wanted in wanted_rows(name, seed, arguments):
            if any(recipe.same(row, wanted) for row in rows):
                continue
            plain = wanted["method"].startswith("untrained-")
            row = untrained(wanted, data) if plain else run(wanted, data, arguments)
            recipe.store(arguments.results, row)
            rows.append(row)


def figures(row, key, names):
    """percent at each label level, for a tree the best over its levels; {} if the row has no such figures"""
    best = {n: max(v) if isinstance(v, list) else v for n, v in row.get(key, {}).items()}
    return {n: 100 * best[n] for n in names if n in best}


def print_line(title, per_seed, names, end=""):
    cells = [recipe.interval([figure[n] for figure in per_seed]) for n in names]
    print("%-28s" % title + "".join(map(recipe.cell, cells)) + "%8d" % len(per_seed) + end)


def print_figure(key, rows, names, arguments):
    """each method alone and with HIRL, and the difference, paired by seed"""
    found = {}
    for row in rows:
        if figures(row, key, names):
            found.setdefault(row["method"], {})[row["seed"]] = figures(row, key, names)
    for method in ["untrained-" + kind for kind in SHAPES]:
        if method in found:
            print_line(method, list(found[method].values()), names)
    for method in arguments.methods:
        plain, over = (found.get(member, {}) for member in pair(method))
        for member, figure in zip(pair(method), (plain, over)):
            # processor time (of one thread) if the row has it: other work makes elapsed time longer
            seconds = [r.get("cpu_seconds", r["seconds"]) for r in rows if r["method"] == member]
            if figure:
                print_line(member, list(figure.values()), names,
                           "  %7.1f" % (sum(seconds) / len(seconds) / 60))
        both = [{n: over[s][n] - plain[s][n] for n in names} for s in sorted(plain.keys() & over.keys())]
        if both:
            print_line("  difference", both, names)


def table(name, rows, arguments):
    wanted = [w for s in range(arguments.seeds or SEEDS[name]) for w in wanted_rows(name, s, arguments)]
    rows = [r for r in rows if any(recipe.same(r, w) for w in wanted)]
    if not rows:
        return
    names = list(rows[0]["knn"])
    for key in ("knn", *("tree_" + score for score in SCORES)):
        print("\n%s: %s in percent, mean +- 95 %% interval" %
              (name, "kNN top-1" if key == "knn" else key.replace("_", " ")))
        print(" " * 28 + "".join("%18s" % n for n in names) + "   seeds  minutes")
        print_figure(key, rows, names, arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="folder that holds a folder for each data set")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--seeds", type=int, help="number of seeds (default: 2, or 1 for generated)")
    parser.add_argument("--first-seed", type=int, default=0, help="skip the seeds before this one, for another process")
    parser.add_argument("--longer", type=float, default=1, help="factor on the epochs")
    parser.add_argument("--equal", default="time", choices=("time", "epochs"),
                        help="what both members of a pair have in common")
    parser.add_argument("--set", nargs="*", default=[], metavar="key=value",
                        help="settings that replace the default ones in all runs")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--work", type=pathlib.Path, default=recipe.ROOT / "build" / "presets")
    parser.add_argument("--keep", action="store_true", help="keep the run directories")
    parser.add_argument("--table", action="store_true", help="only print the tables")
    arguments = parser.parse_args()
    arguments.given = dict(item.split("=", 1) for item in arguments.set)
    for name in arguments.sets:
        rows = recipe.load(arguments.results)
        if not arguments.table:
            run_set(name, rows, arguments)
        table(name, rows, arguments)


if __name__ == "__main__":
    main()
