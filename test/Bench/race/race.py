#!/usr/bin/env python3
"""Races rootc against PyTorch, ONNX Runtime and OpenVINO, on two threads; README.md beside this file says how to set it up.

    race.py [CASE...]      all of CASES below, or those that a pattern names: 'train:*' 'infer:resnet50*'

Each contender is a process of its own (thread pools of two runtimes in one process spin against each other). They take turns:
a pause for threads to fall asleep, a run to warm up, the best of three. Medians over the rounds, which begin once all have
warmed up; a peer that is far behind the best one after a round is left out from then on. PyTorch runs eagerly and compiled, in both
layouts. Writes a Markdown table, and with --json the figures behind it.

A case's bound: the sum over rootc's kernels of the longer of arithmetic at the machine's peak and compulsory bytes at its
bandwidth (`rootrun profile`). A case holds where the ratio to the best peer is at most its must, or where rootc reaches
88% of the bound (inference: 95%).
"""
import argparse
import fnmatch
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from turns import Process, round_of, wait_for_quiet

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
PEERS = {'torch-last': 'PyTorch', 'torch-first': 'PyTorch', 'compile-last': 'compiled', 'compile-first': 'compiled',
         'ort': 'ONNX Runtime', 'ov': 'OpenVINO'}
COLUMNS = list(dict.fromkeys(PEERS.values()))
# A case is KIND:WHAT:BATCH, with the ratio to the best peer that it must not exceed. Of kind `memory` it is the memory of a
# training step, peak resident size less that before the network is made. A layer is CHANNELSxSIZE-CHANNELS_A_GROUP, a grouped
# 3x3: `layer` is forward and backward, `forward` alone as in inference, between dense convolutions, which take any order of
# channels; `edges` is forward and backward with whatever it takes to have the standard order on both sides. Of kind `core`, the
# 1x1 convolutions of ResNet-50's training step on one thread: the must is the share of the peak that their multiply-adds reach.
# `train-bf16` and `infer-bf16` are rootc's --precision=bf16 against PyTorch's autocast and OpenVINO's bf16.
CASES = {
    'train:nin-root-8:128': 0.45, 'train:nin:128': 0.62, 'train:resnet50-root-64:8': 0.62, 'train:resnet50:8': 0.75,
    'train:googlenet-root-8:8': 0.60, 'train:googlenet:8': 0.75,
    'infer:resnet50-root-64:1': 0.92, 'infer:resnet50-root-64:16': 0.92, 'infer:googlenet-root-8:1': 0.92,
    'infer:googlenet-root-8:16': 0.92, 'infer:nin-root-8:128': 0.92,
    'infer:resnet50:1': 1.02, 'infer:resnet50:16': 1.02, 'infer:googlenet:1': 1.02, 'infer:googlenet:16': 1.02,
    'infer:nin:128': 1.02,
    'infer-bf16:resnet50-root-64:1': 1.00, 'infer-bf16:resnet50-root-64:16': 1.00,
    'train-bf16:resnet50-root-64:8': 0.75, 'train-bf16:nin-root-8:128': 0.75,
    'train:convnext-tiny:8': 0.80, 'infer:convnext-tiny:1': 1.00, 'infer:convnext-tiny:16': 1.00,
    'core:backward-filter:8': 0.85, 'core:backward-data:8': 0.85, 'core:strided-backward-data:8': 0.75,
    'memory:nin-root-8:128': 0.65, 'memory:resnet50-root-64:8': 0.65,
    **{f'layer:192x28-{per_group}:16': 0.7 if per_group >= 8 else 0.5 for per_group in (1, 2, 3, 4, 6, 8, 12, 24)},
    **{f'forward:192x28-{per_group}:16': 0.9 if per_group >= 8 else 0.7 for per_group in (1, 2, 3, 4, 6, 8, 12, 24)},
    **{f'edges:192x28-{per_group}:16': 0.9 for per_group in (1, 2, 3, 4, 6, 8, 12, 24)},
    **{f'layer:64x56-{per_group}:8': 0.7 for per_group in (1, 2, 4, 8, 16)},
    **{f'layer:384x14-{per_group}:8': 0.7 for per_group in (1, 2, 3, 4, 6, 8, 12, 16)},
}
# The share of its bound at which a case holds whatever the ratio is.
ENOUGH = {'train': 0.88, 'layer': 0.88, 'forward': 0.88, 'core': 0.88, 'infer': 0.95}
# What --avx2 adds to a must, if not 0.08.
AVX2 = {'core': -0.08, 'memory': 0}
LAYER = """root.network @layer(%image: !root.image<{size}x{size}x16>) classes(10) {{
  %1 = root.conv2d "before" %image filters({channels}) kernel(1x1) no_bias
  %2 = root.conv2d "layer" %1 filters({channels}) kernel(3x3) pad(1) groups({groups}) no_bias
  %3 = root.conv2d "after" %2 filters(10) kernel(1x1) no_bias
  %4 = root.global_average_pool %3
  root.output %4
}}
"""
# A response normalisation needs the standard order.
EDGES = LAYER.replace('"layer" %1', '"layer" %n').replace('"after" %2', '"after" %m').replace(
    '  %2', '  %n = root.local_response_norm %1 size(3)\n  %2').replace('  %3', '  %m = root.local_response_norm %2 size(3)\n  %3')


