#!/usr/bin/python3
"""check_ssl.py - checks selfsup.py against independent results: torch's layers, losses and optimisers,
mocov2.py, worked examples of the formulas, loops, finite differences.

Prints one line for each check; exits with status 1 if any fails. Takes about a minute.
`check_ssl.py --find CASE` searches for a seed that keeps the inputs of ReLU away from 0.
"""
import math
import sys
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import counter
import losses
import mocov2
import networks
import selfsup
from check import check, distance, failed

ADAM = ('mocov3', 'dino', 'ibot')


def draws(*shape, view=0):
    return torch.tensor(counter.normal(11, counter.TEST, shape, view))


def numbers(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def run_of(*args):
    return selfsup.Run(selfsup.arguments(' '.join(args).split()))


# ---- networks ----

class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d, eps=1e-6), nn.LayerNorm(d, eps=1e-6)
        self.attn = nn.MultiheadAttention(d, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    """a vision transformer made of torch's layers"""

    def __init__(self, c):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, c.vit_dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (c.size // c.patch) ** 2, c.vit_dim))
        self.patch_embed = nn.ModuleDict({'proj': nn.Conv2d(3, c.vit_dim, c.patch, c.patch)})
        self.blocks = nn.ModuleList(Block(c.vit_dim, c.vit_heads) for _ in range(c.vit_depth))
        self.norm = nn.LayerNorm(c.vit_dim, eps=1e-6)

    def forward(self, x):
        x = self.patch_embed['proj'](x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), 1, -1), x], 1)
        side, grid = math.isqrt(x.shape[1] - 1), self.pos_embed[:, 1:]
        own = math.isqrt(grid.shape[1])
        if side != own:
            grid = F.interpolate(grid.reshape(1, own, own, -1).permute(0, 3, 1, 2), mode='bicubic',
                                 scale_factor=((side + 0.1) / own,) * 2).permute(0, 2, 3, 1).flatten(1, 2)
        x = x + torch.cat([self.pos_embed[:, :1], grid], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def renamed(name):
    for ours, theirs in (('attn.qkv.', 'attn.in_proj_'), ('attn.proj', 'attn.out_proj'), ('fc1', '0'),
                         ('fc2', '2')):
        name = name.replace(ours, theirs)
    return name


def transformer_is_torchs():
    c = selfsup.arguments('--method dino --vit-dim 24 --vit-depth 3 --vit-heads 4'.split())
    shapes = networks.vit_shapes(c.vit_dim, c.vit_depth, c.patch, c.size)
    params = {n: draws(*s, view=i) * 0.3 for i, (n, s) in enumerate(shapes.items())}
    peer = Transformer(c).double()
    check('ViT: names, shapes', float({renamed(n): s for n, s in shapes.items()}
                                      != {n: tuple(p.shape) for n, p in peer.named_parameters()}), 0)
    peer.load_state_dict({renamed(n): p for n, p in params.items()})
    params = {n: p.requires_grad_(True) for n, p in params.items()}
    for size in (16, 8):
        x = draws(5, 3, size, size)
        ours, theirs = networks.vit(x, params, c.vit_depth, c.vit_heads, c.patch), peer(x)
        weight = draws(*ours.shape, view=99)
        own = torch.autograd.grad((ours * weight).sum(), list(params.values()))
        other = torch.autograd.grad((theirs * weight).sum(), [dict(peer.named_parameters())[renamed(n)]
                                                              for n in params])
        check(f'ViT, {size} pixels: tokens', distance(ours, theirs), 1e-12)
        check(f'ViT, {size} pixels: gradients', max(distance(a, b) for a, b in zip(own, other)), 1e-10)


def worked_positions():
    table = networks.sine_cosine(768, 14)[0, 1:]
    want = {0: (0, 1, 0, 1), 1: (0, 1, .815250650, .579108261), 14: (.815250650, .579108261, 0, 1),
            195: (-.174370199, .984680168, -.174370199, .984680168)}
    for token, values in want.items():
        check(f'sine-cosine positions of token {token}',
              float(np.abs(table[token, [1, 193, 385, 577]] - values).max()), 5.1e-10)
    got = networks.resize_matrix(14, 6) @ np.arange(14)
    want = (.553535731, 2.918683722, 5.285233125, 7.524625409, 9.781146880, 12.173553210)
    check('positions of a ramp, 14 to 6', float(np.abs(got - want).max()), 3e-6)  # `want` was computed in float32


def heads_are_torchs():
    """Each head equals an nn.Sequential: names of parameters and statistics, values, gradients."""
    for method in selfsup.METHODS:
        cases = [('head', networks.head_layers(method, 7, 9, 5))]
        if method in ('simsiam', 'mocov3'):
            cases += [('predictor', networks.predictor_layers(method, 5, 6))]
        cases += [(f'h of depth {depth}', networks.level_layers(5, depth)) for depth in (2, 5)]
        for name, layers in cases:
            made = {'linear': lambda i, o, b: nn.Linear(i, o, bias=b), 'relu': nn.ReLU, 'gelu': nn.GELU,
                    'norm': lambda n, affine: nn.BatchNorm1d(n, affine=affine)}
            peer = nn.Sequential(*[made[l[0]](*l[1:]) for l in layers]).double()
            theirs = dict(peer.named_parameters())
            shapes, channels = {}, {}
            networks.layers_shapes(shapes, channels, 'x', layers)
            check(f'{method}, {name}: names, order, shapes', float(
                [(n[2:], s) for n, s in shapes.items()] != [(n, tuple(p.shape)) for n, p in theirs.items()]), 0)
            params = {f'x.{n}': p.detach().clone().requires_grad_(True) for n, p in theirs.items()}
            running = {f'x.{n}': b.clone() for n, b in peer.named_buffers() if 'running' in n}
            check(f'{method}, {name}: statistics', float(sorted(running) != sorted(
                f'{n}.running_{kind}' for n in channels for kind in ('mean', 'var'))), 0)
            norms = networks.Norms(params, running, 1, False)
            x = draws(6, layers[0][1])
            ours, other = networks.run_layers(x, params, norms, 'x', layers, 1), peer(x)
            weight = draws(*ours.shape, view=1)
            (ours * weight).sum().backward()
            (other * weight).sum().backward()
            norms.commit()
            check(f'{method}, {name}: values', distance(ours, other), 1e-13)
            check(f'{method}, {name}: gradients', max(
                float((params[f"x.{n}"].grad - p.grad).norm()) for n, p in theirs.items()), 1e-11)
            check(f'{method}, {name}: running statistics', max([0] + [
                distance(running[f'x.{n}'], b) for n, b in peer.named_buffers() if 'running' in n]), 1e-13)


def last_layer_is_weight_norm():
    run = run_of('--method dino')
    z, v = draws(6, run.c.dim).requires_grad_(True), draws(run.c.outputs, run.c.dim, view=1).requires_grad_(True)
    peer = torch.nn.utils.weight_norm(nn.Linear(run.c.dim, run.c.outputs, bias=False).double())
    peer.weight_v.data, peer.weight_g.data = v.detach().clone(), torch.ones(run.c.outputs, 1).double()
    ours, theirs = run.logits(z, {'last_layer.weight': v}), peer(F.normalize(z))
    weight = draws(*ours.shape, view=2)
    own, other = (torch.autograd.grad((y * weight).sum(), (z, p), retain_graph=True)
                  for y, p in ((ours, v), (theirs, peer.weight_v)))
    check('last layer: logits', distance(ours, theirs), 1e-13)
    check('last layer: gradients', max(distance(a, b) for a, b in zip(own, other)), 1e-12)


def groups_of_swav_are_separate_batches():
    """Each half of the images, with all its crops, gives the same z0 alone; statistics are the mean of both halves."""
    for views in ('', '--globals 3 --locals 1,1,2 --local-sizes 6,4,6'):
        halves_of_swav(f'--method swav --levels 0 {views}')


def halves_of_swav(args):
    run = run_of(args)
    norms = run.norms(run.params, run.running)
    whole = run.swav_embed(run.params, 0, norms)
    norms.commit()
    images, parts, statistics = run.images, [], []
    for half in (slice(0, 4), slice(4, 8)):
        part = run_of(args, '--groups 1')
        part.images = lambda view, step: images(view, step)[half]
        norms = part.norms(part.params, part.running)
        parts.append(torch.stack(part.swav_embed(part.params, 0, norms)))
        norms.commit()
        statistics.append(part.running)
    check('SwAV: z0 by groups', distance(torch.stack(whole), torch.cat(parts, 1)), 1e-11)
    check('SwAV: running statistics', max(distance(b, (statistics[0][n] + statistics[1][n]) / 2)
                                          for n, b in run.running.items()), 1e-11)
    alone = run_of(args, '--groups 1 --profile reference')
    z = alone.swav_embed(alone.params, 0, alone.norms(alone.params, alone.running))
    one = alone.embed(alone.images(3, 0), alone.params, alone.norms(alone.params, alone.running))
    check('SwAV, profile reference: a crop alone', distance(z[3], one), 1e-13)


def initial_values():
    run = run_of('--method ibot --vit-dim 64 --hidden 200 --dim 100 --outputs 100')
    for name, p in run.params.items():
        if name.startswith(('blocks', 'head')) and p.ndim == 2 and p.numel() > 4000:
            check(f'ibot {name}: std 0.02', abs(float(p.std()) / 0.02 - 1), 0.05)
    zero = [n for n, p in run.params.items() if n.endswith('bias') and n[0] != 'h' and n[:5] != 'patch'
            or n.startswith('head') and n.endswith('bias') or n == 'mask_token']
    check('ibot: zeros', max(float(run.params[n].abs().max()) for n in zero), 0)
    three = run_of('--method mocov3 --vit-dim 64 --hidden 200')
    bounds = {(run, 'last_layer.weight'): 1 / math.sqrt(100), (run, 'h.0.0.weight'): 1 / math.sqrt(100),
              (run, 'patch_embed.proj.weight'): 1 / math.sqrt(48),
              (run, 'patch_embed.proj.bias'): 1 / math.sqrt(48),
              (three, 'patch_embed.proj.weight'): math.sqrt(6 / (48 + 64)),
              (three, 'blocks.1.attn.qkv.weight'): math.sqrt(6 / 128),
              (three, 'blocks.1.attn.proj.weight'): math.sqrt(6 / 128),
              (three, 'blocks.1.mlp.fc1.weight'): math.sqrt(6 / 320),
              (three, 'blocks.1.mlp.fc2.weight'): math.sqrt(6 / 320),
              (three, 'head.0.weight'): 1 / 8, (three, 'predictor.0.weight'): 1 / math.sqrt(24)}
    for (r, name), bound in bounds.items():
        top = float(r.params[name].abs().max()) / bound
        check(f'{r.c.method} {name}: bound', 0.0 if 0.95 < top <= 1 else 1.0, 0)
    sim = run_of('--method simsiam')
    check('simsiam: last norms of the branches are 0', abs(sum(
        float(p.abs().max()) == 0 for n, p in sim.params.items() if n.endswith('bn2.weight')) - 8), 0)


# ---- losses ----

def losses_by_torch():
    a, b = draws(5, 7), draws(5, 7, view=1)
    c, d = draws(5, 7, view=2), draws(5, 7, view=3)
    cos = nn.CosineSimilarity(eps=1e-8)
    check('SimSiam', abs(float(losses.simsiam([a, b], [c, d]) + (cos(a, d) + cos(b, c)).mean() / 2)), 1e-14)
    check('SimSiam at collapse: -1', abs(float(losses.simsiam([a, a], [a, a])) + 1), 1e-14)
    peer = -sum(float(cos(p, z).mean()) for i, p in enumerate((a, b, c)) for j, z in enumerate((b, c, d)) if i != j)
    check('SimSiam, three views', abs(float(losses.simsiam([a, b, c], [b, c, d])) - peer / 6), 1e-14)
    t = 0.2
    peer = sum(2 * t * F.cross_entropy(F.normalize(q) @ F.normalize(k).T / t, torch.arange(5))
               for q, k in ((a, d), (b, c)))
    check('MoCo v3', abs(float(losses.mocov3([a, b], [c, d], t) - peer)), 1e-13)
    both = F.normalize(torch.cat([a, b]))
    logits = (both @ both.T / t)[~torch.eye(10, dtype=torch.bool)].reshape(10, 9)  # each row without itself
    other = torch.tensor([4] * 5 + list(range(5)))
    other[:5] += torch.arange(5)
    check('SimCLR', abs(float(losses.nt_xent(a, b, t) - F.cross_entropy(logits, other))), 1e-13)
    crops = [draws(5, 7, view=v) for v in range(10, 14)]
    codes = [torch.softmax(draws(5, 7, view=v), 1) for v in (20, 21)]
    peer = np.mean([np.mean([float(F.cross_entropy(crops[v] / 0.1, codes[i])) for v in range(4) if v != i])
                    for i in range(2)])
    check('SwAV', abs(float(losses.swav(crops, codes, 0.1)) - peer), 1e-13)
    codes.append(torch.softmax(draws(5, 7, view=22), 1))
    peer = sum(float(F.cross_entropy(crops[v] / 0.1, codes[i])) for v in range(4) for i in range(3) if v != i) / 9
    check('SwAV, three global crops', abs(float(losses.swav(crops, codes, 0.1)) - peer), 1e-13)
    center = draws(7, view=30)
    peer = sum(float(F.cross_entropy(crops[v] / 0.1, torch.softmax((crops[10 - 10 + u] - center) / 0.05, 1)))
               for u in range(2) for v in range(4) if v != u) / 6
    check('DINO', abs(float(losses.dino(crops, crops[:2], center, 0.05)) - peer), 1e-13)
    peer = sum(float(F.cross_entropy(crops[v] / 0.1, torch.softmax((crops[u] - center) / 0.05, 1)))
               for u in range(3) for v in range(4) if v != u) / 9
    check('DINO, three global crops', abs(float(losses.dino(crops, crops[:3], center, 0.05)) - peer), 1e-13)
    same = torch.zeros(5, 7).double()
    check('DINO, uniform outputs: ln K', abs(float(losses.dino([same] * 4, [same] * 2, same[0], 0.04))
                                             - math.log(7)), 1e-14)
    patches = [draws(5, 6, 7, view=v) for v in range(40, 44)]
    masks = [torch.tensor(counter.Draws(5, 10, v).uniform(30).reshape(5, 6) < 0.4) for v in range(2)]
    masks[0][2] = False
    value = 0.0
    for s, t, mask in zip(patches[:2], patches[2:], masks):
        for n in range(5):
            each = [float(F.cross_entropy(s[n, i] / 0.1, torch.softmax((t[n, i] - center) / 0.05, 0)))
                    for i in range(6) if mask[n, i]]
            value += sum(each) / max(1, len(each)) / 5 / 2
    check('iBOT patches', abs(float(losses.ibot_patches(patches[:2], patches[2:], masks, center, 0.05))
                              - value), 1e-13)
    moved = losses.moved_center(center, patches[0])
    check('centre', distance(moved, 0.9 * center + 0.1 * patches[0].mean((0, 1))), 1e-15)


def worked_sinkhorn():
    scores = numbers((.9, .1, -.2), (.8, .3, .1), (-.5, .7, .6), (.2, .2, .9))
    want = numbers((.999972323, .000027675, .000000001), (.988954308, .011042000, .000003692),
                   (.0, .997535642, .002464358), (.000000185, .000045550, .999954264))
    got = losses.sinkhorn(scores)
    check('Sinkhorn', float((got - want).abs().max()), 6e-10)
    check('Sinkhorn: adding a constant changes nothing', distance(losses.sinkhorn(scores + 3), got), 1e-13)
    check('Sinkhorn: sums of rows', float((got.sum(1) - 1).abs().max()), 1e-15)


def gradient_of_step():
    """The gradient of eq. 4 equals central differences in elements of many parameters; targets are held fixed."""
    for case, args in selfsup.CASES.items():
        if not case.endswith('plain'):
            whole_gradient(run_of(args, '--queue 8' if case == 'swav_queue' else ''), case)


def whole_gradient(run, name):
    run.step(0)
    params = {n: p.clone().requires_grad_(run.trained(n)) for n, p in run.params.items()}
    stored, real_simsiam, real_sinkhorn = [], losses.simsiam, losses.sinkhorn

    def total(p):
        """eq. 4; the first call stores the targets, later calls reuse them"""
        first, count = not stored, [0]

        def kept(make):
            if first:
                stored.append(make())
            count[0] += 1
            return stored[count[0] - 1]

        with mock.patch.object(losses, 'sinkhorn', lambda s: kept(lambda: real_sinkhorn(s))), \
                mock.patch.object(losses, 'simsiam', lambda q, z: real_simsiam(
                    q, kept(lambda: [x.detach().clone() for x in z]))):
            image, path, _ = run.losses(p, 1, run.norms(p, {}), run.norms(run.teacher, {}))
        return run.total(image, path)

    value = total(params)
    names = [n for n in params if run.trained(n)]
    gradient = dict(zip(names, torch.autograd.grad(value, [params[n] for n in names])))
    scale, worst = max(float(g.abs().max()) for g in gradient.values()), 0.0
    with torch.no_grad():
        for n in [n for i, n in enumerate(names) if i % 3 == 0 or n[0] in 'hplm']:
            for e in {0, run.params[n].numel() // 2}:
                side = []
                for h in (1e-7, -1e-7):
                    moved = dict(run.params)
                    moved[n] = run.params[n].clone()
                    moved[n].view(-1)[e] += h
                    side.append(float(total(moved)))
                error = abs((side[0] - side[1]) / 2e-7 - float(gradient[n].view(-1)[e]))
                worst = max(worst, error / scale)
    check(f'{name}: whole step by finite differences', worst, 5e-7)


# ---- optimisers, schedules, state ----

def worked_schedules():
    larced = losses.larc(numbers(3, 4), numbers(.6, .8), 1e-6)
    check('LARC', float((larced - numbers(.00299999997, .00399999996)).abs().max()), 1e-11)
    i, e = 1251, 400
    for it, want in ((0, 0), (1, 2.39827324326e-7), (12509, 3e-3), (12510, 3e-3), (250200, .00156135864422),
                     (500399, 2.00000003108e-6)):
        check(f'DINO rate at {it}', abs(losses.dino_rate(3e-3, 2e-6, 10 * i, it, e * i) - want), 1e-14)
    for it, decay, m in ((0, .04, .996), (12509, .0405547912674, .996006164347),
                         (12510, .040554879928, .996006165333), (250200, .22, .998)):
        check(f'DINO decay at {it}', abs(losses.cosine_between(.04, .4, it, e * i) - decay), 1e-12)
        check(f'DINO momentum at {it}', abs(losses.cosine_between(.996, 1, it, e * i) - m), 1e-12)
    for epoch, want in ((0, .04), (1, .040612244898), (25, .055306122449), (49, .07), (80, .07)):
        check(f'teacher temperature at epoch {epoch}',
              abs(losses.teacher_temperature(.04, .07, 50, epoch) - want), 1e-12)
    for epoch, want in ((0, .99), (100, .9914644661), (200, .995), (399.9, .9999999985)):
        check(f'MoCo v3 momentum at {epoch}', abs(losses.cosine_between(.99, 1, epoch, e) - want), 6e-11)
    for epoch, want in ((0, .3), (5, 2.55), (10, 4.8), (100, 2.600392239), (199.5, .004881936)):
        check(f'SwAV rate at {epoch}', abs(losses.swav_rate(.3, 4.8, 4.8e-3, 10, epoch, 200) - want), 6e-10)
    check('MoCo v3 rate', abs(losses.mocov3_rate(1.6e-3, 40, 10, 400) - 4e-4), 1e-18)
    check('MoCo v3 rate', abs(losses.mocov3_rate(1.6e-3, 40, 220, 400) - 8e-4), 1e-18)


def torch_optimiser(run, theirs):
    """torch's optimiser with one group for each parameter"""
    groups = [{'params': [p]} for p in theirs.values()]
    return torch.optim.AdamW(groups, lr=1) if run.c.method in ADAM else \
        torch.optim.SGD(groups, lr=1, momentum=0.9)


def optimiser_is_torchs():
    """Three steps equal those of torch.optim and torch's clipping with the same gradients."""
    for case, args in selfsup.CASES.items():
        run = run_of(args)
        theirs = {n: nn.Parameter(p.clone()) for n, p in run.params.items()}
        optimiser = torch_optimiser(run, theirs)
        teacher = selfsup.copy_of(run.teacher)
        for step in range(run.c.steps):
            *_, gradients = run.step(step)
            for n, p in theirs.items():
                p.grad = gradients[n].clone() if n in gradients else None
            if run.c.method in ('dino', 'ibot'):
                for some in [theirs.values()] if run.c.profile == 'reference' else [[p] for p in theirs.values()]:
                    nn.utils.clip_grad_norm_(some, 0.3)
            for group, (n, p) in zip(optimiser.param_groups, theirs.items()):
                group['lr'], group['weight_decay'] = run.rate(step), run.c.decay
                if n.startswith('predictor') and run.c.method == 'simsiam':
                    group['lr'] = run.c.lr
                if run.c.method in ('dino', 'ibot'):
                    exempt = p.ndim == 1
                    group['weight_decay'] = 0 if exempt else run.decay(step)
                    if n.startswith('h.') and run.c.profile == 'reference':
                        group['weight_decay'] = 0.01
                if n in ('last_layer.weight', 'prototypes.weight') and step == 0:
                    p.grad = None
                if run.c.method == 'swav':
                    group['weight_decay'] = 0
                    with torch.no_grad():
                        larc(p)
            optimiser.step()
            for n, p in theirs.items():
                if n == 'prototypes.weight':
                    p.data = F.normalize(p.data)
                if n in teacher:
                    teacher[n].lerp_(p.data, 1 - run.momentum(step))
        check(f'{case}: optimiser', max(distance(run.params[n], p.detach()) for n, p in theirs.items()), 1e-13)
        if teacher:
            check(f'{case}: teacher', max(distance(run.teacher[n], t) for n, t in teacher.items()), 1e-14)


def larc(p):
    """LARC written out: scales the gradient of a tensor if neither the tensor nor its gradient is 0"""
    if p.grad is not None and p.norm() > 0 and p.grad.norm() > 0:
        trust = 0.001 * p.norm() / (p.grad.norm() + 1e-6 * p.norm() + 1e-8)
        p.grad = (p.grad + 1e-6 * p) * trust


def stages():
    """which parameters each step leaves unchanged, and which it updates"""
    for case, args in selfsup.CASES.items():
        run = run_of(args)
        first = selfsup.copy_of(run.params)
        run.step(0)
        still = {n for n in first if bool((first[n] == run.params[n]).all())}
        want = {n for n in first if n.startswith('h.') or n == 'last_layer.weight'}
        if run.c.method == 'mocov3':
            want |= {'pos_embed'} | ({'patch_embed.proj.weight', 'patch_embed.proj.bias'}
                                     if run.c.profile == 'paper' else set())
        if run.c.method == 'simsiam':  # branches whose last norm has weight 0 get no gradient
            want |= {n for n in first if n.startswith('layer') and n.endswith('bn1.bias')}
        frozen = {'prototypes.weight'} if run.c.method == 'swav' else set()
        check(f'{case}: parameters that step 0 leaves unchanged', len(still - frozen ^ want), 0)
        if frozen:
            name = 'prototypes.weight'
            check(f'{case}: prototypes', distance(run.params[name], first[name]), 1e-15)
        run.step(1)
        moved = [n for n in want - {'pos_embed'} if not n.startswith('patch')]
        check(f'{case}: parameters that step 1 updates', sum(bool((first[n] == run.params[n]).all()) for n in moved), 0)
        if run.c.method in ADAM:
            check(f'{case}: counts of updates', max(abs(run.updates[n] - (1 if n in moved else 2))
                                                  for n in first if run.trained(n)), 0)


def dumps_cover_both_branches():
    """The stored cases have masked and unmasked images, dropped and kept branches, clipped and unclipped tensors."""
    run = run_of(selfsup.CASES['ibot_paper'])
    masks = torch.stack([run.masks(v, s) for v in range(2) for s in range(3)])
    share = masks.double().mean(-1)
    check('masks: some images have none, no image is fully masked', float(not (share == 0).any() or (share > 0.5).any()
                                                          or not (share > 0).any()), 0)
    keep = torch.stack([networks.kept(run.c, v, s, mocov2.image_ids(run.c, s))
                        for v in range(4) for s in range(3)])
    check('stochastic depth: block 0 is never dropped', float((keep[:, 0] - 1).abs().max()), 0)
    share = float((keep[:, 1] == 0).double().mean())
    check('stochastic depth: some branches are dropped', float(not 0.03 < share < 0.2), 0)
    check('stochastic depth: kept branches are scaled up',
          float(((keep[:, 1] == 0) | (keep[:, 1] == 1 / 0.9)).all()) - 1, 0)
    for case in ('dino_paper', 'ibot_paper'):
        run = run_of(selfsup.CASES[case])
        clipped = [losses.clip_factor(float(g.norm()), 0.3) for s in range(3) for g in run.step(s)[3].values()]
        check(f'{case}: some tensors are clipped, some not', float(not 0.2 < np.mean(np.array(clipped) < 1) < 0.8), 0)
    big = run_of('--method dino --drop-path 0.3 --vit-depth 4 --batch 500 --size 4 --local-sizes 4')
    keep = networks.kept(big.c, 1, 7, torch.arange(500))
    check('stochastic depth: rates', float(((keep == 0).double().mean(2)
          - torch.tensor([0, .1, .2, .3])[:, None]).abs().max()), 0.05)
    check('stochastic depth: branches are independent', abs(float(
        np.corrcoef(keep[3, 0], keep[3, 1])[0, 1])), 0.1)


def queue_of_swav():
    """The queue is a ring of the last batches, used from the first step on that starts with a full queue."""
    run = run_of(selfsup.CASES['swav_queue'])
    units, seen, real = [], [], losses.sinkhorn
    take = run.take_over
    run.take_over = lambda step, new: (units.append(new['unit']), take(step, new))
    with mock.patch.object(losses, 'sinkhorn', lambda s: (seen.append(len(s)), real(s))[1]):
        for step in range(3):
            run.step(step)
    for i in range(2):
        check(f'SwAV: queue of crop {i}', distance(run.queue[i], torch.cat([units[2][i], units[1][i]])), 0)
    check('SwAV: rows for Sinkhorn', float(seen != [8, 8, 8, 8, 24, 24]), 0)


def reassigned_leaves():
    """Leaves are the nearest prototypes, without ties. In profile reference the pass of view 1 updates running
    statistics before the other passes."""
    for case in ('swav_anew', 'swav_reference_anew'):
        run, kept = run_of(selfsup.CASES[case]), run_of(selfsup.CASES[case].replace(' --reassign', ''))
        run.step(0)
        kept.step(0)
        z = run.online(1, 1, run.params, run.norms(run.params, run.running)).numpy()
        scores = np.array([[row @ p / np.linalg.norm(row) for p in run.protos[0].numpy()] for row in z])
        wanted, mean = run.running['bn1.running_mean'], 'bn1.running_mean'
        for v in (1, 0, 1, 2, 3):
            x = F.conv2d(run.images(v, 1), run.params['conv1.weight'], padding=1)
            wanted = 0.9 * wanted + 0.1 * x.mean((0, 2, 3))
        run.step(1)
        kept.step(1)
        wanted = wanted if run.c.profile == 'reference' else kept.running[mean]
        check(f'{case}: leaves', float((run.leaves.numpy() != scores.argmax(1)).any()), 0)
        check(f'{case}: most leaves differ from those of the tree',
              float((run.leaves == kept.leaves).sum()), run.c.batch / 2)
        check(f'{case}: at least four different leaves', float(len(set(run.leaves.tolist())) < 4), 0)
        ranked = np.sort(scores)
        check(f'{case}: 1 / distance from a tie', float(1 / (ranked[:, -1] - ranked[:, -2]).min()), 1e3)
        check(f'{case}: running mean', distance(run.running[mean], wanted), 1e-14)


def mocov2_equals_mocov2_py():
    """selfsup.py writes the same dumps as mocov2.py."""
    for case, args in mocov2.CASES.items():
        theirs = mocov2.train(mocov2.arguments(args.split())).splitlines()
        wanted = {tuple(l.split()[:3]): l.split()[3:] for l in theirs if len(l.split()) == 15}
        got = selfsup.train(selfsup.arguments(['--method', 'mocov2', *args.split()])).splitlines()
        found = {tuple(l.split()[:3]): l.split()[3:] for l in got if len(l.split()) == 15}
        check(f'MoCo v2, {case}: records', float(list(wanted) != list(found)), 0)
        check(f'MoCo v2, {case}: values', max(abs(float(a) - float(b)) / max(float(wanted[k][1]), 1e-3)
              for k in wanted for a, b in zip(wanted[k], found[k])), 1e-9)


# ---- float32 ----

# tensors that consist of rounding errors: gradients of biases before batch norm, and statistics that Adam's steps move
ROUNDING = ('norm.bias', 'head.0.bias', 'head.1.running_mean')


def float32_agrees():
    """In float32 the stored cases stay within the tolerances of test_ssl.c."""
    for case, args in selfsup.CASES.items():
        runs = [run_of(args, '--dtype', t) for t in ('float64', 'float32')]
        steps = [[run.step(s) for s in range(run.c.steps)] for run in runs]
        check(f'float32, {case}: loss', max(abs(a[2] - b[2]) / abs(b[2]) for a, b in zip(*steps)), 1e-4)
        kinds = [(f'gradient.{s}', steps[0][s][3], steps[1][s][3]) for s in range(runs[0].c.steps)]
        kinds += [(k, getattr(runs[0], k), getattr(runs[1], k)) for k in (
            ('adam_m', 'adam_v') if runs[0].c.method in ADAM else ('params', 'moment', 'teacher'))
            + ('running', 'teacher_running')]
        for kind, b, a in kinds:
            if not b:
                continue
            floor = 1e-6 * max(float(x.norm()) for x in b.values())
            share = {n: float((a[n].double() - b[n]).norm()) / (1e-3 * float(b[n].norm()) + floor) for n in b
                     if n not in ROUNDING}
            worst = max(share, key=share.get)
            check(f'float32, {case}: {kind}, share of the allowance ({worst})', share[worst], 1)


def relu_inputs(args, noise, seed):
    """inputs of every ReLU that a gradient passes, with weights changed by `noise` times their size"""
    seen, relu = [], F.relu

    def watched(x):
        if x.requires_grad:
            seen.append(x.detach())
        return relu(x)

    run = run_of(args)
    run.move(noise, seed)
    run.unit_prototypes()
    run.teacher = {name: run.params[name].clone() for name in run.teacher}
    with mock.patch.object(F, 'relu', watched):
        for step in range(run.c.steps):
            run.step(step)
    return seen


def nearness(args, noise=6e-7, probe=1e-10, probes=4):
    """Largest deviation / |input|. Inputs that are always 0 (SimSiam's branches) do not count."""
    inputs, square = relu_inputs(args, 0, 0), None
    for seed in range(probes):
        moved = relu_inputs(args, probe, seed + 1)
        more = [(m - x) ** 2 / probes for m, x in zip(moved, inputs)]
        square = more if square is None else [a + b for a, b in zip(square, more)]
        near = max([0.0] + [float((s.sqrt() * noise / probe / x.abs().clamp_min(1e-300))[x != 0].max())
                            for s, x in zip(square, inputs)])
        if near > 2:
            break
    return near


def kinks_are_far():
    """No ReLU input is within two standard deviations of 0, for a generous estimate of float32's rounding."""
    for case, args in selfsup.CASES.items():
        check(f'{case}: 1 / distance of ReLU inputs from 0', nearness(args), 0.5)


def find(case):
    for seed in range(1, 100000):
        near = nearness(f'{selfsup.CASES[case]} --seed {seed}')
        if near <= 0.5:
            print(f'{case}: seed {seed}, {near:.2g}')
            return


def main():
    torch.set_num_threads(1)
    if sys.argv[1:2] == ['--find']:
        return find(sys.argv[2])
    for test in (transformer_is_torchs, worked_positions, heads_are_torchs, last_layer_is_weight_norm,
                 groups_of_swav_are_separate_batches, initial_values, losses_by_torch, worked_sinkhorn,
                 gradient_of_step, worked_schedules, optimiser_is_torchs, stages, dumps_cover_both_branches,
                 queue_of_swav, reassigned_leaves, mocov2_equals_mocov2_py, float32_agrees, kinks_are_far):
        test()
    print(f'{len(failed)} failed')
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
