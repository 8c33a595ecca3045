"""`rootrun grad` and `rootrun run` against jax in float64, for networks in files and random ones.

Per tensor, the error may be 1e-4 of max(its own largest magnitude, 1e-3 of the network's largest gradient)."""

import argparse
import os
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch

import numpy as np

import random_networks
from files import read_safetensors, write_safetensors
from jax_model import Model, tolerance_violations
from network_syntax import load
from topology import apply_root

# float32 is off by some 1e-6 where sums are long: a value nearer to a kink may fall on its other side.
SAFE_MARGIN = 5e-6
TRIES = 40


def make_values(model, seed):
    """Parameters and statistics that leave nothing at a special value."""
    arrays = {}
    for name, (shape, role) in {**model.parameters, **model.statistics}.items():
        generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
        normal = generator.standard_normal(shape)
        if role in ('filter', 'weight'):
            value = normal * np.sqrt(2 / np.prod(shape[1:]))
        elif role in ('scale', 'gain'):
            value = generator.uniform(0.5, 1.5, shape)
        elif role == 'variance':
            value = generator.uniform(0.5, 2, shape)
        else:
            value = 0.3 * normal
        arrays[name] = value.astype(np.float32)
    return arrays


def split(model, arrays):
    return ({name: arrays[name] for name in model.parameters}, {name: arrays[name] for name in model.statistics})


def make_batch(model, batch, seed):
    generator = np.random.default_rng([seed, 7])
    return (generator.standard_normal((batch, *model.network.image)).astype(np.float32),
            generator.integers(0, model.network.classes, batch))


def draw(model, arrays, batch, seed):
    """A batch whose gradient exists: no ReLU or maximum so near its kink that float32 may take the other side.
    Returns it with the oracle's answer, the best found within the tries."""
    best = None
    for attempt in range(TRIES):
        image, labels = make_batch(model, batch, 1000 * seed + attempt)
        oracle = model.gradients(*split(model, arrays), image, labels, model.masks(batch, seed, 0, range(batch)))
        if best is None or oracle[3] > best[2][3]:
            best = image, labels, oracle
        if oracle[3] > SAFE_MARGIN:
            break
    return best


def call(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'{" ".join(map(str, command))}: exit code {done.returncode}\n{done.stderr}')


def frozen_layers(network, patterns):
    """The layers that --freeze=PATTERNS names."""
    frozen = set()
    for pattern in patterns.split(','):
        named = {layer.name for layer in network.layers if layer.name and fnmatch(layer.name, pattern.lstrip('!'))}
        frozen = frozen - named if pattern.startswith('!') else frozen | named
    return frozen


def play(tools, path, flags, folder, library):
    """Makes a library of the network's CUDA C++, played on the CPU (test/Cuda)."""
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    source, played = os.path.join(folder, 'net.cu'), os.path.join(folder, 'net.o')
    call(tools.rootc, path, *flags, '--emit=cuda', '-o', source)
    # What is computed under a condition and read under the same one GCC takes for unwritten; the player tells what is.
    call(tools.played, '-std=c++17', '-O2', '-Wall', '-Werror', '-Wno-maybe-uninitialized', '-fPIC', '-fsanitize=thread',
         '-I', f'{tests}/Cuda/include', '-c', '-x', 'c++', source, '-o', played)
    call(tools.played, '-std=c++17', '-O2', '-fPIC', '-shared', '-I', os.path.dirname(tests), f'{tests}/Cuda/Player.cpp',
         played, '-o', library)
    call(tools.seal, library)


def make(tools, path, flags, folder):
    """What runs the network, and what it is told to run."""
    if tools.reference:
        return tools.reference, (path, *flags)
    library = os.path.join(folder, 'net.so')
    if tools.played:
        play(tools, path, flags, folder, library)
    else:
        call(tools.rootc, path, *flags, f'--target={tools.target}', '-o', library)
    return tools.rootrun, (library,)


