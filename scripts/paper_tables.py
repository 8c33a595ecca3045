#!/usr/bin/env python3
"""The tables of docs/paper.md: every figure the paper published (test/Reference/*.csv) beside ours.

    paper_tables.py            writes them: parameters and multiply-adds as `rootc --emit=cost` counts them, the rest from
                               docs/paper-measured.csv
    paper_tables.py --check    changes nothing and fails if they are not current
    paper_tables.py --measure [NETWORK...]
                               times inference and a training step of every row first, on a quiet machine, into
                               docs/paper-measured.csv after each table; then writes them. `--rounds 0` only compiles

A saving counts where time by the baseline's is at most multiply-adds by the baseline's, or the bound by the baseline's if
that is larger, + 0.05. A bound is the least time of a network's kernels by `rootrun profile`. All is without Winograd's
convolution, which grouped layers cannot have.
"""

import argparse
import csv
import difflib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
PAGE = os.path.join(SOURCE, 'docs', 'paper.md')
MEASURED = os.path.join(SOURCE, 'docs', 'paper-measured.csv')

RESNET = {f'res{k}': rf'res{k}\w+_branch2b' for k in range(2, 6)}
INCEPTION = {f'inception{k}': rf'inception_{k}\w/[35]x[35]' for k in range(3, 6)}


@dataclass
class Table:
    title: str
    file: str  # test/Reference/FILE.csv
    model: str  # models/MODEL.mlir
    rows: int
    groups: dict  # what its columns of groups say of which layers
    batch: int  # of our inference: the paper's where it has one
    train_batch: int  # of our training step


TABLES = [
    Table('Network in Network, CIFAR-10', 'nin_cifar10', 'nin', 13, {'conv2a': 'conv2a', 'conv3a': 'conv3a'}, 128, 128),
    Table('ResNet-50, ILSVRC-2012', 'resnet50_ilsvrc', 'resnet50', 7, RESNET, 10, 8),
    Table('ResNet-200, ILSVRC-2012', 'resnet200_ilsvrc', 'resnet200', 6, RESNET, 10, 8),
    Table('GoogLeNet, ILSVRC-2012', 'googlenet_ilsvrc', 'googlenet', 5, {'conv2': 'conv2/3x3'} | INCEPTION, 32, 8),
    Table('AlexNet, ILSVRC-2012', 'alexnet_ilsvrc', 'alexnet', 3, {n: n for n in ('conv2', 'conv4', 'conv5')}, 32, 32),
]

# Columns of the paper's files, as the page heads them; all other columns of a file are groups and counts.
PUBLISHED = {
    'top1_accuracy': 'top-1', 'top5_accuracy': 'top-5', 'top1_error': 'top-1 error', 'top5_error': 'top-5 error',
    'cpu_ms_per_image': 'CPU, ms an image', 'gpu_ms_per_image': 'GPU, ms an image',
    'cpu_ms_batch10': 'CPU, ms a batch of 10', 'gpu_ms_batch10': 'GPU, ms a batch of 10',
    'cpu_ms_batch32': 'CPU, ms a batch of 32', 'gpu_ms_batch32': 'GPU, ms a batch of 32',
}


def read_rows(table):
    with open(os.path.join(SOURCE, 'test', 'Reference', table.file + '.csv'), newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == table.rows, f'{table.file}: {len(rows)} rows'
    return rows


def groups_of(table, row):
    return {column: int(row[column + '_groups']) for column in table.groups}


def flags_of(table, row):
    """The flags that make a row's network: its topology, or where the table has none its layers' groups."""
    topology = re.fullmatch(r'\w+-(root|tree|column)-(\d+)', row['model'])
    if topology:
        return [f'--topology={topology[1]}', f'--root={topology[2]}']
    changed = [f'{name}={count}' for name, count in groups_of(table, row).items() if count > 1]
    return ['--groups=' + ','.join(changed)] if changed else []


def model_file(table):
    return os.path.join(SOURCE, 'models', table.model + '.mlir')


def cost_of(rootc, table, row):
    command = [rootc, model_file(table), *flags_of(table, row), '--emit=cost', '--format=json']
    return json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))


