"""keywords.py GRAMMAR.json SYNTAX.vim: each holds the ops, clauses and words that the language server offers."""

import json
import re
import sys

from lsp_client import Server

NETWORK = 'root.network @net(%image: !root.image<8x8x8>) classes(8) {\n  '

server = Server()
server.open(NETWORK)


def offered(line):
    server.change(NETWORK + line)
    return set(server.labels(1, 2 + len(line)))


ops = offered('%x = ') | offered('') | {'root.network'}
clauses, words = {'classes', 'shaped'}, set()
for op in ops - {'root.network'}:
    for clause in offered(f'%x = {op} "x" %image '):
        clauses.add(clause)
        words |= offered(f'%x = {op} "x" %image {clause}(')
assert server.end() == 0
assert len(ops) > 40 and len(clauses) > 35 and 'bilinear' in words, (ops, clauses, words)


def compare(what, found, expected):
    assert found == expected, f'{what}: to be removed: {found - expected}, missing: {expected - found}'


with open(sys.argv[1]) as file:
    patterns = {pattern['name']: pattern['match'] for pattern in json.load(file)['patterns']}


def alternatives(name):
    return set(re.search(r'\(\?:([a-z0-9_|]+)\)', patterns[name]).group(1).split('|'))


compare('ops', {f'root.{op}' for op in alternatives('entity.name.function.layer.rootc')}, ops)
compare('clauses', alternatives('keyword.other.clause.rootc'), clauses)
compare('words', alternatives('constant.language.rootc'), words)

with open(sys.argv[2]) as file:
    vim = file.read()
layers = re.search(r'rootcLayer /\\<root\\.\\\((.*)\\\)', vim).group(1)
compare('ops', {f'root.{op}' for op in layers.split('\\|')}, ops)
for group, expected in (('rootcClause', clauses), ('rootcWord', words)):
    compare(group, set(' '.join(re.findall(rf'^syntax keyword {group} (.*)$', vim, re.M)).split()), expected)
