#!/usr/bin/env python3
"""The tables of docs/paper.md: every figure the paper published (test/Reference/*.csv) beside ours.

    paper_tables.py            writes them: parameters and multiply-adds as `rootc --emit=cost` counts them, the rest from
                               docs/paper-measured.csv
    paper_tables.py --check    changes nothing and fails if they are not current
    paper_tables.py --measure [NETWORK...]
                               times inference of every row first (many minutes), into
                               docs/paper-measured.csv; then writes them
"""

import argparse
import csv
import difflib
import json
import os
import re
import resource
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
    batch: int  # of our timing: the paper's where it has one


TABLES = [
    Table('Network in Network, CIFAR-10', 'nin_cifar10', 'nin', 13, {'conv2a': 'conv2a', 'conv3a': 'conv3a'}, 128),
    Table('ResNet-50, ILSVRC-2012', 'resnet50_ilsvrc', 'resnet50', 7, RESNET, 10),
    Table('ResNet-200, ILSVRC-2012', 'resnet200_ilsvrc', 'resnet200', 6, RESNET, 10),
    Table('GoogLeNet, ILSVRC-2012', 'googlenet_ilsvrc', 'googlenet', 5, {'conv2': 'conv2/3x3'} | INCEPTION, 32),
    Table('AlexNet, ILSVRC-2012', 'alexnet_ilsvrc', 'alexnet', 3, {n: n for n in ('conv2', 'conv4', 'conv5')}, 32),
]

# Columns of the paper's files, as the page heads them; all other columns of a file are groups and counts.
PUBLISHED = {
    'top1_accuracy': 'top-1', 'top5_accuracy': 'top-5', 'top1_error': 'top-1 error', 'top5_error': 'top-5 error',
    'cpu_ms_per_image': 'CPU, ms an image', 'gpu_ms_per_image': 'GPU, ms an image',
    'cpu_ms_batch10': 'CPU, ms a batch of 10', 'gpu_ms_batch10': 'GPU, ms a batch of 10',
    'cpu_ms_batch32': 'CPU, ms a batch of 32', 'gpu_ms_batch32': 'GPU, ms a batch of 32',
}
NONE = '–'


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
    fields = ('model', 'batch', 'infer_ms', 'top1_accuracy')
    with open(MEASURED, 'w', newline='') as file:
        writer = csv.DictWriter(file, fields, lineterminator='\n', extrasaction='ignore')
        writer.writeheader()
        for table in TABLES:
            for row in read_rows(table):
                writer.writerow({**measured.get(row['model'], {}), 'model': row['model']})


def processor_ms(command):
    """The processor time of a program, in ms: what other programs do meanwhile hardly changes it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def measure(rootc, rootrun, tables, runs=3, rounds=2):
    """Times inference on one thread. Compiles everything first; then the rows of a table take turns. A time is the
    difference between a few runs more and one, by the run; the least of the rounds counts."""
    measured = read_measured() if os.path.exists(MEASURED) else {}
    with tempfile.TemporaryDirectory() as folder:
        library = lambda row: os.path.join(folder, row['model'] + '.so')
        for table in tables:
            for row in read_rows(table):
                subprocess.run([rootc, model_file(table), *flags_of(table, row), '--mode=infer', '-o', library(row)],
                               check=True, stderr=subprocess.DEVNULL)
                print(f'{row["model"]}: compiled', flush=True)
        for table in tables:
            best = {}
            for _ in range(rounds):
                for row in read_rows(table):
                    command = [rootrun, 'bench', library(row), '--infer', f'--batch={table.batch}', '--threads=1']
                    few, more = (processor_ms(command + [f'--runs={count}']) for count in (1, 1 + runs))
                    best[row['model']] = min((more - few) / runs, best.get(row['model'], float('inf')))
            for model, time in best.items():
                measured.setdefault(model, {}).update({'model': model, 'batch': table.batch, 'infer_ms': f'{time:.1f}'})
                print(f'{model}: {time:.1f} ms, batch {table.batch}', flush=True)
            write_measured(measured)


def ratio(value, base):
    return f'{float(value) / float(base):.2f}' if value and base else NONE


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


def times_table(table, rows, costs, measured):
    published = [column for column in PUBLISHED if column in rows[0] and column.startswith(('cpu', 'gpu'))]
    base = baseline(table, rows)
    ours = lambda row: measured.get(row['model'], {}).get('infer_ms')
    lines = [['network', 'multiply-adds, of baseline']]
    for column in published:
        lines[0] += [PUBLISHED[column], 'of baseline']
    unit = 'an image' if any('per_image' in column for column in published) else f'a batch of {table.batch}'
    per = table.batch if unit == 'an image' else 1
    lines[0] += [f'ours, one core, ms {unit}', 'of baseline']
    for row in rows:
        line = [row['model'], ratio(costs[row['model']]['macs'], costs[base['model']]['macs'])]
        for column in published:
            line += [row[column], ratio(row[column], base[column])]
        time = f'{float(ours(row)) / per:.{2 if per > 1 else 0}f}' if ours(row) else NONE
        lines.append(line + [time, ratio(ours(row), ours(base))])
    return render(lines)


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
    tools = parser.parse_args()
    unknown = set(tools.networks) - {table.model for table in TABLES}
    if unknown:
        parser.error(f'no such networks: {", ".join(sorted(unknown))}')
    if tools.measure:
        measure(tools.rootc, tools.rootrun,
                [table for table in TABLES if not tools.networks or table.model in tools.networks])
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