def baseline(table, rows):
    """The row without groups: the first, but AlexNet's was published with two."""
    return next(row for row in rows if set(groups_of(table, row).values()) == {1})


def read_measured():
    with open(MEASURED, newline='') as file:
        return {row['model']: row for row in csv.DictReader(file)}


def write_measured(measured):
    fields = ('model', 'infer_ms', 'infer_bound_ms', 'train_ms', 'train_bound_ms', 'top1_accuracy')
    with open(MEASURED, 'w', newline='') as file:
        writer = csv.DictWriter(file, fields, lineterminator='\n', extrasaction='ignore')
        writer.writeheader()
        for table in TABLES:
            for row in read_rows(table):
                writer.writerow({**measured.get(row['model'], {}), 'model': row['model']})


def measure_program(tools, program, batch, libraries):
    """What the rows' CSV says of a program. Libraries take turns: the median of the rounds' times, and the least bound,
    which a busy machine makes larger."""
    reports = {model: [] for model in libraries}
    for _ in range(tools.rounds):
        for model, library in libraries.items():
            command = [tools.rootrun, 'profile', library, '--json', f'--batch={batch}', '--runs=2',
                       f'--threads={tools.threads}', *['--train'] * (program == 'train')]
            reports[model].append(json.loads(subprocess.check_output(command)))
    return {model: {f'{program}_ms': f'{statistics.median(report["total_ms"] for report in found):.2f}',
                    f'{program}_bound_ms': f'{min(report["bound_ms"] for report in found):.2f}'}
            for model, found in reports.items()}


def measure(tools, tables):
    measured = read_measured()
    os.makedirs(tools.folder, exist_ok=True)
    libraries = {}
    for table in tables:
        for row in read_rows(table):
            libraries[row['model']] = os.path.join(tools.folder, row['model'] + '.so')
            subprocess.run([tools.rootc, model_file(table), *flags_of(table, row), '--winograd=off', '-o',
                            libraries[row['model']]], check=True, stderr=subprocess.DEVNULL)
            print(f'{row["model"]}: compiled', flush=True)
    for table in tables if tools.rounds else []:
        rows = read_rows(table)
        for program, batch in (('infer', table.batch), ('train', table.train_batch)):
            found = measure_program(tools, program, batch, {row['model']: libraries[row['model']] for row in rows})
            for model, figures in found.items():
                measured.setdefault(model, {}).update(figures)
            write_measured(measured)
        costs = {row['model']: cost_of(tools.rootc, table, row) for row in rows}
        print('\n'.join(['', *times_table(table, rows, costs, measured), '']), flush=True)


def ratio(value, base):
    return f'{float(value) / float(base):.2f}'


def render(lines):
    head = lines[0]
    return ['| ' + ' | '.join(line) + ' |' for line in (head, ['---'] + ['---:'] * (len(head) - 1), *lines[1:])]


def counts_table(table, rows, costs, measured):
    printed = ['params_as_printed'] * ('params_as_printed' in rows[0])
    quality = [column for column in PUBLISHED if column in rows[0] and not column.startswith(('cpu', 'gpu'))]
    lines = [['network', *['parameters, as printed'] * len(printed), 'parameters', 'ours', 'multiply-adds', 'ours',
              *[PUBLISHED[column] for column in quality], 'ours']]
    for row in rows:
        cost = costs[row['model']]
        ours = measured.get(row['model'], {}).get('top1_accuracy') or 'not trained'
        lines.append([row['model'], *[f'{int(row[column]):,}' for column in printed],
                      f'{int(row["params"]):,}', f'{cost["params"]:,}', f'{int(row["macs"]):,}', f'{cost["macs"]:,}',
                      *[row[column] for column in quality], ours])
    return render(lines)


def number(value):
    return f'{value:.{max(0, 3 - len(str(int(value))))}f}'


def counts(time, macs, bound):
    """Whether a saving counts; all three by the baseline's."""
    return time <= max(macs, bound) + 0.05


