#!/usr/bin/env python3
# Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""estimate_gpu.py ROOTC NVCC [--batch N] [--keep FOLDER] [NAME=NETWORK.mlir[,FLAG...]]... > docs/performance-gpu.md

What a step of each network should take on an H100, from the CUDA C++ that rootc writes and what ptxas says of it. Nothing runs on a GPU.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import tempfile

# NVIDIA's figures for the H100 SXM5: fp32 without tensor cores, HBM3, and of a multiprocessor what occupancy is counted from.
FLOPS, BANDWIDTH, PROCESSORS = 66.9e12, 3.35e12, 132
REGISTERS, SHARED, WARPS, BLOCKS = 65536, 227 << 10, 64, 32
# Rules of thumb, no measurements: a stream's gap between kernels; the share of the bandwidth that copies reach; how many warps hide the
# latency of arithmetic and of memory; cycles of the load unit for a warp's load, while four multiply-adds of a warp are issued.
GAP, REACHED, ARITHMETIC_WARPS, MEMORY_WARPS, LOAD = 2e-6, 0.85, 16, 32, 4
PROGRAMS = {'inference': [1], 'training step': [2, 4]}

Launch = collections.namedtuple('Launch', 'kernel blocks threads')


def value(text, names):
    """A host expression of the emitted source, at a batch."""
    text = re.sub(r'\(int64_t\)|<int>', '', text).replace('/', '//')
    text = re.sub(r'smaller', 'min', text).replace('larger', 'max')
    choice = re.fullmatch(r'(.*?) \? (.*?) : (.*)', text)
    if choice:
        text = f'({choice[2]}) if ({choice[1]}) else ({choice[3]})'
    return eval(text, {'min': min, 'max': max, 'floor_div': lambda a, b: a // b, 'floor_mod': lambda a, b: a % b}, names)


def arguments(text):
    """Split at the commas that are in no parentheses."""
    parts, depth = [''], 0
    for c in text:
        depth += (c in '(<[') - (c in ')>]')
        if c == ',' and depth == 0:
            parts.append('')
        else:
            parts[-1] += c
    return [part.strip() for part in parts]


class Source:
    def __init__(self, text, report):
        text = re.sub(r'\n {4,}(?=\S)', lambda m: m[0], text)
        self.registers = {}
        for name, body in re.findall(r"Compiling entry function '_Z(\w+)' for.*?\n(.*?Used \d+ registers)", report, re.S):
            length = re.match(r'\d+', name)[0]
            self.registers[name[len(length):len(length) + int(length)]] = int(re.search(r'Used (\d+)', body)[1])
        self.kernels = dict(re.findall(r'static __global__ void __launch_bounds__\([^)]*\)\n(\w+)\((.*?)\n}\n', text, re.S))
        self.launchers = dict(re.findall(r'\nstatic int (\w+_argv)\(void \*\*arguments\) {\n(.*?)\n}\n', text, re.S))
        table = lambda name: re.search(rf' {name}\[\] = {{\n(.*?)\n *}};', text, re.S)
        rows = lambda name: [line.strip().rstrip(',') for line in table(name)[1].split('\n') if line.strip()] if table(name) else []
        numbers = lambda row: [int(number) for number in re.findall(r'-?\d+', row)]
        self.entries = rows('rootc_kernels')
        calls = [numbers(row)[0] for row in rows('rootc_calls')]
        programs = [numbers(row) for row in re.findall(r'{[^{}]*}', re.search(r'rootc_calls, {(.*)}', text)[1])]
        self.calls = []
        for program, row in enumerate(programs):
            work = [numbers(line) for line in rows(f'rootc_work_{program}')]
            self.calls.append([(self.entries[calls[row[5] + i]], counts) for i, counts in enumerate(work)])

    def launches(self, entry, n):
        """Of one call: what is launched, and the bytes that pass through memory between its kernels."""
        names, between, launches = {'n': n}, 0, []
        text = re.sub(r'\s*\n\s*', ' ', self.launchers[entry])
        for statement in text.split(';'):
            statement = statement.strip()
            if match := re.fullmatch(r'const int (\w+) = (.*)', statement):
                if 'arguments[' not in match[2] and match[2] != 'device.n':
                    names[match[1]] = value(match[2], names)
            elif match := re.fullmatch(r'rootc_temporary<(\w+)> \w+\(device, (.*)\)', statement):
                size = {'double': 8, 'int64_t': 8, 'uint8_t': 1}.get(match[1], 4)
                between += 2 * size * value(match[2], names)  # written and read
            elif match := re.fullmatch(r'device\.launch\((.*)\)', statement):
                kernel, grid, block = arguments(match[1])[:3]
                product = 1
                for extent in arguments(grid[5:-1]):
                    product *= value(extent, names)
                threads = 1
                for extent in arguments(block[5:-1]):
                    threads *= int(extent)
                launches.append(Launch(kernel, product, threads))
        return launches, between

    def occupancy(self, launch):
        """Warps at once on a multiprocessor, and how full the last wave leaves the GPU."""
        warps = (launch.threads + 31) // 32
        registers = (self.registers.get(launch.kernel, 32) * 32 + 255) // 256 * 256 * warps
        shared = sum(int(count) * (8 if kind == 'double' else 4)
                     for kind, count in re.findall(r'__shared__ (\w+) \w+\[(\d+)\]', self.kernels[launch.kernel]))
        resident = min(BLOCKS, WARPS // warps, REGISTERS // registers, SHARED // (shared + 1024))
        waves = -(-launch.blocks // (PROCESSORS * resident))
        return min(resident * warps, -(-launch.blocks * warps // PROCESSORS)), launch.blocks / (PROCESSORS * resident * waves), shared

    def issue(self, kernel):
        """The share of fp32's peak that loads leave to the multiply-adds of the innermost loop."""
        body = re.sub(r'\n\s{6,}(?=[+*/?:&|<>(=])', ' ', self.kernels[kernel])
        sums = [line for line in body.split('\n') if ' += ' in line and '*' in line]
        loads = {load for line in sums for load in re.findall(r'\w+\[[^][]*\]', line.split(' += ', 1)[1])}
        return len(sums) / max(len(sums) + len(loads), LOAD * len(loads)) if loads else 1

    def main(self, launches, macs):
        """The launch that does the work: the one of most threads, of a convolution's the one that multiplies."""
        return max(launches, key=lambda launch: (bool(macs) and self.issue(launch.kernel) < 1, launch.blocks * launch.threads))

    def estimate(self, program, n, calls=None):
        """Seconds that no schedule can save, and those expected, of a program; its flops and bytes."""
        bound = expected = flops = moved = 0
        count = 0
        for entry, (macs, read, read_each, written, written_each) in calls or self.calls[program]:
            size = n if program != 4 else self.parameters
            must = read + written + size * (read_each + written_each)
            work = 2 * macs * n
            launches, between = self.launches(entry, size)
            bound += max(work / FLOPS, must / BANDWIDTH)
            flops, moved, count = flops + work, moved + must + between, count + len(launches)
            main = self.main(launches, macs)
            warps, full, _ = self.occupancy(main)
            arithmetic = work / (FLOPS * self.issue(main.kernel) * min(1, warps / ARITHMETIC_WARPS) * full) if macs else 0
            expected += max(arithmetic, (must + between) / (BANDWIDTH * REACHED * min(1, warps / MEMORY_WARPS))) + GAP * len(launches)
        return bound, expected, flops, moved, count


HEAD = """# GPUs, estimated

**Nothing here was measured: no GPU was at hand.** `scripts/estimate_gpu.py` wrote this page from the CUDA C++ of each network (`--emit=cuda`), from what
ptxas says of it for sm_90, and from NVIDIA's figures for an H100 SXM5: {flops:.1f} TFLOP/s in fp32 without tensor cores, {bandwidth:.2f} TB/s, {processors}
multiprocessors. `scripts/check-gpu.sh` measures where there is a GPU.

- *Bound*: of each kernel the longer of its multiply-adds at the peak and its operands and results at the full bandwidth, summed. No schedule of these kernels
  is faster; fewer kernels, fused, might be.
- *Expected*: the schedules that there are. Multiply-adds at the share of the peak that the loads of the innermost loop leave (a warp's load takes the load
  unit four times as long as a multiply-add takes to issue, whatever the caches say), that resident warps hide ({arithmetic} hide arithmetic), and that the last wave
  of blocks leaves; memory, what passes between the kernels of one call included, at {reached:.0%} of the bandwidth where {memory} warps are resident; {gap:.0f} us a kernel
  between it and the next. These shares are rules of thumb.
- *Share*: bound by expected.

"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('rootc')
    parser.add_argument('nvcc')
    parser.add_argument('networks', nargs='+', metavar='NAME=NETWORK.mlir[,FLAG...]')
    parser.add_argument('--batch', type=int, default=256)
    parser.add_argument('--keep', help='folder of the sources and reports, which are used again where they lie there')
    options = parser.parse_args()
    print(HEAD.format(flops=FLOPS / 1e12, bandwidth=BANDWIDTH / 1e12, processors=PROCESSORS, arithmetic=ARITHMETIC_WARPS, reached=REACHED,
                      memory=MEMORY_WARPS, gap=GAP * 1e6), end='')
    print(f'Batch {options.batch}; a training step is forward, backward and SGD.\n')
    print('| network | program | kernels | GFLOP | GB moved | bound, ms | expected, ms | share |\n|---|---|---|---|---|---|---|---|')
    occupied, slowest, slow = [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.keep or temporary)
        for argument in options.networks:
            name, given = argument.split('=', 1)
            network, *flags = given.split(',')
            source, report = folder / f'{name}.cu', folder / f'{name}.cu.log'
            if not report.exists():
                subprocess.run([options.rootc, network, *flags, '--emit=cuda', '-o', source], check=True)
                run = subprocess.run([options.nvcc, '-std=c++17', '-arch=sm_90', '-Xptxas=-v', '-cubin', source, '-o', folder / 'cubin'],
                                     check=True, stderr=subprocess.PIPE, text=True)
                report.write_text(run.stderr)
            text = source.read_text()
            emitted = Source(text, report.read_text())
            emitted.parameters = int(re.search(r'rootc_tensors, \d+, nullptr, 0, (\d+)', text)[1])
            for title, programs in PROGRAMS.items():
                bound, expected, flops, moved, count = map(sum, zip(*(emitted.estimate(p, options.batch) for p in programs)))
                print(f'| {name} | {title} | {count} | {flops / 1e9:,.0f} | {moved / 1e9:.2f} | {bound * 1e3:.2f} | {expected * 1e3:.2f} | '
                      f'{bound / expected:.0%} |')
            for call in emitted.calls[2]:
                bound, expected, *_ = emitted.estimate(2, options.batch, [call])
                launch = emitted.main(emitted.launches(call[0], options.batch)[0], call[1][0])
                slow.append((expected, f'| {name} | `{launch.kernel}` | {bound * 1e3:.2f} | {expected * 1e3:.2f} | {launch.blocks:,} of '
                             f'{launch.threads} | {emitted.occupancy(launch)[0]} |'))
            slowest += [line for _, line in sorted(set(slow), reverse=True)[:4]]
            slow = []
            rows = []
            for entry, (macs, *_) in emitted.calls[2]:
                for launch in emitted.launches(entry, options.batch)[0]:
                    warps, full, shared = emitted.occupancy(launch)
                    if macs and emitted.issue(launch.kernel) < 1:
                        rows.append((emitted.registers[launch.kernel], shared, warps, emitted.issue(launch.kernel), full))
            rows = [sorted(column) for column in zip(*rows)]
            middle = [column[len(column) // 2] for column in rows]
            occupied.append(f'| {name} | {len(rows[0])} | {middle[0]}, {rows[0][-1]} | {middle[1] / 1024:.1f}, {rows[1][-1] / 1024:.1f} | '
                            f'{middle[2]}, {rows[2][0]} | {middle[3]:.0%} | {middle[4]:.0%} |')
    print('\nThe kernels of a training step that multiply and add, in the median and at the worst:\n')
    print('| network | kernels | registers | shared memory, KB | resident warps of 64 | of the peak, by loads | by the last wave |')
    print('|---|---|---|---|---|---|---|')
    print('\n'.join(occupied))
    print('\nWhere most of a training step should go: kernels of too few blocks for a GPU lead, above all filter gradients of 1x1\n'
          'convolutions, which cut the batch alone.\n')
    print('| network | kernel | bound, ms | expected, ms | blocks and their threads | warps on a multiprocessor |\n|---|---|---|---|---|---|')
    print('\n'.join(slowest))


main()
