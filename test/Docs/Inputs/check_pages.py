"""check_pages.py SOURCE_DIR: README's times are rows of docs/performance.md; files and pages that README and docs name are there."""

import os
import re
import sys

os.chdir(sys.argv[1])


def rows(path):
    with open(path) as file:
        return [[cell.strip() for cell in line.split('|')[1:-1]] for line in file if line.startswith('|')]


measured = {tuple(row[:4]) for row in rows('docs/performance.md')}
shown = [tuple(row) for row in rows('README.md') if re.match(r'(train|infer):', row[0])]
assert len(shown) >= 10, shown
for row in shown:
    assert row in measured, f'README.md: {row} is not in docs/performance.md'

files = {os.path.join(folder, name)[2:] for folder, folders, names in os.walk('.') if not folder.startswith(('./build', './.'))
         for name in names}
pages = ['README.md', 'CONTRIBUTING.md'] + [f'docs/{name}' for name in os.listdir('docs') if name.endswith('.md')]
for page in pages:
    with open(page) as file:
        text = file.read()
    named = re.findall(r'`((?:\w[\w.-]*/)*[\w.-]+\.(?:md|py|sh|c|h|cpp|td|test|mlir))`', text) + re.findall(r'\]\((?!http)([^)#]+)', text)
    for name in named:
        if '/' not in name and not name.endswith('.md'):
            continue
        assert any(file == name or file.endswith(f'/{name}') for file in files), f'{page}: {name} is not there'
