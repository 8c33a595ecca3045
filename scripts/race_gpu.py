#!/usr/bin/env python3
# Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's side of scripts/check-gpu.sh, and the table that compares: what PyTorch takes for the same networks on the same GPU.

    race_gpu.py --folder build/gpu --ours TIMES NAME...      the race, as check-gpu.sh runs it
    race_gpu.py --folder FOLDER --device=cpu --quick NAME... a try without a GPU, of one image and one run each

Networks are FOLDER/NAME.mlir, with groups of FOLDER/NAME.json (`rootc --emit=cost --format=json`). TIMES has a line for each time of rootc's:
`NAME infer|train BATCH 1.234 ms`, or what came instead; NAME-tf32 and NAME-bf16 are NAME with --precision. FOLDER/NAME.bounds.json
(scripts/gpu_bounds.py) has what those cannot go below on some GPUs; --chip says which one this is.

PyTorch runs with cuDNN's search for algorithms, channels_last and TF32, eagerly and by torch.compile, and both again under bf16 autocast.
Training is forward, backward and SGD (one fused kernel). Each call is waited for, arguments lie in the GPU's memory, medians are told: as of rootc.
What was not reached in time, or cannot run, says so.
"""
import argparse
import json
import math
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
MODES = {'eager': 'eager, TF32', 'compile': 'compiled, TF32', 'eager-bf16': 'eager, bf16', 'compile-bf16': 'compiled, bf16'}
OURS = {'': 'rootc, fp32', '-tf32': 'rootc, TF32', '-bf16': 'rootc, bf16'}
CALLS = [('infer', 1), ('infer', 64), ('infer', 256), ('train', 64), ('train', 256)]
QUICK = [('infer', 1), ('train', 1)]
SHARES = ("In brackets the share of the bound: of each kernel the longer of its multiply-adds at the GPU's peak and its operands and results at the full\n"
          'bandwidth, summed, by the time.\n')
INSTALL = ('PyTorch was not timed: {python} has no torch. Install it where the GPU is, in an environment of its own:\n\n'
           '    python3 -m venv ~/race-venv && ~/race-venv/bin/pip install torch numpy\n'
           '    scripts/check-gpu.sh --python=$HOME/race-venv/bin/python\n')


def median_ms(run, wait, seconds, clock=time.perf_counter, warm=3):
    """Of calls that are waited for, over about so many seconds; one at least."""
    for _ in range(warm):
        run()
    wait()
    times, begin = [], clock()
    while not times or (clock() - begin < seconds and len(times) < 200):
        start = clock()
        run()
        wait()
        times.append(1e3 * (clock() - start))
    return statistics.median(times)


def call_of(torch, options, mode, name, kind, batch):
    """A function that infers or makes a step."""
    from network import Network, call_of_network
    device, training = options.device, kind == 'train'
    cost = json.loads((options.folder / f'{name}.json').read_text())
    net = Network(options.folder / f'{name}.mlir', {layer['name']: layer['groups'] for layer in cost['layers']}, training)
    net.check(cost)
    shape, classes = net.shape, net.classes
    net = net.train(training).to(device, memory_format=torch.channels_last)
    if mode.startswith('compile'):
        torch._dynamo.reset()  # another batch is no reason for a kernel of any batch
        net = torch.compile(net, dynamic=False)
    images = torch.randn(batch, *shape, device=device).contiguous(memory_format=torch.channels_last)
    precision = torch.autocast(device, torch.bfloat16, enabled=mode.endswith('bf16'))
    sgd = dict(lr=1e-3, momentum=0.9, weight_decay=1e-4, fused=True)
    return call_of_network(net, images, precision, torch.randint(0, classes, (batch,), device=device) if training else None, sgd)


def serve(options):
    """A process of PyTorch's: a line for each call, as in TIMES."""
    import torch
    sys.path.append(str(SOURCE / 'test/Bench/race'))
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    wait = torch.cuda.synchronize if options.device == 'cuda' else lambda: None
    for name in options.names:
        for kind, batch in QUICK if options.quick else CALLS:
            try:
                run = call_of(torch, options, options.serve, name, kind, batch)
                said = f'{median_ms(run, wait, 0 if options.quick else 1, warm=1 if options.quick else 3):.3f} ms'
            except Exception as error:  # of its kernels' compilers too: one line, and the next
                said = f'failed: {(str(error).strip() or repr(error)).splitlines()[0][:80]}'
            run = None
            print(name, kind, batch, said, flush=True)


