#!/usr/bin/python3
"""mocov2.py - a whole small training with MoCo v2 and HIRL's path loss, in float64.

Written from the formulas alone, without any code of libhirl, to check libhirl: He et al. 2020, Chen et al. 2020
(MoCo v2), HIRL (arXiv 2205.13159) sec. 4, eqs. 2 to 4. Weights and inputs come from the counter
generator, so that only the dump is stored. One step is one epoch. README.md describes the conventions.
"""
import argparse
import math

import numpy as np
import torch
import torch.nn.functional as F

import cases
import counter

BLOCKS = {'resnet18': (False, (2, 2, 2, 2)), 'resnet34': (False, (3, 4, 6, 3)),
          'resnet50': (True, (3, 4, 6, 3))}
BN_EPS = 1e-5
KEEP = 0.9           # running <- keep running + (1 - keep) batch
NORM_EPS = 1e-12     # norm2(x) = x / max(|x|, 1e-12)
SPD_EPS = 1e-6
DIVISOR_EPS = {'paper': 0.0, 'reference': 1e-6}
SPD_WEIGHT = {'paper': 1.0, 'reference': 0.5}
MASKS_OWN_KEYS = {'paper': True, 'reference': False}
CASES = {  # stored as mocov2_<name>.txt; README.md states how the seeds were chosen
    'paper': '--seed 60',
    'reference': '--seed 60 --profile reference',
    'plain': '--seed 60 --levels 0',
    'resnet50': '--seed 9 --arch resnet50 --stem normal --size 64 --steps 1 --warmup 0'
                ' --kinds gradient,weight,teacher,running,teacher_running,queue',
}
DOT_VIEWS = (200, 201)
PROTOTYPE_VIEW = 100
BUFFER_POSITION, QUEUE_POSITION, OWNER_POSITION = 10000, 20000, 20001


# ---- shapes: an ordered dict of name and shape; the order gives a parameter's position ----

def batch_norm_shapes(shapes, name, channels):
    shapes[name + '.weight'] = shapes[name + '.bias'] = (channels,)


def block_shapes(shapes, name, inputs, planes, outputs, stride, bottleneck):
    kernels = (1, 3, 1) if bottleneck else (3, 3)
    width = [inputs] + [planes] * (len(kernels) - 1) + [outputs]
    for i, k in enumerate(kernels):
        shapes[f'{name}.conv{i + 1}.weight'] = (width[i + 1], width[i], k, k)
        batch_norm_shapes(shapes, f'{name}.bn{i + 1}', width[i + 1])
    if stride != 1 or inputs != outputs:
        shapes[f'{name}.downsample.0.weight'] = (outputs, inputs, 1, 1)
        batch_norm_shapes(shapes, f'{name}.downsample.1', outputs)


def encoder_shapes(arch, width, stem):
    """Returns shapes, blocks [(name, stride)] and the columns of the pooled features."""
    bottleneck, depths = BLOCKS[arch]
    expansion = 4 if bottleneck else 1
    inputs = round(64 * width)
    shapes, blocks = {}, []
    shapes['conv1.weight'] = (inputs, 3) + ((3, 3) if stem == 'small' else (7, 7))
    batch_norm_shapes(shapes, 'bn1', inputs)
    for stage, depth in enumerate(depths):
        planes = round(64 * 2 ** stage * width)
        for b in range(depth):
            name, stride = f'layer{stage + 1}.{b}', 2 if stage and b == 0 else 1
            block_shapes(shapes, name, inputs, planes, planes * expansion, stride, bottleneck)
            blocks.append((name, stride))
            inputs = planes * expansion
    return shapes, blocks, inputs


def head_shapes(d, out):
    return {'head.0.weight': (d, d), 'head.0.bias': (d,),
            'head.2.weight': (out, d), 'head.2.bias': (out,)}


def level_shapes(levels, d):
    shapes = {}
    for l in range(levels):
        shapes[f'h.{l}.0.weight'] = (d, d)
        batch_norm_shapes(shapes, f'h.{l}.1', d)
        shapes[f'h.{l}.3.weight'], shapes[f'h.{l}.3.bias'] = (d, d), (d,)
    return shapes


def is_norm(name):
    owner = name.rsplit('.', 1)[0]
    return (owner.split('.')[-1].startswith('bn') or owner.endswith('downsample.1')
            or (owner.startswith('h.') and owner.endswith('.1')))


