#!/usr/bin/python3
"""check.py - checks mocov2.py and vit.py against independent results: known answers, torchvision,
torch's optimiser and batch norm, gradients derived by hand, finite differences.

Prints one line for each check; exits with status 1 if any fails. Needs torchvision and about half a minute.
"""
import math
import sys
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

import counter
import mocov2
import vit

failed = []


def check(name, error, limit):
    print(f'{"ok  " if error <= limit else "FAIL"} {error:9.2e} <= {limit:7.0e}  {name}')
    if not error <= limit:
        failed.append(name)


def distance(a, b):
    return float((a - b).norm() / b.norm().clamp_min(1e-300))


def philox_known_answers():
    """known-answer vectors of Random123 (Salmon et al. 2011)"""
    pi = [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0]
    for words, want in (
            ([0] * 6, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
            ([0xFFFFFFFF] * 6, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
            (pi, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1))):
        got = counter.philox(np.array(words[:4]), words[4:])
        check(f'philox of {words[0]:08x}...', int((got != np.array(want, np.uint32)).sum()), 0)


def draws_are_random():
    draws = counter.Draws(3, counter.TEST)
    x = draws.normal(200000)
    check('normal: mean', abs(x.mean()), 0.01)
    check('normal: variance', abs(x.var() - 1), 0.02)
    check('words do not depend on the size of the calls', float(np.abs(
        np.concatenate([counter.Draws(3, 4).u32(7), counter.Draws(3, 4).u32(13)[7:]]).astype(float)
        - counter.Draws(3, 4).u32(13)).max()), 0)
    one_by_one = counter.Draws(3, 4)
    check('words drawn one by one are the same', float(np.abs(
        np.array([one_by_one.u32(1)[0] for _ in range(13)], float) - counter.Draws(3, 4).u32(13)).max()), 0)
    check('permutation', float(sorted(counter.Draws(1, counter.SHUFFLE).permutation(50))
                               != list(range(50))), 0)


def golden_path_loss():
    """a worked example of the path loss: d = 2, L = 3, four leaves, negatives 1, 2, 3, 0, 1"""
    rows = lambda *r: mocov2.norm2(torch.tensor(r, dtype=torch.float64))
    u = [rows((1, 0)), rows((1, 1)), rows((0, 1))]
    protos = [rows((1, 0), (0, 1), (-1, 0), (1, 1)), rows((1, .5), (-1, 1)), rows((.2, 1))]
    paths = mocov2.paths_of([torch.tensor([0, 1, 1, 0]), torch.tensor([0, 0])], 4)
    loss = mocov2.spd(u, protos, paths, torch.tensor([0]), torch.tensor([[1, 2, 3, 0, 1]]), 1e-6).item()
    check('path loss, profile reference: 0.305845354', abs(0.5 * loss - 0.305845354), 1e-9)
    check('path loss, weight 1: 0.611690709', abs(loss - 0.611690709), 1e-9)


def cosine_rate():
    """learning rates of MoCo v2: cosine over 200 epochs from 0.03"""
    run = mocov2.Run(mocov2.arguments(['--lr', '0.03', '--epochs', '200', '--levels', '0']))
    for epoch, want in ((0, .03), (1, .029998149), (100, .015), (199, .000001851)):
        check(f'rate at epoch {epoch}', abs(run.rate(epoch) - want), 5.1e-10)


def torchvision_network(arch):
    """width 1, normal stem, one group: compares names, order, features, gradients and running statistics"""
    c = mocov2.arguments(['--arch', arch, '--width', '1', '--stem', 'normal', '--levels', '0',
                          '--groups', '1', '--size', '64', '--batch', '6'])
    shapes, blocks, _ = mocov2.encoder_shapes(arch, 1.0, 'normal')
    peer = getattr(torchvision.models, arch)().double()
    peer.fc = torch.nn.Identity()
    theirs = {name: p for name, p in peer.named_parameters()}
    check(f'{arch}: names, order, shapes', float([(n, tuple(p.shape)) for n, p in theirs.items()]
                                                 != list(shapes.items())), 0)
    params = {n: p.requires_grad_(True) for n, p in mocov2.initial_values(shapes, 5, c.dtype).items()}
    peer.load_state_dict(params, strict=False)
    running = {n: b.clone() for n, b in peer.named_buffers() if not n.endswith('tracked')}
    norms = mocov2.Norms(params, running, 1, 1)
    x, weight = mocov2.images(c, 0, 0), torch.tensor(counter.normal(9, 10, (6, peer.inplanes)))
    ours = mocov2.encode(x, params, norms, blocks, 'normal', mocov2.BLOCKS[arch][0])
    (ours * weight).sum().backward()
    other = peer(x)
    (other * weight).sum().backward()
    norms.commit()
    check(f'{arch}: features', distance(ours, other), 1e-12)
    check(f'{arch}: gradients', max(distance(params[n].grad, theirs[n].grad) for n in params), 1e-9)
    check(f'{arch}: running statistics',
          max(distance(running[n], b) for n, b in peer.named_buffers() if n in running), 1e-12)


def torchvision_transformer():
    """The class tokens of the learned case equal those of torchvision's VisionTransformer with the same weights."""
    c = vit.arguments(vit.CASES['learned'].split())
    params = vit.moved(c, vit.first_values(c, vit.shapes_of(c)))
    peer = torchvision.models.VisionTransformer(c.native, c.patch, c.depth, c.heads, c.dim, 4 * c.dim).double()
    peer.heads = torch.nn.Identity()
    theirs = {'class_token': 'cls_token', 'encoder.pos_embedding': 'pos_embed', 'encoder.ln': 'norm',
              'conv_proj': 'patch_embed.proj'}
    for i in range(c.depth):
        for their, our in (('ln_1.', 'norm1.'), ('self_attention.in_proj_', 'attn.qkv.'), ('ln_2.', 'norm2.'),
                           ('self_attention.out_proj.', 'attn.proj.'), ('mlp.0.', 'mlp.fc1.'),
                           ('mlp.3.', 'mlp.fc2.')):
            for kind in ('weight', 'bias'):
                theirs[f'encoder.layers.encoder_layer_{i}.{their}{kind}'] = f'blocks.{i}.{our}{kind}'
    for name in ('encoder.ln', 'conv_proj'):
        our = theirs.pop(name)
        theirs.update({f'{name}.{kind}': f'{our}.{kind}' for kind in ('weight', 'bias')})
    peer.load_state_dict({name: params[our] for name, our in theirs.items()})
    image = torch.tensor(counter.normal_rows(c.seed, counter.TEST, c.batch, (c.size, c.size, 3))).permute(0, 3, 1, 2)
    tokens = vit.tokens_of(c, image, params)
    check('vision transformer: class token', distance(tokens[:, 0], peer(image).detach()), 1e-12)


def groups_are_separate_batches():
    """Batch norm in G groups equals torch's batch norm on each part; running statistics are the mean over groups."""
    x = torch.tensor(counter.normal(4, 10, (8, 3, 5, 5)))
    for counted in (2, 1):
        params = {'n.weight': torch.tensor([1., 2., 3.]).double(), 'n.bias': torch.tensor([.1, .2, .3]).double()}
        running = {'n.running_mean': torch.zeros(3).double(), 'n.running_var': torch.ones(3).double()}
        norms = mocov2.Norms(params, running, 2, counted)
        y = norms(x, 'n')
        norms.commit()
        means, variances, parts = [], [], []
        for part in x.split(4):
            mean, var = torch.zeros(3).double(), torch.ones(3).double()
            parts.append(F.batch_norm(part, mean, var, params['n.weight'], params['n.bias'], True, 0.1))
            means.append(mean), variances.append(var)
        check('batch norm by groups', distance(y, torch.cat(parts)), 1e-14)
        check(f'running mean over {counted}', distance(
            running['n.running_mean'], torch.stack(means[:counted]).mean(0)), 1e-14)
        check(f'running variance over {counted}', distance(
            running['n.running_var'], torch.stack(variances[:counted]).mean(0)), 1e-14)


def initial_values():
    shapes, _, d = mocov2.encoder_shapes('resnet18', 1.0, 'normal')
    shapes.update(mocov2.head_shapes(d, 128), **mocov2.level_shapes(1, 128))
    params = mocov2.initial_values(shapes, 1, torch.float64)
    w = params['layer3.0.conv2.weight']
    check('convolution: std', abs(float(w.std()) / math.sqrt(2 / (256 * 9)) - 1), 0.01)
    for name, inputs in (('head.0.weight', 512), ('head.2.bias', 512), ('h.0.0.weight', 128), ('h.0.3.bias', 128)):
        top = float(params[name].abs().max()) * math.sqrt(inputs)
        check(f'{name}: bound', 0.0 if 0.95 < top <= 1 else 1.0, 0)
    ones = [n for n in params if params[n].ndim == 1 and bool((params[n] == 1).all())]
    check('number of gammas', abs(len(ones) - 21), 0)  # 20 of the encoder, 1 of h_0


def gradient_of_info_nce():
    """d/dq_n = (1/NT) [ (p_0 - 1) k_n + sum_j p_j c_j ]; masked rows of the queue have p_j = 0"""
    n, rows, d, t = 5, 7, 6, 0.2
    q, k, queue = (mocov2.norm2(torch.tensor(counter.normal(2, 10, (m, d), i)))
                   for i, m in enumerate((n, n, rows)))
    same = torch.tensor(counter.Draws(2, 10, 5).uniform(n * rows).reshape(n, rows) < 0.3)
    q.requires_grad_(True)
    loss = mocov2.info_nce(q, k, queue, same, t)
    loss.backward()
    value, gradient = 0.0, torch.zeros(n, d).double()
    for i in range(n):
        candidates = [k[i]] + [queue[j] for j in range(rows) if not same[i, j]]
        e = np.array([math.exp(float(q[i] @ c) / t) for c in candidates])
        p = e / e.sum()
        value -= math.log(p[0]) / n
        gradient[i] = (sum(pj * c for pj, c in zip(p, candidates)) - k[i]) / (n * t)
    check('image loss equals a loop', abs(float(loss) - value), 1e-14)
    check('image loss: gradient derived by hand', distance(q.grad, gradient), 1e-12)


def gradient_of_path_loss():
    """d s / d <u^l, c^l> = 1/2 prod_(j != l) (1 + <u^j, c^j>)/2, then through norm2 (eq. 3)"""
    c = mocov2.arguments(['--dim', '6', '--batch', '5', '--negatives', '9', '--profile', 'reference'])
    protos, paths = mocov2.test_tree(c)
    z = [torch.tensor(counter.normal(3, 10, (5, 6), l)).requires_grad_(True) for l in range(3)]
    positive = mocov2.leaves(c)
    negative = mocov2.negatives(c, 1, positive)
    check('some negatives are the positive leaf', float((negative == positive[:, None]).sum() == 0), 0)
    loss = mocov2.spd([mocov2.norm2(x) for x in z], protos, paths, positive, negative, 1e-6)
    loss.backward()
    value, gradient = 0.0, [torch.zeros(5, 6).double() for _ in z]

    def add(n, leaf, ds):
        """Adds ds(s) d s / d z for the path of one leaf; returns s."""
        u = [x[n].detach() / x[n].detach().norm() for x in z]
        proto = [protos[l][paths[leaf, l]] for l in range(3)]
        f = [float(1 + u[l] @ proto[l]) / 2 for l in range(3)]
        for l in range(3):
            rest = math.prod(f[:l] + f[l + 1:]) / 2
            along = proto[l] - (u[l] @ proto[l]) * u[l]
            gradient[l][n] += ds(math.prod(f)) * rest * along / z[l][n].detach().norm() / 5
        return math.prod(f)

    for n in range(5):
        others = [leaf for leaf in negative[n].tolist() if leaf != positive[n]]
        divisor = len(others) + 1e-6
        value -= math.log(add(n, int(positive[n]), lambda s: -1 / (s + 1e-6)) + 1e-6) / 5
        for leaf in others:
            s = add(n, leaf, lambda s: 1 / ((1 - s + 1e-6) * divisor))
            value -= math.log(1 - s + 1e-6) / divisor / 5
    check('path loss equals a loop', abs(float(loss) - value), 1e-14)
    check('path loss: gradient derived by hand', max(distance(x.grad, g) for x, g in zip(z, gradient)), 1e-12)


def gradient_of_step():
    """The gradient of eq. 4 equals central differences, in two elements of some parameters."""
    c = mocov2.arguments([])
    run = mocov2.Run(c)
    run.step(0)
    names = [n for i, n in enumerate(run.params) if i % 6 == 0 or n.startswith(('head', 'h.1'))]
    params = {n: p.clone().requires_grad_(True) for n, p in run.params.items()}

    def total(p):
        image, path, _ = run.losses(p, 1, run.norms(p, {}), run.norms(run.teacher, {}))
        return run.total(image, path)

    gradient = dict(zip(names, torch.autograd.grad(total(params), [params[n] for n in names])))
    scale, worst = max(float(g.abs().max()) for g in gradient.values()), 0.0
    with torch.no_grad():
        for name in names:
            for e in (0, run.params[name].numel() // 2):
                side = []
                for h in (1e-6, -1e-6):
                    moved = dict(run.params)
                    moved[name] = run.params[name].clone()
                    moved[name].view(-1)[e] += h
                    side.append(float(total(moved)))
                error = abs((side[0] - side[1]) / 2e-6 - float(gradient[name].view(-1)[e]))
                worst = max(worst, error / scale)
    check(f'whole step: finite differences in {2 * len(names)} elements', worst, 1e-7)


def optimiser_is_torchs():
    """Three steps equal those of torch.optim.SGD with the same gradients; h_l stays unchanged in stage 1."""
    run = mocov2.Run(mocov2.arguments([]))
    start = {n: p.clone() for n, p in run.params.items()}
    theirs = {n: torch.nn.Parameter(p.clone()) for n, p in run.params.items()}
    sgd = torch.optim.SGD(theirs.values(), lr=1, momentum=0.9, weight_decay=1e-4)
    for step in range(3):
        gradients = run.step(step)[-1]
        sgd.param_groups[0]['lr'] = run.rate(step)
        for n, p in theirs.items():
            p.grad = gradients.get(n)
        sgd.step()
        if step == 0:
            check('h_l is unchanged in stage 1', float(any(
                (run.params[n] != start[n]).any() for n in start if n.startswith('h.'))), 0)
    check('optimiser', max(distance(run.params[n], theirs[n].detach()) for n in theirs), 1e-14)
    same = mocov2.image_ids(run.c, 2)[:, None] == run.owner[None, :]
    check('the queue holds keys of images of the current batch', float(same.sum() == 0), 0)
    check('the queue has unit rows', float((run.queue.norm(dim=1) - 1).abs().max()), 1e-15)


JUMPS = ('params', 'moment', 'teacher')  # updated by gradients, which may jump at a ReLU


def float32_agrees():
    """In float32 the stored cases stay within the tolerances of test_mocov2.c."""
    for case, args in mocov2.CASES.items():
        runs = [mocov2.Run(mocov2.arguments(args.split() + ['--dtype', t])) for t in ('float64', 'float32')]
        losses = [[run.step(s)[2] for s in range(run.c.steps)] for run in runs]
        check(f'float32, {case}: loss', max(abs(a - b) / b for a, b in zip(*losses)), 1e-5)
        for kind in ('running', 'teacher_running') + (JUMPS if case != 'resnet50' else ()):
            a, b = getattr(runs[1], kind), getattr(runs[0], kind)
            floor = 1e-6 * max(float(x.norm()) for x in b.values())
            share = {n: float((a[n].double() - b[n]).norm()) / (1e-3 * float(b[n].norm()) + floor) for n in b}
            worst = max(share, key=share.get)
            check(f'float32, {case}: {kind}, share of the allowance ({worst})', share[worst], 1)


def relu_inputs(args, noise):
    """inputs of every ReLU of the online network, with weights changed by `noise` times their size"""
    seen, relu = [], F.relu
    run = mocov2.Run(mocov2.arguments(args.split()))
    generator = torch.Generator().manual_seed(1)
    for name, p in run.params.items():
        run.params[name] = p * (1 + noise * torch.randn(p.shape, generator=generator, dtype=p.dtype))

    def watched(x):
        if x.requires_grad:
            seen.append(x.detach())
        return relu(x)

    with mock.patch.object(F, 'relu', watched):
        for step in range(run.c.steps):
            run.step(step)
    return seen


def kinks_are_far(noise=6e-7, probe=1e-10):
    """No ReLU input is within two standard deviations of 0, for a generous estimate of float32's rounding."""
    for case, args in mocov2.CASES.items():
        if case == 'resnet50':
            continue
        near = 0.0
        for x, moved in zip(relu_inputs(args, 0), relu_inputs(args, probe)):
            deviation = float((moved - x).pow(2).mean().sqrt()) * noise / probe
            near = max(near, deviation / float(x.abs().min()))
        check(f'{case}: 1 / distance of ReLU inputs from 0', near, 0.5)


def main():
    torch.set_num_threads(1)
    for test in (philox_known_answers, draws_are_random, golden_path_loss, cosine_rate, initial_values,
                 groups_are_separate_batches, gradient_of_info_nce, gradient_of_path_loss,
                 gradient_of_step, optimiser_is_torchs, float32_agrees,
                 kinks_are_far):
        test()
    for arch in mocov2.BLOCKS:
        torchvision_network(arch)
    torchvision_transformer()
    print(f'{len(failed)} failed')
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