def check(tools, path, batch, seed, root=1, folder=None, freeze=''):
    """Raises on a disagreement; returns the worst ratios of error to scale of gradients and logits."""
    network = load(path)
    if root > 1:
        apply_root(network, root)
    model = Model(network, frozen_layers(network, freeze))
    arrays = make_values(model, seed)
    flags = [f'--root={root}'] if root > 1 else []
    if freeze:
        flags.append(f'--freeze={freeze}')
    if tools.precision:
        flags.append(f'--precision={tools.precision}')
    with ThreadPoolExecutor(1) as beside:  # the oracle uses one core
        made = beside.submit(make, tools, path, flags, folder)
        image, labels, (loss, gradients, _, margin) = draw(model, arrays, batch, seed)
        runner, subject = made.result()
    file = lambda name: os.path.join(folder, name)
    write_safetensors(file('weights.safetensors'), arrays)
    np.save(file('image.npy'), image)
    np.save(file('labels.npy'), labels)
    given = ('--weights', file('weights.safetensors'), '--input', file('image.npy'))
    call(*runner.split(), 'grad', *subject, *given, '--labels', file('labels.npy'), '--seed', seed, '-o', file('g.safetensors'))
    call(*runner.split(), 'run', *subject, *given, '-o', file('logits.npy'))

    actual = read_safetensors(file('g.safetensors'))
    gradients = {name: value for name, value in gradients.items() if name.rpartition('.')[0] not in model.frozen}
    if set(actual) != set(gradients) | {'loss'}:
        raise AssertionError(f'tensors differ: {sorted(set(actual) ^ (set(gradients) | {"loss"}))}')
    bounds = (tools.tolerance, 1) if tools.tolerance else (1e-4, 1e-3)
    problems, worst = tolerance_violations(gradients, actual, *bounds)
    if not abs(float(actual['loss'].reshape(-1)[0]) - loss) <= (tools.tolerance or 1e-5) * max(abs(loss), 1e-2):
        problems['loss'] = float(actual['loss'].reshape(-1)[0]) - loss
    logits = model.infer(*split(model, arrays), image)
    wrong, worst_logits = tolerance_violations({'logits': logits}, {'logits': np.load(file('logits.npy'))}, tools.tolerance or 2e-5)
    problems.update(wrong)
    if problems:
        raise AssertionError(f'margin {margin:.1e}, errors as parts of the scale: ' + ', '.join(
            f'{name} {ratio:.2e}' for name, ratio in sorted(problems.items(), key=lambda item: -abs(item[1]))))
    return worst, worst_logits, margin


def smooth(path, folder):
    """The network without kinks, in a file of the folder."""
    with open(path) as file:
        text = file.read().replace('root.relu', 'root.silu').replace('root.max_pool', 'root.average_pool')
    made = os.path.join(folder, f'smooth-{os.path.basename(path)}')
    with open(made, 'w') as file:
        file.write(text)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('networks', nargs='*', help='.mlir files')
    parser.add_argument('--rootc')
    parser.add_argument('--target', default='host', help='of rootc: host-opencl runs on an OpenCL device')
    parser.add_argument('--rootrun', help='may have arguments')
    parser.add_argument('--tolerance', type=float, help="of the largest gradient and logit, instead of each tensor's; of the loss")
    parser.add_argument('--precision', help='of rootc')
    parser.add_argument('--smooth', action='store_true', help='of the files: SiLUs instead of ReLUs and averages instead of maxima, '
                        'of whose kinks rounded operands may take the other side')
    parser.add_argument('--reference', help='check rootc-reference, which has no kernels, instead of the two')
    parser.add_argument('--played', metavar='C++', help='play the CUDA C++ of the networks, made so by this compiler')
    parser.add_argument('--seal', default='seal-model', help='of --played: makes a library one that rootrun takes')
    parser.add_argument('--batch', type=int, default=2, help='of the files')
    parser.add_argument('--root', type=int, default=1, help='--root of the files')
    parser.add_argument('--freeze', action='append', help='--freeze of the files; may be repeated')
    parser.add_argument('--random', metavar='FIRST:END', default='0:0',
                        help="seeds of random networks; 'few': of some that have every layer twice")
    tools = parser.parse_args()
    if not tools.reference and not (tools.rootc and tools.rootrun):
        parser.error('give --rootc and --rootrun, or --reference')
    failures = count = 0
    with tempfile.TemporaryDirectory() as folder:
        cases = [(f'{path} {freeze}', path, tools.batch, 0, tools.root, freeze)
                 for path in tools.networks for freeze in tools.freeze or ['']]
        if tools.smooth:
            cases = [(title, smooth(path, folder), *rest) for title, path, *rest in cases]
        for seed in random_networks.FEW if tools.random == 'few' else range(*map(int, tools.random.split(':'))):
            text, batch = random_networks.make(seed)
            path = os.path.join(folder, f'random{seed}.mlir')
            with open(path, 'w') as file:
                file.write(text)
            cases.append((f'random network {seed}', path, batch, seed, 1, ''))
        for title, path, batch, seed, root, freeze in cases:
            count += 1
            try:
                worst, logits, margin = check(tools, path, batch, seed, root, folder, freeze)
                print(f'{title}: gradients {worst:.1e}, logits {logits:.1e} (margin {margin:.1e})', flush=True)
            except (AssertionError, RuntimeError, ValueError) as error:
                failures += 1
                print(f'{title}: FAILED\n{error}\n{open(path).read()}', flush=True)
    print(f'{count - failures} of {count} networks agree with jax')
    return 1 if failures or not count else 0


if __name__ == '__main__':
    sys.exit(main())
