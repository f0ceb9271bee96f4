"""networks.py - encoders, heads and their initial values for selfsup.py, in float64.

Vision transformer (Dosovitskiy et al. 2021; positions of Chen et al. 2021; stochastic depth of Huang
et al. 2016), heads of six methods, batch norm by groups. ResNets are those of mocov2.py.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

import counter
import mocov2

LN_EPS = 1e-6
MLP = 4                  # ratio of a block's hidden layer
BICUBIC = -0.75          # a of the kernel
SIZE_OFFSET = 0.1        # added to the wanted side when positions are resized


# ---- heads: lists of layers, numbered in order ----

def linear(inputs, outputs, bias):
    return ('linear', inputs, outputs, bias)


def norm(channels, affine=True):
    return ('norm', channels, affine)


RELU, GELU = ('relu',), ('gelu',)


def head_layers(method, d, hidden, out):
    """the head from d columns of the encoder to `out` columns of z0"""
    if method == 'mocov2':
        return [linear(d, d, True), RELU, linear(d, out, True)]
    if method == 'swav':
        return [linear(d, hidden, True), norm(hidden), RELU, linear(hidden, out, True)]
    if method == 'simclr':
        return [linear(d, hidden, False), norm(hidden), RELU, linear(hidden, out, True)]
    if method in ('simsiam', 'mocov3'):
        return [linear(d, hidden, False), norm(hidden), RELU, linear(hidden, hidden, False),
                norm(hidden), RELU, linear(hidden, out, False), norm(out, False)]
    return [linear(d, hidden, True), GELU, linear(hidden, hidden, True), GELU, linear(hidden, out, True)]


def predictor_layers(method, d, hidden):
    if method == 'simsiam':
        return [linear(d, hidden, False), norm(hidden), RELU, linear(hidden, d, True)]
    return [linear(d, hidden, False), norm(hidden), RELU, linear(hidden, d, False), norm(d, False)]


def level_layers(d, depth):
    """h_l"""
    return [linear(d, d, False), norm(d), RELU] * (depth - 1) + [linear(d, d, True)]


def layers_shapes(shapes, norms, name, layers):
    """Adds a head's parameters to `shapes`, and the channels of its norms to `norms`."""
    for i, layer in enumerate(layers):
        if layer[0] == 'linear':
            shapes[f'{name}.{i}.weight'] = (layer[2], layer[1])
            if layer[3]:
                shapes[f'{name}.{i}.bias'] = (layer[2],)
        elif layer[0] == 'norm':
            norms[f'{name}.{i}'] = layer[1]
            if layer[2]:
                mocov2.batch_norm_shapes(shapes, f'{name}.{i}', layer[1])


def gelu(x):
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def run_layers(x, params, norms, name, layers, groups):
    for i, layer in enumerate(layers):
        if layer[0] == 'linear':
            x = x @ params[f'{name}.{i}.weight'].T
            x = x + params[f'{name}.{i}.bias'] if layer[3] else x
        elif layer[0] == 'norm':
            x = norms(x, f'{name}.{i}', groups)
        else:
            x = F.relu(x) if layer == RELU else gelu(x)
    return x


class Norms(mocov2.Norms):
    """Batch norm as in mocov2.py; each call may set the number of groups, and a norm may have no affine parameters."""

    def __init__(self, params, running, groups, first_group_only):
        super().__init__(params, running, groups, None)
        self.first_group_only = first_group_only

    def __call__(self, x, name, groups=None):
        given = self.params, self.groups
        self.groups = groups or self.groups
        self.counted = 1 if self.first_group_only else self.groups
        if name + '.weight' not in self.params:
            c = x.shape[1]
            self.params = {name + '.weight': x.new_ones(c), name + '.bias': x.new_zeros(c)}
        y = super().__call__(x, name)
        self.params, self.groups = given
        return y


# ---- vision transformer ----