class Case:
    def __init__(self, name, options):
        self.name, self.options = name, options
        self.title = name + ' (AVX2)' * options.avx2
        self.kind, self.what, batch = name.split(':')
        self.kind, *precision = self.kind.split('-')
        self.bf16 = precision == ['bf16']
        self.batch = int(batch)
        self.layer = self.kind in ('layer', 'forward', 'edges')
        self.training = self.kind in ('train', 'layer', 'edges', 'memory', 'core')
        self.threads = 1 if self.kind == 'core' else options.threads
        self.must = CASES[name] + AVX2.get(self.kind, 0.08) * options.avx2
        if self.layer:
            self.channels, self.size = map(int, self.what.split('-')[0].split('x'))
            self.groups = self.channels // int(self.what.split('-')[1])
        network = 'resnet50' if self.kind == 'core' else self.what.split('-root-')[0]
        self.source = self.file('mlir') if self.layer else SOURCE / 'models' / (network + '.mlir')

    def file(self, suffix):
        variant = '-edges' * (self.kind == 'edges') + ('-avx2' * self.options.avx2 + '-bf16' * self.bf16) * (suffix == 'so')
        return self.options.folder / f'{self.what}{variant}.{suffix}'

    def rootc(self, suffix, *flags):
        file = self.file(suffix)
        if '-root-' in self.what:
            flags += ('--root=' + self.what.rsplit('-', 1)[1],)
        subprocess.run([self.options.bin / 'rootc', self.source, *flags, '-o', file], check=True, stderr=subprocess.PIPE)
        return file

    def rootrun(self, verb, *flags):
        return [self.options.bin / 'rootrun', verb, self.library, *['--train'] * self.training, *flags,
                f'--batch={self.batch}', f'--threads={self.threads}']

    def profile(self, runs):
        """Of rootc: milliseconds and the bound; of a layer's case, its calls alone."""
        report = json.loads(subprocess.check_output(self.rootrun('profile', '--json', f'--runs={runs}')))
        calls = [call for call in report['calls'] if not self.layer or call['label'].startswith('layer ') or 'shuffle' in call['label']]
        return sum(call['ms'] for call in calls), sum(call['bound_ms'] for call in calls)

    def core(self):
        """Milliseconds, the bound, and the time at the machine's peak, of a case of that kind."""
        strides = dict(re.findall(r'conv2d "(\w+)" .*kernel\(1x1\)(.*)', self.source.read_text()))
        strided, program = self.what.startswith('strided'), self.what.removeprefix('strided-').replace('-', ' ')
        report = json.loads(subprocess.check_output(self.rootrun('profile', '--json', '--runs=3')))
        calls = [call for call in report['calls'] for layer, rest in strides.items()
                 if call['label'] == f'{layer} {program}' and (program == 'backward filter' or ('stride' in rest) == strided)]
        ms, bound, macs = (sum(call[key] for call in calls) for key in ('ms', 'bound_ms', 'multiply_adds'))
        return ms, bound, 2e-6 * macs / report['machine']['gflop_per_s']

    def compile(self):
        if self.layer:
            text = EDGES if self.kind == 'edges' else LAYER
            self.source.write_text(text.format(channels=self.channels, size=self.size, groups=self.groups))
        # As peers are told what they are to expect.
        self.library = self.rootc('so', f'--batch={self.batch}', f'--threads={self.options.threads}',
                                  *['--target=x86-64-v3'] * self.options.avx2, *['--precision=bf16'] * self.bf16)

    def peer(self, kind):
        """The command of a peer's process; none if it cannot run this case."""
        exported = kind in ('ort', 'ov')
        if exported and (self.training or self.layer):
            return None
        if kind == 'ort' and (self.options.avx2 or self.bf16):  # it has no way to be held to AVX2, and no bf16 on CPUs
            return None
        if exported:
            file, flags = self.rootc('onnx'), []
        elif self.layer:
            file, flags = f'layer:{self.channels},{self.size},{self.groups}', []
        else:
            file, flags = self.source, ['--cost', self.rootc('json', '--emit=cost', '--format=json')]
        return [sys.executable, HERE / 'peer.py', kind, file, *flags, *['--train'] * self.training, *['--bf16'] * self.bf16,
                f'--batch={self.batch}', f'--threads={self.options.threads}']