def initial_value(name, shape, shapes, seed, position):
    if is_norm(name):
        return np.full(shape, 1.0 if name.endswith('weight') else 0.0)
    draws = counter.Draws(seed, counter.INIT, image=position)
    if len(shape) == 4:  # Kaiming normal, fan out, gain of ReLU
        std = math.sqrt(2.0 / (shape[0] * shape[2] * shape[3]))
        return std * draws.normal(int(np.prod(shape))).reshape(shape)
    bound = 1.0 / math.sqrt(shapes[name.replace('bias', 'weight')][1])
    return (-bound + draws.uniform(int(np.prod(shape))) * (2 * bound)).reshape(shape)


def initial_values(shapes, seed, dtype):
    return {name: torch.tensor(initial_value(name, shape, shapes, seed, position), dtype=dtype)
            for position, (name, shape) in enumerate(shapes.items())}


# ---- network ----

class Norms:
    """Batch norm by groups: G contiguous equal parts of the rows, each with its own statistics.

    y = gamma (x - mean_g) / sqrt(var_g + eps) + beta, var_g biased. commit adds to the running statistics
    the mean over the first `counted` groups of mean_g and of the unbiased variance.
    """

    def __init__(self, params, running, groups, counted):
        self.params, self.running, self.groups, self.counted = params, running, groups, counted
        self.pending = []

    def __call__(self, x, name):
        parts = x.reshape(self.groups, x.shape[0] // self.groups, x.shape[1], -1)  # [G, N/G, C, HW]
        mean = parts.mean((1, 3), keepdim=True)
        var = ((parts - mean) ** 2).mean((1, 3), keepdim=True)
        n = parts.shape[1] * parts.shape[3]
        self.pending.append((name, mean.detach()[:self.counted].mean(0).reshape(-1),
                             var.detach()[:self.counted].mean(0).reshape(-1) * n / (n - 1)))
        gamma, beta = (self.params[name + end].reshape(1, 1, -1, 1) for end in ('.weight', '.bias'))
        return (gamma * (parts - mean) / torch.sqrt(var + BN_EPS) + beta).reshape(x.shape)

    def commit(self):
        for name, mean, var in self.pending:
            for end, batch in (('.running_mean', mean), ('.running_var', var)):
                self.running[name + end] = KEEP * self.running[name + end] + (1 - KEEP) * batch


def encode(x, params, norms, blocks, stem, bottleneck):
    """pooled features [N, d] of images [N, 3, S, S] (He et al. 2016, stride on the 3x3 convolution)"""
    if stem == 'small':
        x = F.conv2d(x, params['conv1.weight'], stride=1, padding=1)
    else:
        x = F.conv2d(x, params['conv1.weight'], stride=2, padding=3)
    x = F.relu(norms(x, 'bn1'))
    if stem != 'small':
        x = F.max_pool2d(x, 3, stride=2, padding=1)
    for name, stride in blocks:
        strides = (1, stride, 1) if bottleneck else (stride, 1)
        y = x
        for i, s in enumerate(strides):
            w = params[f'{name}.conv{i + 1}.weight']
            y = norms(F.conv2d(y, w, stride=s, padding=w.shape[2] // 2), f'{name}.bn{i + 1}')
            y = F.relu(y) if i + 1 < len(strides) else y
        if f'{name}.downsample.0.weight' in params:
            x = F.conv2d(x, params[f'{name}.downsample.0.weight'], stride=stride)
            x = norms(x, f'{name}.downsample.1')
        x = F.relu(y + x)
    return x.mean((2, 3))


def head(x, params):
    x = F.relu(x @ params['head.0.weight'].T + params['head.0.bias'])
    return x @ params['head.2.weight'].T + params['head.2.bias']


def level(z0, params, norms, l):
    """h_l: Linear - BN - ReLU - Linear"""
    y = F.relu(norms(z0 @ params[f'h.{l}.0.weight'].T, f'h.{l}.1'))
    return y @ params[f'h.{l}.3.weight'].T + params[f'h.{l}.3.bias']


def norm2(x):
    return x / x.norm(dim=-1, keepdim=True).clamp_min(NORM_EPS)


# ---- losses ----

def info_nce(q, k, queue, same, temperature):
    """mean_n -log( e^(q.k/T) / (e^(q.k/T) + sum over rows j of the queue, not same_nj, e^(q.c_j/T)) )"""
    positive = (q * k).sum(1, keepdim=True) / temperature
    negative = (q @ queue.T / temperature).masked_fill(same, -math.inf)
    return (torch.logsumexp(torch.cat([positive, negative], 1), 1) - positive[:, 0]).mean()


def similarity(u, protos, paths):
    """s [N, K] = prod_l (1 + <u^l, c^l>) / 2; u: L x [N, d], paths [N, K, L]   (eq. 2)"""
    s = 1.0
    for l, c in enumerate(protos):
        s = s * (1 + torch.einsum('nd,nkd->nk', u[l], c[paths[:, :, l]])) / 2
    return s


def spd(u, protos, paths, positive, negative, divisor_eps, eps=SPD_EPS):
    """mean_n [ -log(s+ + eps) - sum_k m_k log(1 - s_k + eps) / (sum_k m_k + divisor_eps) ]   (eq. 3)

    paths [M_1, L], positive [N], negative [N, K] leaves; m_k: the leaf is not the positive one.
    """
    counted = (negative != positive[:, None]).to(u[0].dtype)
    plus = -torch.log(similarity(u, protos, paths[positive[:, None]])[:, 0] + eps)
    minus = -torch.log(1 - similarity(u, protos, paths[negative]) + eps)
    return (plus + (counted * minus).sum(1) / (counted.sum(1) + divisor_eps)).mean()


def paths_of(parents, leaves):
    """[M_1, L]: node of each level above each leaf"""
    path = [torch.arange(leaves)]
    for parent in parents:
        path.append(parent[path[-1]])
    return torch.stack(path, 1)


# ---- input of each step ----

def images(c, view, step):
    """[N, 3, S, S], drawn in the order h, w, c and rounded to float32"""
    x = counter.normal_rows(c.seed, counter.TEST, c.batch, (c.size, c.size, 3), view, step)
    return torch.tensor(x.astype(np.float32).transpose(0, 3, 1, 2).copy(), dtype=c.dtype)


def image_ids(c, step):
    """ids that are distinct in a batch; some occur again in later batches"""
    return (5 * step + torch.arange(c.batch)) % (2 * c.batch - 3)


def test_tree(c):
    """Returns prototypes (L levels of M_l unit rows, rounded to float32) and paths; parent = row mod M_(l+1)."""
    protos = []
    for l, m in enumerate(c.prototypes):
        rows = counter.normal_rows(c.seed, counter.TEST, m, (c.dim,), PROTOTYPE_VIEW + l)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        protos.append(torch.tensor(rows.astype(np.float32), dtype=c.dtype))
    parents = [torch.arange(m) % above for m, above in zip(c.prototypes, c.prototypes[1:])]
    return protos, paths_of(parents, c.prototypes[0])


def leaves(c):
    return (7 * torch.arange(c.batch) + 3) % c.prototypes[0]


def negatives(c, step, positive):
    """[N, K]; profile paper: never the positive leaf, profile reference: any leaf"""
    n, k = torch.arange(c.batch)[:, None], torch.arange(c.negatives)[None, :]
    mixed, m = 31 * n + 17 * k + 13 * step, c.prototypes[0]
    other = 1 + mixed % (m - 1) if c.profile == 'paper' else mixed % m
    return (positive[:, None] + other) % m


# ---- training ----

class Run:
    def __init__(self, c):
        self.c = c
        encoder, self.blocks, d = encoder_shapes(c.arch, c.width, c.stem)
        self.shapes = {**encoder, **head_shapes(d, c.dim), **level_shapes(c.levels, c.dim)}
        self.params = initial_values(self.shapes, c.seed, c.dtype)
        self.teacher = {name: p.clone() for name, p in self.params.items()
                        if not name.startswith('h.')}
        self.running = self.fresh_running(self.params)
        self.teacher_running = self.fresh_running(self.teacher)
        self.moment = {name: torch.zeros_like(p) for name, p in self.params.items()}
        rows = counter.normal_rows(c.seed, counter.QUEUE, c.queue, (c.dim,))
        self.queue = norm2(torch.tensor(rows, dtype=c.dtype))
        self.owner = torch.full((c.queue,), -1)
        self.position = 0
        self.protos, self.paths = test_tree(c) if c.levels else ([], None)

    def fresh_running(self, params):
        running = {}
        for name in params:
            if is_norm(name) and name.endswith('.weight'):
                running[name[:-6] + 'running_mean'] = torch.zeros_like(params[name])
                running[name[:-6] + 'running_var'] = torch.ones_like(params[name])
        return running

    def norms(self, params, running):
        c = self.c
        return Norms(params, running, c.groups, 1 if c.profile == 'reference' else c.groups)

    def embed(self, x, params, norms):
        return head(encode(x, params, norms, self.blocks, self.c.stem, BLOCKS[self.c.arch][0]), params)

    def keys(self, step, norms):
        """keys of view 1, with group statistics over shuffled rows; row r of the shuffled batch is image p[r]"""
        c = self.c
        p = counter.Draws(c.seed, counter.SHUFFLE, epoch=step).permutation(c.batch)
        k = torch.empty(c.batch, c.dim, dtype=c.dtype)
        with torch.no_grad():
            k[p] = norm2(self.embed(images(c, 1, step)[p], self.teacher, norms))
        return k

    def losses(self, params, step, norms, teacher_norms):
        """Returns image loss, path loss or None, and keys."""
        c = self.c
        z0 = self.embed(images(c, 0, step), params, norms)
        k = self.keys(step, teacher_norms)
        same = image_ids(c, step)[:, None] == self.owner[None, :]  # owner -1: no image
        image = info_nce(norm2(z0), k, self.queue, same, c.temperature)
        if not c.levels or step < c.warmup:
            return image, None, k
        u = [norm2(level(z0, params, norms, l)) for l in range(c.levels)]
        negative = negatives(c, step, leaves(c))
        path = spd(u, self.protos, self.paths, leaves(c), negative, DIVISOR_EPS[c.profile])
        return image, path, k

    def total(self, image, path):
        """eq. 4"""
        return image if path is None else image + SPD_WEIGHT[self.c.profile] * path

    def rate(self, step):
        """cosine, one value an epoch"""
        return 0.5 * (1 + math.cos(math.pi * step / self.c.epochs)) * self.c.lr

    def step(self, step):
        """Makes one step. Returns image loss, path loss or 0, total, rate and gradients."""
        params = {name: p.clone().requires_grad_(True) for name, p in self.params.items()}
        norms = self.norms(params, self.running)
        teacher_norms = self.norms(self.teacher, self.teacher_running)
        image, path, k = self.losses(params, step, norms, teacher_norms)
        total = self.total(image, path)
        total.backward()
        gradients = {name: p.grad for name, p in params.items() if p.grad is not None}
        self.commit(step, gradients, k, (norms, teacher_norms))
        return (image.item(), 0.0 if path is None else path.item(), total.item(), self.rate(step),
                gradients)

    def commit(self, step, gradients, k, norms):
        """v <- mu v + g + wd p, p <- p - rate v; running statistics; queue; teacher"""
        c = self.c
        for name, g in gradients.items():
            self.moment[name] = c.sgd_momentum * self.moment[name] + g + c.decay * self.params[name]
            self.params[name] = self.params[name] - self.rate(step) * self.moment[name]
        for n in norms:
            n.commit()
        rows = slice(self.position, self.position + c.batch)
        self.queue[rows] = k
        if MASKS_OWN_KEYS[c.profile]:
            self.owner[rows] = image_ids(c, step)
        self.position = (self.position + c.batch) % c.queue
        for name, t in self.teacher.items():
            self.teacher[name] = c.momentum * t + (1 - c.momentum) * self.params[name]


# ---- dump ----

class Dump:
    """One line for each tensor: name kind position count norm dot200 dot201 v0..v7, elements in file order."""

    def __init__(self, seed, kinds):
        self.seed, self.kinds, self.lines, self.vectors = seed, kinds, [], {}

    def vector(self, view, position, count):
        if (view, position) not in self.vectors:
            self.vectors[view, position] = counter.normal(self.seed, counter.TEST, (count,), view,
                                                          image=position)
        return self.vectors[view, position]

    def header(self, key, *values):
        self.lines.append(' '.join([key] + [v if isinstance(v, str) else f'{v:.17g}' for v in values]))

    def tensor(self, name, kind, position, value):
        if self.kinds and kind.split('.')[0] not in self.kinds:
            return
        x = value.detach().double().numpy().ravel()
        numbers = [np.linalg.norm(x)] + [x @ self.vector(v, position, x.size) for v in DOT_VIEWS]
        numbers += list(x[:8]) + [0.0] * (8 - min(8, x.size))
        self.lines.append(f'{name} {kind} {position} {x.size} '
                          + ' '.join(f'{number:.14g}' for number in numbers))

    def tensors(self, kind, tensors, positions):
        for name, value in tensors.items():
            self.tensor(name, kind, positions[name], value)


def dump_state(dump, run):
    positions = {name: i for i, name in enumerate(run.shapes)}
    buffers = {name: BUFFER_POSITION + i for i, name in enumerate(run.running)}
    dump.tensors('weight', run.params, positions)
    dump.tensors('moment', run.moment, positions)
    dump.tensors('teacher', run.teacher, positions)
    dump.tensors('running', run.running, buffers)
    dump.tensors('teacher_running', run.teacher_running, buffers)
    dump.tensor('queue', 'queue', QUEUE_POSITION, run.queue)
    dump.tensor('owner', 'queue', OWNER_POSITION, run.owner)


def train(c):
    run = Run(c)
    dump = Dump(c.seed, c.kinds)
    for key in ('arch', 'stem', 'profile', 'seed', 'batch', 'size', 'width', 'groups', 'queue', 'dim',
                'levels', 'negatives', 'steps', 'epochs', 'warmup', 'lr', 'decay', 'sgd_momentum',
                'momentum', 'temperature'):
        dump.header(key, getattr(c, key))
    dump.header('prototypes', *c.prototypes)
    dump.header('spd_weight', SPD_WEIGHT[c.profile])
    positions = {name: i for i, name in enumerate(run.shapes)}
    for step in range(c.steps):
        image, path, total, rate, gradients = run.step(step)
        dump.header('step', step, image, path, total, rate)  # step, L_img, L_SPD, eq. 4, rate
        dump.tensors(f'gradient.{step}', gradients, positions)
    dump_state(dump, run)
    return '\n'.join(dump.lines) + '\n'


def arguments(argv=None):
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('--seed', type=int, default=1)
    a.add_argument('--arch', choices=BLOCKS, default='resnet18')
    a.add_argument('--width', type=float, default=0.125)
    a.add_argument('--stem', choices=('small', 'normal'), default='small')
    a.add_argument('--size', type=int, default=16, help='image size, pixels')
    a.add_argument('--batch', type=int, default=8)
    a.add_argument('--groups', type=int, default=2)
    a.add_argument('--queue', type=int, default=32, help='rows')
    a.add_argument('--dim', type=int, default=128, help='columns of z0')
    a.add_argument('--levels', type=int, default=3, help='0: plain MoCo v2')
    a.add_argument('--prototypes', default='13,5,3')
    a.add_argument('--negatives', type=int, default=16)
    a.add_argument('--steps', type=int, default=3)
    a.add_argument('--epochs', type=int, default=4, help='length of the cosine schedule; one step is one epoch')
    a.add_argument('--warmup', type=int, default=1, help='epochs before the path loss')
    a.add_argument('--lr', type=float, default=0.05)
    a.add_argument('--decay', type=float, default=1e-4)
    a.add_argument('--sgd_momentum', type=float, default=0.9)
    a.add_argument('--momentum', type=float, default=0.9, help='momentum of the teacher')
    a.add_argument('--temperature', type=float, default=0.2)
    a.add_argument('--profile', choices=SPD_WEIGHT, default='paper')
    a.add_argument('--dtype', choices=('float64', 'float32'), default='float64')
    a.add_argument('--kinds', default='', help='write only these kinds of tensors: gradient,weight,...')
    cases.add_output(a)
    c = a.parse_args(argv)
    c.prototypes = [int(m) for m in c.prototypes.split(',')][:c.levels]
    c.kinds = c.kinds.split(',') if c.kinds else []
    c.dtype = getattr(torch, c.dtype)
    return c


if __name__ == '__main__':
    cases.main(arguments, train, CASES, 'mocov2_%s.txt')
