#!/usr/bin/python3
"""vit_step.py - a training step of a vision transformer in float32: libhirl compared with PyTorch.

Works like resnet_step.py: forward, cross-entropy of the class token, backward and SGD with momentum on
one batch of noise in memory, timed in turn and stored in results/step.jsonl. PyTorch's network is
written like that of timm.
"""
import argparse
import datetime
import json
import os
import platform

import torch

import resnet_step as peer

CASES = {
    'vit_micro': dict(arch='vit_micro_patch4_32', image_size=32, batch_size=128, classes=100),
    'vit_base': dict(arch='vit_base_patch16_224', image_size=224, batch_size=4, classes=1000),
}
SHAPES = {'vit_micro_patch4_32': (128, 4, 4, 4), 'vit_base_patch16_224': (768, 12, 12, 16)}


class Block(torch.nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = (torch.nn.LayerNorm(dim, eps=1e-6) for _ in range(2))
        self.qkv, self.proj = torch.nn.Linear(dim, 3 * dim), torch.nn.Linear(dim, dim)
        self.fc1, self.fc2 = torch.nn.Linear(dim, 4 * dim), torch.nn.Linear(4 * dim, dim)

    def attention(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        shares = (q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5).softmax(-1)
        return self.proj((shares @ v).transpose(1, 2).reshape(n, t, d))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.fc2(torch.nn.functional.gelu(self.fc1(self.norm2(x))))


class Transformer(torch.nn.Module):
    def __init__(self, dim, depth, heads, patch, size, classes):
        super().__init__()
        self.patch = torch.nn.Conv2d(3, dim, patch, patch)
        self.first = torch.nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.position = torch.nn.Parameter(torch.randn(1, 1 + (size // patch) ** 2, dim) * 0.02)
        self.blocks = torch.nn.Sequential(*[Block(dim, heads) for _ in range(depth)])
        self.norm, self.head = torch.nn.LayerNorm(dim, eps=1e-6), torch.nn.Linear(dim, classes)

    def forward(self, image):
        x = self.patch(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(len(x), -1, -1), x], 1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


class Torch(peer.Torch):
    def __init__(self, case):
        torch.manual_seed(0)
        size, batch = case['image_size'], case['batch_size']
        self.model = Transformer(*SHAPES[case['arch']], size, case['classes'])
        self.x, self.label = torch.randn(batch, 3, size, size), torch.randint(case['classes'], (batch,))
        self.sgd = torch.optim.SGD(self.model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)


def run_case(name, arguments):
    case = CASES[name]
    sides = {'libhirl': peer.Ours(arguments.program, case, arguments.threads), 'torch': Torch(case)}
    times = peer.measure(sides, arguments.repeats, arguments.warmup)
    for side in sides.values():
        side.close()
    figures = {side: peer.summary(t) for side, t in times.items()}
    return {'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
            'commit': peer.commit(), 'case': name, **case, 'threads': arguments.threads,
            'repeats': arguments.repeats, 'cpu': peer.cpu(), 'python': platform.python_version(),
            'torch': torch.__version__, 'seconds': figures,
            'times_torch': figures['libhirl']['median'] / figures['torch']['median']}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('cases', nargs='*', choices=[[], *CASES], help='default: all')
    parser.add_argument('--program', default=f'{peer.ROOT}/build/tests/bench/step')
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument('--warmup', type=int, default=2)
    parser.add_argument('--busy', action='store_true', help='store rows even if the machine is busy')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    load = os.getloadavg()[0]
    busy = load > peer.IDLE * os.cpu_count() and not arguments.busy
    if busy:
        print(f'the machine is busy (load {load:.1f}): no row is stored without --busy')
    for name in arguments.cases or CASES:
        row = {**run_case(name, arguments), 'load': round(load, 2)}
        for side, f in row['seconds'].items():
            print(f"{name:10s} {side:8s} {f['median']:8.4f} s  ({f['min']:.4f} to {f['max']:.4f})")
        print(f"{name:10s} libhirl takes {row['times_torch']:.2f} times as long", flush=True)
        if not busy:
            with open(f'{peer.HERE}/results/step.jsonl', 'a') as file:
                file.write(json.dumps(row) + '\n')


if __name__ == '__main__':
    main()