def vit_shapes(dim, depth, patch, size):
    shapes = {'cls_token': (1, 1, dim), 'pos_embed': (1, 1 + (size // patch) ** 2, dim),
              'patch_embed.proj.weight': (dim, 3, patch, patch), 'patch_embed.proj.bias': (dim,)}
    for i in range(depth):
        for name, outputs, inputs in (('norm1', dim, 0), ('attn.qkv', 3 * dim, dim),
                                      ('attn.proj', dim, dim), ('norm2', dim, 0),
                                      ('mlp.fc1', MLP * dim, dim), ('mlp.fc2', dim, MLP * dim)):
            shapes[f'blocks.{i}.{name}.weight'] = (outputs, inputs) if inputs else (outputs,)
            shapes[f'blocks.{i}.{name}.bias'] = (outputs,)
    shapes['norm.weight'] = shapes['norm.bias'] = (dim,)
    return shapes


def layer_norm(x, params, name):
    mean = x.mean(-1, keepdim=True)
    var = ((x - mean) ** 2).mean(-1, keepdim=True)
    return params[name + '.weight'] * (x - mean) / torch.sqrt(var + LN_EPS) + params[name + '.bias']


def dense(x, params, name):
    return x @ params[name + '.weight'].T + params[name + '.bias']


def attention(x, params, name, heads):
    """[N, T, D]; rows of qkv: blocks Q, K, V, each head after head"""
    n, t, d = x.shape
    q, k, v = dense(x, params, name + '.qkv').reshape(n, t, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
    weight = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(d // heads), -1)  # [N, heads, T, T]
    return dense((weight @ v).transpose(1, 2).reshape(n, t, d), params, name + '.proj')


def cubic(x):
    """Keys' kernel"""
    x, a = abs(x), BICUBIC
    if x <= 1:
        return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1
    return a * (x ** 3 - 5 * x ** 2 + 8 * x - 4) if x < 2 else 0.0


def resize_matrix(side, out):
    """[out, side]: sample i is at (i + 1/2) side / (out + 0.1) - 1/2; the border is repeated"""
    rows = np.zeros((out, side))
    for i in range(out):
        at = (i + 0.5) * side / (out + SIZE_OFFSET) - 0.5
        for j in range(math.floor(at) - 1, math.floor(at) + 3):
            rows[i, min(max(j, 0), side - 1)] += cubic(at - j)
    return rows


def positions(pos_embed, side):
    """[1, 1 + side^2, D]: a position table resized to another side"""
    table, d = pos_embed[0, 1:], pos_embed.shape[2]
    own = math.isqrt(len(table))
    if side == own:
        return pos_embed
    r = torch.tensor(resize_matrix(own, side), dtype=table.dtype)
    grid = torch.einsum('ai,bj,ijd->abd', r, r, table.reshape(own, own, d))
    return torch.cat([pos_embed[:, :1], grid.reshape(1, side * side, d)], 1)


def sine_cosine(dim, side):
    """[1, 1 + side^2, D]: sin and cos of row * omega and of column * omega; zeros for the class token"""
    omega = 10000.0 ** (-np.arange(dim // 4) / (dim // 4))
    table = np.zeros((1 + side * side, dim))
    for t in range(side * side):
        row, column = divmod(t, side)
        table[1 + t] = np.concatenate([np.sin(row * omega), np.cos(row * omega),
                                       np.sin(column * omega), np.cos(column * omega)])
    return table[None]


def vit(x, params, depth, heads, patch, mask=None, keep=None):
    """Normalised tokens [N, 1 + P, D] of images [N, 3, S, S].

    mask [N, P]: patches that mask_token replaces. keep [depth, 2, N]: factors of the branches' outputs.
    """
    w = params['patch_embed.proj.weight']
    n, side = x.shape[0], x.shape[2] // patch
    parts = x.reshape(n, 3, side, patch, side, patch).permute(0, 2, 4, 1, 3, 5)  # [N, s, s, 3, p, p]
    x = parts.reshape(n, side * side, -1) @ w.reshape(w.shape[0], -1).T + params['patch_embed.proj.bias']
    if mask is not None:
        x = torch.where(mask[:, :, None], params['mask_token'][None], x)
    x = torch.cat([params['cls_token'].expand(n, 1, -1), x], 1) + positions(params['pos_embed'], side)
    for i in range(depth):
        name = f'blocks.{i}'
        y = attention(layer_norm(x, params, name + '.norm1'), params, name + '.attn', heads)
        x = x + (y if keep is None else y * keep[i, 0][:, None, None])
        y = gelu(dense(layer_norm(x, params, name + '.norm2'), params, name + '.mlp.fc1'))
        y = dense(y, params, name + '.mlp.fc2')
        x = x + (y if keep is None else y * keep[i, 1][:, None, None])
    return layer_norm(x, params, 'norm')


def kept(c, view, step, ids):
    """Factors [depth, 2, N] of stochastic depth: 0 or 1 / (1 - p_b); block b of the draws, one word a branch."""
    rate = np.linspace(0, c.drop_path, c.vit_depth)
    keep = np.zeros((c.vit_depth, 2, len(ids)))
    for n, image in enumerate(ids.tolist()):
        words = counter.Draws(c.seed, counter.DROP, view, step, image).uniform(4 * c.vit_depth)
        for b in range(c.vit_depth):
            keep[b, :, n] = (words[4 * b:4 * b + 2] >= rate[b]) / (1 - rate[b])
    return torch.tensor(keep, dtype=c.dtype)


# ---- initial values ----

def uniform(draws, shape, bound):
    return (-bound + draws.uniform(int(np.prod(shape))) * (2 * bound)).reshape(shape)


def normal(draws, shape, std):
    """normal draws, clipped at +-2"""
    return np.clip(std * draws.normal(int(np.prod(shape))), -2, 2).reshape(shape)


def vit_value(method, name, shape, shapes, draws):
    dim = shapes['cls_token'][2]
    if name.startswith('patch_embed'):
        inputs = int(np.prod(shapes['patch_embed.proj.weight'][1:]))
        if method == 'mocov3':
            return np.zeros(shape) if name.endswith('bias') else uniform(
                draws, shape, math.sqrt(6 / (inputs + dim)))
        return uniform(draws, shape, 1 / math.sqrt(inputs))
    if 'norm' in name:
        return np.full(shape, 1.0 if name.endswith('weight') else 0.0)
    if name.endswith('.bias'):
        return np.zeros(shape)
    if method != 'mocov3':
        return normal(draws, shape, 0.02)
    if name == 'pos_embed':
        return sine_cosine(dim, math.isqrt(shape[1] - 1))
    if name == 'cls_token':
        return normal(draws, shape, 1e-6)
    inputs, outputs = (dim, dim) if 'qkv' in name else shape
    return uniform(draws, shape, math.sqrt(6 / (inputs + outputs)))


def is_batch_norm(name, shapes):
    """whether the parameter belongs to a norm of a ResNet or a head, whose weight has one dimension"""
    return len(shapes[name.rsplit('.', 1)[0] + '.weight']) == 1


def value(c, name, shape, shapes, position):
    """initial value of a parameter"""
    draws = counter.Draws(c.seed, counter.INIT, image=position)
    top = name.split('.')[0]
    if name in ('cls_token', 'pos_embed') or top in ('patch_embed', 'blocks', 'norm'):
        return vit_value(c.method, name, shape, shapes, draws)
    if name == 'mask_token':
        return np.zeros(shape)
    if len(shape) == 4:  # Kaiming normal, fan out, gain of ReLU
        std = math.sqrt(2.0 / (shape[0] * shape[2] * shape[3]))
        return std * draws.normal(int(np.prod(shape))).reshape(shape)
    if is_batch_norm(name, shapes):
        last = top.startswith('layer') and name.endswith(f'bn{3 if mocov2.BLOCKS[c.arch][0] else 2}.weight')
        zero = name.endswith('bias') or (c.method == 'simsiam' and last)
        return np.full(shape, 0.0 if zero else 1.0)
    if top == 'head' and c.method in ('dino', 'ibot'):
        return np.zeros(shape) if name.endswith('bias') else normal(draws, shape, 0.02)
    return uniform(draws, shape, 1 / math.sqrt(shapes[name.replace('bias', 'weight')][1]))
