#!/usr/bin/python3
"""augment.py - JPEG decoding and MoCo v2 views on one core: libhirl compared with Pillow and torchvision.

The two sides are timed in turn; libhirl is build/tests/bench/augment. (tests/unit/data checks that both
give equal pixels.) Appends one row per case to results/augment.jsonl: processor seconds per item, and
how many times faster libhirl is, for a view and for one decode with two views.
"""
import argparse
import datetime
import io
import json
import os
import platform
import random
import subprocess
import sys
import time

import PIL
import torch
import torchvision
import torchvision.transforms as T
from PIL import Image, ImageFilter

from resnet_step import HERE, ROOT, commit, cpu, measure, summary

sys.path.insert(0, f'{ROOT}/tests/golden')
from augment import picture

CASES = {'small': (32, 32, 32), 'photo': (500, 375, 224)}


class Blur:
    def __call__(self, image):
        return image.filter(ImageFilter.GaussianBlur(random.uniform(0.1, 2.0)))


class Peer:
    def __init__(self, what, case, count):
        width, height, size = case
        self.what, self.count = what, count
        self.image = picture('photo', width, height)
        file = io.BytesIO()
        self.image.save(file, 'JPEG', quality=90)
        self.jpeg = file.getvalue()
        self.view = T.Compose([
            T.RandomResizedCrop(size, (0.2, 1)),
            T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4, 0.1)], 0.8), T.RandomGrayscale(0.2),
            T.RandomApply([Blur()], 0.5), T.RandomHorizontalFlip(), T.ToTensor(),
            T.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])

    def seconds(self):
        start = time.process_time()
        for _ in range(self.count):
            if self.what == 'view':
                self.view(self.image)
            else:
                Image.open(io.BytesIO(self.jpeg)).convert('RGB')
        return (time.process_time() - start) / self.count


class Ours:
    def __init__(self, what, case, count, program):
        self.command, self.count = f'{what} {count}\n', count
        self.process = subprocess.Popen([program] + [str(v) for v in case], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def seconds(self):
        self.process.stdin.write(self.command)
        return json.loads(self.process.stdout.readline())['seconds'] / self.count


def run_case(name, arguments):
    case, figures = CASES[name], {}
    for what in 'view', 'decode':
        count = max(1, 3000000 // (case[2] ** 2 * 20 + case[0] * case[1]))
        sides = {'libhirl': Ours(what, case, count * 5, arguments.program),
                 'pillow': Peer(what, case, count)}
        times = measure(sides, arguments.repeats, 1)
        for side, t in times.items():
            figures[f'{side} {what}'] = summary(t)
    both = {side: figures[f'{side} decode']['median'] + 2 * figures[f'{side} view']['median']
            for side in ('libhirl', 'pillow')}
    return {'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
            'commit': commit(), 'case': name, 'source': case[:2], 'size': case[2], 'threads': 1,
            'repeats': arguments.repeats, 'cpu': cpu(), 'load': round(os.getloadavg()[0], 2),
            'python': platform.python_version(), 'pillow': PIL.__version__,
            'torchvision': torchvision.__version__, 'seconds': figures,
            'times_faster_view': figures['pillow view']['median'] / figures['libhirl view']['median'],
            'times_faster_decode_and_two_views': both['pillow'] / both['libhirl']}


def show(row):
    print(f"{row['case']}: {row['source'][0]} x {row['source'][1]} to {row['size']}, one core, "
          f"Pillow {row['pillow']}, torchvision {row['torchvision']}")
    for side, f in row['seconds'].items():
        print(f"  {side:15s} {1e6 * f['median']:9.1f} us  ({1e6 * f['min']:.1f} to {1e6 * f['max']:.1f})  "
              f"{1 / f['median']:9.0f} per second")
    print(f"  libhirl is faster: {row['times_faster_view']:.1f}x for a view, "
          f"{row['times_faster_decode_and_two_views']:.1f}x for a decode and two views")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('cases', nargs='*', choices=[[], *CASES], help='default: all')
    parser.add_argument('--program', default=f'{ROOT}/build/tests/bench/augment')
    parser.add_argument('--repeats', type=int, default=7)
    arguments = parser.parse_args()
    if not os.access(arguments.program, os.X_OK):
        sys.exit(f'augment: {arguments.program} is not built')
    if arguments.repeats < 5:
        sys.exit('augment: --repeats must be at least 5')
    torch.set_num_threads(1)
    random.seed(1)
    torch.manual_seed(1)
    for name in arguments.cases or CASES:
        row = run_case(name, arguments)
        show(row)
        with open(f'{HERE}/results/augment.jsonl', 'a') as file:
            file.write(json.dumps(row) + '\n')


if __name__ == '__main__':
    main()
