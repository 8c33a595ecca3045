"""doc_networks.py FOLDER PAGE.md...: writes every `.mlir` text of the pages to FOLDER, as NET.mlir if it is a whole network; lines that are
parts of one become a network's body, PART.mlir, whose missing values are the image."""

import os
import re
import sys

folder, *pages = sys.argv[1:]
# Ops that no person writes.
PROGRAM = re.compile(r'root\.(prim\.|kernel|program|model)')


def texts(page):
    """Fenced blocks of mlir, indented blocks and code in a line that hold layers."""
    with open(page) as file:
        text = file.read()
    fenced = re.findall(r'^([ ]*)```mlir\n(.*?)^[ ]*```', text, re.M | re.S)
    yield from (re.sub(rf'^{indent}', '', block, flags=re.M) for indent, block in fenced if not PROGRAM.search(block))
    text = re.sub(r'^[ ]*```.*?^[ ]*```', '', text, flags=re.M | re.S)
    for block in re.findall(r'(?:^    .*\n)+', text, re.M):
        if re.search(r'^    (?:%\w+ = |)root\.', block, re.M) and not PROGRAM.search(block):
            yield re.sub('^    ', '', block, flags=re.M)
    yield from (code + '\n' for code in re.findall(r'`(%\w+ = root\.(?!prim|kernel)[^`]*|root\.(?:output|auxiliary) %[^`]*)`', text))


def network(part):
    """A whole network of some of its lines, laid out as they are."""
    lines = [line for line in part.splitlines() if '...' not in line]
    if lines and lines[0].startswith('root.network'):
        return '\n'.join(lines + ['}']) + '\n'
    made = set(re.findall(r'^(%\w+) =', part, re.M))
    read = set(re.findall(r'(%\w+)', part)) - made
    values = [f'  {value} = root.relu %image' for value in sorted(read - {'%image'})]
    body = values + ['  ' + line if line else '' for line in lines]
    return '\n'.join(['root.network @part(%image: !root.image<8x8x8>) classes(8) {', *body, '}']) + '\n'


os.makedirs(folder, exist_ok=True)
counts = {'NET': 0, 'PART': 0}
for page in pages:
    for text in texts(page):
        whole = text.lstrip().startswith(('root.network', '//')) and text.rstrip().endswith('}')
        kind = 'NET' if whole else 'PART'
        counts[kind] += 1
        name = f'{kind}.{os.path.basename(page)}.{counts[kind]}.mlir'
        with open(os.path.join(folder, name), 'w') as file:
            file.write(text if whole else network(text))
print(*(f'{kind} {count}' for kind, count in counts.items()), sep='\n')
