#!/usr/bin/python3
"""vit.py - tokens and gradients of small vision transformers, in float64.

Written from the formulas alone (Dosovitskiy et al. 2021; Caron et al. 2021 for other image sizes;
Huang et al. 2016 for stochastic depth; Chen et al. 2021 for fixed positions), without any code of libhirl, to
check libhirl. Weights and images come from the counter generator. README.md describes the conventions.
"""
import argparse
import math

import numpy as np
import torch
import torch.nn.functional as F

import cases
import counter
from mocov2 import Dump

CASES = {  # stored as vit_<name>.txt
    'learned': '--seed 3',
    'sincos': '--seed 4 --sincos 1 --first xavier --frozen 1 --drop_path 0.5 --depth 3 --batch 6',
    'resized': '--seed 5 --size 24 --mask 0.4 --drop_path 0.3',
    'smaller': '--seed 6 --size 8 --heads 3 --dim 24',
}
NORM_EPS = 1e-6
MASK_VIEW, CLASS_VIEW, PATCH_VIEW, MOVE_VIEW = 3, 10, 11, 50


# ---- parameters: a dict of name and shape, in the order of positions ----

def shapes_of(c):
    d, side = c.dim, c.native // c.patch
    shapes = {'cls_token': (1, 1, d), 'pos_embed': (1, 1 + side * side, d),
              'patch_embed.proj.weight': (d, 3, c.patch, c.patch), 'patch_embed.proj.bias': (d,)}
    for i in range(c.depth):
        at = f'blocks.{i}.'
        for name, out, inputs in (('norm1', d, 0), ('attn.qkv', 3 * d, d), ('attn.proj', d, d),
                                  ('norm2', d, 0), ('mlp.fc1', 4 * d, d), ('mlp.fc2', d, 4 * d)):
            shapes[at + name + '.weight'] = (out, inputs) if inputs else (out,)
            shapes[at + name + '.bias'] = (out,)
    shapes['norm.weight'] = shapes['norm.bias'] = (d,)
    shapes['mask_token'] = (1, d)
    return shapes


