"""losses.py - the image losses of five methods and SimCLR for selfsup.py, with their optimisers and schedules.

SimSiam: Chen and He 2021; SwAV: Caron et al. 2020; MoCo v3: Chen et al. 2021; DINO: Caron et al. 2021;
iBOT: Zhou et al. 2022. LARC: You et al. 2017; AdamW: Loshchilov and Hutter 2019. The loss of MoCo v2 and
the path loss are in mocov2.py.
"""
import math

import torch

from mocov2 import norm2

COSINE_EPS = 1e-8
SINKHORN_EPS, SINKHORN_ROUNDS = 0.05, 3
STUDENT_TEMPERATURE = 0.1
LARC_TRUST, LARC_EPS = 1e-3, 1e-8
ADAM_BETAS, ADAM_EPS = (0.9, 0.999), 1e-8
CLIP_EPS = 1e-6
CENTER_KEEP = 0.9


# ---- losses; targets have no gradient ----

def cosine(a, b):
    return (a * b).sum(1) / (a.norm(dim=1).clamp_min(COSINE_EPS) * b.norm(dim=1).clamp_min(COSINE_EPS))


def simsiam(predicted, targets):
    """mean over ordered pairs of views i != j and over rows of -cos(h(f(x_i)), f(x_j))"""
    pairs = [-cosine(p, t.detach()).mean()
             for i, p in enumerate(predicted) for j, t in enumerate(targets) if i != j]
    return sum(pairs) / len(pairs)


def sinkhorn(scores):
    """Codes [B, K] of scores [B, K]: exp(s / eps), then in turn scales columns to sum 1/K and rows to 1/B; times B."""
    q = torch.exp((scores - scores.max()) / SINKHORN_EPS)
    b, k = q.shape
    q = q / q.sum()
    for _ in range(SINKHORN_ROUNDS):
        q = q / q.sum(0, keepdim=True) / k
        q = q / q.sum(1, keepdim=True) / b
    return q * b


def cross_entropy(target, logits):
    """-sum_k t_k log softmax(logits)_k for each row"""
    return -(target * torch.log_softmax(logits, -1)).sum(-1)


def swav(scores, codes, temperature):
    """scores of all V crops, codes of the global crops; mean over i and v != i"""
    pairs = [cross_entropy(q, s / temperature).mean()
             for i, q in enumerate(codes) for v, s in enumerate(scores) if v != i]
    return sum(pairs) / len(pairs)


def contrast(q, k, temperature):
    """2 T CE(norm2(q) norm2(k)' / T, own row)"""
    logits = norm2(q) @ norm2(k).T / temperature
    return 2 * temperature * (torch.logsumexp(logits, 1) - logits.diagonal()).mean()


def nt_xent(a, b, temperature):
    """SimCLR (Chen et al. 2020): classifies a row's other view among all other rows; a, b [n, d]: the two views"""
    u = norm2(torch.cat([a, b]))
    logits = (u @ u.T / temperature).masked_fill(torch.eye(len(u), dtype=torch.bool), -math.inf)
    positive = (norm2(a) * norm2(b)).sum(1) / temperature
    return (torch.logsumexp(logits, 1) - torch.cat([positive, positive])).mean()


def mocov3(q, k, temperature):
    return contrast(q[0], k[1], temperature) + contrast(q[1], k[0], temperature)


def targets(logits, center, temperature):
    return torch.softmax((logits - center) / temperature, -1)


def dino(student, teacher, center, temperature):
    """student: logits of all V crops, teacher: logits of the global crops; mean over u and v != u"""
    pairs = [cross_entropy(targets(t, center, temperature), s / STUDENT_TEMPERATURE).mean()
             for u, t in enumerate(teacher) for v, s in enumerate(student) if v != u]
    return sum(pairs) / len(pairs)


def ibot_patches(student, teacher, masks, center, temperature):
    """Logits [n, P, K] and masks [n, P] of each global crop: mean over crops and images of the mean over masked
    patches."""
    terms = []
    for s, t, mask in zip(student, teacher, masks):
        each = cross_entropy(targets(t, center, temperature), s / STUDENT_TEMPERATURE) * mask
        terms.append((each.sum(1) / mask.sum(1).clamp_min(1)).mean())
    return sum(terms) / len(terms)


def moved_center(center, logits):
    """the centre after it has moved towards the mean of logits [..., K]"""
    return CENTER_KEEP * center + (1 - CENTER_KEEP) * logits.reshape(-1, logits.shape[-1]).mean(0)


# ---- optimisers ----

def clip_factor(norm, most):
    return min(1.0, most / (norm + CLIP_EPS))


def larc(p, g, decay):
    """the gradient for SGD, which then must not decay by itself"""
    p_norm, g_norm = float(p.norm()), float(g.norm())
    if p_norm == 0 or g_norm == 0:
        return g
    return LARC_TRUST * p_norm / (g_norm + decay * p_norm + LARC_EPS) * (g + decay * p)


def adamw(p, m, v, t, g, rate, decay):
    """(p, m, v) after update t = 1, 2, ..."""
    a, b = ADAM_BETAS
    m, v = a * m + (1 - a) * g, b * v + (1 - b) * g * g
    step = (m / (1 - a ** t)) / (torch.sqrt(v / (1 - b ** t)) + ADAM_EPS)
    return p * (1 - rate * decay) - rate * step, m, v


# ---- schedules; `at` runs from 0 to `total`, in iterations or epochs ----

def cosine_between(first, last, at, total):
    return last + 0.5 * (first - last) * (1 + math.cos(math.pi * at / total))


def swav_rate(start, base, end, warmup, at, total):
    if at < warmup:
        return start + (base - start) * at / warmup
    return cosine_between(base, end, at - warmup, total - warmup)


def mocov3_rate(base, warmup, at, total):
    return base * at / warmup if at < warmup else cosine_between(base, 0, at - warmup, total - warmup)


def dino_rate(base, end, warmup, at, total):
    if at < warmup:  # linear; the first step has 0, the last of the warm-up base
        return base * at / (warmup - 1) if warmup > 1 else 0.0
    return cosine_between(base, end, at - warmup, total - warmup)


def teacher_temperature(first, last, epochs, epoch):
    return first + (last - first) * epoch / max(1, epochs - 1) if epoch < epochs else last
