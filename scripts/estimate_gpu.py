#!/usr/bin/env python3
# Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""estimate_gpu.py ROOTC NVCC [--batch N] [--keep FOLDER] [NAME=NETWORK.mlir[,FLAG...]]... > docs/performance-gpu.md

What a step of each network should take on an H100, from the CUDA C++ that rootc writes and what ptxas says of it. Nothing runs on a GPU.
Without networks: those of the page.
"""
import argparse
import collections
import functools
import math
import pathlib
import re
import subprocess
import sys
import tempfile

# NVIDIA's figures: fp32 without tensor cores, dense products with them, bytes a second; by the name that nvidia-smi has.
Chip = collections.namedtuple('Chip', 'flops tf32 bf16 bandwidth')
CHIPS = {'NVIDIA H100 80GB HBM3': Chip(66.9e12, 494.7e12, 989.4e12, 3.35e12), 'NVIDIA H200': Chip(66.9e12, 494.7e12, 989.4e12, 4.8e12),
         'NVIDIA A100-SXM4-80GB': Chip(19.5e12, 156e12, 312e12, 2.039e12), 'NVIDIA A100-SXM4-40GB': Chip(19.5e12, 156e12, 312e12, 1.555e12)}
H100 = CHIPS['NVIDIA H100 80GB HBM3']
# Of an H100, what occupancy is counted from.
PROCESSORS = 132
REGISTERS, SHARED, WARPS, BLOCKS = 65536, 227 << 10, 64, 32
# Rules of thumb, no measurements: a stream's gap between kernels; the share of the bandwidth that copies reach; how many warps hide the
# latency of arithmetic and of memory; cycles of the load unit for a warp's load, while four multiply-adds of a warp are issued; the
# share of the tensor cores' peak that mma.sync reaches, which Hopper's own wgmma alone has; bytes a second from the second-level cache.
GAP, REACHED, ARITHMETIC_WARPS, MEMORY_WARPS, LOAD, MMA_SYNC, CACHE = 2e-6, 0.85, 16, 32, 4, 0.62, 5.5e12
UPDATE, PROGRAMS = 4, {'inference': [1], 'training step': [2, 4]}
PRESENT, FIRST_CALL = 3, 5  # of rootc_host_program (runtime/support/Support.h)
# Other statements of a launching function.
KNOWN = (r'rootc_cuda_device &device = .*|return device\.status|\w+\.free\(\)|(const )?\w+ \*\w+ = \((const )?\w+ \*\)arguments\[\d+\]'
         r'|const (float|double|int64_t) \w+ = .*|\w+_operands operands = {}|operands\.\w+ = \((const )?\w+ \*\)arguments\[\d+\]')

Launch = collections.namedtuple('Launch', 'kernel grid blocks threads values')
Tile = collections.namedtuple('Tile', 'bf16 rows columns terms warps_down warps_across')


def value(text, names):
    """A host expression of the emitted source, at a batch."""
    python = re.sub(r'\(int64_t\)|<int>', '', text).replace('/', '//')
    python = re.sub(r'smaller', 'min', python).replace('larger', 'max')
    choice = re.fullmatch(r'(.*?) \? (.*?) : (.*)', python)
    if choice:
        python = f'({choice[2]}) if ({choice[1]}) else ({choice[3]})'
    try:
        return eval(python, {'min': min, 'max': max, 'floor_div': lambda a, b: a // b, 'floor_mod': lambda a, b: a % b}, names)
    except (SyntaxError, NameError, TypeError) as error:
        raise Stale(f"the value of '{text}' ({error})")


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


class Stale(Exception):
    """What was looked for in the source, or in the report, and is not there."""


def must(found, what):
    if not found:
        raise Stale(what)
    return found


class Source:
    def __init__(self, text, report='', chip=H100):
        """Without a report of ptxas it knows bounds alone."""
        self.chip = chip
        self.registers, self.shared = {}, {}
        for name, body in re.findall(r"Compiling entry function '_Z(\w+)' for.*?\n(.*?Used \d+ registers.*?)\n", report, re.S):
            length = must(re.match(r'\d+', name), f"a length in the name '_Z{name}' that ptxas reports")[0]
            kernel = name[len(length):len(length) + int(length)]
            self.registers[kernel] = int(re.search(r'Used (\d+)', body)[1])
            self.shared[kernel] = int((re.search(r'(\d+) bytes smem', body) or [0, 0])[1])
        self.kernels = dict(re.findall(r'static __global__ void __launch_bounds__\([^)]*\)\n(\w+)\((.*?)\n}\n', text, re.S))
        must(self.kernels, '__global__ functions')
        self.structs = dict(re.findall(r'\nstruct (\w+_block) : \w+ {\n(.*?)\n};', text, re.S))
        self.launchers = dict(re.findall(r'\nstatic int (\w+_argv)\(void \*\*arguments\) {\n(.*?)\n}\n', text, re.S))
        table = lambda name: must(re.search(rf' {name}\[\] = {{\n(.*?)\n *}};', text, re.S), f'the table {name}')
        rows = lambda name: [line.strip().rstrip(',') for line in table(name)[1].split('\n') if line.strip()]
        numbers = lambda row: [int(number) for number in re.findall(r'-?\d+', row)]
        self.parameters = int(must(re.search(r'rootc_tensors, \d+, (?:nullptr|rootc_responses), \d+, (\d+)', text), 'the count of parameters')[1])
        self.entries = rows('rootc_kernels')
        calls = [numbers(row)[0] for row in rows('rootc_calls')]
        host = must(re.search(r' rootc_host = {[^{}]*{((?:{[^{}]*},? *)+)}', text), "the programs in 'rootc_host'")
        programs = [numbers(row) for row in re.findall(r'{[^{}]*}', host[1])]
        self.calls = []
        for program, row in enumerate(programs):
            work = [numbers(line) for line in rows(f'rootc_work_{program}')] if row[PRESENT] else []
            self.calls.append([(self.entries[calls[row[FIRST_CALL] + i]], counts) for i, counts in enumerate(work)])

    @functools.lru_cache(None)
    def launches(self, entry, n):
        """Of one call: what is launched, and the bytes that pass through memory between its kernels."""
        names, between, launches = {'n': n}, 0, []
        for statement in re.sub(r'\s+', ' ', must(self.launchers.get(entry), f"the function '{entry}'")).split(';'):
            statement = statement.strip()
            if match := re.fullmatch(r'const int (\w+) = (.*)', statement):
                if not re.search(r'\bdevice\.n$|arguments\[', match[2]):
                    names[match[1]] = value(match[2], names)
            elif match := re.fullmatch(r'rootc_cuda_temporary<(\w+)> \w+\(device, (.*)\)', statement):
                size = {'double': 8, 'int64_t': 8, 'uint8_t': 1}.get(match[1], 4)
                between += 2 * size * value(match[2], names)  # written and read
            elif match := re.fullmatch(r'device\.launch\((.*)\)', statement):
                kernel, grid, block = arguments(match[1])[:3]
                must(kernel in self.kernels, f"the kernel '{kernel}' that '{entry}' launches")
                grid, block = ([value(extent, names) for extent in arguments(extents[5:-1])] for extents in (grid, block))
                launches.append(Launch(kernel, grid, math.prod(grid), math.prod(block), dict(names)))
            elif statement and not re.fullmatch(KNOWN, statement):
                raise Stale(f"a meaning of '{statement}' in '{entry}'")
        return must(launches, f"launches in '{entry}'"), between

    def occupancy(self, launch):
        """Warps at once on a multiprocessor, and how full the last wave leaves the GPU."""
        warps = (launch.threads + 31) // 32
        must(launch.kernel in self.registers, f"registers of '{launch.kernel}' in what ptxas reports")
        registers = (self.registers[launch.kernel] * 32 + 255) // 256 * 256 * warps
        resident = min(BLOCKS, WARPS // warps, REGISTERS // registers, SHARED // (self.shared[launch.kernel] + 1024))
        waves = -(-launch.blocks // (PROCESSORS * resident))
        return min(resident * warps, -(-launch.blocks * warps // PROCESSORS)), launch.blocks / (PROCESSORS * resident * waves)

    @functools.lru_cache(None)
    def products(self, kernel):
        """Multiply-adds in the text of a kernel without tensor cores, and the loads of their operands."""
        sums = []
        for statement in re.split('[;{}]', re.sub(r'\s+', ' ', self.kernels[kernel])):
            added = statement.split(' += ', 1)[-1] if ' += ' in statement else ''
            outside = added  # of brackets, where places are computed
            while '[' in outside and (less := re.sub(r'\[[^][]*\]', '', outside)) != outside:
                outside = less
            if ' * ' in outside:
                sums.append(added)
        return len(sums), len({load for added in sums for load in re.findall(r'\w+\[[^][]*\]', added)})

    def issue(self, kernel):
        """The share of the peak that loads leave to the multiply-adds of the innermost loop."""
        if tile := self.tile(kernel):
            fragments = tile.rows // tile.warps_down // 16, tile.columns // tile.warps_across // 8
            multiplies, loads = fragments[0] * fragments[1], (4 * fragments[0] + 2 * fragments[1]) * (1 + tile.bf16)
            return multiplies / max(multiplies / MMA_SYNC, loads)
        sums, loads = self.products(kernel)
        return sums / max(sums + loads, LOAD * loads) if loads else 1

    def constants(self, kernel):
        """Of a kernel for tensor cores: what its struct says; none of others."""
        block = re.search(r'rootc_(?:convolution|filter_gradient)<(\w+)>', self.kernels[kernel])
        return must(self.structs.get(block[1]), f"the struct '{block[1]}'") if block else None

    def tile(self, kernel):
        text = self.constants(kernel)
        if not text:
            return None
        match = must(re.search(r'rootc_tile<(true|false), (\d+), (\d+), (\d+), (\d+), (\d+), ', text), f"the tile of '{kernel}'")
        return Tile(match[1] == 'true', *map(int, match.groups()[1:]))

    def stages(self, launch):
        """Of all blocks of a launch with tensor cores: products of a tile's rows by its columns and terms."""
        if 'rootc_filter_gradient<' in self.kernels[launch.kernel]:
            return launch.blocks * must(launch.values.get('stages'), f"'stages' where '{launch.kernel}' is launched")
        constants = self.constants(launch.kernel)
        number = lambda name: int(must(re.search(rf'\b{name} = (\d+)', constants), f"'{name}' of '{launch.kernel}'")[1])
        # All phases of a group, where there are several, together have each tap once.
        tiles = launch.grid[0] * launch.grid[1] * number('groups')
        return tiles * number('kernel_y') * number('kernel_x') * -(-number('ins') // self.tile(launch.kernel).terms)

    def executed(self, launch):
        """Multiply-adds of a launch with tensor cores, those beyond an edge and between merged groups included."""
        tile = self.tile(launch.kernel)
        return self.stages(launch) * tile.rows * tile.columns * tile.terms

    def peak(self, kernel):
        tile = self.tile(kernel)
        return self.chip.flops if not tile else self.chip.bf16 if tile.bf16 else self.chip.tf32

    def main(self, launches, macs):
        """The launch that does the work: the one of most threads, of a convolution's the one that multiplies."""
        multiplies = lambda launch: bool(macs and (self.tile(launch.kernel) or self.products(launch.kernel)[0]))
        main = max(launches, key=lambda launch: (multiplies(launch), launch.blocks * launch.threads))
        must(not macs or multiplies(main), f"multiply-adds in '{main.kernel}'")
        return main

    def arithmetic(self, main, work):
        """Seconds of a call's flops."""
        warps, full = self.occupancy(main)
        seconds = lambda flops: flops / (self.peak(main.kernel) * self.issue(main.kernel) * min(1, warps / ARITHMETIC_WARPS) * full)
        tile = self.tile(main.kernel)
        if not tile:
            return seconds(work)
        tiles = 4 * self.stages(main) * (tile.rows + tile.columns) * tile.terms
        return max(seconds(2 * self.executed(main)), tiles / CACHE)

    def work(self, program, n, calls=None):
        """Of each call of a program: its entry and multiply-adds, what it is launched with, and the bytes of its operands and results."""
        for entry, (macs, read, read_each, written, written_each) in calls or self.calls[program]:
            size = n if program != UPDATE else self.parameters
            yield entry, macs, size, read + written + size * (read_each + written_each)

    def bound(self, program, n, calls=None):
        """Seconds that no schedule of these kernels can save."""
        return sum(max(2 * macs * n / self.peak(self.main(self.launches(entry, size)[0], macs).kernel), needed / self.chip.bandwidth)
                   for entry, macs, size, needed in self.work(program, n, calls))

    def estimate(self, program, n, calls=None):
        """The bound, and the seconds expected, of a program; its flops, bytes and launches."""
        expected = flops = moved = 0
        count = 0
        for entry, macs, size, needed in self.work(program, n, calls):
            work = 2 * macs * n
            launches, between = self.launches(entry, size)
            main = self.main(launches, macs)
            flops, moved, count = flops + work, moved + needed + between, count + len(launches)
            hidden = min(1, self.occupancy(main)[0] / MEMORY_WARPS)
            passed = (needed + between) / (self.chip.bandwidth * REACHED * hidden)
            expected += max(self.arithmetic(main, work) if macs else 0, passed) + GAP * len(launches)
        return self.bound(program, n, calls), expected, flops, moved, count


HEAD = """# GPUs, estimated

**These are estimates. Nothing has run on a GPU, and nothing here was measured: none was at hand.** `scripts/estimate_gpu.py` wrote this page from
the CUDA C++ of each network (`--emit=cuda`), from what ptxas says of it for sm_90, and from NVIDIA's figures for an H100 SXM5: {flops:.1f} TFLOP/s in fp32
without tensor cores, {tf32:.0f} in TF32 and {bf16:.0f} in bf16 with them, {bandwidth:.2f} TB/s, {processors} multiprocessors. `scripts/check-gpu.sh` measures where
there is a GPU.

- *Bound*: of each kernel the longer of its multiply-adds at the peak and its operands and results at the full bandwidth, summed. No schedule of these kernels
  is faster; fewer kernels, fused, might be. The peak is that of what computes them: rows of TF32 and bf16 are networks with `--precision=tf32` and
  `--precision=bf16`, where tensor cores have most convolutions and all else is fp32, maps in memory too.
- *Expected*: the schedules that there are. Multiply-adds at the share of the peak that the loads of the innermost loop leave (a warp's load takes the load
  unit four times as long as a multiply-add takes to issue, whatever the caches say), that resident warps hide ({arithmetic} hide arithmetic), and that the last wave
  of blocks leaves; memory, what passes between the kernels of one call included, at {reached:.0%} of the bandwidth where {memory} warps are resident; {gap:.0f} us a kernel
  between it and the next. Of tensor cores: all products of their tiles, those beyond an edge and between merged groups too; {mma:.0%} of the
  peak at most, as `mma.sync` is not Hopper's own instruction, and less where loads from shared memory take longer (a tile holds f32 in bf16 too, so
  that it gains nothing over TF32); tiles come from a cache of {cache:.1f} TB/s. These shares are rules of thumb.
- *Share*: bound by expected.

"""
MODELS = pathlib.Path(__file__).resolve().parents[1] / 'models'
# Of the page: name, network, flags, and other precisions.
NETWORKS = [('NIN', 'nin', [], []), ('NIN root-8', 'nin', ['--root=8'], ['tf32', 'bf16']), ('ResNet-50', 'resnet50', [], []),
            ('ResNet-50 root-64', 'resnet50', ['--root=64'], ['tf32', 'bf16']), ('GoogLeNet root-8', 'googlenet', ['--root=8'], ['tf32', 'bf16'])]


def networks(given):
    """Name, file and flags of each."""
    for argument in given:
        name, rest = argument.split('=', 1)
        network, *flags = rest.split(',')
        yield name, network, flags
    if not given:
        for name, network, flags, precisions in NETWORKS:
            yield name, MODELS / f'{network}.mlir', flags
            for precision in precisions:
                yield f'{name}, {precision.replace("tf", "TF")}', MODELS / f'{network}.mlir', [*flags, f'--precision={precision}']


def source(options, folder, name, network, flags):
    text, report = folder / f'{name}.cu', folder / f'{name}.cu.log'
    if not report.exists():
        subprocess.run([options.rootc, network, *flags, '--emit=cuda', '-o', text], check=True)
        run = subprocess.run([options.nvcc, '-std=c++17', '-arch=sm_90', '-Xptxas=-v', '-cubin', text, '-o', folder / 'cubin'],
                             check=True, stderr=subprocess.PIPE, text=True)
        report.write_text(run.stderr)
    return Source(text.read_text(), report.read_text())


def describe(name, emitted, batch, tables):
    """A network's rows of the three tables."""
    times, occupied, slowest = tables
    for title, programs in PROGRAMS.items():
        bound, expected, flops, moved, count = map(sum, zip(*(emitted.estimate(p, batch) for p in programs)))
        times.append(f'| {name} | {title} | {count} | {flops / 1e9:,.0f} | {moved / 1e9:.2f} | {bound * 1e3:.2f} | {expected * 1e3:.2f} | '
                     f'{bound / expected:.0%} |')
    slow, rows, needed, executed, tiled = set(), [], 0, 0, 0
    for call in emitted.calls[2]:
        entry, (macs, *_) = call
        bound, expected, *_ = emitted.estimate(2, batch, [call])
        launch = emitted.main(emitted.launches(entry, batch)[0], macs)
        warps, full = emitted.occupancy(launch)
        slow.add((expected, f'| {name} | `{launch.kernel}` | {bound * 1e3:.2f} | {expected * 1e3:.2f} | {launch.blocks:,} of {launch.threads} | {warps} |'))
        if macs:
            kernel = launch.kernel
            rows.append((emitted.registers[kernel], emitted.shared[kernel] / 1024, warps, emitted.issue(kernel), full))
        if macs and emitted.tile(launch.kernel):
            needed, executed, tiled = needed + macs * batch, executed + emitted.executed(launch), tiled + 1
    slowest += [line for _, line in sorted(slow, reverse=True)[:4]]
    rows = [sorted(column) for column in zip(*rows)]
    middle = [column[len(column) // 2] for column in rows]
    occupied.append(f'| {name} | {len(rows[0])} | {middle[0]}, {rows[0][-1]} | {middle[1]:.1f}, {rows[1][-1]:.1f} | {middle[2]}, {rows[2][0]} | '
                    f'{middle[3]:.0%} | {middle[4]:.0%} | {tiled} | {f"{needed / executed:.0%}" if tiled else ""} |')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('rootc')
    parser.add_argument('nvcc')
    parser.add_argument('networks', nargs='*', metavar='NAME=NETWORK.mlir[,FLAG...]')
    parser.add_argument('--batch', type=int, default=256)
    parser.add_argument('--keep', help='folder of the sources and reports, which are used again where they lie there')
    options = parser.parse_intermixed_args()
    if bad := [argument for argument in options.networks if '=' not in argument]:
        parser.error(f"'{bad[0]}' is no NAME=NETWORK.mlir")
    tables = times, occupied, slowest = [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        for name, network, flags in networks(options.networks):
            try:
                describe(name, source(options, pathlib.Path(options.keep or temporary), name, network, flags), options.batch, tables)
            except Stale as what:
                sys.exit(f'estimate_gpu.py: {name}: the CUDA C++ of rootc, or the report of ptxas, has not {what}, or not in the form that this script '
                         'knows; mend its pattern')
    print(HEAD.format(flops=H100.flops / 1e12, tf32=H100.tf32 / 1e12, bf16=H100.bf16 / 1e12, bandwidth=H100.bandwidth / 1e12, processors=PROCESSORS,
                      arithmetic=ARITHMETIC_WARPS, reached=REACHED, memory=MEMORY_WARPS, gap=GAP * 1e6, mma=MMA_SYNC, cache=CACHE / 1e12), end='')
    print(f'Batch {options.batch}; a training step is forward, backward and SGD.\n')
    print('| network | program | kernels | GFLOP | GB moved | bound, ms | expected, ms | share |\n|---|---|---|---|---|---|---|---|')
    print('\n'.join(times))
    print('\nThe kernels of a training step that multiply and add, in the median and at the worst; how many of them tensor cores have, and how much of what\n'
          'those multiply is needed:\n')
    print('| network | kernels | registers | shared memory, KB | resident warps of 64 | of the peak, by loads | by the last wave | tensor cores | needed |')
    print('|---|---|---|---|---|---|---|---|---|')
    print('\n'.join(occupied))
    print('\nWhere most of a training step should go. Of the convolution of the image, which tensor cores do not have, the filter gradient leads; in\n'
          'fp32 other kernels follow in which each thread loads as much as it multiplies, or of few threads a block where maps are small.\n')
    print('| network | kernel | bound, ms | expected, ms | blocks and their threads | warps on a multiprocessor |\n|---|---|---|---|---|---|')
    print('\n'.join(slowest))


if __name__ == '__main__':
    main()
