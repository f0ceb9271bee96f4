#!/usr/bin/python3
"""resnet_step.py - a ResNet-18 training step in float32: libhirl compared with PyTorch.

A step is forward, cross-entropy, backward and SGD with momentum on one batch of noise in memory. Each
repeat times libhirl, then PyTorch in both memory formats; the faster format is compared. libhirl is
build/tests/bench/step, started once per case as

    step arch=resnet18 width=1 stem=normal image_size=224 batch_size=32 classes=1000 threads=2

For each line of input it prints one line {"seconds": x}, the time of one step; it exits at the end of
its input. Appends one row per case to results/step.jsonl.
"""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import torch
import torchvision

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CASES = {
    'cifar': dict(arch='resnet18', width=0.25, stem='small', image_size=32, batch_size=128, classes=100),
    'imagenet': dict(arch='resnet18', width=1, stem='normal', image_size=224, batch_size=32, classes=1000),
}
IDLE = 0.5  # load average per core at the start, above which no row is stored: other work slows
            # PyTorch's OpenMP barriers far more than libhirl's thread pool
REST = 0.3  # seconds between two timings, in which worker threads of the other side stop spinning


def resnet18(width, stem, classes):
    """ResNet-18 of torchvision's blocks, with a width multiplier and a choice of the stem"""
    channels = [round(64 * width * 2 ** stage) for stage in range(4)]
    if stem == 'small':
        layers = [torch.nn.Conv2d(3, channels[0], 3, 1, 1, bias=False)]
    else:
        layers = [torch.nn.Conv2d(3, channels[0], 7, 2, 3, bias=False)]
    layers += [torch.nn.BatchNorm2d(channels[0]), torch.nn.ReLU(inplace=True)]
    if stem != 'small':
        layers.append(torch.nn.MaxPool2d(3, 2, 1))
    inputs = channels[0]
    for stage, outputs in enumerate(channels):
        for stride in (2 if stage else 1, 1):
            shortcut = None
            if stride != 1 or inputs != outputs:
                shortcut = torch.nn.Sequential(torch.nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                                               torch.nn.BatchNorm2d(outputs))
            layers.append(torchvision.models.resnet.BasicBlock(inputs, outputs, stride, shortcut))
            inputs = outputs
    layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(inputs, classes)]
    return torch.nn.Sequential(*layers)


class Torch:
    def __init__(self, case, layout):
        torch.manual_seed(0)
        self.model = resnet18(case['width'], case['stem'], case['classes']).to(memory_format=layout)
        size, batch = case['image_size'], case['batch_size']
        self.x = torch.randn(batch, 3, size, size).contiguous(memory_format=layout)
        self.label = torch.randint(case['classes'], (batch,))
        self.sgd = torch.optim.SGD(self.model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)

    def seconds(self):
        start = time.perf_counter()
        self.sgd.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(self.model(self.x), self.label).backward()
        self.sgd.step()
        return time.perf_counter() - start

    def close(self):
        pass


class Ours:
    def __init__(self, program, case, threads):
        keys = [f'{key}={value}' for key, value in {**case, 'threads': threads}.items()]
        self.process = subprocess.Popen([program] + keys, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def seconds(self):
        try:
            self.process.stdin.write('run\n')
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ''
        if not line:
            sys.exit(f'resnet_step: {self.process.args[0]} ended with status {self.process.wait()}')
        return json.loads(line)['seconds']

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(sides, repeats, warmup):
    """name -> seconds of each repeat; the sides are timed in turn"""
    times = {name: [] for name in sides}
    for repeat in range(-warmup, repeats):
        for name, side in sides.items():
            time.sleep(REST)
            seconds = side.seconds()
            if repeat >= 0:
                times[name].append(seconds)
    return times


def summary(times):
    return {'median': statistics.median(times), 'min': min(times), 'max': max(times)}


def cpu():
    try:
        with open('/proc/cpuinfo') as file:
            return next(line.split(':')[1].strip() for line in file if line.startswith('model name'))
    except (OSError, StopIteration):
        return platform.machine()


def commit():
    git = ['git', '-C', ROOT]
    name = subprocess.run(git + ['rev-parse', '--short', 'HEAD'], capture_output=True, text=True)
    changed = subprocess.run(git + ['status', '--porcelain', '--untracked-files=no'],
                             capture_output=True, text=True)
    return name.stdout.strip() + ('+' if changed.stdout.strip() else '')


def run_case(name, arguments):
    case = CASES[name]
    sides = {} if arguments.peer_only else {'libhirl': Ours(arguments.program, case, arguments.threads)}
    sides['contiguous'] = Torch(case, torch.contiguous_format)
    sides['channels_last'] = Torch(case, torch.channels_last)
    times = measure(sides, arguments.repeats, arguments.warmup)
    for side in sides.values():
        side.close()
    figures = {side: summary(t) for side, t in times.items()}
    best = min(('contiguous', 'channels_last'), key=lambda side: figures[side]['median'])
    row = {'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
           'commit': commit(), 'case': name, **case, 'threads': arguments.threads,
           'repeats': arguments.repeats, 'cpu': cpu(),
           'python': platform.python_version(), 'torch': torch.__version__, 'seconds': figures,
           'torch_best': best}
    if not arguments.peer_only:
        row['times_torch'] = figures['libhirl']['median'] / figures[best]['median']
    return row


def show(row):
    print(f"{row['case']}: {row['arch']} width {row['width']}, {row['image_size']} px, batch "
          f"{row['batch_size']}, {row['threads']} threads, {row['repeats']} repeats, torch {row['torch']}")
    for side, f in row['seconds'].items():
        rate = row['batch_size'] / f['median']
        print(f"  {side:14s} {f['median']:8.4f} s  ({f['min']:.4f} to {f['max']:.4f})  {rate:8.1f} images/s")
    if 'times_torch' in row:
        print(f"  libhirl takes {row['times_torch']:.2f} times as long as torch {row['torch_best']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('cases', nargs='*', choices=[[], *CASES], help='default: all')
    parser.add_argument('--program', default=f'{ROOT}/build/tests/bench/step')
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument('--warmup', type=int, default=2)
    parser.add_argument('--peer-only', action='store_true', help='time PyTorch alone; store no row')
    parser.add_argument('--busy', action='store_true', help='store rows even if the machine is busy')
    arguments = parser.parse_args()
    if not arguments.peer_only and not os.access(arguments.program, os.X_OK):
        sys.exit(f'resnet_step: {arguments.program} is not built (--peer-only times PyTorch alone)')
    if arguments.repeats < 5:
        sys.exit('resnet_step: --repeats must be at least 5')
    torch.set_num_threads(arguments.threads)
    load = os.getloadavg()[0]
    busy = load > IDLE * os.cpu_count() and not arguments.busy
    if busy:
        print(f'the machine is busy (load {load:.1f}): no row is stored without --busy')
    for name in arguments.cases or CASES:
        row = {**run_case(name, arguments), 'load': round(load, 2)}
        show(row)
        sys.stdout.flush()
        if not arguments.peer_only and not busy:
            os.makedirs(f'{HERE}/results', exist_ok=True)
            with open(f'{HERE}/results/step.jsonl', 'a') as file:
                file.write(json.dumps(row) + '\n')


if __name__ == '__main__':
    main()
