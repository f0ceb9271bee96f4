#!/usr/bin/python3
"""selfsup.py - a whole small training with any of six methods, or SimCLR, and HIRL's path loss, in float64.

Written from the formulas alone, without any code of libhirl, to check libhirl: the papers named in losses.py and
mocov2.py, HIRL (arXiv 2205.13159) sec. 4. Weights and inputs come from the counter generator, so that
only the dump is stored. One step is one epoch. README.md describes the conventions.
"""
import argparse
import math

import numpy as np
import torch

import cases
import counter
import losses
import mocov2
import networks
from mocov2 import norm2

METHODS = ('mocov2', 'simsiam', 'swav', 'mocov3', 'dino', 'ibot', 'simclr')  # libhirl runs simclr as method=own
CENTER_POSITION, PATCH_CENTER_POSITION, LEAF_POSITION = 20002, 20003, 20004
H_DECAY = 0.01  # profile reference, DINO and iBOT
CASES = {  # stored as <name>.txt; README.md states how the seeds were chosen
    'simsiam_plain': '--method simsiam --seed 19 --levels 0',
    'simsiam_paper': '--method simsiam --seed 19',
    'swav_plain': '--method swav --seed 190 --levels 0',
    'swav_paper': '--method swav --seed 311',
    'swav_reference': '--method swav --seed 57 --profile reference --groups 1 --batch 12 --lr 0.3 --lr-start 0.1',
    'swav_queue': '--method swav --seed 311 --queue 16',
    'swav_anew': '--method swav --seed 750 --reassign',
    'swav_reference_anew': '--method swav --seed 91 --profile reference --groups 1 --batch 12 --lr 0.3 --lr-start 0.1'
                           ' --reassign',
    'mocov3_plain': '--method mocov3 --seed 2 --levels 0',
    'mocov3_paper': '--method mocov3 --seed 2',
    'mocov3_reference': '--method mocov3 --seed 2 --profile reference',
    'dino_plain': '--method dino --levels 0',
    'dino_paper': '--method dino',
    'dino_reference': '--method dino --profile reference',
    'ibot_plain': '--method ibot --levels 0',
    'ibot_paper': '--method ibot',
    'ibot_reference': '--method ibot --profile reference',
    'simsiam_views': '--method simsiam --seed 4 --levels 0 --steps 2 --globals 3',
    'swav_views': '--method swav --seed 2 --levels 0 --steps 1 --globals 3 --locals 2,1 --local-sizes 4,2'
                  ' --lr 0.3 --lr-start 0.1',
    'dino_views': '--method dino --levels 0 --steps 2 --globals 3 --locals 1,2 --local-sizes 12,8',
    'ibot_views': '--method ibot --levels 0 --steps 2 --globals 3 --locals 2,1 --local-sizes 8,12',
    'simclr_plain': '--method simclr --seed 1 --levels 0',
    'simclr_paper': '--method simclr --seed 1',
}


def copy_of(values):
    return {name: v.clone() for name, v in values.items()}


def norm_of(tensors):
    return math.sqrt(sum(float(x.norm()) ** 2 for x in tensors.values()))