def read_times(text):
    """By (name, call, batch): milliseconds, or the words that came instead."""
    times = {}
    for line in text.splitlines():
        name, kind, batch, said = line.split(' ', 3)
        times[name, kind, int(batch)] = float(said[:-3]) if said.endswith(' ms') else said
    return times


def race_peers(options, seconds):
    """By mode: times. A process has a network in one mode, all single layers together, and dies with the time."""
    times, end = {mode: {} for mode in options.modes}, time.monotonic() + seconds
    layers = [name for name in options.names if name.startswith('layer-')]
    parts = ([layers] if layers else []) + [[name] for name in options.names if name not in layers]
    for part in parts:
        for mode in options.modes:
            command = [options.python, __file__, '--serve', mode, '--folder', options.folder, f'--device={options.device}',
                       *['--quick'] * options.quick, *part]
            left = end - time.monotonic()
            if left < 1:
                return times
            run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
            try:
                output = run.communicate(timeout=left)[0]
                if run.returncode:
                    print(f'race_gpu.py: PyTorch ({mode}) ended with code {run.returncode} at {part[0]}', file=sys.stderr)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)  # its compilers too
                output = run.communicate()[0].rpartition('\n')[0]
            times[mode] |= read_times(output)
    return times


def least(times):
    return min((ms for ms in times if isinstance(ms, float)), default=math.nan)


def ratio(ours, theirs):
    return '' if math.isnan(ours / theirs) else f'{ours / theirs:.2f}'


def cell(times, row):
    found = times.get(row, 'not timed')
    return f'{found:.3f}' if isinstance(found, float) else found


def read_bounds(options):
    """By (name, call, batch), as times are; none of a GPU whose peaks nobody has put down."""
    bounds = {}
    for name in options.names:
        for suffix in OURS:
            file = options.folder / f'{name}{suffix}.bounds.json'
            for call, ms in (json.loads(file.read_text()) if file.exists() else {}).get(options.chip, {}).items():
                kind, batch = call.split()
                bounds[name + suffix, kind, int(batch)] = ms
    return bounds


def own_cell(times, bounds, row):
    return cell(times, row) + (f' ({bounds[row] / times[row]:.0%})' if row in bounds and isinstance(times.get(row), float) else '')


def table(names, calls, ours, theirs, bounds):
    """Ratios are of rootc's time to PyTorch's: of the fastest that store f32 (fp32 and TF32), and of bf16."""
    columns = [*OURS.values(), *(MODES[mode] for mode in theirs)]
    lines = [f'| network | call | {" | ".join(columns)} | ratio, TF32 | ratio, bf16 |', '|---|---' + '|---:' * (len(columns) + 2) + '|']
    for name in names:
        for kind, batch in calls:
            mine = {suffix: own_cell(ours, bounds, (name + suffix, kind, batch)) for suffix in OURS}
            peers = {mode: times.get((name, kind, batch)) for mode, times in theirs.items()}
            own = lambda *suffixes: least(ours.get((name + suffix, kind, batch)) for suffix in suffixes)
            best = lambda bf16: least(ms for mode, ms in peers.items() if mode.endswith('bf16') == bf16)
            lines.append(f'| {name} | {"inference" if kind == "infer" else "training"}, {batch} | {" | ".join(mine.values())} | '
                         f'{" | ".join(cell(theirs[mode], (name, kind, batch)) for mode in theirs)} | '
                         f'{ratio(own("", "-tf32"), best(False))} | {ratio(own("-bf16"), best(True))} |')
    return '\n'.join(lines)


