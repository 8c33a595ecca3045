"""Writes timm's networks as ONNX files for check_timm.py: export_timm.py FOLDER [NETWORK...]. Needs torch, timm and onnx, which
the tests do not; any recent versions will do.

Weights are random: filters as timm draws them, everything else as below, so that nothing is at a special value. The gradient
of a deep network is soon beyond float32, whoever computes it (check_timm.py prints jax's own error): before ReLUs where offsets
of norms are small, for most channels then are half on; before smooth activations where they are large, for a channel that
is all but constant is divided by its deviation in the next norm. So ReLUs get the one and smooth activations the other."""

import sys
import zlib

import timm
import torch

NETWORKS = '''convnext_atto fastvit_t8 nf_regnet_b0 tf_efficientnetv2_b0 cspdarknet53 poolformerv2_s12 hrnet_w18_small
    resnest14d skresnet18 pnasnet5large'''.split()
NORMS = (torch.nn.BatchNorm2d, torch.nn.LayerNorm, torch.nn.GroupNorm)
KINKED, SMOOTH = (torch.nn.ReLU, torch.nn.LeakyReLU), (torch.nn.GELU, torch.nn.SiLU)


def draw(name, model):
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    uniform = lambda like, low, high: torch.rand(like.shape, generator=generator) * (high - low) + low
    signs = lambda like: torch.randint(0, 2, like.shape, generator=generator) * 2.0 - 1
    count = lambda kinds: sum(isinstance(module, kinds) for module in model.modules())
    low, high = (1.5, 3) if count(KINKED) > count(SMOOTH) else (0, 0.5)
    with torch.no_grad():
        drawn = set()
        for module in model.modules():
            if isinstance(module, NORMS):
                module.weight.copy_(uniform(module.weight, 0.5, 1.5))
                drawn.add(id(module.weight))
                if module.bias is not None:
                    module.bias.copy_(module.weight * uniform(module.bias, low, high) * signs(module.bias))
                    drawn.add(id(module.bias))
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.copy_(0.3 * torch.randn(module.running_mean.shape, generator=generator))
                module.running_var.copy_(uniform(module.running_var, 0.5, 2))
        for parameter in model.parameters():
            if id(parameter) in drawn or (parameter.squeeze().dim() > 1 and parameter.std(unbiased=False) > 0):
                continue
            if parameter.std(unbiased=False) > 0 or not parameter.any():  # biases, some of which timm starts at zero
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
            else:  # gains and scales of layers
                parameter.copy_(uniform(parameter, 0.5, 1.5))


def main():
    folder, *names = sys.argv[1:]
    for name in names or NETWORKS:
        torch.manual_seed(1)
        model = timm.create_model(name, num_classes=10).eval()
        draw(name, model)
        # PRESERVE keeps batch norms as they are, instead of folding them into convolutions.
        torch.onnx.export(model, torch.randn(2, 3, 64, 64), f'{folder}/{name}.onnx', dynamo=False, opset_version=17,
                          training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                          dynamic_axes={'input': {0: 'N'}}, input_names=['input'])
        print(name, flush=True)


if __name__ == '__main__':
    main()