def our_columns(table, rows, costs, measured, program, unit, per):
    """Of one program, heads on top: milliseconds by `per` images, and what is compared with the baseline's."""
    def of_base(values):
        return [value / values[rows.index(baseline(table, rows))] for value in values]

    def figures(column):
        values = [measured.get(row['model'], {}).get(column) for row in rows]
        return [float(value) for value in values] if all(values) else []

    def two_digits(values):
        return [f'{value:.2f}' for value in values]

    times, bounds = figures(f'{program}_ms'), figures(f'{program}_bound_ms')
    columns = []
    if times:
        columns += [[unit, *(number(time / per) for time in times)], ['of baseline', *two_digits(of_base(times))]]
    if times and bounds:
        macs = of_base([costs[row['model']]['macs'] for row in rows])
        verdicts = ['yes' if counts(*ratios) else 'no' for ratios in zip(of_base(times), macs, of_base(bounds))]
        columns += [['bound, of baseline', *two_digits(of_base(bounds))], ['counts', *verdicts]]
    return columns


def times_table(table, rows, costs, measured):
    """The paper's times and ours, as far as there are any."""
    base = baseline(table, rows)
    published = [column for column in PUBLISHED if column in rows[0] and column.startswith(('cpu', 'gpu'))]
    columns = [['network', *(row['model'] for row in rows)],
               ['multiply-adds, of baseline', *(ratio(costs[row['model']]['macs'], costs[base['model']]['macs']) for row in rows)]]
    for column in published:
        columns += [[PUBLISHED[column], *(row[column] for row in rows)], ['of baseline', *(ratio(row[column], base[column]) for row in rows)]]
    an_image = any('per_image' in column for column in published)
    for program, name, batch in (('infer', 'ours', table.batch), ('train', 'training step', table.train_batch)):
        unit, per = ('an image', batch) if an_image else (f'a batch of {batch}', 1)
        columns += our_columns(table, rows, costs, measured, program, f'{name}, ms {unit}', per)
    return render([list(line) for line in zip(*columns)])


def page(rootc):
    """The page with its tables made anew, each between its two marks."""
    measured = read_measured()
    with open(PAGE) as file:
        text = file.read()
    for table in TABLES:
        rows = read_rows(table)
        costs = {row['model']: cost_of(rootc, table, row) for row in rows}
        lines = [f'### {table.title}', '', *counts_table(table, rows, costs, measured), '',
                 *times_table(table, rows, costs, measured)]
        begin, end = f'<!-- table {table.model} -->', f'<!-- end {table.model} -->'
        if text.count(begin) != 1 or text.count(end) != 1:
            sys.exit(f'docs/paper.md: {begin} and {end} must be there once each')
        head, rest = text.split(begin)
        text = head + '\n'.join([begin, *lines, end]) + rest.split(end)[1]
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    built = os.path.join(SOURCE, 'build', 'release', 'bin')
    parser.add_argument('networks', nargs='*', help='of --measure; all if left out')
    parser.add_argument('--rootc', default=os.path.join(built, 'rootc'))
    parser.add_argument('--rootrun', default=os.path.join(built, 'rootrun'))
    parser.add_argument('--measure', action='store_true')
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--rounds', type=int, default=5, help='of --measure; 0 compiles alone (default: %(default)s)')
    parser.add_argument('--threads', type=int, default=2, help='of --measure (default: %(default)s)')
    parser.add_argument('--folder', default=os.path.join(tempfile.gettempdir(), 'rootc-paper'),
                        help='of --measure: keeps the libraries (default: %(default)s)')
    tools = parser.parse_args()
    unknown = set(tools.networks) - {table.model for table in TABLES}
    if unknown:
        parser.error(f'no such networks: {", ".join(sorted(unknown))}')
    if tools.measure:
        measure(tools, [table for table in TABLES if not tools.networks or table.model in tools.networks])
    text = page(tools.rootc)
    with open(PAGE) as file:
        old = file.read()
    if not tools.check:
        with open(PAGE, 'w') as file:
            file.write(text)
    elif text != old:
        sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), text.splitlines(True), PAGE, 'what it should be'))
        sys.exit('docs/paper.md is not current: run scripts/paper_tables.py')


if __name__ == '__main__':
    main()
