"""The columns of our times in the tables of docs/paper.md, from made-up measurements: ratios, and whether a saving counts."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(sys.argv[1], 'scripts'))
from paper_tables import TABLES, baseline, counts, read_rows, times_table

OURS = ['of baseline', 'bound, of baseline', 'counts']


def cells(line):
    return line.strip('| ').split(' | ')


def check(table):
    rows = read_rows(table)
    base = baseline(table, rows)['model']
    costs = {row['model']: {'macs': 1000 if row['model'] == base else 500} for row in rows}
    slow, limited = [row['model'] for row in rows if row['model'] != base][:2]
    measured = {row['model']: {'infer_ms': '54', 'infer_bound_ms': '40', 'train_ms': '549', 'train_bound_ms': '480'} for row in rows}
    measured[base] = {'infer_ms': '100', 'infer_bound_ms': '100', 'train_ms': '1000', 'train_bound_ms': '1000'}
    measured[slow] |= {'infer_ms': '56'}  # more than multiply-adds and 0.05
    measured[limited] |= {'train_ms': '640', 'train_bound_ms': '600'}  # bytes are the limit

    head, rule, *lines = times_table(table, rows, costs, measured)
    assert all(line.count('|') == head.count('|') for line in (rule, *lines)), head
    ours = cells(head)[-8:]
    assert ours[0].startswith('ours, ms a') and ours[1:4] == OURS, head
    assert ours[4].startswith('training step, ms a') and ours[5:] == OURS, head
    want = {base: ('1.00', '1.00', 'yes', '1.00', '1.00', 'yes'), slow: ('0.56', '0.40', 'no', '0.55', '0.48', 'yes'),
            limited: ('0.54', '0.40', 'yes', '0.64', '0.60', 'yes')}
    for row, line in zip(rows, lines):
        found = tuple(cells(line)[-7:-4] + cells(line)[-3:])
        assert found == want.get(row['model'], ('0.54', '0.40', 'yes', '0.55', '0.48', 'yes')), f'{row["model"]}: {found}'

    without = cells(times_table(table, rows, costs, {})[0])
    assert not any('ms a' in column and column.startswith(('ours', 'training')) for column in without), without


if __name__ == '__main__':
    assert counts(0.54, 0.5, 0.4) and counts(0.64, 0.5, 0.6)
    assert not counts(0.56, 0.5, 0.4) and not counts(0.66, 0.5, 0.6)
    for table in TABLES:
        check(table)
