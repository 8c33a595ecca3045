#!/usr/bin/env python3
# Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sabotage.py ROOTC ROOTRUN SEAL C++ NETWORK.mlir [--precision=P]: breaks the network's CUDA C++ as a wrong schedule or
printer would; with --precision, what tensor cores run.

The player, or the comparison with the right numbers, must catch each. All breaks are in one source, which is compiled once;
the variable ROOTC_SABOTAGE says which of them works.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

# (what, kernel, text, broken text, what the player says; where that is nothing, numbers may be wrong instead)
FORWARD, GRADIENT = 'k_conv2_forward_2_output(', 'k_conv2_backward_filter_'
SABOTAGES = [
    ('a barrier removed', FORWARD, r'__syncthreads\(\);', 'if (!BROKEN) __syncthreads();', 'a race'),
    ('a barrier that some threads reach', FORWARD, r'__syncthreads\(\);', '{ if (BROKEN && thread_z > 3) return; __syncthreads(); }',
     'is reached by 8 of 16 threads'),
    ('a shared tile that is of another block', FORWARD, r'(strip_0\[.*\] = )', r'if (!BROKEN || block_x == 0) \1',
     ''),
    ('a shared tile whose last row is missing', FORWARD, r'\(9 - thread_z\) / 8 \+ 1', '(9 - thread_z) / 8 + !BROKEN',
     ''),
    ('a tile read one place beside', FORWARD, r'\* strip_0\[', '* strip_0[BROKEN + ', ''),
    ('no zeros around the map', FORWARD, r'\? larger<float>\(0', '|| BROKEN ? larger<float>(0', ''),
    ('sums that are not cleared', FORWARD, r'accumulator_0\[3\] = 0.0f', 'accumulator_0[3] = BROKEN', ''),
    ('another channel of the filter', FORWARD, r'\+= in5\[', '+= in5[BROKEN + ', ''),
    ('results beside their places', FORWARD, r'output\[(.*)\] = acc', r'output[(\1) / (1 + BROKEN)] = acc', ''),
    ('results of all threads in one place', FORWARD, r'output\[(.*)\] = acc', r'output[(\1) % (BROKEN ? 16 : 1 << 30)] = acc', 'a race'),
    ('a block missing', 'k_conv2_forward_2_argv(', r'dim3\(n\)', 'dim3(n - BROKEN)', 'nobody has written'),
    ('half of the threads', 'k_conv2_forward_2_argv(', r'dim3\(1, 2, 8\)', 'dim3(1, 2 - BROKEN, 8)', ''),
    ('a chunk unsummed', GRADIENT + 'output(', 'total_s1_chunks_x = 0', 'total_s1_chunks_x = BROKEN', ''),
    ('the last image unsummed', GRADIENT + 'partial_global_wrapper_0(', r'(partial_s1_r_z < larger<int>\(.*?),\s+0\)',
     r'\1 - BROKEN, 0)', ''),
    ('partial sums that are not stored', GRADIENT + 'partial_global_wrapper_0(', r'(partial_global_wrapper_0\[.* = )',
     r'if (!BROKEN) \1', 'nobody has written'),
    ('partial sums freed too early', 'k_conv2_backward_filter_argv(', r'(device.launch\(k_conv2_backward_filter_output)',
     r'void *gone = partial_global_wrapper_0; if (BROKEN) cudaFreeAsync(gone, device.stream); \1', 'not allocated'),
]
CONVOLUTION, FILTER_GRADIENT = 'class rootc_convolution {', 'class rootc_filter_gradient {'
TENSOR_CORE_SABOTAGES = [
    ('copies that are not waited for', CONVOLUTION, r'rootc_wait_for_copies\(\);', 'if (!BROKEN) rootc_wait_for_copies();', ''),
    ('a barrier removed', CONVOLUTION, r'__syncthreads\(\);', 'if (!BROKEN) __syncthreads();', 'a race'),
    ('one buffer instead of two', CONVOLUTION, r'shared \+ stage % 2', 'shared + stage % (2 - BROKEN)', 'a race'),
    ('a chunk of in channels that is not fetched', CONVOLUTION, 'stage % chunks', 'stage % (BROKEN ? 1 : chunks)', ''),
    ('a tap beside its place', CONVOLUTION, r'tap_y \* Of::dilation_y', '(tap_y + BROKEN) * Of::dilation_y', ''),
    ('no zeros to the left of the map', CONVOLUTION, 'x >= 0', 'x >= -BROKEN', ''),
    ('no mask at the edge of the out channels', CONVOLUTION, r'out < Of::outs', 'out < Of::outs + BROKEN', ''),
    ('no mask at the last pixel', CONVOLUTION, r'image < of\.n', 'image < of.n + BROKEN', ''),
    ('what is computed ahead, not kept', CONVOLUTION, r'if \(more\)\n( +)keep', r'if (more && !BROKEN)\n\1keep', ''),
    ('results in other columns than a fragment has', 'class rootc_tile {', r'column\(j\) \+ lane\(\) % 4 \* 2', 'column(j) + lane() % 4 * (2 - BROKEN)', ''),
    ('a barrier of the gradient removed', FILTER_GRADIENT, r'__syncthreads\(\);', 'if (!BROKEN) __syncthreads();', 'a race'),
    ('the last stage of a chunk not multiplied', FILTER_GRADIENT, r'stage < first \+ stages; \+\+', 'stage < first + stages - BROKEN; ++', ''),
    ('copies of dy that are not waited for', FILTER_GRADIENT, r'rootc_wait_for_copies\(\);', 'if (!BROKEN) rootc_wait_for_copies();',
     ''),
    ('a chunk unsummed', 'k_dense_backward_filter_total(', 'chunk = 1;', 'chunk = 1 + BROKEN;', ''),
    ('chunks in one place', FILTER_GRADIENT, r'partial\[\(\(chunk \*', 'partial[((chunk * !BROKEN *', ''),
]
BREAK = 'static const int sabotage = getenv("ROOTC_SABOTAGE") ? atoi(getenv("ROOTC_SABOTAGE")) : -1;\n'