def sine_cosine(side, d):
    """[1 + side^2, d]: zeros for the class token, then sin and cos of row and column for each patch"""
    omega = 10000.0 ** (-np.arange(d // 4) / (d // 4))
    table = np.zeros((1 + side * side, d))
    for row in range(side):
        for column in range(side):
            parts = [f(x * omega) for x in (row, column) for f in (np.sin, np.cos)]
            table[1 + row * side + column] = np.concatenate(parts)
    return table


def first_value(c, name, shape, position):
    draws = counter.Draws(c.seed, counter.INIT, image=position)
    count = int(np.prod(shape))

    def uniform(limit):
        return -limit + draws.uniform(count) * (2 * limit)

    inputs = 3 * c.patch ** 2
    if name == 'pos_embed' and c.sincos:
        return sine_cosine(c.native // c.patch, c.dim)
    if name.startswith('patch_embed'):
        if c.first == 'normal':
            return uniform(1 / math.sqrt(inputs))
        return np.zeros(count) if name.endswith('bias') else uniform(math.sqrt(6 / (inputs + c.dim)))
    if len(shape) == 1:
        return np.full(count, 1.0 if 'norm' in name and name.endswith('weight') else 0.0)
    if c.first == 'xavier' and name.startswith('blocks'):
        out = shape[0] // 3 if 'qkv' in name else shape[0]
        return uniform(math.sqrt(6 / (out + shape[1])))
    return (1e-6 if c.first == 'xavier' and name == 'cls_token' else 0.02) * draws.normal(count)


def first_values(c, shapes):
    return {name: torch.tensor(first_value(c, name, shape, i).reshape(shape))
            for i, (name, shape) in enumerate(shapes.items())}


def moved(c, params):
    """Returns w + move times normal draws, so that no weight is 0 or 1."""
    return {name: p + c.move * torch.tensor(counter.normal(c.seed, counter.TEST, tuple(p.shape),
                                                           MOVE_VIEW, image=i))
            for i, (name, p) in enumerate(params.items())}


# ---- network ----

def keep_of(c, block):
    """[branch, batch]: 0 or 1 / (1 - p), p = linspace(0, drop_path, depth)[block]"""
    rate = float(np.linspace(0, c.drop_path, c.depth)[block])
    rows = []
    for n in range(c.batch):
        view, step, image = n % 2, 7, 5 * n + 2
        words = counter.philox([block, counter.DROP << 24 | view, step, image], (c.seed, 0))
        rows.append([0.0 if w * 2.0 ** -32 < rate else 1 / (1 - rate) for w in words[:2]])
    return torch.tensor(rows, dtype=torch.float64).T


def positions_of(c, table):
    side, native = c.size // c.patch, c.native // c.patch
    if side == native:
        return table
    grid = table[:, 1:].reshape(1, native, native, c.dim).permute(0, 3, 1, 2)
    factor = (side + 0.1) / native
    grid = F.interpolate(grid, scale_factor=(factor, factor), mode='bicubic')
    assert grid.shape[-1] == side
    return torch.cat([table[:, :1], grid.permute(0, 2, 3, 1).reshape(1, side * side, c.dim)], 1)


def norm(x, p, name):
    return F.layer_norm(x, x.shape[-1:], p[name + '.weight'], p[name + '.bias'], NORM_EPS)


def linear(x, p, name):
    return F.linear(x, p[name + '.weight'], p[name + '.bias'])


def attention(c, x, p, at):
    n, tokens, d = x.shape
    q, k, v = (part.reshape(n, tokens, c.heads, d // c.heads).transpose(1, 2)
               for part in linear(x, p, at + 'attn.qkv').split(d, -1))
    shares = (q @ k.transpose(-1, -2) / math.sqrt(d // c.heads)).softmax(-1)
    return linear((shares @ v).transpose(1, 2).reshape(n, tokens, d), p, at + 'attn.proj')


def mask_of(c):
    """[N, P]; each row of the batch has its own draws"""
    patches = (c.size // c.patch) ** 2
    return torch.tensor(np.stack([counter.Draws(c.seed, counter.TEST, MASK_VIEW, 0, n).uniform(patches)
                                  for n in range(c.batch)]) < c.mask)


def tokens_of(c, image, p):
    """tokens [N, 1 + P, D] of images [N,3,S,S]"""
    x = F.conv2d(image, p['patch_embed.proj.weight'], p['patch_embed.proj.bias'], stride=c.patch)
    x = x.flatten(2).transpose(1, 2)
    if c.mask:
        x = torch.where(mask_of(c)[:, :, None], p['mask_token'][None], x)
    x = torch.cat([p['cls_token'].expand(c.batch, -1, -1), x], 1) + positions_of(c, p['pos_embed'])
    for i in range(c.depth):
        at, keep = f'blocks.{i}.', keep_of(c, i)[:, :, None, None]
        x = x + keep[0] * attention(c, norm(x, p, at + 'norm1'), p, at)
        y = F.gelu(linear(norm(x, p, at + 'norm2'), p, at + 'mlp.fc1'))
        x = x + keep[1] * linear(y, p, at + 'mlp.fc2')
    return norm(x, p, 'norm')


def loss_of(c, tokens):
    """mean over rows of <token, r>, r normal draws; class tokens plus patch tokens"""
    first = torch.tensor(counter.normal(c.seed, counter.TEST, (c.batch, c.dim), CLASS_VIEW))
    patches = tokens[:, 1:].reshape(-1, c.dim)
    other = torch.tensor(counter.normal(c.seed, counter.TEST, tuple(patches.shape), PATCH_VIEW))
    return (tokens[:, 0] * first).sum(-1).mean() + (patches * other).sum(-1).mean()


def run(c):
    shapes = shapes_of(c)
    weights = first_values(c, shapes)
    params = {name: p.clone().requires_grad_(True) for name, p in moved(c, weights).items()}
    image = counter.normal_rows(c.seed, counter.TEST, c.batch, (c.size, c.size, 3))
    tokens = tokens_of(c, torch.tensor(image).permute(0, 3, 1, 2), params)
    loss = loss_of(c, tokens)
    loss.backward()
    none = ['pos_embed'] * c.sincos + ['mask_token'] * (not c.mask)
    none += ['patch_embed.proj.weight', 'patch_embed.proj.bias'] * c.frozen
    gradients = {n: torch.zeros_like(p) if n in none else p.grad for n, p in params.items()}
    dump = Dump(c.seed, [])
    for key in ('seed', 'dim', 'depth', 'heads', 'patch', 'native', 'size', 'batch', 'sincos', 'first',
                'frozen', 'drop_path', 'mask', 'move'):
        dump.header(key, getattr(c, key))
    dump.header('step', 0, loss.item(), 0, loss.item(), 0)
    positions = {name: i for i, name in enumerate(shapes)}
    dump.tensors('weight', weights, positions)
    dump.tensor('tokens', 'tokens', len(shapes), tokens)
    dump.tensors('gradient', gradients, positions)
    return '\n'.join(dump.lines) + '\n'


def arguments(argv=None):
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('--seed', type=int, default=1)
    a.add_argument('--dim', type=int, default=32)
    a.add_argument('--depth', type=int, default=2)
    a.add_argument('--heads', type=int, default=2)
    a.add_argument('--patch', type=int, default=4)
    a.add_argument('--native', type=int, default=16, help='image size of the position table, pixels')
    a.add_argument('--size', type=int, default=16, help='image size, pixels')
    a.add_argument('--batch', type=int, default=4)
    a.add_argument('--sincos', type=int, default=0, help='1: fixed positions')
    a.add_argument('--first', choices=('normal', 'xavier'), default='normal')
    a.add_argument('--frozen', type=int, default=0, help='1: no gradient for the patch embedding')
    a.add_argument('--drop_path', type=float, default=0)
    a.add_argument('--mask', type=float, default=0, help='share of masked patches')
    a.add_argument('--move', type=float, default=0.1, help='std of the noise added to every weight before use')
    cases.add_output(a)
    return a.parse_args(argv)


if __name__ == '__main__':
    cases.main(arguments, run, CASES, 'vit_%s.txt')
