#!/usr/bin/env python3
"""One contender of race.py, in a process of its own: reads lines and answers each with a time in ms, the best of three runs
after one that warms up.

    peer.py KIND FILE --batch N [--threads N] [--train] [--bf16] [--cost FILE] [--memory]

KIND: torch or compile (torch.compile), with `-last` (channels last) or `-first`; ort (ONNX Runtime); ov (OpenVINO).
FILE: a .mlir network for PyTorch, else an .onnx file. `layer:C,SIZE,GROUPS`: one 3x3 convolution without bias; --train is then
forward and backward, to the input and to the filter. --bf16: PyTorch's autocast, OpenVINO's precision hint. --memory: prints the
bytes of one step instead (see race.py).
"""
import argparse
import json
import resource
import sys
import time


def resident():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def torch_runner(options):
    import torch
    torch.set_num_threads(options.threads)
    library, layout = options.kind.split('-')
    layout = torch.channels_last if layout == 'last' else torch.contiguous_format
    loaded = resident()
    runner = layer_runner if options.file.startswith('layer:') else network_runner
    return runner(torch, options, library == 'compile', layout), loaded


def network_runner(torch, options, compiled, layout):
    from network import Network, call_of_network
    with open(options.cost) as file:
        cost = json.load(file)
    net = Network(options.file, {layer['name']: layer['groups'] for layer in cost['layers']}, options.train)
    net.check(cost)
    net = net.train(options.train).to(memory_format=layout)
    shape, classes = net.shape, net.classes
    images = torch.randn(options.batch, *shape).contiguous(memory_format=layout)
    if compiled:
        net = torch.compile(net)
    precision = torch.autocast('cpu', torch.bfloat16, enabled=options.bf16)
    labels = torch.randint(0, classes, (options.batch,)) if options.train else None
    return call_of_network(net, images, precision, labels, dict(lr=0.01, momentum=0.9, weight_decay=5e-4))


def layer_runner(torch, options, compiled, layout):
    channels, size, groups = map(int, options.file.removeprefix('layer:').split(','))
    conv = torch.nn.Conv2d(channels, channels, 3, padding=1, groups=groups, bias=False).to(memory_format=layout)
    x, dy = (torch.randn(options.batch, channels, size, size).contiguous(memory_format=layout) for _ in range(2))
    x.requires_grad_(options.train)
    net = torch.compile(conv) if compiled else conv

    def run():
        if not options.train:
            with torch.inference_mode():
                net(x)
            return
        x.grad = conv.weight.grad = None
        net(x).backward(dy)
    return run


def onnx_model(options):
    """The file with its batch fixed, which lets the peers plan for it."""
    import onnx
    model = onnx.load(options.file)
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = options.batch
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    return model.SerializeToString(), model.graph.input[0].name, shape


def ort_runner(options):
    import numpy
    import onnxruntime
    model, name, shape = onnx_model(options)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(model, settings, providers=['CPUExecutionProvider'])
    images = numpy.random.randn(*shape).astype('f')
    return lambda: session.run(None, {name: images})


def openvino_runner(options):
    import numpy
    import openvino
    model, name, shape = onnx_model(options)
    core = openvino.Core()
    settings = {'INFERENCE_NUM_THREADS': options.threads, 'INFERENCE_PRECISION_HINT': 'bf16' if options.bf16 else 'f32',
                'PERFORMANCE_HINT': 'LATENCY'}
    request = core.compile_model(core.read_model(model), 'CPU', settings).create_infer_request()
    images = numpy.random.randn(*shape).astype('f')
    return lambda: request.infer({0: images})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', choices=['torch-last', 'torch-first', 'compile-last', 'compile-first', 'ort', 'ov'])
    parser.add_argument('file')
    parser.add_argument('--batch', type=int, required=True)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--train', action='store_true')
    parser.add_argument('--bf16', action='store_true')
    parser.add_argument('--cost')
    parser.add_argument('--memory', action='store_true')
    options = parser.parse_args()
    if options.kind in ('ort', 'ov'):
        run = (ort_runner if options.kind == 'ort' else openvino_runner)(options)
    else:
        run, loaded = torch_runner(options)
    run()
    run()
    if options.memory:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - loaded)
        return
    for _ in sys.stdin:
        times = []
        for _ in range(4):
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1e3)
        print(min(times[1:]), flush=True)


if __name__ == '__main__':
    main()
