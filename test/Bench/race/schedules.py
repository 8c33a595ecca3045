"""Races rootc's schedules: by its rules, by records, and by Halide's autoschedulers, on whole networks and by kind of kernel.

    schedules.py infer:resnet50-root-64:16 train:nin-root-8:128 --rounds 3 --json schedules.json

The libraries take turns, each turn a process of its own: what stays in one place of memory may stay in a bad one. Kinds of kernels are those of
`rootc --explain`, their times the least of profiles in turns. Give --tuned for a database of rootc-tune; without it, records are those that come with rootc.
"""
import argparse
import json
import pathlib
import statistics
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[3]
# 'any': of a library whose batch is not said.
FLAGS = {'rules': ['--tuned=none'], 'any': [], 'records': [], 'mullapudi': ['--schedule=mullapudi'], 'adams': ['--schedule=adams']}


class Case:
    def __init__(self, name, options):
        self.name, self.options = name, options
        mode, what, self.batch = name.split(':')
        self.training = mode == 'train'
        network, _, root = what.partition('-root-')
        self.network = [SOURCE / 'models' / f'{network}.mlir', *[f'--root={root}'] * bool(root), f'--mode={mode}', f'--target={options.target}']

    def rootc(self, *flags):
        return subprocess.run([self.options.bin / 'rootc', *self.network, *flags], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout

    def compile(self, who):
        library = self.options.folder / f'{self.name.replace(":", "-")}-{who}.so'
        flags = [*FLAGS[who]]
        if who in ('any', 'records') and self.options.tuned:
            flags += [f'--tuned={self.options.tuned}']
        if who != 'any':
            flags += [f'--batch={self.batch}', f'--threads={self.options.threads}']
        self.rootc(*flags, '-o', library)
        return library

    def rootrun(self, verb, library, *flags):
        return [self.options.bin / 'rootrun', verb, library, *['--train'] * self.training, f'--batch={self.batch}',
                f'--threads={self.options.threads}', *flags]

    def milliseconds(self, library):
        """The median of some calls in a process of their own."""
        report = json.loads(subprocess.check_output(self.rootrun('bench', library, '--json')))
        return report['train' if self.training else 'infer']['median_ms']

    def kinds(self):
        """Of each label the kind of its kernel."""
        report = json.loads(self.rootc('--tuned=none', '--explain', '--format=json', f'--batch={self.batch}', f'--threads={self.options.threads}'))
        return {kernel['label']: kernel['kind'] for program in report['programs']
                if program['program'] == ('train' if self.training else 'infer') for kernel in program['kernels']}

    def by_kind(self, library, kinds):
        report = json.loads(subprocess.check_output(self.rootrun('profile', library, '--json', '--runs=2')))
        sums = {}
        for call in report['calls']:
            kind = kinds.get(call['label'], 'other')
            sums[kind] = sums.get(kind, 0) + call['ms']
        return sums


def least(rounds):
    """Of each kind the least of its times."""
    return {kind: min(sums[kind] for sums in rounds) for kind in rounds[0]}


def race(case, options):
    libraries = {who: case.compile(who) for who in options.schedules}
    times = {who: [] for who in libraries}
    for _ in range(options.rounds):
        for who, library in libraries.items():
            times[who].append(case.milliseconds(library))
    kinds = case.kinds() if options.kinds else {}
    profiles = {who: [] for who in libraries}
    for _ in range(options.rounds if kinds else 0):
        for who, library in libraries.items():
            profiles[who].append(case.by_kind(library, kinds))
    return {'case': case.name, 'ms': times, 'kinds': {who: least(rounds) for who, rounds in profiles.items() if rounds}}


def show(result):
    base, *others = result['ms']
    times = {who: statistics.median(of) for who, of in result['ms'].items()}
    ratios = {who: sorted(a / b for a, b in zip(result['ms'][who], result['ms'][base])) for who in others}
    print(f"{result['case']}: {base} {times[base]:.2f} ms" + ''.join(
        f', {who} {times[who]:.2f} ({statistics.median(of):.3f}; {of[0]:.3f} to {of[-1]:.3f})' for who, of in ratios.items()), flush=True)
    if result['kinds']:
        for kind, ms in sorted(result['kinds'][base].items(), key=lambda item: -item[1]):
            print(f'  {ms:9.3f}  {kind}' + ''.join(f", {who} {result['kinds'][who].get(kind, 0) / ms:.2f}" for who in others if ms), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cases', nargs='+', metavar='infer|train:NETWORK[-root-N]:BATCH')
    parser.add_argument('--schedules', default='rules,records', type=lambda text: text.split(','), help='of ' + ', '.join(FLAGS) + '; ratios are to the first')
    parser.add_argument('--kinds', action='store_true', help='a row for each kind of kernel')
    parser.add_argument('--tuned', type=pathlib.Path)
    parser.add_argument('--target', default='host')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--bin', type=pathlib.Path, default=SOURCE / 'build/release/bin')
    parser.add_argument('--folder', type=pathlib.Path, default='/tmp/rootc-schedules')
    parser.add_argument('--json', type=pathlib.Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    results = []
    for name in options.cases:
        results.append(race(Case(name, options), options))
        show(results[-1])
        if options.json:
            options.json.write_text(json.dumps(results, indent=1))


if __name__ == '__main__':
    main()
