#!/usr/bin/env python3
# Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""estimate_test.py ROOTC SOURCE_DIR: what scripts/estimate_gpu.py counts in emitted CUDA C++, against numbers counted by hand and --emit=cost.

What it estimates of them cannot be tested without a GPU. With nvcc of the tests' packages, or one that is installed, its page is written too.
"""
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

rootc, root = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, str(root / 'scripts'))
import estimate_gpu  # noqa: E402

INFER, TRAIN = 1, 2
BATCH = 5


def emitted(folder, network, *flags):
    file = folder / f'{network.stem}.cu'
    subprocess.run([rootc, network, *flags, '--emit=cuda', '-o', file], check=True)
    return file.read_text()


def report(text):
    """As ptxas writes it; nobody has counted registers."""
    names = re.findall(r'static __global__ void __launch_bounds__\([^)]*\)\n(\w+)\(', text)
    return ''.join(f"ptxas info    : Compiling entry function '_Z{len(name)}{name}PKf' for 'sm_90'\nptxas info    : Used 32 registers, "
                   f'used 1 barriers, 512 bytes smem\n' for name in names)


def equal(got, want, what):
    assert got == want, f'{what}: {got}, not {want}'


def count_tiny(text, network):
    """An image of 8x8x3, convolutions to 8 and to 4 channels, 3x3 both."""
    source = estimate_gpu.Source(text, report(text))
    cost = json.loads(subprocess.check_output([rootc, network, '--emit=cost', '--format=json']))
    biases = 8 + 4  # which --emit=cost counts, once each
    macs = cost['macs'] - biases
    equal(macs, 64 * 9 * (3 * 8 + 8 * 4), 'multiply-adds of an image')
    _, expected, flops, moved, launches = source.estimate(INFER, BATCH)
    equal(flops, 2 * macs * BATCH, 'flops of inference')
    # Filters (of 3 channels to 8, 8 to 4), biases; the image, maps of 8 and 4 channels, written and read, logits; the pool's
    # sums of rows, which pass between its kernels.
    fixed = 4 * (9 * 3 * 8 + 8 + 9 * 8 * 4 + 4)
    image = 4 * (64 * 3 + 2 * 64 * 8 + 2 * 64 * 4 + 4)
    between = 2 * 4 * (4 * 8)
    equal(moved, fixed + BATCH * (image + between), 'bytes of inference')
    equal(launches, 4, 'launches of inference')
    bound = lambda **figures: estimate_gpu.Source(text, chip=estimate_gpu.H100._replace(**figures)).bound(INFER, BATCH)
    equal(bound(flops=1, bandwidth=math.inf), 2 * macs * BATCH, 'the bound by arithmetic')
    equal(bound(flops=math.inf, bandwidth=1), fixed + BATCH * image, 'the bound by bytes')
    assert expected > launches * estimate_gpu.GAP, expected
    # Forward twice; of the first convolution the filter's gradient alone.
    equal(source.estimate(TRAIN, BATCH)[2], 2 * 64 * 9 * (2 * 3 * 8 + 3 * 8 * 4) * BATCH, 'flops of a training step')
    # Of 32 multiply-adds of a thread (4 channels, 8 columns), with a load of each channel's weight and each column's pixel.
    equal(source.products('k_conv1_forward_output'), (32, 12), 'the products and loads of conv1')
    return source


def count_tensor_cores(text):
    """`dense` has 20 channels to 36, 3x3 at 8x8, in tiles of 16 terms."""
    source = estimate_gpu.Source(text, report(text))
    # By label: launches, rows and columns of a tile, and what those take of pixels, channels and terms, padded.
    pixels = 64 * BATCH
    padded = lambda count, tile: -(-count // tile) * tile
    for kernel, outs, ins in ('dense_forward', 36, 20), ('dense_backward_data', 20, 36):
        launch = source.launches(f'k_{kernel}_argv', BATCH)[0][0]
        tile = source.tile(launch.kernel)
        equal(tile.terms, 16, 'terms of a tile')
        equal(source.executed(launch), padded(pixels, tile.rows) * padded(outs, tile.columns) * 9 * padded(ins, 16), kernel)
        equal(source.peak(launch.kernel), estimate_gpu.H100.tf32, 'the peak')
    launches, between = source.launches('k_dense_backward_filter_argv', BATCH)
    tile = source.tile(launches[0].kernel)
    chunks, stages = launches[0].values['chunks'], launches[0].values['stages']
    assert chunks * stages * 16 >= pixels > (chunks - 1) * stages * 16, (chunks, stages)
    equal(source.executed(launches[0]), padded(36, tile.rows) * padded(20, tile.columns) * 9 * 16 * chunks * stages, 'backward filter')
    equal(between, 2 * 4 * chunks * 36 * 9 * 20, 'bytes between its kernels')


def refuses(folder, text, log, *change):
    """The script says what it misses, where rootc or ptxas writes something else than it looks for."""
    (folder / 'changed.cu').write_text(re.sub(*change, text))
    (folder / 'changed.cu.log').write_text(re.sub(*change, log))
    assert (folder / 'changed.cu').read_text() != text or (folder / 'changed.cu.log').read_text() != log, change
    run = subprocess.run([sys.executable, root / 'scripts/estimate_gpu.py', rootc, 'nvcc', '--keep', folder, 'changed=changed.mlir'],
                         capture_output=True, text=True)
    assert run.returncode == 1 and not run.stdout and re.match('estimate_gpu.py: changed: .* has not .*mend its pattern', run.stderr), (
        change, run.stdout, run.stderr)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        network = root / 'test/Driver/Inputs/tiny.mlir'
        text = emitted(folder, network)
        count_tiny(text, network)
        for change in (('rootc_cuda_temporary<', 'rootc_other<'), (r'device\.launch\(', 'device.start('), (r'= device\.n;', '= device.batch;'),
                       ('rootc_work_1', 'rootc_effort_1'), ('rootc_host = ', 'rootc_table = '), ('_argv', '_call'), (' [+]= ', ' =+ '),
                       ('__launch_bounds__', '__bounds__'), ('rootc_tensors, ', 'rootc_arrays, '), ('Used', 'Has'),
                       ('entry function', 'function')):
            refuses(folder, text, report(text), *change)
        packages = list((root / '.venv/lib').glob('*/site-packages/nvidia/cu13/bin/nvcc'))
        nvcc = str(packages[0]) if packages else shutil.which('nvcc')
        if nvcc:
            page = subprocess.check_output([sys.executable, root / 'scripts/estimate_gpu.py', rootc, nvcc, f'tiny={network}'], text=True)
            assert 'Nothing has run on a GPU' in page and re.search(r'\| tiny \| training step \| \d+ \|', page), page
        count_tensor_cores(emitted(folder, root / 'test/Cuda/Inputs/tensor-core.mlir', '--precision=tf32'))


main()