def call(*command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)
    return done.returncode, done.stderr


def must(*command):
    code, text = call(*command)
    if code:
        sys.exit(f'{" ".join(map(str, command))}: {text}')


def broken(source, sabotages):
    """All sabotages in one source."""
    for number, (what, kernel, right, wrong, _) in enumerate(sabotages):
        begin = source.index(f'\n{kernel}' if kernel.endswith('(') and 'argv' not in kernel else kernel)
        end = source.index('\n};\n' if kernel.endswith('{') else '\n}\n', begin)
        replacement = wrong.replace('BROKEN', f'(sabotage == {number})')
        body, count = re.subn(right, replacement, source[begin:end])
        if count == 0:
            sys.exit(f"'{what}': the source of {kernel} is another one; adapt this test to it")
        source = source[:begin] + body + source[end:]
    return '#include <stdlib.h>\n' + BREAK + source


def read(path):
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], 'little')
    return np.frombuffer(raw[8 + size:], np.float32)


def main():
    rootc, rootrun, seal, cxx, network, *flags = sys.argv[1:]
    sabotages = TENSOR_CORE_SABOTAGES if flags else SABOTAGES
    tests = pathlib.Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        source, library = folder / 'net.cu', folder / 'net.so'
        must(rootc, network, *flags, '--emit=cuda', '-o', source)
        source.write_text(broken(source.read_text(), sabotages))
        must(cxx, '-std=c++17', '-O1', '-fPIC', '-fsanitize=thread', '-I', tests / 'include', '-c', '-x', 'c++', source, '-o',
             folder / 'net.o')
        must(cxx, '-std=c++17', '-O2', '-fPIC', '-shared', '-I', tests.parent.parent, tests / 'Player.cpp', folder / 'net.o', '-o',
             library)
        must(seal, library)
        must(rootrun, 'init', library, '--seed', 1, '-o', folder / 'w.safetensors')
        generator = np.random.default_rng(1)
        np.save(folder / 'image.npy', generator.standard_normal((3, 8, 8, 3)).astype(np.float32))
        np.save(folder / 'labels.npy', generator.integers(0, 4, 3))

        def gradients(number):
            result = folder / 'g.safetensors'
            code, text = call(rootrun, 'grad', library, '--weights', folder / 'w.safetensors', '--input', folder / 'image.npy',
                              '--labels', folder / 'labels.npy', '--seed', 0, '-o', result,
                              env={**os.environ, 'ROOTC_SABOTAGE': str(number)})
            return (text, None) if code else ('', read(result))

        text, right = gradients(-1)
        if right is None:
            sys.exit(f'unbroken: {text}')
        failed = 0
        for number, (what, _, _, _, message) in enumerate(sabotages):
            text, got = gradients(number)
            if got is None:
                caught, how = message in text and 'kernel' in text, re.sub('.*launching it: ', '', text.strip())
            else:
                error = np.max(np.abs(got - right)) / np.max(np.abs(right))
                caught, how = not message and not error < 1e-3, f'numbers, by {error:.1e} of the largest'
            failed += not caught
            print(f'{what}: {"caught" if caught else "NOT CAUGHT AS EXPECTED"}: {how}')
        print(f'{len(sabotages) - failed} of {len(sabotages)} are caught')
        return failed != 0


sys.exit(main())