class LayerProcess:
    """rootc's side of a layer's case: its calls within a network."""

    def __init__(self, case):
        self.case = case

    def turn(self):
        return self.case.profile(runs=5)[0]

    def end(self):
        pass


def environment(options):
    """What holds PyTorch and OpenVINO to AVX2."""
    if not options.avx2:
        return None
    return os.environ | {'ONEDNN_MAX_CPU_ISA': 'AVX2', 'ATEN_CPU_CAPABILITY': 'avx2', 'MKL_ENABLE_INSTRUCTIONS': 'AVX2'}


def take_turns(case, options):
    contenders = {}
    try:
        for kind in options.peers:
            if command := case.peer(kind):
                log = options.folder / f'{kind}.log'
                contenders[kind] = Process(command, log, environment(options))
                if contenders[kind].turn() is None:
                    print(f'{case.name}: {kind} did not start; see {log}', file=sys.stderr)
                    contenders.pop(kind).end()
        if options.rootc:
            contenders['rootc'] = LayerProcess(case) if case.layer else Process(case.rootrun('bench', '--serve'), options.folder / 'rootc.log')
            contenders['rootc'].turn()
        if options.pause:
            wait_for_quiet(case.name)
        times, racing = {}, dict(contenders)
        for _ in range(options.rounds):
            round_of(racing, times)
            best = min((statistics.median(times[kind]) for kind in racing if kind != 'rootc'), default=0)
            racing = {kind: racing[kind] for kind in racing if kind == 'rootc' or times[kind][0] < 1.3 * best}
        bound = case.profile(runs=3)[1] if options.rootc and not case.bf16 else None  # the profile's peak is that of float
    finally:
        for contender in contenders.values():
            contender.end()
    return times, bound


def measure_core(case):
    """What `race` answers. The best of three: of one thread, with nothing to compare it to."""
    ms, bound, at_peak = min(case.core() for _ in range(3))
    share = at_peak / ms
    return {'case': case.title, 'must': case.must, 'medians': {'rootc': ms}, 'bound': bound, 'of_bound': bound / ms, 'of_peak': share,
            'holds': share >= case.must or bound / ms >= ENOUGH['core']}


