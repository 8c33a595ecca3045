"""Writes updates.txt: what PyTorch makes of weights in float64 within 20 updates on recorded gradients.

    python record_updates.py > updates.txt     # with torch 2.15.0

Values are formulas, so that OptimizerTest.cpp has the same: weight i is sin(1 + i), its gradient in step t
(0.1 + i % 3) cos(0.7 i + 1.3 t). Each line: the case, then the 12 weights after 20 updates."""

import copy
import math

import torch

COUNT, STEPS = 12, 20


def gradient(step):
    return torch.tensor([(0.1 + i % 3) * math.cos(0.7 * i + 1.3 * step) for i in range(COUNT)], dtype=torch.float64)


def run(make, clip=0.0, average=0.0):
    weights = torch.nn.Parameter(torch.tensor([math.sin(1 + i) for i in range(COUNT)], dtype=torch.float64))
    optimizer = make([weights])
    kept = copy.deepcopy(weights.data)
    for step in range(STEPS):
        weights.grad = gradient(step)
        if clip:
            torch.nn.utils.clip_grad_norm_([weights], clip)
        optimizer.step()
        kept.lerp_(weights.data, 1 - average)  # as torch.optim.swa_utils' EMA
    return kept if average else weights.data


CASES = {
    'sgd': lambda: run(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)),
    'nesterov': lambda: run(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True)),
    'adamw': lambda: run(lambda p: torch.optim.AdamW(p, lr=0.1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.01)),
    'clip': lambda: run(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), clip=1.5),
    'ema': lambda: run(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), average=0.9),
}
for name, case in CASES.items():
    print(name, *(f'{value:.17g}' for value in case().tolist()))
