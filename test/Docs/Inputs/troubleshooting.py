"""troubleshooting.py PAGE: each entry's commands, the last of which prints what its heading says. Those before it succeed."""

import os
import re
import subprocess
import sys

from PIL import Image

with open(sys.argv[1]) as file:
    page = file.read()

with open('net.mlir', 'w') as file:
    file.write(re.search(r'^```mlir\n(.*?)^```', page, re.M | re.S).group(1))
for index, name in enumerate(['blue', 'green', 'red', 'white']):
    os.makedirs(f'images/{name}')
    for number in range(3):
        Image.new('RGB', (16, 16), (60 * index, 255 - 40 * number, 90)).save(f'images/{name}/{number}.png')


def run(command):
    return subprocess.run(['bash', '-c', command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def flat(text):
    return ' '.join(text.split())


wrong = []
entries = re.findall(r'^### `([^\n]*)`\n(.*?)(?=^##|\Z)', page, re.M | re.S)
for message, text in entries:
    *before, last = re.search(r'^```sh\n(.*?)^```', text, re.M | re.S).group(1).splitlines()
    for command in before:
        done = run(command)
        if done.returncode:
            wrong.append(f'{command}\n{done.stdout}')
    printed = flat(run(last).stdout)
    if not re.search('.*'.join(map(re.escape, message.split('...'))), printed):
        wrong.append(f'{last}\nprints: {printed}\nnot:    {message}')
if wrong or len(entries) < 15:
    sys.exit('\n\n'.join(wrong) or f'only {len(entries)} entries')
