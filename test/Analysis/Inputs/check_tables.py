"""Compares `rootc --emit=cost` with the paper's tables: every row's groups, params and macs."""

import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(sys.argv[1], 'scripts'))
from paper_tables import TABLES, cost_of, groups_of, read_rows


def check(rootc, table):
    for row in read_rows(table):
        groups = groups_of(table, row)
        cost = cost_of(rootc, table, row)
        found = set()
        for layer in cost["layers"]:
            columns = [column for column, pattern in table.groups.items() if re.fullmatch(pattern, layer["name"])]
            found.update(columns)
            want = groups[columns[0]] if columns else 1
            assert layer["groups"] == want, f"{row['model']}: {layer['name']} has {layer['groups']} groups, not {want}"
        assert found == set(table.groups), f"{row['model']}: no layers for {set(table.groups) - found}"
        for total in ("params", "macs"):
            want = int(row[total])
            assert cost[total] == want, f"{row['model']}: {total} {cost[total]}, the paper has {want}"
            assert cost[total] == sum(layer[total] for layer in cost["layers"])


if __name__ == "__main__":
    for table in TABLES:
        check(sys.argv[2], table)