class Run:
    """the state of a training: parameters, statistics, moments, queues, centres"""

    def __init__(self, c):
        self.c = c
        self.shapes, self.norm_channels = {}, {}  # both in list order
        self.shape_networks()
        self.params = {name: torch.tensor(networks.value(c, name, shape, self.shapes, i), dtype=c.dtype)
                       for i, (name, shape) in enumerate(self.shapes.items())}
        self.move(c.noise)
        self.unit_prototypes()
        has_teacher = c.method not in ('simsiam', 'swav', 'simclr')
        self.teacher = copy_of({n: self.params[n] for n in self.shared}) if has_teacher else {}
        self.running = self.fresh_running(self.norm_channels)
        self.teacher_running = self.fresh_running(self.shared_norms if has_teacher else {})
        for kind in ('moment', 'adam_m', 'adam_v'):
            setattr(self, kind, {name: torch.zeros_like(p) for name, p in self.params.items()})
        self.updates = dict.fromkeys(self.params, 0)
        self.protos, self.paths = mocov2.test_tree(c) if c.levels else ([], None)
        self.fresh_state()

    def move(self, noise, seed=1):
        """Changes weights by a share of their size; the change of the dump shows the effect of rounding."""
        generator = torch.Generator().manual_seed(seed)
        for name, p in self.params.items():
            if noise:
                self.params[name] = p * (1 + noise * torch.randn(p.shape, generator=generator, dtype=p.dtype))

    def shape_networks(self):
        """Lists encoder, head and last layer, which a teacher has too, then the parts of the online network alone."""
        c, shapes, norms = self.c, self.shapes, self.norm_channels
        if c.arch == 'vit':
            shapes.update(networks.vit_shapes(c.vit_dim, c.vit_depth, c.patch, c.size))
            d = c.vit_dim
        else:
            encoder, self.blocks, d = mocov2.encoder_shapes(c.arch, c.width, c.stem)
            shapes.update(encoder)
            for name, shape in encoder.items():
                if len(shape) == 1 and name.endswith('.weight'):
                    norms[name[:-7]] = shape[0]
        self.head = networks.head_layers(c.method, d, c.hidden, c.dim)
        networks.layers_shapes(shapes, norms, 'head', self.head)
        if c.method in ('dino', 'ibot'):
            shapes['last_layer.weight'] = (c.outputs, c.dim)
        self.shared, self.shared_norms = list(shapes), dict(norms)
        if c.method in ('simsiam', 'mocov3'):
            self.predictor = networks.predictor_layers(c.method, c.dim, c.predictor)
            networks.layers_shapes(shapes, norms, 'predictor', self.predictor)
        elif c.method == 'swav':
            shapes['prototypes.weight'] = (c.outputs, c.dim)
        elif c.method == 'ibot':
            shapes['mask_token'] = (1, c.vit_dim)
        self.level = networks.level_layers(c.dim, c.path_depth)
        for l in range(c.levels):
            networks.layers_shapes(shapes, norms, f'h.{l}', self.level)

    def fresh_running(self, norms):
        running = {}
        for name, channels in norms.items():
            running[name + '.running_mean'] = torch.zeros(channels, dtype=self.c.dtype)
            running[name + '.running_var'] = torch.ones(channels, dtype=self.c.dtype)
        return running

    def fresh_state(self):
        c = self.c
        self.rows = 0  # rows written into the queue so far
        if c.method == 'mocov2':
            rows = counter.normal_rows(c.seed, counter.QUEUE, c.queue, (c.dim,))
            self.queue = norm2(torch.tensor(rows, dtype=c.dtype))
            self.owner = torch.full((c.queue,), -1)
        elif c.method == 'swav' and c.queue:
            self.queue = torch.zeros(c.globals, c.queue, c.dim, dtype=c.dtype)
        self.center = torch.zeros(c.outputs, dtype=c.dtype)
        self.patch_center = torch.zeros(c.outputs, dtype=c.dtype)

    def unit_prototypes(self):
        if self.c.method == 'swav':
            self.params['prototypes.weight'] = norm2(self.params['prototypes.weight'])

    # ---- forward ----

    def norms(self, params, running):
        return networks.Norms(params, running, self.c.groups, self.c.profile == 'reference')

    def encode(self, x, params, norms, mask=None, keep=None):
        """pooled features [N, d] of a ResNet, tokens [N, 1 + P, d] of a ViT"""
        c = self.c
        if c.arch == 'vit':
            return networks.vit(x, params, c.vit_depth, c.vit_heads, c.patch, mask, keep)
        return mocov2.encode(x, params, norms, self.blocks, c.stem, mocov2.BLOCKS[c.arch][0])

    def run_head(self, y, params, norms):
        return networks.run_layers(y, params, norms, 'head', self.head, self.c.groups)

    def pooled(self, y):
        """the class token of a ViT, the features of a ResNet"""
        return y[:, 0] if self.c.arch == 'vit' else y

    def embed(self, x, params, norms, keep=None):
        """z0"""
        return self.run_head(self.pooled(self.encode(x, params, norms, keep=keep)), params, norms)

    def online(self, view, step, params, norms):
        """z0 of one view in its own forward pass"""
        return self.embed(self.images(view, step), params, norms, self.kept(view, step))

    def kept(self, view, step):
        c = self.c
        return networks.kept(c, view, step, mocov2.image_ids(c, step)) if c.arch == 'vit' else None

    def predict(self, z, params, norms):
        return networks.run_layers(z, params, norms, 'predictor', self.predictor, self.c.groups)

    def images(self, view, step):
        """[N, 3, S, S], drawn in the order h, w, c and rounded to float32"""
        c = self.c
        side = c.sides[view]
        x = counter.normal_rows(c.seed, counter.TEST, c.batch, (side, side, 3), view, step)
        return torch.tensor(x.astype(np.float32).transpose(0, 3, 1, 2).copy(), dtype=c.dtype)

    # Each method returns image loss, z0 of view 0 and the new state for commit.

    def mocov2(self, params, step, norms, teacher_norms):
        c = self.c
        z = self.online(0, step, params, norms)
        p = counter.Draws(c.seed, counter.SHUFFLE, epoch=step).permutation(c.batch)
        k = torch.empty(c.batch, c.dim, dtype=c.dtype)
        with torch.no_grad():
            k[p] = norm2(self.embed(self.images(1, step)[p], self.teacher, teacher_norms))
        same = mocov2.image_ids(c, step)[:, None] == self.owner[None, :]
        return mocov2.info_nce(norm2(z), k, self.queue, same, c.temperature), z, {'keys': k}

    def simsiam(self, params, step, norms, teacher_norms):
        z, predicted = [], []
        for v in range(self.c.globals):
            z.append(self.online(v, step, params, norms))
            predicted.append(self.predict(z[v], params, norms))
        return losses.simsiam(predicted, z), z[0], {}

    def parted(self, x):
        """Rows of [V, n, ...] ordered by group, view, image: a batch-norm group has all crops of its images."""
        g = self.c.groups
        y = x.reshape(len(x), g, x.shape[1] // g, *x.shape[2:]).transpose(0, 1)
        return y.reshape(-1, *x.shape[2:])

    def unparted(self, y, views):
        """[V, n, d] of the rows [V n, d] that parted() ordered"""
        g = self.c.groups
        return y.reshape(g, views, -1, y.shape[1]).transpose(0, 1).reshape(views, -1, y.shape[1])

    def swav_embed(self, params, step, norms):
        """z0 of each crop. Profile paper: one pass for each resolution and one of the head; reference: crop by crop."""
        c = self.c
        if c.profile == 'reference':
            return [self.online(v, step, params, norms) for v in range(c.views)]
        features = [None] * c.views
        for side in dict.fromkeys(c.sides):  # in the order in which they first appear
            views = [v for v in range(c.views) if c.sides[v] == side]
            x = self.parted(torch.stack([self.images(v, step) for v in views]))
            keep = None
            if c.arch == 'vit':  # [V, n, depth, 2] as rows
                keep = torch.stack([self.kept(v, step).permute(2, 0, 1) for v in views])
                keep = self.parted(keep).permute(1, 2, 0)
            y = self.pooled(self.encode(x, params, norms, keep=keep))
            for v, rows in zip(views, self.unparted(y, len(views))):
                features[v] = rows
        y = self.run_head(self.parted(torch.stack(features)), params, norms)
        return list(self.unparted(y, c.views))

    def swav(self, params, step, norms, teacher_norms):
        c = self.c
        z = self.swav_embed(params, step, norms)
        unit = [norm2(x) for x in z]
        scores = [u @ params['prototypes.weight'].T for u in unit]
        codes = []
        for i in range(c.globals):
            rows = scores[i].detach()
            if c.queue and self.rows >= c.queue:
                rows = torch.cat([self.queue[i] @ params['prototypes.weight'].detach().T, rows])
            codes.append(losses.sinkhorn(rows)[-c.batch:])
        return losses.swav(scores, codes, c.temperature), z[0], {'unit': [u.detach() for u in unit[:c.globals]]}

    def simclr(self, params, step, norms, teacher_norms):
        z = self.swav_embed(params, step, norms)
        return losses.nt_xent(z[0], z[1], self.c.temperature), z[0], {}

    def mocov3(self, params, step, norms, teacher_norms):
        z = []
        q, k = [], []
        for v in range(2):
            z.append(self.online(v, step, params, norms))
            q.append(self.predict(z[v], params, norms))
        with torch.no_grad():
            for v in range(2):
                k.append(self.embed(self.images(v, step), self.teacher, teacher_norms))
        return losses.mocov3(q, k, self.c.temperature), z[0], {}

    def logits(self, z, params):
        return norm2(z) @ norm2(params['last_layer.weight']).T

    def masks(self, view, step):
        """masks [N, P] of a global crop"""
        r = torch.arange(self.c.batch)[:, None]
        i = torch.arange((self.c.size // self.c.patch) ** 2)[None, :]
        return ((r + view + step) % 2 == 0) & ((7 * i + 3 * r + 5 * view + step) % 3 == 0)

    def dino(self, params, step, norms, teacher_norms, masked=False):
        """Also iBOT, if `masked`: masks global crops and uses all their tokens."""
        c = self.c
        z, teacher, masks = [], [], []
        for v in range(c.views):
            masks.append(self.masks(v, step) if masked and v < c.globals else None)
            tokens = self.encode(self.images(v, step), params, norms, masks[v], self.kept(v, step))
            z.append(self.run_head(tokens, params, norms))  # [N, 1 + P, d]
        with torch.no_grad():
            for v in range(c.globals):
                tokens = self.encode(self.images(v, step), self.teacher, teacher_norms)
                teacher.append(self.logits(self.run_head(tokens, self.teacher, teacher_norms), self.teacher))
        tau = self.temperature(step)
        loss = losses.dino([self.logits(x[:, 0], params) for x in z], [t[:, 0] for t in teacher],
                           self.center, tau)
        new = {'center': losses.moved_center(self.center, torch.stack(teacher)[:, :, 0])}
        if masked:
            loss = loss + losses.ibot_patches([self.logits(x[:, 1:], params) for x in z[:c.globals]],
                                              [t[:, 1:] for t in teacher], masks[:c.globals], self.patch_center, tau)
            new['patch_center'] = losses.moved_center(self.patch_center, torch.stack(teacher)[:, :, 1:])
        return loss, z[0][:, 0], new

    def ibot(self, params, step, norms, teacher_norms):
        return self.dino(params, step, norms, teacher_norms, masked=True)

    def chosen_leaves(self, step, params, norms):
        """Leaves of the test tree, or with --reassign those nearest to view 1. Only in profile reference does that
        pass update running statistics."""
        c = self.c
        if not c.reassign:
            return mocov2.leaves(c)
        with torch.no_grad():
            norms = norms if c.profile == 'reference' else self.norms(params, self.running)
            z = self.embed(self.images(1, step), params, norms)
            return (norm2(z) @ self.protos[0].T).argmax(1)

    def losses(self, params, step, norms, teacher_norms):
        """Returns image loss, path loss or None, and the new state for commit."""
        c = self.c
        with_path = c.levels and step >= c.warmup
        self.leaves = self.chosen_leaves(step, params, norms) if with_path else None
        image, z0, new = getattr(self, c.method)(params, step, norms, teacher_norms)
        if not with_path:
            return image, None, new
        u = [norm2(networks.run_layers(z0, params, norms, f'h.{l}', self.level, c.path_groups))
             for l in range(c.levels)]
        negative = mocov2.negatives(c, step, self.leaves)
        path = mocov2.spd(u, self.protos, self.paths, self.leaves, negative, mocov2.DIVISOR_EPS[c.profile])
        return image, path, new

    def total(self, image, path):
        """eq. 4"""
        return image if path is None else image + mocov2.SPD_WEIGHT[self.c.profile] * path

    # ---- schedules ----

    def rate(self, step):
        c = self.c
        if c.method in ('mocov2', 'simsiam', 'simclr'):
            return losses.cosine_between(c.lr, 0, step, c.epochs)
        if c.method == 'swav':
            return losses.swav_rate(c.lr_start, c.lr, c.lr_end, c.lr_warmup, step, c.epochs)
        if c.method == 'mocov3':
            return losses.mocov3_rate(c.lr, c.lr_warmup, step, c.epochs)
        return losses.dino_rate(c.lr, c.lr_end, c.lr_warmup, step, c.epochs)

    def decay(self, step):
        c = self.c
        return losses.cosine_between(c.decay, c.decay_end, step, c.epochs)

    def momentum(self, step):
        """momentum of the teacher at the commit of a step"""
        c = self.c
        if c.method not in ('mocov3', 'dino', 'ibot'):
            return c.momentum
        late = c.method == 'mocov3' or c.profile == 'reference'
        return losses.cosine_between(c.momentum, 1, step + late, c.epochs)

    def temperature(self, step):
        c = self.c
        return losses.teacher_temperature(c.teacher_temperature, c.teacher_temperature_end,
                                          c.teacher_warmup, step)

    # ---- a step ----

    def trained(self, name):
        if self.c.method == 'mocov3':
            frozen = self.c.profile == 'paper' and name.startswith('patch_embed')
            return name != 'pos_embed' and not frozen
        return True

    def step(self, step):
        """Makes one step. Returns image loss, path loss or 0, total, and gradients before clipping and LARC."""
        params = {name: p.clone().requires_grad_(self.trained(name)) for name, p in self.params.items()}
        norms = self.norms(params, self.running)
        teacher_norms = self.norms(self.teacher, self.teacher_running)
        image, path, new = self.losses(params, step, norms, teacher_norms)
        total = self.total(image, path)
        total.backward()
        gradients = {name: p.grad for name, p in params.items() if p.grad is not None}
        self.commit(step, gradients, new, (norms, teacher_norms))
        return image.item(), 0.0 if path is None else path.item(), total.item(), gradients

    def dumped(self, before, gradients, step):
        """The gradients to dump. LARC overwrites those of the parameters it updates; `before`: parameters before the
        step."""
        if self.c.method != 'swav':
            return gradients
        return {name: g if self.frozen(name, step) else losses.larc(before[name], g, self.c.decay)
                for name, g in gradients.items()}

    def commit(self, step, gradients, new, norms):
        """Updates parameters, running statistics, queue, centres and teacher."""
        gradients = self.clipped(gradients)
        for name, g in gradients.items():
            if not self.frozen(name, step):
                self.update(name, g, step)
        self.unit_prototypes()
        for n in norms:
            n.commit()
        self.take_over(step, new)
        m = self.momentum(step)
        for name, t in self.teacher.items():
            self.teacher[name] = m * t + (1 - m) * self.params[name]

    def clipped(self, gradients):
        """DINO and iBOT clip the norm of each tensor, in profile reference the global norm."""
        c = self.c
        if c.method not in ('dino', 'ibot'):
            return gradients
        whole = norm_of(gradients)
        return {name: g * losses.clip_factor(whole if c.profile == 'reference' else float(g.norm()), c.clip)
                for name, g in gradients.items()}

    def frozen(self, name, step):
        return step < self.c.freeze and name in ('prototypes.weight', 'last_layer.weight')

    def decay_of(self, name, step):
        c = self.c
        if c.method not in ('dino', 'ibot'):
            return c.decay
        if name.startswith('h.') and c.profile == 'reference':
            return H_DECAY
        return 0.0 if name.endswith('bias') or self.params[name].ndim == 1 else self.decay(step)

    def update(self, name, g, step):
        c, p = self.c, self.params[name]
        rate, decay = self.rate(step), self.decay_of(name, step)
        if c.method in ('mocov3', 'dino', 'ibot'):
            self.updates[name] += 1
            self.params[name], self.adam_m[name], self.adam_v[name] = losses.adamw(
                p, self.adam_m[name], self.adam_v[name], self.updates[name], g, rate, decay)
            return
        if c.method == 'simsiam' and name.startswith('predictor'):
            rate = c.lr
        g = losses.larc(p, g, decay) if c.method == 'swav' else g + decay * p
        self.moment[name] = c.sgd_momentum * self.moment[name] + g
        self.params[name] = p - rate * self.moment[name]

    def take_over(self, step, new):
        """Stores keys and centres; queues are rings."""
        c = self.c
        at = self.rows % c.queue if c.queue else 0
        rows = slice(at, at + c.batch)
        if 'keys' in new:
            self.queue[rows] = new['keys']
            if mocov2.MASKS_OWN_KEYS[c.profile]:
                self.owner[rows] = mocov2.image_ids(c, step)
        if 'unit' in new and c.queue:
            self.queue[:, rows] = torch.stack(new['unit'])
        self.rows += c.batch
        self.center = new.get('center', self.center)
        self.patch_center = new.get('patch_center', self.patch_center)


# ---- dump ----

def dump_state(dump, run):
    positions = {name: i for i, name in enumerate(run.shapes)}
    buffers = {name: mocov2.BUFFER_POSITION + i for i, name in enumerate(run.running)}
    adam = run.c.method in ('mocov3', 'dino', 'ibot')
    for kind in ('weight', 'adam_m', 'adam_v') if adam else ('weight', 'moment'):
        dump.tensors(kind, run.params if kind == 'weight' else getattr(run, kind), positions)
    dump.tensors('teacher', run.teacher, positions)
    dump.tensors('running', run.running, buffers)
    dump.tensors('teacher_running', run.teacher_running, buffers)
    if run.c.method == 'mocov2':
        dump.tensor('queue', 'queue', mocov2.QUEUE_POSITION, run.queue)
        dump.tensor('owner', 'queue', mocov2.OWNER_POSITION, run.owner)
    elif run.c.queue:
        for i in range(run.c.globals):
            dump.tensor(f'queue.{i}', 'queue', mocov2.QUEUE_POSITION + i, run.queue[i])
    if run.c.method in ('dino', 'ibot'):
        dump.tensor('center', 'center', CENTER_POSITION, run.center)
    if run.c.method == 'ibot':
        dump.tensor('patch_center', 'center', PATCH_CENTER_POSITION, run.patch_center)


HEADER = ('method', 'arch', 'profile', 'seed', 'batch', 'size', 'stem', 'width', 'vit_dim', 'vit_depth',
          'vit_heads', 'patch', 'globals', 'groups', 'path_groups', 'path_depth', 'queue', 'dim',
          'hidden', 'predictor', 'outputs', 'levels', 'negatives', 'reassign', 'steps', 'epochs', 'warmup',
          'freeze', 'drop_path', 'clip', 'lr', 'lr_start', 'lr_end', 'lr_warmup', 'decay', 'decay_end', 'sgd_momentum',
          'momentum', 'temperature', 'teacher_temperature', 'teacher_temperature_end', 'teacher_warmup')


def train(c):
    run = Run(c)
    dump = mocov2.Dump(c.seed, c.kinds)
    for key in HEADER:
        dump.header(key, getattr(c, key))
    dump.header('locals', *c.locals)
    dump.header('local_sizes', *c.local_sizes)
    dump.header('prototypes', *c.prototypes)
    dump.header('spd_weight', mocov2.SPD_WEIGHT[c.profile])
    positions = {name: i for i, name in enumerate(run.shapes)}
    for step in range(c.steps):
        before = dict(run.params)
        image, path, total, gradients = run.step(step)
        dump.header('step', step, image, path, total, run.rate(step), run.decay(step), run.momentum(step),
                    run.temperature(step), norm_of(gradients))
        dump.tensors(f'gradient.{step}', run.dumped(before, gradients, step), positions)
        if c.reassign and run.leaves is not None:
            dump.tensor('leaf', f'leaf.{step}', LEAF_POSITION, run.leaves)
    dump_state(dump, run)
    return '\n'.join(dump.lines) + '\n'


# defaults that depend on the method
DEFAULTS = {
    'mocov2': dict(arch='resnet18', dim=128, queue=32, lr=0.05, decay=1e-4, temperature=0.2),
    'simsiam': dict(arch='resnet18', dim=32, hidden=48, predictor=16, groups=1, lr=0.05, decay=1e-4),
    'simclr': dict(arch='resnet18', width=0.0625, size=8, dim=32, hidden=48, lr=0.01, decay=1e-4, temperature=0.2),
    'swav': dict(arch='resnet18', width=0.0625, size=8, local_sizes='4', dim=32, hidden=48, outputs=12, locals='2',
                 lr=1, lr_start=0.3, lr_end=1e-3, lr_warmup=2, decay=1e-6, temperature=0.1, freeze=1),
    'mocov3': dict(arch='vit', dim=24, hidden=32, predictor=40, path_depth=3, lr=1e-3, decay=0.1,
                   temperature=0.2),
    'dino': dict(arch='vit', dim=24, hidden=32, outputs=40, locals='2', lr=2e-4, lr_end=1e-6, decay=0.04,
                 decay_end=0.4, drop_path=0.1, freeze=1),
}
DEFAULTS['ibot'] = DEFAULTS['dino']


def arguments(argv=None):
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('--method', choices=METHODS, default='mocov2')
    a.add_argument('--profile', choices=mocov2.SPD_WEIGHT, default='paper')
    a.add_argument('--seed', type=int, default=1)
    a.add_argument('--arch', choices=[*mocov2.BLOCKS, 'vit'], default='resnet18')
    a.add_argument('--size', type=int, default=16, help='pixels of a global crop')
    a.add_argument('--globals', type=int, default=2, help='global crops')
    a.add_argument('--locals', default='0', help='numbers of local crops of each size, as in 2,1')
    a.add_argument('--local-sizes', default='8', help='sizes of local crops in pixels, as in 12,8')
    a.add_argument('--width', type=float, default=0.125, help='width of a ResNet')
    a.add_argument('--stem', choices=('small', 'normal'), default='small')
    a.add_argument('--vit-dim', type=int, default=16)
    a.add_argument('--vit-depth', type=int, default=2)
    a.add_argument('--vit-heads', type=int, default=2)
    a.add_argument('--patch', type=int, default=4, help='pixels')
    a.add_argument('--drop-path', type=float, default=0)
    a.add_argument('--batch', type=int, default=8)
    a.add_argument('--groups', type=int, default=2, help='batch-norm groups')
    a.add_argument('--path-groups', type=int, default=2, help='batch-norm groups in h_l')
    a.add_argument('--path-depth', type=int, default=2, help='linear layers of h_l')
    a.add_argument('--dim', '--z-dim', type=int, default=128, help='columns of z0')
    a.add_argument('--hidden', type=int, default=32, help='hidden columns of the head')
    a.add_argument('--predictor', type=int, default=0, help='hidden columns of the predictor')
    a.add_argument('--outputs', '--out-dim', type=int, default=1, help='K: outputs or prototypes of SwAV, DINO, iBOT')
    a.add_argument('--queue', type=int, default=0, help='rows; for SwAV the rows of each global crop')
    a.add_argument('--levels', type=int, default=3, help='0: no HIRL')
    a.add_argument('--prototypes', default='13,5,3', help='prototypes of each level of the tree')
    a.add_argument('--negatives', type=int, default=16)
    a.add_argument('--reassign', action='store_true', help='assign leaves anew in each step, by view 1')
    a.add_argument('--steps', type=int, default=3)
    a.add_argument('--epochs', type=int, default=4, help='length of the schedules; one step is one epoch')
    a.add_argument('--warmup', type=int, default=1, help='epochs before the path loss')
    a.add_argument('--freeze', type=int, default=0, help='steps with frozen prototypes or last layer')
    a.add_argument('--clip', type=float, default=0.3)
    a.add_argument('--lr', type=float, default=0.05)
    a.add_argument('--lr-start', type=float, default=0)
    a.add_argument('--lr-end', type=float, default=0)
    a.add_argument('--lr-warmup', type=int, default=0, help='epochs')
    a.add_argument('--decay', type=float, default=1e-4)
    a.add_argument('--decay-end', type=float, help='final weight decay of DINO and iBOT')
    a.add_argument('--sgd-momentum', type=float, default=0.9)
    a.add_argument('--momentum', type=float, default=0.9, help='initial momentum of the teacher')
    a.add_argument('--temperature', type=float, default=losses.STUDENT_TEMPERATURE)
    a.add_argument('--teacher-temperature', type=float, default=0.04)
    a.add_argument('--teacher-temperature-end', type=float, default=0.07)
    a.add_argument('--teacher-warmup', type=int, default=3, help='epochs')
    a.add_argument('--dtype', choices=('float64', 'float32'), default='float64')
    a.add_argument('--noise', type=float, default=0, help='change all weights by this share of their size')
    a.add_argument('--kinds', default='', help='write only these kinds of tensors: gradient,weight,...')
    cases.add_output(a)
    a.set_defaults(**DEFAULTS[a.parse_known_args(argv)[0].method])
    c = a.parse_args(argv)
    if c.method in ('dino', 'ibot') and c.arch != 'vit':
        a.error(f'{c.method} needs tokens: use --arch vit')
    if c.queue % c.batch or c.batch % c.groups or c.batch % c.path_groups:
        a.error('--queue must be a multiple of --batch, and --batch of --groups and --path-groups')
    c.locals, c.local_sizes = ([int(x) for x in text.split(',')] for text in (c.locals, c.local_sizes))
    c.sides = [c.size] * c.globals + [side for n, side in zip(c.locals, c.local_sizes) for _ in range(n)]
    c.views = len(c.sides)
    if len(c.locals) != len(c.local_sizes) or c.globals < 2:
        a.error('--locals and --local-sizes need the same number of values, and --globals at least 2')
    if c.views > 2 and c.method not in ('simsiam', 'swav', 'dino', 'ibot') or c.method == 'simsiam' and sum(c.locals):
        a.error(f'{c.method} does not support these crops')
    c.decay_end = c.decay if c.decay_end is None else c.decay_end
    c.prototypes = [int(m) for m in c.prototypes.split(',')][:c.levels]
    c.kinds = c.kinds.split(',') if c.kinds else []
    c.dtype = getattr(torch, c.dtype)
    return c


if __name__ == '__main__':
    cases.main(arguments, train, CASES, '%s.txt')
