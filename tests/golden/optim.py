#!/usr/bin/python3
"""optim.py - six steps of torch.optim on a few parameters, in float64; writes optim_values.h.

    /usr/bin/python3 tests/golden/optim.py > tests/golden/optim_values.h

Parameters, groups and numbers are those of tests/unit/step/test_optim.c: number i of all parameters, at step s
(-1: initial value), is ((37 i + 101 (s + 1)) mod 64 - 31.5) / 32. Groups: 0 weights; 1 biases and norms (no
decay); 2 starts at step 3 (like h_l); 3 has gradients from the start but is updated from step 2 on (like DINO's last
layer: its gradients count in the clipped norm and are then discarded). A parameter that is not updated has grad
None. LARC (You et al. 2017) rescales the gradient, then SGD without decay follows. LARS is the same, except that
group 1 is plain SGD.
"""
import torch

SHAPES = [('a.weight', (3, 4), 0), ('a.bias', (4,), 1), ('norm.weight', (5,), 1), ('pos', (1, 2, 3), 0),
          ('b.weight', (2, 3), 0), ('last.weight', (3, 2), 3), ('zero.bias', (3,), 1),
          ('h.weight', (3, 3), 2), ('h.bias', (3,), 2)]
STEPS, BEGIN = 6, {0: 0, 1: 0, 2: 3, 3: 2}
GRADIENT = {0: 0, 1: 0, 2: 3, 3: 0}
DECAY = {0: 0.1, 1: 0.0, 2: 0.02, 3: 0.1}
SCALED = {'sgd': (), 'adamw': (), 'larc': (0, 1, 2, 3), 'lars': (0, 2, 3)}
LIMIT, TRUST, LARC_EPS = 0.3, 0.001, 1e-8
CASES = {'sgd': ('sgd', None), 'larc': ('larc', None), 'lars': ('lars', None), 'adamw': ('adamw', None),
         'adamw_tensor': ('adamw', 'tensor'), 'adamw_global': ('adamw', 'global')}


def numbers(first, shape, step):
    n = torch.Size(shape).numel()
    values = [((37 * i + 101 * (step + 1)) % 64 - 31.5) / 32 for i in range(first, first + n)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def parameters():
    first, made = 0, {}
    for name, shape, group in SHAPES:
        value = numbers(first, shape, -1) * (0 if name == 'zero.bias' else 1)
        made[name] = (torch.nn.Parameter(value), first, group)
        first += value.numel()
    return made


def larc(p, decay):
    of_p, of_g = p.detach().norm(), p.grad.norm()
    if of_p > 0 and of_g > 0:
        p.grad = TRUST * of_p / (of_g + decay * of_p + LARC_EPS) * (p.grad + decay * p.detach())


def run(kind, clip):
    made = parameters()
    groups = [{'params': [p for p, _, g in made.values() if g == group], 'weight_decay': DECAY[group]}
              for group in range(4)]
    optimiser = (torch.optim.AdamW(groups, lr=1, betas=(0.9, 0.95), eps=1e-6) if kind == 'adamw' else
                 torch.optim.SGD(groups, lr=1, momentum=0.9))
    for step in range(STEPS):
        for p, first, group in made.values():
            p.grad = numbers(first, p.shape, step) if step >= GRADIENT[group] else None
        live = [p for p, _, _ in made.values() if p.grad is not None]
        if clip == 'global':
            torch.nn.utils.clip_grad_norm_(live, LIMIT)
        elif clip == 'tensor':
            for p in live:
                torch.nn.utils.clip_grad_norm_([p], LIMIT)
        for p, _, group in made.values():
            if step < BEGIN[group]:
                p.grad = None
            elif group in SCALED[kind]:
                larc(p, DECAY[group])
        for group, settings in enumerate(optimiser.param_groups):
            settings['lr'] = (group + 1) * 0.1 / (step + 1)
            settings['weight_decay'] = 0 if group in SCALED[kind] else DECAY[group]
        optimiser.step()
    return torch.cat([p.detach().flatten() for p, _, _ in made.values()])


def main():
    print('/* optim_values.h - parameters after six steps of torch.optim: written by optim.py. */')
    for name, case in CASES.items():
        values = run(*case).tolist()
        print(f'\nstatic const double {name}_values[] = {{')
        for i in range(0, len(values), 4):
            print('    ' + ' '.join(f'{v:.17g},' for v in values[i:i + 4]))
        print('};')


main()