def goals(names, calls, ours, theirs):
    """What the networks are to reach: how many times as fast as PyTorch's best, of any precision, by rootc's best."""
    mine = lambda name, *call: least(ours.get((name + suffix, *call)) for suffix in OURS)
    best = lambda name, *call: least(times.get((name, *call)) for times in theirs.values())
    said = []
    for title, name, peer, call, wanted in (
            ('ResNet-50 root-64, inference at 256, against dense ResNet-50', 'resnet-50-root-64', 'resnet-50', ('infer', 256), 1.25),
            ('ResNet-50 root-64, training at 256, against itself', 'resnet-50-root-64', 'resnet-50-root-64', ('train', 256), 1.3)):
        times = best(peer, *call) / mine(name, *call)
        said.append(f'- {title}: {"not timed" if math.isnan(times) else f"{times:.2f} times as fast"}; {wanted} is wanted')
    layers = [best(name, kind, batch) / mine(name, kind, batch) for name in names if name.startswith('layer-')
              for kind, batch in calls if kind == 'train']
    layers = [times for times in layers if not math.isnan(times)]
    said.append(f'- grouped 3x3 layers, a training step, in the median: '
                f'{f"{statistics.median(layers):.2f} times as fast" if layers else "not timed"}; 2 is wanted')
    return '\n'.join(said)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('names', nargs='+', metavar='NAME')
    parser.add_argument('--folder', type=pathlib.Path, required=True)
    parser.add_argument('--ours', type=pathlib.Path, help="rootc's times; none: PyTorch's alone are told")
    parser.add_argument('--seconds', type=float, default=480, help='for all of it (default: %(default)s)')
    parser.add_argument('--device', choices=['cuda', 'cpu'], default='cuda')
    parser.add_argument('--chip', default='', help="the GPU's name, as nvidia-smi has it")
    parser.add_argument('--quick', action='store_true', help='one image, one run: whether it works, not how fast')
    parser.add_argument('--modes', default=','.join(MODES), help='of PyTorch, with commas (default: %(default)s)')
    parser.add_argument('--python', default=sys.executable, help='an interpreter that has torch (default: this one)')
    parser.add_argument('--serve', choices=MODES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.modes = options.modes.split(',')
    if unknown := [mode for mode in options.modes if mode not in MODES]:
        parser.error(f"--modes: '{unknown[0]}' is none of {', '.join(MODES)}")
    for name in options.names:
        for suffix in ('mlir', 'json'):
            if not (options.folder / f'{name}.{suffix}').exists():
                parser.error(f"no {options.folder / name}.{suffix}; 'scripts/check-gpu.sh --prepare' writes it")
    if options.serve:
        serve(options)
        return
    begin = time.monotonic()
    ours = read_times(options.ours.read_text()) if options.ours else {}
    probe = f'import torch; print("PyTorch", torch.__version__); assert {options.device == "cpu"} or torch.cuda.is_available()'
    try:
        found = subprocess.run([options.python, '-c', probe], capture_output=True, text=True)
    except OSError as error:
        parser.error(f'--python: {options.python}: {error.strerror}')
    theirs = {mode: {} for mode in options.modes}
    if found.returncode and not found.stdout:
        print(INSTALL.format(python=options.python))
    elif found.returncode:
        print(f'{found.stdout.strip()} was not timed: it finds no GPU (torch.cuda.is_available()); its build must be one for CUDA, which the driver knows.\n')
    else:
        print(f'{found.stdout.strip()} on {options.device}, milliseconds of a call; a ratio below 1 is rootc\'s lead.\n', flush=True)
        theirs = race_peers(options, options.seconds - (time.monotonic() - begin))
    calls = QUICK if options.quick else CALLS
    bounds = read_bounds(options)
    print(SHARES if bounds else f"Shares of the bound are not told: the folder has none for '{options.chip}'.\n")
    print(table(options.names, calls, ours, theirs, bounds))
    if not options.quick:
        print('\n' + goals(options.names, calls, ours, theirs))
    if found.returncode:
        sys.exit(2)


if __name__ == '__main__':
    main()