def measure_memory(case, options):
    figures = {}
    for kind in options.peers:
        if command := case.peer(kind):
            output = subprocess.run([*command, '--memory'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            if output.returncode == 0:
                figures[kind] = [int(output.stdout.split()[-1])]
    if options.rootc:
        memory = json.loads(subprocess.check_output(case.rootrun('bench', '--json', '--runs=2')))['memory']
        figures['rootc'] = [memory['peak_bytes'] - memory['loaded_bytes']]
    return {kind: [value / 2**20 for value in values] for kind, values in figures.items()}, None


def race(case, options):
    """What the table's line and the JSON say; times in ms, memory in MiB."""
    if options.rootc:
        case.compile()
    if case.kind == 'core':
        return measure_core(case)
    figures, bound = (measure_memory if case.kind == 'memory' else take_turns)(case, options)
    medians = {kind: statistics.median(values) for kind, values in figures.items()}
    result = {'case': case.title, 'must': case.must, 'figures': figures, 'medians': medians}
    # Eager PyTorch is what a step's memory is compared with.
    peers = {kind: value for kind, value in medians.items()
             if (kind.startswith('torch') if case.kind == 'memory' else kind != 'rootc')}
    if peers:
        result['best_peer'] = min(peers, key=peers.get)
        if 'rootc' in medians:
            ratios = [ours / theirs for ours, theirs in zip(figures['rootc'], figures[result['best_peer']])]
            result |= {'ratio': medians['rootc'] / peers[result['best_peer']], 'ratios_of_rounds': ratios}
    if bound:
        result |= {'bound': bound, 'of_bound': bound / medians['rootc']}
    if 'ratio' in result:
        result['holds'] = result['ratio'] <= case.must or result.get('of_bound', 0) >= ENOUGH.get(case.kind, 2)
    return result


def number(value):
    return '' if value is None else f'{value:.{max(0, 3 - len(str(int(value))))}f}'


def table(results):
    lines = [['case', 'rootc', *COLUMNS, 'ratio', 'range', 'must', 'bound', 'of bound', 'holds']]
    for result in results:
        medians = result['medians']
        best = [min((medians[kind] for kind, name in PEERS.items() if name == column and kind in medians), default=None)
                for column in COLUMNS]
        ratios = result.get('ratios_of_rounds', [])
        lines.append([result['case'], number(medians.get('rootc')), *map(number, best),
                      f'{result["of_peak"]:.0%} of peak' if 'of_peak' in result else
                      f'{result["ratio"]:.2f}' if 'ratio' in result else '',
                      f'{min(ratios):.2f} to {max(ratios):.2f}' if len(ratios) > 1 else '',
                      f'{result["must"]:.0%}' if 'of_peak' in result else f'{result["must"]:.2f}',
                      number(result.get('bound')), f'{result["of_bound"]:.0%}' if 'of_bound' in result else '',
                      {True: 'yes', False: 'no'}.get(result.get('holds'), '')])
    rule = ['---'] + ['---:'] * (len(lines[0]) - 1)
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in (lines[0], rule, *lines[1:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cases', nargs='*', default=['*'], metavar='CASE')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--avx2', action='store_true',
                        help='kernels for x86-64-v3, and peers held to AVX2, as all but ONNX Runtime can be; musts are then 0.08 laxer')
    parser.add_argument('--peers', default=','.join(PEERS), help='of: %(default)s')
    parser.add_argument('--no-rootc', dest='rootc', action='store_false', help='time the peers alone')
    parser.add_argument('--pause', action='store_true', help='wait for a line of standard input before the rounds of each case')
    parser.add_argument('--json', type=pathlib.Path, help='a file for all figures')
    parser.add_argument('--show', type=pathlib.Path, nargs='+', metavar='JSON', help='race nothing: the table of such files')
    parser.add_argument('--bin', type=pathlib.Path, default=SOURCE / 'build' / 'release' / 'bin', help='folder of rootc and rootrun')
    parser.add_argument('--folder', type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / 'rootc-race',
                        help='keeps what was compiled (default: %(default)s)')
    options = parser.parse_args()
    if options.show:
        found = {result['case']: result for file in options.show for result in json.loads(file.read_text())}
        order = [name + suffix for suffix in ('', ' (AVX2)') for name in CASES]
        print(table([found[title] for title in order if title in found]))
        return
    options.peers = [kind for kind in options.peers.split(',') if kind]
    if unknown := set(options.peers) - set(PEERS):
        parser.error(f'no such peers: {", ".join(sorted(unknown))}')
    names = [name for name in CASES if any(fnmatch.fnmatch(name, pattern) for pattern in options.cases)
             and (options.rootc or not name.startswith('core:'))]
    if not names:
        parser.error('no such case; these are there: ' + ' '.join(CASES))
    options.folder.mkdir(parents=True, exist_ok=True)
    results = []
    for name in names:
        results.append(race(Case(name, options), options))
        print(table(results[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + '\n')
    print(table(results))


if __name__ == '__main__':
    main()
